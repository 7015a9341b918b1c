//! How newer state looks through 2018 (dialects A.10).

use crate::common::{World, ids, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn absent_addresses() {
    let world = World::new(Dialect::Compat).await;
    for (name, family, empty) in [
        ("a", "ipv4", json!({"ip": "", "blocked": false, "dns_ptr": ""})),
        ("b", "ipv6", json!({"ip": "", "blocked": false, "dns_ptr": null})),
    ] {
        let mut wanted = server(name);
        wanted["public_net"] = json!({format!("enable_{family}"): false});
        let id = world.create("/servers", wanted).await;
        for view in super::views(&world).await {
            let dialect = view.setup.dialect;
            let expected = if dialect == Dialect::D2018_04 { empty.clone() } else { Value::Null };
            let seen = view.see(&format!("/servers/{id}")).await;
            assert_eq!(seen["server"]["public_net"][family], expected, "{dialect}");
            assert_eq!(view.see("/servers").await["servers"].as_array().unwrap().last(), Some(&seen["server"]));
        }
    }
}

/// A server with all that came later is a server with the members of 2018, and no more.
#[tokio::test]
async fn a_server_with_everything() {
    let world = World::new(Dialect::Compat).await;
    let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
    let network = world.create("/networks", json!({"name": "n", "ip_range": "10.0.0.0/16", "subnets": [subnet]})).await;
    let group = world.create("/placement_groups", json!({"name": "g", "type": "spread"})).await;
    let volume = world.create("/volumes", json!({"name": "v", "size": 10, "location": "fsn1"})).await;
    let firewall = world.create("/firewalls", json!({"name": "f"})).await;
    let wanted = json!({"name": "a", "server_type": "cpx22", "image": "debian-12", "location": "fsn1", "labels": {"a": "b"},
        "networks": [network], "placement_group": group, "volumes": [volume], "firewalls": [{"firewall": firewall}]});
    let made = world.post("/servers", wanted).await.ok();
    let id = &made["server"]["id"];
    let old = world.through(Dialect::D2018_04).await;
    let seen = old.see(&format!("/servers/{id}")).await["server"].clone();
    let members: std::collections::BTreeSet<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    let of_2018 = "backup_window created datacenter id image included_traffic ingoing_traffic iso locked name \
                   outgoing_traffic protection public_net rescue_enabled server_type status";
    assert_eq!(members.into_iter().collect::<Vec<_>>().join(" "), of_2018);
    let modern = world.see(&format!("/servers/{id}")).await["server"]["public_net"].clone();
    assert_eq!(seen["public_net"]["ipv4"]["ip"], modern["ipv4"]["ip"], "primary IPs are the server's own addresses");
    assert_eq!(seen["public_net"]["ipv6"]["ip"], modern["ipv6"]["ip"]);
    // Work on what it does not know is still work in the project: commands and types are texts.
    let commands: Vec<Value> =
        old.see("/actions?sort=id").await["actions"].as_array().unwrap().iter().map(|a| a["command"].clone()).collect();
    assert!(commands.contains(&json!("attach_volume")), "{commands:?}");
    let detach = world.post(&format!("/volumes/{volume}/actions/detach"), json!({})).await.ok()["action"].clone();
    let shown = old.see(&format!("/actions/{}", detach["id"])).await["action"].clone();
    assert_eq!(shown["resources"], detach["resources"]);
    assert!(
        ids(&old.see(&format!("/servers/{id}/actions?sort=id:desc")).await["actions"])
            .contains(&detach["id"].as_i64().unwrap())
    );
    // And it can be changed and deleted with all of that on it.
    old.put(&format!("/servers/{id}"), json!({"name": "b"})).await.ok();
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["labels"], json!({"a": "b"}));
    old.delete(&format!("/servers/{id}")).await.ok();
    assert_eq!(world.see(&format!("/networks/{network}")).await["network"]["servers"], json!([]));
}

/// Applications have no word in 2018: they are system images, also to the filter.
#[tokio::test]
async fn images_of_applications() {
    let world = World::new(Dialect::Compat).await;
    let old = world.through(Dialect::D2018_04).await;
    let modern = async |kind: &str| {
        let all = world.see(&format!("/images?type={kind}&per_page=50&include_deprecated=true")).await;
        ids(&all["images"])
    };
    let (systems, apps) = (modern("system").await, modern("app").await);
    let mut both: Vec<i64> = systems.iter().chain(&apps).copied().collect();
    both.sort_unstable();
    let seen = old.see("/images?type=system&per_page=50").await;
    let shown: Vec<i64> = ids(&seen["images"]);
    assert!(!apps.is_empty() && apps.iter().all(|app| shown.contains(app)));
    assert!(shown.iter().all(|id| both.contains(id)));
    assert!(seen["images"].as_array().unwrap().iter().all(|image| image["type"] == "system"));
    for (dialect, expected) in [(Dialect::D2018_04, "system"), (Dialect::D2023_07, "app"), (Dialect::Newest, "app")] {
        let seen = world.through(dialect).await.see(&format!("/images/{}", apps[0])).await;
        assert_eq!(seen["image"]["type"], expected, "{dialect}");
    }
}

/// Systems that came after 2023 have a flavor of their own since 2026, and none before.
#[tokio::test]
async fn flavors_of_later_systems() {
    let world = World::new(Dialect::Compat).await;
    let images = world.see("/images?per_page=50&include_deprecated=true").await["images"].clone();
    let newer = ["alma", "rocky", "opensuse"];
    let later =
        images.as_array().unwrap().iter().find(|image| newer.contains(&image["os_flavor"].as_str().unwrap())).unwrap();
    for view in super::views(&world).await {
        let seen = view.see(&format!("/images/{}", later["id"])).await["image"]["os_flavor"].clone();
        let old = matches!(view.setup.dialect, Dialect::D2018_04 | Dialect::D2023_07);
        assert_eq!(seen, if old { json!("unknown") } else { later["os_flavor"].clone() }, "{}", view.setup.dialect);
    }
}

/// Types with dedicated processors stay visible, and can be ordered.
#[tokio::test]
async fn dedicated_processors() {
    let old = World::new(Dialect::D2018_04).await;
    let types = old.see("/server_types?name=ccx13").await["server_types"].clone();
    assert_eq!(types[0]["cpu_type"], "dedicated");
    let mut wanted = server("a");
    wanted["server_type"] = json!("ccx13");
    assert_eq!(old.post("/servers", wanted).await.ok()["server"]["server_type"]["cpu_type"], "dedicated");
}
