//! Members of requests (dialects A.6; fact sheet §2): what a dialect does not know has no effect, and is no error.

use super::{marked, views};
use crate::common::{World, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn what_2018_does_not_know_of_a_new_server_has_no_effect() {
    let world = World::new(Dialect::D2018_04).await;
    let mut wanted = server("a");
    for (member, value) in [
        ("labels", json!({"not": "known"})),
        ("public_net", json!({"enable_ipv4": false, "ipv6": 77})),
        ("volumes", json!("nonsense")),
        ("automount", json!("nonsense")),
        ("networks", json!([77])),
        ("firewalls", json!([{"firewall": 77}])),
        ("placement_group", json!(77)),
    ] {
        wanted[member] = value;
    }
    let made = world.post("/servers", wanted.clone()).await.ok();
    assert_ne!(made["server"]["public_net"]["ipv4"]["ip"], "");
    let seen = world.through(Dialect::Compat).await.see(&format!("/servers/{}", made["server"]["id"])).await;
    assert_eq!((&seen["server"]["labels"], &seen["server"]["placement_group"]), (&json!({}), &Value::Null));
    // To those who know them the same members are wrong, one by one.
    for dialect in [Dialect::D2023_07, Dialect::D2026_02, Dialect::Compat, Dialect::Newest] {
        World::new(dialect).await.post("/servers", wanted.clone()).await.wrong(&["volumes", "automount"]);
    }
}

/// Labels survive a change by somebody who does not know them.
#[tokio::test]
async fn labels_are_not_known_to_2018() {
    let world = World::new(Dialect::Compat).await;
    let labels = json!({"a": "b"});
    let mut wanted = server("a");
    wanted["labels"] = labels.clone();
    let server = world.create("/servers", wanted).await;
    let key = world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1), "labels": labels})).await;
    let body = json!({"labels": labels});
    let create = format!("/servers/{server}/actions/create_image");
    let image = world.post(&create, body).await.ok()["image"]["id"].as_i64().unwrap();
    for view in views(&world).await {
        let is_2018 = view.setup.dialect == Dialect::D2018_04;
        for (kind, path, change) in [
            ("server", format!("/servers/{server}"), json!({"name": "b", "labels": {"new": "1"}})),
            ("ssh_key", format!("/ssh_keys/{key}"), json!({"name": "c", "labels": {"new": "1"}})),
            ("image", format!("/images/{image}"), json!({"description": "d", "labels": {"new": "1"}})),
        ] {
            view.put(&path, change).await.ok();
            let shown = world.see(&path).await[kind]["labels"].clone();
            assert_eq!(shown, if is_2018 { labels.clone() } else { json!({"new": "1"}) }, "{}", view.setup.dialect);
            world.put(&path, json!({"labels": labels})).await.ok();
        }
        let made = view.post(&create, json!({"labels": {"new": "1"}})).await.ok()["image"]["id"].clone();
        let shown = world.see(&format!("/images/{made}")).await["image"]["labels"].clone();
        assert_eq!(shown, if is_2018 { json!({}) } else { json!({"new": "1"}) }, "{}", view.setup.dialect);
        let wrong = view.put(&format!("/servers/{server}"), json!({"labels": "nonsense"})).await;
        if is_2018 {
            wrong.ok();
        } else {
            wrong.wrong(&["labels"]);
        }
    }
}

/// `datacenter` of a new server is read until it went in July 2026; it and `location` exclude each other.
#[tokio::test]
async fn where_a_server_shall_stand() {
    for (dialect, has) in marked("XXXX-") {
        let world = World::new(dialect).await;
        let mut wanted = server("a");
        wanted["datacenter"] = json!("hel1-dc2");
        let made = world.post("/servers", wanted.clone()).await.ok()["server"]["id"].clone();
        let stands = world.through(Dialect::Compat).await.see(&format!("/servers/{made}")).await;
        assert_eq!(stands["server"]["location"]["name"] == "hel1", has, "{dialect}");
        (wanted["name"], wanted["location"]) = (json!("b"), json!("fsn1"));
        let both = world.post("/servers", wanted).await;
        if has {
            both.refused(422, "invalid_input");
        } else {
            assert_eq!(both.ok()["server"]["location"]["name"], "fsn1", "{dialect}");
        }
    }
}

/// A window for backups could be chosen in 2018; later the request has no body, and what it brings is ignored.
#[tokio::test]
async fn the_window_of_backups() {
    for (dialect, has) in marked("X----") {
        let world = World::new(dialect).await;
        let id = world.create("/servers", server("a")).await;
        let enable = format!("/servers/{id}/actions/enable_backup");
        let wrong = world.post(&enable, json!({"backup_window": "23-03"})).await;
        if has {
            wrong.wrong(&["backup_window"]);
            world.post(&enable, json!({"backup_window": "06-10"})).await.ok();
            assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["backup_window"], "06-10");
        } else {
            wrong.ok();
        }
    }
}

/// `assignee_type` may be left out since 2026-04-27.
#[tokio::test]
async fn the_assignee_type_of_a_new_primary_ip() {
    for (dialect, is_optional) in marked(" --XX") {
        let world = World::new(dialect).await;
        let wanted = json!({"name": "a", "type": "ipv4", "location": "fsn1", "datacenter": "fsn1-dc14"});
        let wanted = match dialect {
            Dialect::D2023_07 => wanted,
            _ => json!({"name": "a", "type": "ipv4", "location": "fsn1"}),
        };
        let made = world.post("/primary_ips", wanted).await;
        if is_optional {
            assert_eq!(made.ok()["primary_ip"]["name"], "a", "{dialect}");
        } else {
            made.wrong(&["assignee_type"]);
        }
    }
}

/// `ip_range` of an attachment came in September 2025; `user_data` of a rebuild has its test beside the other rebuilds.
#[tokio::test]
async fn the_range_of_an_attachment() {
    for (dialect, has) in marked(" -XXX") {
        let world = World::new(dialect).await;
        let subnets = ["10.0.1.0/24", "10.0.2.0/24"]
            .map(|range| json!({"type": "cloud", "ip_range": range, "network_zone": "eu-central"}));
        let network =
            world.create("/networks", json!({"name": "n", "ip_range": "10.0.0.0/16", "subnets": subnets})).await;
        let id = world.create("/servers", server("a")).await;
        let body = json!({"network": network, "ip_range": "10.0.2.0/24"});
        world.post(&format!("/servers/{id}/actions/attach_to_network"), body).await.ok();
        let ip = world.see(&format!("/servers/{id}")).await["server"]["private_net"][0]["ip"].clone();
        assert_eq!(ip.as_str().unwrap().starts_with("10.0.2."), has, "{dialect}: {ip}");
    }
}

/// 2018 describes bodies with a content type and nothing in them: they work everywhere (dialects A.12).
#[tokio::test]
async fn a_content_type_without_a_body() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        for (method, path) in
            [("POST", format!("/servers/{id}/actions/poweroff")), ("DELETE", format!("/servers/{id}"))]
        {
            world.ask(method, &path).header("content-type", "application/json").send().await.ok();
        }
    }
}
