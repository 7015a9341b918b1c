//! The primary IPs of load balancers (decision 0019): made with them or given to them, shown from both ends, kept until they go.

use super::load_balancers::{act, dialects, see, wanted};
use super::operator::Operator;
use crate::common::{World, ids, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The dialects that know them.
const KNOWING: [Dialect; 2] = [Dialect::Compat, Dialect::Newest];

/// Those that have load balancers and do not know them.
fn ignorant() -> impl Iterator<Item = Dialect> {
    dialects().filter(|dialect| !KNOWING.contains(dialect))
}

/// A free primary IP.
async fn free(world: &World, name: &str, family: &str, location: &str) -> i64 {
    world.create("/primary_ips", json!({"name": name, "type": family, "location": location})).await
}

async fn ip(world: &World, id: i64) -> Value {
    world.see(&format!("/primary_ips/{id}")).await["primary_ip"].clone()
}

/// A load balancer that shall have these.
fn with(name: &str, ipv4: Option<i64>, ipv6: Option<i64>) -> Value {
    let mut new = wanted(name);
    new["public_net"] = json!({"ipv4": ipv4, "ipv6": ipv6});
    new
}

#[tokio::test]
async fn each_load_balancer_has_two() {
    for dialect in KNOWING {
        let world = World::new(dialect).await;
        // A server has the same number.
        let server = world.create("/servers", server("web")).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        assert_eq!(server, id);
        let public = see(&world, id).await["public_net"].clone();
        let all = world.see("/primary_ips").await["primary_ips"].clone();
        assert_eq!(all.as_array().unwrap().len(), 4, "{all}");
        for (family, at) in [("ipv4", 2), ("ipv6", 3)] {
            let own = &all[at];
            assert_eq!((&own["id"], &own["type"]), (&public[family]["id"], &json!(family)));
            assert_eq!((&own["assignee_id"], &own["assignee_type"]), (&json!(id), &json!("load_balancer")));
            assert_eq!((&own["auto_delete"], &own["blocked"]), (&json!(true), &public[family]["blocked"]));
            assert_eq!((&own["labels"], &own["location"]["name"]), (&json!({}), &json!("fsn1")));
            assert_eq!(own["name"], format!("primary_ip-{}", own["id"]));
            let address = public[family]["ip"].as_str().unwrap();
            // The load balancer has the first address of its network.
            let expected =
                if family == "ipv4" { address.to_owned() } else { format!("{}/64", &address[..address.len() - 1]) };
            assert_eq!(own["ip"], expected);
            let found = world.see(&format!("/primary_ips?ip={expected}")).await;
            assert_eq!(ids(&found["primary_ips"]), [own["id"].as_i64().unwrap()]);
        }
        assert_eq!(world.see(&format!("/servers/{server}")).await["server"]["public_net"]["ipv4"]["id"], 1);
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        assert_eq!(ids(&world.see("/primary_ips").await["primary_ips"]), [1, 2], "those of the server stay");
    }
}

#[tokio::test]
async fn those_that_are_there_are_given() {
    for dialect in KNOWING {
        let world = World::new(dialect).await;
        let four = free(&world, "four", "ipv4", "fsn1").await;
        let six = free(&world, "six", "ipv6", "fsn1").await;
        let ptr = json!({"ip": ip(&world, four).await["ip"], "dns_ptr": "old.example.com"});
        world.post(&format!("/primary_ips/{four}/actions/change_dns_ptr"), ptr).await.ok();
        let made = world.post("/load_balancers", with("one", Some(four), None)).await.ok()["load_balancer"].clone();
        let id = made["id"].as_i64().unwrap();
        assert_eq!(made["public_net"]["ipv4"]["id"], four);
        assert_eq!(made["public_net"]["ipv4"]["ip"], ip(&world, four).await["ip"]);
        assert_eq!(made["public_net"]["ipv4"]["dns_ptr"], "old.example.com");
        // Of the other family a new one is made.
        let new = made["public_net"]["ipv6"]["id"].as_i64().unwrap();
        assert!(new > six);
        let taken = ip(&world, four).await;
        assert_eq!((&taken["assignee_id"], &taken["assignee_type"]), (&json!(id), &json!("load_balancer")));
        assert_eq!(taken["auto_delete"], false);
        let both = world.create("/load_balancers", with("both", None, Some(six))).await;
        assert_eq!(see(&world, both).await["public_net"]["ipv6"]["id"], six);
        // Those with auto_delete go with it, the others stay, and can be given again.
        world.put(&format!("/primary_ips/{six}"), json!({"auto_delete": true})).await.ok();
        for balancer in [id, both] {
            world.delete(&format!("/load_balancers/{balancer}")).await.ok();
        }
        assert_eq!(ids(&world.see("/primary_ips").await["primary_ips"]), [four]);
        let unassigned = if dialect == Dialect::Newest { "unassigned" } else { "server" };
        let freed = ip(&world, four).await;
        assert_eq!((&freed["assignee_id"], &freed["assignee_type"]), (&Value::Null, &json!(unassigned)));
        assert_eq!(freed["dns_ptr"][0]["dns_ptr"], "old.example.com");
        let again = world.create("/load_balancers", with("again", Some(four), None)).await;
        assert_eq!(see(&world, again).await["public_net"]["ipv4"]["ip"], freed["ip"]);
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    for dialect in KNOWING {
        let world = World::new(dialect).await;
        let four = free(&world, "four", "ipv4", "fsn1").await;
        let far = free(&world, "far", "ipv4", "hel1").await;
        world.create("/servers", server("web")).await;
        let server_ip = world.see("/servers/1").await["server"]["public_net"]["ipv4"]["id"].as_i64();
        let post = |new: Value| world.post("/load_balancers", new);
        post(with("a", None, Some(four))).await.refused(422, "primary_ip_version_mismatch");
        post(with("a", Some(far), None)).await.refused(422, "primary_ip_datacenter_mismatch");
        post(with("a", server_ip, None)).await.refused(422, "primary_ip_assigned");
        assert_eq!(post(with("a", Some(99), None)).await.refused(404, "not_found").code(), Some("not_found"));
        let mut hidden = with("a", Some(four), Some(four));
        hidden["public_interface"] = json!(false);
        post(hidden.clone()).await.wrong(&["public_net.ipv4", "public_net.ipv6"]);
        // The other family is right, and nothing is taken.
        post(with("a", Some(four), Some(99))).await.refused(404, "not_found");
        assert_eq!(ip(&world, four).await["assignee_id"], Value::Null);
        let operator = Operator::of(&world);
        let block = |blocked: bool| operator.does("PUT", "/primary_ips/1/blocked", json!({"blocked": blocked}));
        assert_eq!(four, 1);
        block(true).await;
        let refused = post(with("a", Some(four), None)).await;
        assert_eq!(refused.refused(423, "resource_locked").message(), "primary IP with ID '1' is blocked");
        block(false).await;
        world.create("/load_balancers", with("a", Some(four), None)).await;
        let refused = post(with("b", Some(four), None)).await;
        assert_eq!(refused.refused(422, "primary_ip_assigned").message(), "primary IP with ID '1' is already assigned");
        // A stranger's is not there.
        let stranger = world.stranger().await;
        let asked = world.ask("POST", "/load_balancers").token(Some(&stranger)).json(&with("a", Some(far), None));
        asked.send().await.refused(404, "not_found");
        // Null means none, as absence does.
        hidden["name"] = json!("c");
        hidden["public_net"] = json!({"ipv4": null});
        world.create("/load_balancers", hidden).await;
    }
}

/// In a zone it goes where its primary IP is.
#[tokio::test]
async fn a_zone_has_room_beside_it() {
    let world = World::new(Dialect::Newest).await;
    let far = free(&world, "far", "ipv6", "hel1").await;
    let abroad = free(&world, "abroad", "ipv4", "ash").await;
    let in_zone = |ipv4: Option<i64>, ipv6: Option<i64>| {
        json!({"name": "a", "load_balancer_type": "lb11", "network_zone": "eu-central",
            "public_net": {"ipv4": ipv4, "ipv6": ipv6}})
    };
    let refused = world.post("/load_balancers", in_zone(Some(abroad), None)).await;
    refused.refused(422, "primary_ip_datacenter_mismatch");
    let id = world.create("/load_balancers", in_zone(None, Some(far))).await;
    let made = see(&world, id).await;
    assert_eq!((&made["location"]["name"], &made["public_net"]["ipv6"]["id"]), (&json!("hel1"), &json!(far)));
    let four = made["public_net"]["ipv4"]["id"].as_i64().unwrap();
    assert_eq!(ip(&world, four).await["location"]["name"], "hel1");
}

/// "It stays assigned for the entire lifetime of the Load Balancer."
#[tokio::test]
async fn a_load_balancer_keeps_them() {
    for dialect in KNOWING {
        let world = World::new(dialect).await;
        let web = world
            .create(
                "/servers",
                json!({"name": "web", "server_type": "cpx22", "image": "debian-12",
            "start_after_create": false, "public_net": {"enable_ipv4": false, "enable_ipv6": false}}),
            )
            .await;
        let spare = free(&world, "spare", "ipv4", "fsn1").await;
        let id = world.create("/load_balancers", wanted("one")).await;
        let own = see(&world, id).await["public_net"]["ipv4"]["id"].as_i64().unwrap();
        let path = format!("/primary_ips/{own}");
        let refused = world.post(&format!("{path}/actions/unassign"), json!({})).await;
        let text = format!(
            "primary IP with ID '{own}' stays assigned to the load balancer with ID '{id}' as long as that exists"
        );
        assert_eq!(refused.refused(422, "unsupported_error").message(), text);
        world.delete(&path).await.refused(422, "must_be_unassigned");
        let assign = |kind: &str, id: i64| json!({"assignee_id": id, "assignee_type": kind});
        world
            .post(&format!("{path}/actions/assign"), assign("server", web))
            .await
            .refused(422, "primary_ip_already_assigned");
        world
            .post(&format!("/primary_ips/{spare}/actions/assign"), assign("load_balancer", id))
            .await
            .wrong(&["assignee_type"]);
        let new = json!({"name": "new", "type": "ipv4", "assignee_id": id, "assignee_type": "load_balancer"});
        world.post("/primary_ips", new).await.wrong(&["assignee_type"]);
        // Protection, names and labels are as of any other.
        world.post(&format!("{path}/actions/change_protection"), json!({"delete": true})).await.wrong(&["delete"]);
        let changed = json!({"name": "ours", "labels": {"a": "b"}, "auto_delete": false});
        world.put(&path, changed).await.ok();
        world.post(&format!("{path}/actions/change_protection"), json!({"delete": true})).await.ok();
        world.delete(&path).await.refused(423, "protected");
        for query in ["name=ours", "label_selector=a%3Db"] {
            assert_eq!(ids(&world.see(&format!("/primary_ips?{query}")).await["primary_ips"]), [own]);
        }
        // Off or on, its public interface has the same addresses.
        let net = crate::networks::network(&world, "net", &["10.0.1.0/24"]).await;
        act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
        for verb in ["disable_public_interface", "enable_public_interface"] {
            act(&world, id, verb, Value::Null).await.ok();
            assert_eq!(see(&world, id).await["public_net"]["ipv4"]["id"], own);
        }
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        let left = ip(&world, own).await;
        assert_eq!((&left["assignee_id"], &left["protection"]["delete"]), (&Value::Null, &json!(true)));
    }
}

/// Reverse DNS and blocking, from both ends.
#[tokio::test]
async fn both_ends_show_the_same() {
    for dialect in KNOWING {
        let world = World::new(dialect).await;
        let operator = Operator::of(&world);
        let id = world.create("/load_balancers", wanted("one")).await;
        let public = see(&world, id).await["public_net"].clone();
        for family in ["ipv4", "ipv6"] {
            let (own, address) = (public[family]["id"].as_i64().unwrap(), &public[family]["ip"]);
            let ptr = |name: Option<&str>| json!({"ip": address, "dns_ptr": name});
            act(&world, id, "change_dns_ptr", ptr(Some("a.example.com"))).await.ok();
            let entry = json!([{"ip": address, "dns_ptr": "a.example.com"}]);
            assert_eq!(ip(&world, own).await["dns_ptr"], entry);
            world.post(&format!("/primary_ips/{own}/actions/change_dns_ptr"), ptr(Some("b.example.com"))).await.ok();
            assert_eq!(see(&world, id).await["public_net"][family]["dns_ptr"], "b.example.com");
            act(&world, id, "change_dns_ptr", ptr(None)).await.ok();
            assert_eq!(see(&world, id).await["public_net"][family]["dns_ptr"], public[family]["dns_ptr"]);
            for blocked in [true, false] {
                operator.does("PUT", &format!("/primary_ips/{own}/blocked"), json!({"blocked": blocked})).await;
                assert_eq!(see(&world, id).await["public_net"][family]["blocked"], blocked);
                assert_eq!(ip(&world, own).await["blocked"], blocked);
            }
        }
        // Of its network a load balancer has one address; the primary IP has all.
        let own = public["ipv6"]["id"].as_i64().unwrap();
        let network = ip(&world, own).await["ip"].as_str().unwrap().replace("/64", "7");
        let ptr = json!({"ip": network, "dns_ptr": "seven.example.com"});
        act(&world, id, "change_dns_ptr", ptr.clone()).await.wrong(&["ip"]);
        world.post(&format!("/primary_ips/{own}/actions/change_dns_ptr"), ptr).await.ok();
        assert_eq!(see(&world, id).await["public_net"]["ipv6"]["dns_ptr"], Value::Null);
    }
}

/// Documents of before October 2026 know servers alone as assignees: the primary IPs of load balancers are not there.
#[tokio::test]
async fn earlier_dialects_do_not_know_them() {
    for dialect in ignorant() {
        let world = World::new(dialect).await;
        world.create("/servers", server("web")).await;
        let place = if dialect == Dialect::D2023_07 { ("datacenter", "fsn1-dc14") } else { ("location", "fsn1") };
        let spare =
            json!({"name": "spare", "type": "ipv4", "assignee_type": "server", place.0: place.1, "auto_delete": false});
        let spare = world.create("/primary_ips", spare).await;
        // What a document does not know is ignored, as on the real service.
        let id = world.create("/load_balancers", with("one", Some(spare), None)).await;
        let public = see(&world, id).await["public_net"].clone();
        assert_eq!((public["ipv4"].get("id"), public["ipv4"].get("blocked")), (None, None));
        let newest = world.through(Dialect::Newest).await;
        let shown = newest.see(&format!("/load_balancers/{id}")).await["load_balancer"]["public_net"].clone();
        let (own, address) = (shown["ipv4"]["id"].as_i64().unwrap(), public["ipv4"]["ip"].as_str().unwrap());
        assert_eq!((own, &shown["ipv4"]["ip"]), (4, &public["ipv4"]["ip"]));
        assert_eq!(newest.see("/primary_ips").await["meta"]["pagination"]["total_entries"], 5);
        newest.put(&format!("/primary_ips/{own}"), json!({"labels": {"a": "b"}})).await.ok();

        let list = world.see("/primary_ips?per_page=2&page=2&sort=created").await;
        assert_eq!((ids(&list["primary_ips"]), &list["meta"]["pagination"]["total_entries"]), (vec![spare], &json!(3)));
        for query in [format!("ip={address}"), format!("name=primary_ip-{own}"), "label_selector=a%3Db".to_owned()] {
            assert_eq!(world.see(&format!("/primary_ips?{query}")).await["primary_ips"], json!([]), "{query}");
        }
        let path = format!("/primary_ips/{own}");
        world.get(&path).await.refused(404, "not_found");
        world.put(&path, json!({"name": "x"})).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
        for (verb, body) in [
            ("assign", json!({"assignee_id": 1, "assignee_type": "server"})),
            ("unassign", json!({})),
            ("change_protection", json!({"delete": true})),
            ("change_dns_ptr", json!({"ip": address, "dns_ptr": null})),
        ] {
            world.post(&format!("{path}/actions/{verb}"), body).await.refused(404, "not_found");
        }
        if dialect != Dialect::D2023_07 {
            world.get(&format!("{path}/actions")).await.refused(404, "not_found");
            newest.see(&format!("{path}/actions")).await;
        }
        // Its addresses are the load balancer's own there, and go with it.
        let ptr = json!({"ip": address, "dns_ptr": "lb.example.com"});
        act(&world, id, "change_dns_ptr", ptr).await.ok();
        assert_eq!(newest.see(&path).await["primary_ip"]["dns_ptr"][0]["dns_ptr"], "lb.example.com");
        world.delete(&format!("/load_balancers/{id}")).await;
        newest.get(&path).await.refused(404, "not_found");
        assert_eq!(newest.see("/primary_ips").await["meta"]["pagination"]["total_entries"], 3);
    }
}

#[tokio::test]
async fn they_count() {
    let world = World::new(Dialect::Newest).await;
    let set = |value| world.control.set_project_limits("default", vec![("primary_ip".into(), Some(value))]);
    set(1).await.unwrap();
    let refused = world.post("/load_balancers", wanted("one")).await;
    refused.refused(403, "resource_limit_exceeded");
    assert_eq!(refused.json["error"]["details"]["limits"], json!([{"name": "primary_ip_limit"}]));
    assert_eq!(world.see("/primary_ips").await["primary_ips"], json!([]));
    let four = free(&world, "four", "ipv4", "fsn1").await;
    set(2).await.unwrap();
    world.create("/load_balancers", with("one", Some(four), None)).await;
}
