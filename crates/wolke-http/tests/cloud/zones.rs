//! DNS zones: life, modes, protection, serial, what they refuse.

use super::operator::Operator;
use crate::common::{World, ids, names};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The dialects that have zones.
pub const WITH_ZONES: [Dialect; 3] = [Dialect::D2026_02, Dialect::Compat, Dialect::Newest];

pub fn primary(name: &str) -> Value {
    json!({"name": name, "mode": "primary"})
}

fn secondary(name: &str) -> Value {
    json!({"name": name, "mode": "secondary", "primary_nameservers": [{"address": "203.0.113.1"}]})
}

/// The value of the zone's SOA record, and the serial in it.
pub async fn soa(world: &World, zone: &str) -> (String, u64) {
    let seen = world.see(&format!("/zones/{zone}/rrsets/@/SOA")).await;
    let value = seen["rrset"]["records"][0]["value"].as_str().unwrap().to_owned();
    let serial = value.split(' ').nth(2).unwrap().parse().unwrap();
    (value, serial)
}

#[tokio::test]
async fn a_life() {
    for dialect in WITH_ZONES {
        let world = World::new(dialect).await;
        let mut wanted = primary("example.com");
        wanted["labels"] = json!({"a": "b"});
        let made = world.post("/zones", wanted).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let zone = &made["zone"];
        assert_eq!((&made["action"]["command"], &made["action"]["status"]), (&json!("create_zone"), &json!("success")));
        assert_eq!(made["action"]["resources"], json!([{"id": zone["id"], "type": "zone"}]));
        let nameservers = json!(["hydrogen.ns.hetzner.com.", "oxygen.ns.hetzner.com.", "helium.ns.hetzner.de."]);
        for (member, expected) in [
            ("mode", json!("primary")),
            ("ttl", json!(3600)),
            ("status", json!("ok")),
            ("registrar", json!("other")),
            ("record_count", json!(4)),
            ("primary_nameservers", json!([])),
            ("protection", json!({"delete": false})),
            ("labels", json!({"a": "b"})),
            (
                "authoritative_nameservers",
                json!({"assigned": nameservers, "delegated": [], "delegation_last_check": null, "delegation_status": "unknown"}),
            ),
        ] {
            assert_eq!(zone[member], expected, "{dialect} {member}");
        }
        let id = zone["id"].as_i64().unwrap();
        for path in [format!("/zones/{id}"), "/zones/example.com".into(), "/zones/example%2Ecom".into()] {
            assert_eq!(&world.see(&path).await["zone"], zone, "{path}");
        }
        let (value, serial) = soa(&world, "example.com").await;
        assert_eq!(value, format!("hydrogen.ns.hetzner.com. dns.hetzner.com. {serial} 86400 10800 3600000 3600"));
        assert_eq!(serial, 2_026_112_100);
        let ns = world.see(&format!("/zones/{id}/rrsets/@/NS")).await;
        assert_eq!(ns["rrset"]["records"].as_array().unwrap().len(), 3);

        world.create("/zones", primary("example.org")).await;
        world.create("/zones", secondary("example.net")).await;
        for (query, expected) in [
            ("", vec!["example.com", "example.org", "example.net"]),
            ("?name=example.org", vec!["example.org"]),
            ("?name=example.de", vec![]),
            ("?mode=secondary", vec!["example.net"]),
            ("?mode=primary&per_page=1&page=2", vec!["example.org"]),
            ("?label_selector=a", vec!["example.com"]),
            ("?sort=name:desc", vec!["example.org", "example.net", "example.com"]),
            ("?sort=created&sort=id:desc", vec!["example.net", "example.org", "example.com"]),
        ] {
            assert_eq!(names(&world.see(&format!("/zones{query}")).await["zones"]), expected, "{dialect} {query}");
        }
        world.get("/zones?mode=x&sort=ttl").await.wrong(&["mode", "sort"]);
        let same = world.post("/zones", primary("example.com")).await;
        assert_eq!(same.refused(409, "uniqueness_error").message(), "name is already used");

        let updated = world.put("/zones/example.com", json!({"labels": {"c": "d"}})).await.ok();
        assert_eq!((&updated["zone"]["labels"], &updated["zone"]["ttl"]), (&json!({"c": "d"}), &json!(3600)));
        assert_eq!(world.put("/zones/example.com", json!({})).await.ok()["zone"], updated["zone"], "a read");
        world.put("/zones/example.com", json!({"labels": {"-": "x"}})).await.wrong(&["labels.-"]);

        let gone = world.delete("/zones/example.com").await;
        assert_eq!(gone.status, 201);
        assert_eq!(gone.ok()["action"]["command"], "delete_zone");
        for path in ["/zones/example.com", "/zones/example.com/rrsets", "/zones/example.com/zonefile"] {
            assert_eq!(world.get(path).await.refused(404, "not_found").message(), "zone not found: 'example.com'");
        }
        assert_eq!(world.get(&format!("/zones/{id}")).await.message(), format!("zone with ID '{id}' not found"));
        world.delete("/zones/example.com").await.refused(404, "not_found");
        world.create("/zones", primary("example.com")).await;
    }
}

#[tokio::test]
async fn older_dialects_have_none() {
    for dialect in [Dialect::D2018_04, Dialect::D2023_07] {
        let world = World::new(dialect).await;
        for path in ["/zones", "/zones/example.com", "/zones/1/rrsets", "/zones/actions"] {
            world.get(path).await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn what_a_zone_cannot_be() {
    let world = World::new(Dialect::Compat).await;
    world.post("/zones", json!({})).await.wrong(&["mode", "name"]);
    let mut wrong = primary("WWW.example.com.");
    wrong["ttl"] = json!(59);
    wrong["rrsets"] = json!([{"name": "a", "type": "TXTT", "records": [{}]}]);
    world.post("/zones", wrong).await.wrong(&["rrsets[0].records[0].value", "rrsets[0].type", "ttl"]);
    for name in ["", "Example.com", "example.com.", "m\u{fc}nchen.de", "com", "www.example.com", "a_b.com", "xn--a.com"]
    {
        world.post("/zones", primary(name)).await.wrong(&["name"]);
    }
    for name in ["xn--mnchen-3ya.de", "example.co.uk"] {
        world.create("/zones", primary(name)).await;
    }
    let mut both = primary("example.com");
    both["rrsets"] = json!([{"name": "www", "type": "A", "records": [{"value": "192.0.2.1"}]}]);
    both["zonefile"] = json!("");
    world.post("/zones", both.clone()).await.wrong(&["rrsets", "zonefile"]);
    both["rrsets"] = json!([]);
    world.post("/zones", both).await.ok();
    let mut bad = primary("-a.com");
    bad["labels"] = json!({"hetzner.cloud/a": "b"});
    bad["rrsets"] = json!([
        {"name": "www", "type": "A", "records": [{"value": "192.0.2"}]},
        {"name": "www", "type": "CNAME", "ttl": 60, "records": [{"value": "a"}, {"value": "b"}]},
        {"name": "x", "type": "SOA", "records": []}
    ]);
    let refused = world.post("/zones", bad).await;
    refused.wrong(&[
        "name",
        "labels.hetzner.cloud/a",
        "rrsets[0].records[0].value",
        "rrsets[1].records",
        "rrsets[1].name",
        "rrsets[2].type",
        "rrsets[2].records",
    ]);
    assert_eq!(names(&world.see("/zones").await["zones"]).len(), 3, "nothing else was made");
}

#[tokio::test]
async fn a_zone_is_made_with_its_sets() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = primary("example.com");
    wanted["ttl"] = json!(10_800);
    wanted["primary_nameservers"] = json!([{"address": "203.0.113.1"}]);
    wanted["rrsets"] = json!([
        {"name": "www", "type": "A", "ttl": 300, "labels": {"a": "b"},
         "records": [{"value": "192.0.2.1", "comment": "web"}, {"value": "192.0.2.2"}]},
        {"name": "@", "type": "NS", "records": [{"value": "ns1.example.org."}]},
        {"name": "@", "type": "SOA", "records": [{"value": "a.  b. 0 1 2 3 4"}]}
    ]);
    let made = world.post("/zones", wanted).await.ok();
    let zone = &made["zone"];
    assert_eq!(
        (&zone["record_count"], &zone["ttl"], &zone["primary_nameservers"]),
        (&json!(4), &json!(10_800), &json!([]))
    );
    let list = world.see("/zones/example.com/rrsets").await;
    assert_eq!(list["rrsets"][0]["records"], json!([{"value": "ns1.example.org.", "comment": ""}]));
    assert_eq!(soa(&world, "example.com").await.0, "a. b. 2026112100 1 2 3 4", "the serial is the zone's own");
    assert_eq!(
        list["rrsets"][2],
        json!({"id": "www/A", "name": "www", "type": "A", "ttl": 300, "labels": {"a": "b"}, "protection": {"change": false},
            "records": [{"value": "192.0.2.1", "comment": "web"}, {"value": "192.0.2.2", "comment": ""}], "zone": zone["id"]})
    );
}

#[tokio::test]
async fn secondary_zones() {
    for dialect in WITH_ZONES {
        let world = World::new(dialect).await;
        world.post("/zones", json!({"name": "example.com", "mode": "secondary"})).await.wrong(&["primary_nameservers"]);
        let mut wanted = secondary("example.com");
        wanted["zonefile"] = json!("nonsense, which a secondary zone ignores");
        wanted["primary_nameservers"] = json!([
            {"address": "203.0.113.7"},
            {"address": "2001:db8::1", "port": 5353, "tsig_algorithm": "hmac-sha256", "tsig_key": "c2VjcmV0"}
        ]);
        let made = world.post("/zones", wanted).await.ok()["zone"].clone();
        let shown = json!([
            {"address": "203.0.113.7", "port": 53},
            {"address": "2001:db8::1", "port": 5353, "tsig_algorithm": "hmac-sha256", "tsig_key": "c2VjcmV0"}
        ]);
        assert_eq!(
            (&made["primary_nameservers"], &made["ttl"], &made["record_count"]),
            (&shown, &json!(3600), &json!(0))
        );
        let dump = world.control.db().read(|tx| wolke_store::dump(tx)).await.unwrap();
        assert!(!dump.contains("c2VjcmV0"), "keys are sealed at rest");

        let change = "/zones/example.com/actions/change_primary_nameservers";
        let changed =
            world.post(change, json!({"primary_nameservers": [{"address": "203.0.113.1", "port": 5353}]})).await.ok();
        assert_eq!(changed["action"]["command"], "change_primary_nameservers");
        let seen = world.see("/zones/example.com").await["zone"]["primary_nameservers"].clone();
        assert_eq!(seen, json!([{"address": "203.0.113.1", "port": 5353}]));
        world.post(change, json!({"primary_nameservers": []})).await.wrong(&["primary_nameservers"]);
        let wrong = json!([{"address": "ns.example.org", "port": 0}, {"address": "10.0.0.1", "tsig_key": "c2VjcmV0"}]);
        world.post(change, json!({"primary_nameservers": wrong})).await.wrong(&[
            "primary_nameservers[0].address",
            "primary_nameservers[0].port",
            "primary_nameservers[1].address",
            "primary_nameservers[1].tsig_algorithm",
        ]);

        // What only primary zones do (fact sheet A.4).
        let records = json!({"records": [{"value": "192.0.2.1", "comment": ""}]});
        let set = json!({"name": "www", "type": "A", "records": [{"value": "192.0.2.1"}]});
        for (method, path, body) in [
            ("GET", "/zonefile", Value::Null),
            ("GET", "/rrsets", Value::Null),
            ("GET", "/rrsets/www/A", Value::Null),
            ("POST", "/rrsets", set),
            ("PUT", "/rrsets/www/A", json!({"labels": {}})),
            ("DELETE", "/rrsets/www/A", Value::Null),
            ("POST", "/actions/import_zonefile", json!({"zonefile": "x"})),
            ("POST", "/rrsets/www/A/actions/change_protection", json!({"change": true})),
            ("POST", "/rrsets/www/A/actions/change_ttl", json!({"ttl": null})),
            ("POST", "/rrsets/www/A/actions/set_records", records.clone()),
            ("POST", "/rrsets/www/A/actions/add_records", records.clone()),
            ("POST", "/rrsets/www/A/actions/update_records", records.clone()),
            ("POST", "/rrsets/www/A/actions/remove_records", records.clone()),
        ] {
            let answer = world.ask(method, &format!("/zones/example.com{path}")).json(&body).send().await;
            let said = answer.refused(422, "incorrect_zone_mode").message();
            assert_eq!(said, "operation is not supported for zones in secondary mode", "{method} {path}");
        }
        let ttl = world.post("/zones/example.com/actions/change_ttl", json!({"ttl": 10_800})).await;
        if dialect == Dialect::D2026_02 {
            ttl.refused(422, "incorrect_zone_mode");
        } else {
            ttl.ok();
            assert_eq!(world.see("/zones/example.com").await["zone"]["ttl"], 10_800, "today's clients do that");
        }
        world.create("/zones", primary("example.org")).await;
        let of_primary = "/zones/example.org/actions/change_primary_nameservers";
        let body = json!({"primary_nameservers": [{"address": "203.0.113.1"}]});
        world.post(of_primary, body).await.refused(422, "incorrect_zone_mode");
        world.delete("/zones/example.com").await.ok();
    }
}

#[tokio::test]
async fn protection() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/zones", primary("example.com")).await;
    let protect = |delete: Value| world.post("/zones/example.com/actions/change_protection", json!({"delete": delete}));
    assert_eq!(protect(json!(true)).await.ok()["action"]["command"], "change_protection");
    world.post("/zones/example.com/actions/change_protection", json!({})).await.ok();
    assert_eq!(world.see(&format!("/zones/{id}")).await["zone"]["protection"], json!({"delete": true}), "it stays");
    let refused = world.delete("/zones/example.com").await;
    assert_eq!(refused.refused(423, "protected").message(), "zone is delete protected");
    protect(json!(false)).await.ok();
    // A protected set protects its zone (fact sheet §4.2).
    world.post("/zones/example.com/rrsets/@/NS/actions/change_protection", json!({"change": true})).await.ok();
    let refused = world.delete("/zones/example.com").await;
    assert_eq!(refused.refused(423, "protected").message(), "RRSet(s) is/are change protected");
    world.post("/zones/example.com/rrsets/@/NS/actions/change_protection", json!({"change": false})).await.ok();
    world.delete("/zones/example.com").await.ok();
}

#[tokio::test]
async fn the_default_ttl_and_the_serial() {
    let world = World::new(Dialect::Compat).await;
    world.create("/zones", primary("example.com")).await;
    let serial = async || soa(&world, "example.com").await.1;
    let change = |ttl: i64| world.post("/zones/example.com/actions/change_ttl", json!({"ttl": ttl}));
    assert_eq!(change(600).await.ok()["action"]["command"], "change_ttl");
    assert_eq!(world.see("/zones/example.com").await["zone"]["ttl"], 600);
    assert_eq!(serial().await, 2_026_112_101);
    change(600).await.ok();
    assert_eq!(serial().await, 2_026_112_101, "nothing has changed");
    change(59).await.wrong(&["ttl"]);
    world.post("/zones/example.com/actions/change_ttl", json!({})).await.wrong(&["ttl"]);
    world.put("/zones/example.com", json!({"labels": {"a": "b"}})).await.ok();
    world.post("/zones/example.com/actions/change_protection", json!({"delete": true})).await.ok();
    assert_eq!(serial().await, 2_026_112_101, "labels and protection are no DNS data");
    world.clock.advance(3 * 86_400_000);
    change(700).await.ok();
    assert_eq!(serial().await, 2_026_112_400, "the first of another day");
}

#[tokio::test]
async fn actions_of_zones() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/zones", primary("example.com")).await;
    let other = world.post("/zones", primary("example.org")).await.ok()["action"]["id"].as_i64().unwrap();
    let ttl = world.post("/zones/example.com/actions/change_ttl", json!({"ttl": 60})).await.ok()["action"].clone();
    for path in [format!("/zones/{id}/actions"), "/zones/example.com/actions".into()] {
        let list = world.see(&format!("{path}?sort=id:desc&per_page=1")).await;
        assert_eq!((&list["actions"][0], &list["meta"]["pagination"]["total_entries"]), (&ttl, &json!(2)));
        assert_eq!(world.see(&format!("{path}/{}", ttl["id"])).await["action"], ttl);
        world.get(&format!("{path}/{other}")).await.refused(404, "not_found");
        assert_eq!(world.see(&format!("{path}?status=running")).await["actions"], json!([]));
    }
    assert_eq!(ids(&world.see("/zones/actions").await["actions"]).len(), 3);
    assert_eq!(world.see(&format!("/zones/actions/{other}")).await["action"]["command"], "create_zone");
    world.get("/zones/example.net/actions").await.refused(404, "not_found");
    world.get("/zones/example.com/actions/x").await.refused(404, "not_found");
}

#[tokio::test]
async fn another_project_has_its_own_zones() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/zones", primary("example.com")).await;
    let stranger = world.stranger().await;
    for path in [format!("/zones/{id}"), "/zones/example.com".into(), format!("/zones/{id}/rrsets")] {
        world.ask("GET", &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
    world.ask("POST", "/zones").token(Some(&stranger)).json(&primary("example.com")).send().await.ok();
    let list = world.ask("GET", "/zones").token(Some(&stranger)).send().await.ok();
    assert_ne!(ids(&list["zones"]), [id]);
}

#[tokio::test]
async fn the_operator_says_what_the_parent_zone_delegates() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let id = world.create("/zones", primary("example.com")).await;
    let assigned = ["hydrogen.ns.hetzner.com.", "oxygen.ns.hetzner.com.", "helium.ns.hetzner.de."];
    for (nameservers, status) in [
        (assigned.to_vec(), "valid"),
        ([&assigned[..], &["robotns2.ns.hetzner.de."]].concat(), "partially-valid"),
        (vec!["ns1.example.org."], "invalid"),
        (vec!["ns1.ns.hetzner.com."], "lame"),
    ] {
        let told = json!({"registered": true, "registrar": "hetzner", "nameservers": nameservers});
        let shown = operator.does("PUT", &format!("/zones/{id}/delegation"), told).await;
        assert_eq!(shown["status"], status);
        let zone = world.see("/zones/example.com").await["zone"].clone();
        let seen = &zone["authoritative_nameservers"];
        assert_eq!((&seen["delegation_status"], &seen["delegated"]), (&json!(status), &json!(nameservers)));
        assert_eq!(
            (&seen["delegation_last_check"], &zone["registrar"]),
            (&json!("2026-11-21T00:00:00+00:00"), &json!("hetzner"))
        );
    }
    operator.does("PUT", &format!("/zones/{id}/delegation"), json!({"registered": false})).await;
    let zone = world.see("/zones/example.com").await["zone"].clone();
    assert_eq!(zone["authoritative_nameservers"]["delegation_status"], "unregistered");
    assert_eq!(zone["registrar"], "unknown");
    let path = "/zones/99/delegation";
    assert_eq!(operator.ask("PUT", path, json!({"registered": true})).await.0, 404);
    let wrong = json!({"registered": true, "nameservers": ["a b"]});
    assert_eq!(operator.ask("PUT", &format!("/zones/{id}/delegation"), wrong).await.0, 422);
}
