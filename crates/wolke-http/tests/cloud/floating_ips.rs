//! Floating IPs.

use crate::common::{Answer, World, ids, names, server};
use crate::contention::stuck;
use crate::operator::Operator;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The least request, in every dialect.
fn wanted(family: &str) -> Value {
    json!({"type": family, "home_location": "fsn1"})
}

fn named(name: &str) -> Value {
    json!({"name": name, "type": "ipv4", "home_location": "fsn1"})
}

async fn act(world: &World, id: i64, verb: &str, body: Value) -> Answer {
    world.post(&format!("/floating_ips/{id}/actions/{verb}"), body).await
}

async fn assign(world: &World, id: i64, server: i64) -> Answer {
    act(world, id, "assign", json!({"server": server})).await
}

async fn unassign(world: &World, id: i64) -> Answer {
    world.ask("POST", &format!("/floating_ips/{id}/actions/unassign")).send().await
}

/// The server that has a floating IP.
async fn holder(world: &World, id: i64) -> Value {
    world.see(&format!("/floating_ips/{id}")).await["floating_ip"]["server"].clone()
}

/// The floating IPs that a server shows, in its own answer and in the list, which agree.
async fn held(world: &World, server: i64) -> Vec<i64> {
    let seen = world.see(&format!("/servers/{server}")).await["server"]["public_net"]["floating_ips"].clone();
    let listed = world.see("/servers").await;
    let listed = listed["servers"].as_array().unwrap().iter().find(|entry| entry["id"] == server);
    assert_eq!(listed.unwrap()["public_net"]["floating_ips"], seen, "the list shows an older server");
    serde_json::from_value(seen).unwrap()
}

#[tokio::test]
async fn a_life() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let mut new = wanted("ipv4");
        new["description"] = json!("web");
        let made = world.post("/floating_ips", new).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert!(made.get("action").is_none(), "{dialect}: nothing was assigned");
        let ip = &made["floating_ip"];
        assert_eq!((&ip["server"], &ip["blocked"], &ip["description"]), (&Value::Null, &json!(false), &json!("web")));
        assert_eq!((&ip["home_location"]["name"], &ip["type"]), (&json!("fsn1"), &json!("ipv4")));
        let octets: Vec<&str> = ip["ip"].as_str().unwrap().split('.').rev().collect();
        let name = format!("static.{}.clients.your-server.de", octets.join("."));
        assert_eq!(ip["dns_ptr"], json!([{"ip": ip["ip"], "dns_ptr": name}]), "the default is there at once");
        let id = ip["id"].as_i64().unwrap();
        let path = format!("/floating_ips/{id}");
        assert_eq!(&world.see(&path).await["floating_ip"], ip);

        let six = world.post("/floating_ips", wanted("ipv6")).await.ok()["floating_ip"].clone();
        assert!(six["ip"].as_str().unwrap().ends_with("::/64"), "{six}");
        assert_eq!((&six["dns_ptr"], &six["description"]), (&json!([]), &Value::Null));
        assert_eq!(ids(&world.see("/floating_ips").await["floating_ips"]), [id, six["id"].as_i64().unwrap()]);

        let changed = world.put(&path, json!({"description": "mail"})).await.ok();
        assert_eq!(changed["floating_ip"]["description"], "mail");
        assert_eq!(world.put(&path, json!({})).await.ok(), changed, "a read");
        // Null removes it where the document knows null, and is absence before (contract/decisions.json).
        let kept = matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07);
        let cleared = world.put(&path, json!({"description": null})).await.ok();
        assert_eq!(cleared["floating_ip"]["description"], if kept { json!("mail") } else { Value::Null }, "{dialect}");

        let protected = act(&world, id, "change_protection", json!({"delete": true})).await;
        assert_eq!(protected.status, 201);
        let action = protected.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("change_protection"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": id, "type": "floating_ip"}]));
        assert_eq!(world.see(&path).await["floating_ip"]["protection"]["delete"], true);
        let refused = world.delete(&path).await;
        assert_eq!(refused.refused(423, "protected").message(), "Floating IP deletion is protected");
        if kept {
            // What is absent stays; it is required since 2026.
            act(&world, id, "change_protection", json!({})).await.ok();
            assert_eq!(world.see(&path).await["floating_ip"]["protection"]["delete"], true);
        } else {
            act(&world, id, "change_protection", json!({})).await.wrong(&["delete"]);
        }
        act(&world, id, "change_protection", json!({"delete": false})).await.ok();
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn names_labels_and_lists() {
    for dialect in Dialect::ALL.iter().filter(|d| **d != Dialect::D2018_04) {
        let world = World::new(*dialect).await;
        let mut new = named("one");
        new["labels"] = json!({"a": "b"});
        let id = world.create("/floating_ips", new).await;
        let path = format!("/floating_ips/{id}");
        world.clock.advance(1_000);
        let second = world.post("/floating_ips", wanted("ipv6")).await.ok()["floating_ip"].clone();
        let generated = second["name"].as_str().unwrap();
        for (query, expected) in [
            ("", vec!["one", generated]),
            ("?name=one", vec!["one"]),
            ("?name=none", vec![]),
            ("?label_selector=a%3Db", vec!["one"]),
            ("?label_selector=%21a", vec![generated]),
            ("?sort=id:desc", vec![generated, "one"]),
            ("?sort=created:desc", vec![generated, "one"]),
            ("?page=2&per_page=1", vec![generated]),
        ] {
            let list = world.see(&format!("/floating_ips{query}")).await;
            assert_eq!(names(&list["floating_ips"]), expected, "{dialect} {query}");
            assert!(list["meta"]["pagination"]["total_entries"].is_u64());
        }
        world.get("/floating_ips?sort=name").await.wrong(&["sort"]);
        world.post("/floating_ips", named("one")).await.refused(409, "uniqueness_error");
        world.put(&path, json!({"name": generated})).await.refused(409, "uniqueness_error");
        let renamed = world.put(&path, json!({"name": "uno", "labels": {"c": "d"}})).await.ok();
        assert_eq!(
            (&renamed["floating_ip"]["name"], &renamed["floating_ip"]["labels"]),
            (&json!("uno"), &json!({"c": "d"}))
        );
        assert_eq!(names(&world.see("/floating_ips?label_selector=c").await["floating_ips"]), ["uno"]);

        // The default name of the next one is taken: it gets another.
        let next = format!("floating-ip-{}", second["id"].as_i64().unwrap() + 2);
        world.create("/floating_ips", named(&next)).await;
        let third = world.post("/floating_ips", wanted("ipv4")).await.ok()["floating_ip"].clone();
        assert!(third["name"].as_str().unwrap().starts_with(&format!("{next}-")), "{third}");
        assert_eq!(format!("floating-ip-{}", third["id"]), next);
    }
}

#[tokio::test]
async fn wrong_requests() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let server = world.create("/servers", server("a")).await;
        world.post("/floating_ips", json!({})).await.wrong(&["type"]);
        world.post("/floating_ips", json!({"type": "ipv5", "server": "x"})).await.wrong(&["type", "server"]);
        for place in [json!({}), json!({"server": server, "home_location": "fsn1"}), json!({"home_location": "mars"})] {
            let mut new = place;
            new["type"] = json!("ipv4");
            let refused = world.post("/floating_ips", new).await;
            refused.wrong(&["server", "home_location"]);
            // The wording is compared by Ansible's suite (fact sheet §3.3).
            assert_eq!(refused.message(), "invalid input in fields 'server', 'home_location'");
        }
        world.post("/floating_ips", json!({"type": "ipv4", "server": 999})).await.refused(404, "not_found");
        let mut long = wanted("ipv4");
        long["description"] = json!("x".repeat(1025));
        world.post("/floating_ips", long).await.wrong(&["description"]);
        let id = world.create("/floating_ips", wanted("ipv4")).await;
        world
            .put(&format!("/floating_ips/{id}"), json!({"description": "x".repeat(1025)}))
            .await
            .wrong(&["description"]);
        world.put(&format!("/floating_ips/{id}"), json!({"description": 7})).await.wrong(&["description"]);
        world.put("/floating_ips/999", json!({"description": "x"})).await.refused(404, "not_found");
        act(&world, id, "assign", json!({})).await.wrong(&["server"]);
        act(&world, id, "assign", json!({"server": null})).await.wrong(&["server"]);
        assign(&world, id, 999).await.refused(404, "not_found");
        for verb in ["assign", "change_protection", "change_dns_ptr"] {
            let body = json!({"server": server, "delete": true, "ip": "198.18.0.1", "dns_ptr": null});
            act(&world, 999, verb, body).await.refused(404, "not_found");
        }
        unassign(&world, 999).await.refused(404, "not_found");
        let mut all = named(" ");
        (all["labels"], all["home_location"]) = (json!({"hetzner.cloud/a": "b"}), Value::Null);
        let all = world.post("/floating_ips", all).await;
        let fields: &[&str] = if *dialect == Dialect::D2018_04 {
            &["server", "home_location"]
        } else {
            &["name", "labels.hetzner.cloud/a", "server", "home_location"]
        };
        all.wrong(fields);
    }
}

#[tokio::test]
async fn made_for_a_server() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let mut elsewhere = server("a");
        elsewhere["location"] = json!("hel1");
        let server = world.create("/servers", elsewhere).await;
        let made = world.post("/floating_ips", json!({"type": "ipv6", "server": server})).await.ok();
        let (ip, action) = (&made["floating_ip"], &made["action"]);
        let id = ip["id"].as_i64().unwrap();
        assert_eq!((&action["command"], &action["status"]), (&json!("assign_floating_ip"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": server, "type": "server"}, {"id": id, "type": "floating_ip"}]));
        assert_eq!((&ip["server"], &ip["home_location"]["name"]), (&json!(server), &json!("hel1")), "{dialect}");
        assert_eq!(held(&world, server).await, [id]);
        let of_server = world.see(&format!("/servers/{server}/actions")).await;
        assert!(ids(&of_server["actions"]).contains(&action["id"].as_i64().unwrap()));
    }
}

#[tokio::test]
async fn from_server_to_server() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let (a, mut far) = (world.create("/servers", server("a")).await, server("b"));
        far["location"] = json!("hel1");
        let b = world.create("/servers", far).await;
        let id = world.create("/floating_ips", wanted("ipv4")).await;
        let other = world.create("/floating_ips", wanted("ipv6")).await;
        let done = assign(&world, id, a).await;
        assert_eq!(done.status, 201);
        let done = done.ok();
        assert_eq!(
            (&done["action"]["command"], &done["action"]["status"]),
            (&json!("assign_floating_ip"), &json!("success"))
        );
        let resources = |server: i64| json!([{"id": server, "type": "server"}, {"id": id, "type": "floating_ip"}]);
        assert_eq!(done["action"]["resources"], resources(a));
        assign(&world, other, a).await.ok();
        assert_eq!((holder(&world, id).await, held(&world, a).await), (json!(a), vec![id, other]));

        // The Terraform provider and Ansible assign it elsewhere without taking it back first (fact sheet §3.3).
        let moved = assign(&world, id, b).await.ok();
        assert_eq!(moved["action"]["resources"], resources(b));
        assert_eq!(
            (holder(&world, id).await, held(&world, a).await, held(&world, b).await),
            (json!(b), vec![other], vec![id])
        );
        let again = assign(&world, id, b).await;
        if *dialect == Dialect::D2018_04 {
            assert_eq!(again.ok()["action"]["status"], "success", "2018 has no code for it");
        } else {
            again.refused(422, "floating_ip_assigned");
        }

        let freed = unassign(&world, id).await.ok();
        assert_eq!(
            (&freed["action"]["command"], &freed["action"]["resources"]),
            (&json!("unassign_floating_ip"), &resources(b))
        );
        assert_eq!((holder(&world, id).await, held(&world, b).await), (Value::Null, vec![]));
        let idle = unassign(&world, id).await.ok();
        assert_eq!(idle["action"]["resources"], json!([{"id": id, "type": "floating_ip"}]), "a free one is free");
        assert_eq!(world.see(&format!("/floating_ips/{id}")).await["floating_ip"]["home_location"]["name"], "fsn1");

        // A server that goes leaves them behind.
        assign(&world, id, a).await.ok();
        world.delete(&format!("/servers/{a}")).await.ok();
        assert_eq!((holder(&world, id).await, holder(&world, other).await), (Value::Null, Value::Null));
        assert_eq!(ids(&world.see("/floating_ips").await["floating_ips"]), [id, other]);
    }
}

#[tokio::test]
async fn deleting_an_assigned_one() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let server = world.create("/servers", server("a")).await;
        let id = world.create("/floating_ips", json!({"type": "ipv4", "server": server})).await;
        let path = format!("/floating_ips/{id}");
        let gone = world.delete(&path).await;
        if matches!(dialect, Dialect::Compat | Dialect::Newest) {
            gone.refused(422, "must_be_unassigned");
            assert_eq!(held(&world, server).await, [id]);
            unassign(&world, id).await.ok();
            assert_eq!(world.delete(&path).await.status, 204);
        } else {
            assert_eq!(gone.status, 204, "{dialect}");
        }
        assert_eq!(held(&world, server).await, Vec::<i64>::new(), "{dialect}");
        world.get(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn actions_of_floating_ips() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/floating_ips", wanted("ipv4")).await;
        let other = world.create("/floating_ips", wanted("ipv4")).await;
        let ip = world.see(&format!("/floating_ips/{id}")).await["floating_ip"]["ip"].clone();
        act(&world, id, "change_protection", json!({"delete": false})).await.ok();
        act(&world, id, "change_dns_ptr", json!({"ip": ip, "dns_ptr": "a.example.com"})).await.ok();
        let foreign =
            act(&world, other, "change_protection", json!({"delete": false})).await.ok()["action"]["id"].clone();
        let path = format!("/floating_ips/{id}/actions");
        let all = world.see(&format!("{path}?sort=id")).await["actions"].clone();
        let commands: Vec<&Value> = all.as_array().unwrap().iter().map(|action| &action["command"]).collect();
        assert_eq!(commands, ["change_protection", "change_dns_ptr"]);
        let reversed = world.see(&format!("{path}?sort=command")).await;
        assert_eq!(reversed["actions"][0]["command"], "change_dns_ptr");
        // 2018 has no filter here, and ignores what it does not know (dialects A.4).
        let failed = world.see(&format!("{path}?status=error")).await["actions"].as_array().unwrap().len();
        assert_eq!(failed, if *dialect == Dialect::D2018_04 { 2 } else { 0 });
        assert_eq!(world.see(&format!("{path}/{}", all[0]["id"])).await["action"], all[0]);
        world.get(&format!("{path}/{foreign}")).await.refused(404, "not_found");
        world.get("/floating_ips/999/actions").await.refused(404, "not_found");
        let of_kind = world.get("/floating_ips/actions").await;
        if matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07) {
            of_kind.refused(404, "not_found");
        } else {
            assert_eq!(of_kind.ok()["actions"].as_array().unwrap().len(), 3);
            assert_eq!(world.see(&format!("/floating_ips/actions/{foreign}")).await["action"]["id"], foreign);
        }
    }
}

#[tokio::test]
async fn reverse_dns() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let four = world.post("/floating_ips", wanted("ipv4")).await.ok()["floating_ip"].clone();
        let six = world.post("/floating_ips", wanted("ipv6")).await.ok()["floating_ip"].clone();
        let (id4, id6) = (four["id"].as_i64().unwrap(), six["id"].as_i64().unwrap());
        let change = async |id: i64, ip: &str, name: Value| {
            act(&world, id, "change_dns_ptr", json!({"ip": ip, "dns_ptr": name})).await
        };
        let shown = async |id: i64| world.see(&format!("/floating_ips/{id}")).await["floating_ip"]["dns_ptr"].clone();
        let (address, network) = (four["ip"].as_str().unwrap(), six["ip"].as_str().unwrap().replace("/64", ""));
        let (one, two) = (format!("{network}1"), format!("{network}2"));

        let done = change(id4, address, json!("a.example.com")).await;
        assert_eq!((done.status, &done.json["action"]["command"]), (201, &json!("change_dns_ptr")));
        assert_eq!(done.json["action"]["resources"], json!([{"id": id4, "type": "floating_ip"}]));
        assert_eq!(shown(id4).await, json!([{"ip": address, "dns_ptr": "a.example.com"}]));
        change(id6, &two, json!("two.example.com")).await.ok();
        change(id6, &one.to_uppercase(), json!("one.example.com.")).await.ok();
        let both = json!([{"ip": one, "dns_ptr": "one.example.com"}, {"ip": two, "dns_ptr": "two.example.com"}]);
        assert_eq!(shown(id6).await, both);

        for (id, foreign) in [(id4, &one), (id6, &address.to_owned()), (id6, &"2001:db8:ffff:1::1".to_owned())] {
            change(id, foreign, json!("x.example.com")).await.wrong(&["ip"]);
        }
        change(id4, "x", json!("a b")).await.wrong(&["ip", "dns_ptr"]);
        act(&world, id4, "change_dns_ptr", json!({"ip": address})).await.wrong(&["dns_ptr"]);

        // Null resets (fact sheet §3.1).
        change(id4, address, Value::Null).await.ok();
        change(id6, &one, Value::Null).await.ok();
        assert_eq!(shown(id4).await, four["dns_ptr"]);
        assert_eq!(shown(id6).await, json!([{"ip": two, "dns_ptr": "two.example.com"}]));
    }
}

#[tokio::test]
async fn a_network_has_a_hundred_entries() {
    let world = World::new(Dialect::Compat).await;
    let made = world.post("/floating_ips", wanted("ipv6")).await.ok();
    let id = made["floating_ip"]["id"].as_i64().unwrap();
    let network = made["floating_ip"]["ip"].as_str().unwrap().replace("/64", "");
    let change = async |n: usize, name: Value| {
        act(&world, id, "change_dns_ptr", json!({"ip": format!("{network}{n:x}"), "dns_ptr": name})).await
    };
    for n in 1..=100 {
        change(n, json!("a.example.com")).await.ok();
    }
    change(101, json!("a.example.com")).await.refused(403, "resource_limit_exceeded");
    change(1, Value::Null).await.ok();
    change(101, json!("a.example.com")).await.ok();
}

#[tokio::test]
async fn what_another_project_owns_does_not_exist() {
    let world = World::new(Dialect::Compat).await;
    let stranger = world.stranger().await;
    let mine = world.create("/servers", server("mine")).await;
    let id = world.create("/floating_ips", named("ip")).await;
    let theirs = async |method: &str, path: &str, body: Value| {
        world.ask(method, path).token(Some(&stranger)).json(&body).send().await
    };
    let path = format!("/floating_ips/{id}");
    for (method, path, body) in [
        ("GET", path.clone(), json!({})),
        ("PUT", path.clone(), json!({"name": "theirs"})),
        ("DELETE", path.clone(), json!({})),
        ("GET", format!("{path}/actions"), json!({})),
        ("POST", format!("{path}/actions/assign"), json!({"server": mine})),
        ("POST", format!("{path}/actions/unassign"), json!({})),
        ("POST", format!("{path}/actions/change_protection"), json!({"delete": true})),
        ("POST", "/floating_ips".into(), json!({"type": "ipv4", "server": mine})),
    ] {
        theirs(method, &path, body).await.refused(404, "not_found");
    }
    let own = theirs("POST", "/floating_ips", named("ip")).await.ok()["floating_ip"].clone();
    assert_ne!(own["ip"], world.see(&path).await["floating_ip"]["ip"], "one address is one project's");
    theirs("POST", &format!("/floating_ips/{}/actions/assign", own["id"]), json!({"server": mine}))
        .await
        .refused(404, "not_found");
    assign(&world, own["id"].as_i64().unwrap(), mine).await.refused(404, "not_found");
    let listed = world.ask("GET", "/floating_ips").token(Some(&stranger)).send().await.ok();
    assert_eq!(ids(&listed["floating_ips"]), [own["id"].as_i64().unwrap()]);
    assert_eq!(held(&world, mine).await, Vec::<i64>::new());
}

#[tokio::test]
async fn the_operator_blocks_one() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let operator = Operator::of(&world);
        let id = world.create("/floating_ips", wanted("ipv4")).await;
        let path = format!("/floating_ips/{id}");
        for blocked in [true, false] {
            let said = operator.does("PUT", &format!("{path}/blocked"), json!({"blocked": blocked})).await;
            let seen = world.see(&path).await;
            assert_eq!((&said["ip"], &said["blocked"]), (&seen["floating_ip"]["ip"], &json!(blocked)));
            assert_eq!(seen["floating_ip"]["blocked"], blocked);
            assert_eq!(world.see("/floating_ips").await["floating_ips"][0], seen["floating_ip"]);
        }
        assert_eq!(operator.ask("PUT", "/floating_ips/99/blocked", json!({"blocked": true})).await.0, 404);
    }
}

/// A 2018 client meets what a newer one has made (dialects A.10).
#[tokio::test]
async fn through_2018() {
    let modern = World::new(Dialect::Compat).await;
    let old = modern.through(Dialect::D2018_04).await;
    let mut new = named("web");
    new["labels"] = json!({"a": "b"});
    let id = modern.create("/floating_ips", new).await;
    let path = format!("/floating_ips/{id}");
    let seen = old.see(&path).await;
    for absent in ["name", "labels", "created"] {
        assert!(seen["floating_ip"].get(absent).is_none(), "{absent}");
    }
    assert!(seen["floating_ip"]["home_location"].get("network_zone").is_none());
    old.put(&path, json!({"description": "x", "name": "not known", "labels": {}})).await.ok();
    let seen = modern.see(&path).await["floating_ip"].clone();
    assert_eq!(
        (&seen["name"], &seen["labels"], &seen["description"]),
        (&json!("web"), &json!({"a": "b"}), &json!("x")),
        "what 2018 does not know survives its PUT"
    );
    let mut unknown = wanted("ipv4");
    (unknown["name"], unknown["labels"]) = (json!("web"), json!("nonsense"));
    let made = old.create("/floating_ips", unknown).await;
    let seen = modern.see(&format!("/floating_ips/{made}")).await["floating_ip"].clone();
    assert_eq!((&seen["name"], &seen["labels"]), (&json!(format!("floating-ip-{made}")), &json!({})));
    // 2018 has no parameters here, not even for a name; pages it has (dialects A.4).
    let all = old.see("/floating_ips?name=none&label_selector=x%3D%3D%3D&sort=nonsense&per_page=1").await;
    assert_eq!((ids(&all["floating_ips"]).len(), &all["meta"]["pagination"]["total_entries"]), (1, &json!(2)));
}

/// A server that is being deleted gets no more of them, and does not keep from others what it has.
#[tokio::test]
async fn a_server_on_its_way_out() {
    let (world, id) = stuck(false).await;
    let ip = world.create("/floating_ips", json!({"type": "ipv4", "server": id})).await;
    let other = world.create("/floating_ips", named("other")).await;
    let action = world.delete(&format!("/servers/{id}")).await.ok()["action"].clone();
    assert_eq!(action["status"], "running");
    assign(&world, other, id).await.refused(423, "locked");
    world.post("/floating_ips", json!({"type": "ipv4", "server": id})).await.refused(423, "locked");
    let next = world.create("/servers", server("next")).await;
    assign(&world, ip, next).await.ok();
    assert_eq!((held(&world, id).await, held(&world, next).await), (vec![], vec![ip]));
}

#[tokio::test]
async fn busy_servers() {
    let (world, id) = stuck(false).await;
    let ip = world.create("/floating_ips", wanted("ipv4")).await;
    world.post(&format!("/servers/{id}/actions/reboot"), json!({})).await.ok();
    for done in [assign(&world, ip, id).await, unassign(&world, ip).await] {
        assert_eq!(done.ok()["action"]["status"], "success", "what is done in the answer need not wait");
    }
    let (world, id) = stuck(true).await;
    let (ip, free) = (
        world.create("/floating_ips", json!({"type": "ipv4", "server": id})).await,
        world.create("/floating_ips", named("free")).await,
    );
    world.post(&format!("/servers/{id}/actions/reboot"), json!({})).await.ok();
    assign(&world, free, id).await.refused(423, "locked");
    unassign(&world, ip).await.refused(423, "locked");
    world.post("/floating_ips", json!({"type": "ipv4", "server": id})).await.refused(423, "locked");
    assert_eq!(held(&world, id).await, [ip]);
}
