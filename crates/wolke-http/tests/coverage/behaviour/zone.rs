//! DNS zones and their sets.

use super::on_disk;
use crate::common::{ids, names};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

fn new(name: &str) -> Value {
    json!({"name": name, "mode": "primary"})
}

pub async fn zones(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let stays = world.create("/zones", new("example.com")).await;
    world.create("/zones", new("example.org")).await;
    let mut copied = new("example.net");
    copied["mode"] = json!("secondary");
    copied["primary_nameservers"] = json!([{"address": "203.0.113.1"}]);
    world.create("/zones", copied).await;
    world.put("/zones/example.com", json!({"labels": {"a": "b"}})).await.ok();
    world.post("/zones/example.com/actions/change_protection", json!({"delete": true})).await.ok();
    world.post("/zones/example.com/actions/change_ttl", json!({"ttl": 600})).await.ok();
    let address = json!({"primary_nameservers": [{"address": "203.0.113.2", "port": 5353}]});
    world.post("/zones/example.net/actions/change_primary_nameservers", address).await.ok();
    world.delete("/zones/example.org").await.ok();
    let zonefile = world.see("/zones/example.com/zonefile").await["zonefile"].as_str().unwrap().to_owned();
    let more = json!({"zonefile": format!("{zonefile}www A 192.0.2.1\n")});
    let import = world.post("/zones/example.com/actions/import_zonefile", more).await.ok()["action"].clone();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/zones").await["zones"]), ["example.com", "example.net"]);
    let seen = world.see("/zones/example.com").await["zone"].clone();
    assert_eq!((&seen["id"], &seen["labels"], &seen["ttl"]), (&json!(stays), &json!({"a": "b"}), &json!(600)));
    assert_eq!((&seen["protection"]["delete"], &seen["record_count"]), (&json!(true), &json!(5)));
    let seen = world.see("/zones/example.net").await["zone"]["primary_nameservers"].clone();
    assert_eq!(seen, json!([{"address": "203.0.113.2", "port": 5353}]));
    let zonefile = world.see("/zones/example.com/zonefile").await["zonefile"].as_str().unwrap().to_owned();
    assert!(zonefile.contains("\nwww\tIN\tA\t192.0.2.1\n"));
    let id = import["id"].as_i64().unwrap();
    for path in ["/zones/actions", "/zones/example.com/actions"] {
        assert!(ids(&world.see(path).await["actions"]).contains(&id));
        assert_eq!(world.see(&format!("{path}/{id}")).await["action"], import);
    }
    proofs.note(
        &world,
        &[
            "create_zone",
            "update_zone",
            "delete_zone",
            "zone_change_protection",
            "zone_change_ttl",
            "zone_change_primary_nameservers",
            "zone_import_zonefile",
        ],
        &[
            "list_zones",
            "get_zone",
            "get_zone_zonefile",
            "list_zones_actions",
            "get_zones_action",
            "list_zone_actions",
            "get_zone_action",
        ],
    );
}

pub async fn rrsets(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    world.create("/zones", new("example.com")).await;
    let path = "/zones/example.com/rrsets";
    for name in ["www", "gone", "fixed"] {
        let set = json!({"name": name, "type": "A", "records": [{"value": "192.0.2.1"}]});
        world.post(path, set).await.ok();
    }
    let act = async |name: &str, verb: &str, body: Value| {
        world.post(&format!("{path}/{name}/A/actions/{verb}"), body).await.ok();
    };
    let records = |values: &[&str]| -> Value { values.iter().map(|value| json!({"value": value})).collect() };
    world.put(&format!("{path}/www/A"), json!({"labels": {"a": "b"}})).await.ok();
    act("www", "set_records", json!({"records": records(&["192.0.2.2", "192.0.2.3"])})).await;
    act("www", "add_records", json!({"records": records(&["192.0.2.4"])})).await;
    act("www", "remove_records", json!({"records": records(&["192.0.2.2"])})).await;
    act("www", "update_records", json!({"records": [{"value": "192.0.2.4", "comment": "web"}]})).await;
    act("www", "change_ttl", json!({"ttl": 60})).await;
    act("fixed", "change_protection", json!({"change": true})).await;
    world.delete(&format!("{path}/gone/A")).await.ok();

    let world = world.restart().await;
    let list = world.see(path).await["rrsets"].clone();
    let ids: Vec<&str> = list.as_array().unwrap().iter().map(|set| set["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["@/NS", "@/SOA", "fixed/A", "www/A"]);
    let www = world.see(&format!("{path}/www/A")).await["rrset"].clone();
    assert_eq!((&www["ttl"], &www["labels"], &list[3]), (&json!(60), &json!({"a": "b"}), &www));
    let expected = json!([{"value": "192.0.2.3", "comment": ""}, {"value": "192.0.2.4", "comment": "web"}]);
    assert_eq!(www["records"], expected);
    assert_eq!(world.see(&format!("{path}/fixed/A")).await["rrset"]["protection"], json!({"change": true}));
    let zonefile = world.see("/zones/example.com/zonefile").await["zonefile"].as_str().unwrap().to_owned();
    assert!(zonefile.ends_with("\nwww\tIN\t60\tA\t192.0.2.3\nwww\tIN\t60\tA\t192.0.2.4 ; web\n"), "{zonefile}");
    proofs.note(
        &world,
        &[
            "create_zone_rrset",
            "update_zone_rrset",
            "delete_zone_rrset",
            "zone_rrset_set_records",
            "zone_rrset_add_records",
            "zone_rrset_remove_records",
            "zone_rrset_update_records",
            "zone_rrset_change_ttl",
            "zone_rrset_change_protection",
        ],
        &["list_zone_rrsets", "get_zone_rrset", "get_zone_zonefile"],
    );
}
