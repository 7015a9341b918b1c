//! What differs between 2018, 2023, 2026, the default and the newest.

use crate::common::{World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn what_2018_lacks() {
    let world = World::new(Dialect::D2018_04).await;
    for path in ["/primary_ips", "/primary_ips/1", "/primary_ips/actions"] {
        world.get(path).await.refused(404, "not_found");
    }
    world.get("/servers/actions").await.refused(404, "not_found");
    let mut wanted = server("a");
    wanted["labels"] = json!({"not": "known"});
    wanted["public_net"] = json!({"enable_ipv4": false});
    wanted["volumes"] = json!("nonsense");
    let made = world.post("/servers", wanted).await.ok();
    assert!(made.get("next_actions").is_none());
    assert!(made["server"].get("labels").is_none());
    assert_ne!(made["server"]["public_net"]["ipv4"]["ip"], "", "public_net is not known, so it has no effect");
    let (_, newer) = world.control.create_token("default", "n", true, Some(Dialect::Compat)).await.unwrap();
    let id = &made["server"]["id"];
    let mut modern = World::new(Dialect::Compat).await;
    modern.router = world.router.clone();
    modern.token = newer;
    modern.api = world.api.clone();
    modern.control = world.control.clone();
    let seen = modern.see(&format!("/servers/{id}")).await;
    assert_eq!(seen["server"]["labels"], json!({}), "labels are not known, so they were not stored");
    modern.put(&format!("/servers/{id}"), json!({"labels": {"a": "b"}})).await.ok();
    world.put(&format!("/servers/{id}"), json!({"name": "b", "labels": {}})).await.ok();
    let seen = modern.see(&format!("/servers/{id}")).await;
    assert_eq!(seen["server"]["labels"], json!({"a": "b"}), "labels survive a PUT of 2018");
    assert_eq!(world.see("/servers?label_selector=x&status=off").await["servers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn absent_addresses() {
    let compat = World::new(Dialect::Compat).await;
    let mut wanted = server("a");
    wanted["public_net"] = json!({"enable_ipv4": false});
    let id = compat.create("/servers", wanted).await;
    for (dialect, expected) in [
        (Dialect::D2018_04, json!({"ip": "", "blocked": false, "dns_ptr": ""})),
        (Dialect::D2023_07, Value::Null),
        (Dialect::D2026_02, Value::Null),
        (Dialect::Newest, Value::Null),
    ] {
        let (_, token) = compat.control.create_token("default", "t", false, Some(dialect)).await.unwrap();
        let mut world = World::new(dialect).await;
        world.router = compat.router.clone();
        world.control = compat.control.clone();
        world.token = token;
        let seen = world.see(&format!("/servers/{id}")).await;
        assert_eq!(seen["server"]["public_net"]["ipv4"], expected, "{dialect}");
        let has = |member: &str| seen["server"].get(member).is_some();
        assert_eq!(has("labels"), dialect != Dialect::D2018_04);
        assert_eq!(has("datacenter"), dialect != Dialect::Newest, "{dialect}");
        assert_eq!(has("location"), !matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07), "{dialect}");
    }
}

#[tokio::test]
async fn deleting_an_assigned_primary_ip() {
    let assigned = async |dialect| {
        let world = World::new(dialect).await;
        let made = world.post("/servers", server("a")).await.ok();
        let (id, ip) = (made["server"]["id"].clone(), made["server"]["public_net"]["ipv4"]["id"].clone());
        world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
        (world.delete(&format!("/primary_ips/{ip}")).await, world, id)
    };
    for dialect in [Dialect::D2023_07, Dialect::D2026_02] {
        let (answer, world, id) = assigned(dialect).await;
        assert_eq!(answer.status, 204, "{dialect}");
        assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["public_net"]["ipv4"], Value::Null);
    }
    for dialect in [Dialect::Compat, Dialect::Newest] {
        assigned(dialect).await.0.refused(422, "must_be_unassigned");
    }
}

#[tokio::test]
async fn an_unassigned_primary_ip() {
    for (dialect, expected) in
        [(Dialect::D2026_02, "server"), (Dialect::Compat, "server"), (Dialect::Newest, "unassigned")]
    {
        let world = World::new(dialect).await;
        let wanted = json!({"name": "a", "type": "ipv6", "location": "fsn1", "assignee_type": "server"});
        let made = world.post("/primary_ips", wanted).await.ok();
        assert_eq!(made["primary_ip"]["assignee_type"], expected, "{dialect}");
    }
}
