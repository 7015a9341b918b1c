//! Primary IPs.

use crate::common::{World, names, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

fn wanted(name: &str, family: &str) -> Value {
    json!({"name": name, "type": family, "location": "fsn1", "assignee_type": "server"})
}

fn in_2023(name: &str, family: &str) -> Value {
    json!({"name": name, "type": family, "datacenter": "fsn1-dc14", "assignee_type": "server"})
}

#[tokio::test]
async fn a_life() {
    for dialect in Dialect::ALL.iter().filter(|d| **d != Dialect::D2018_04) {
        let world = World::new(*dialect).await;
        let new = if *dialect == Dialect::D2023_07 { in_2023 } else { wanted };
        let made = world.post("/primary_ips", new("one", "ipv4")).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert!(made.get("action").is_none());
        let (id, ip) = (&made["primary_ip"]["id"], made["primary_ip"]["ip"].as_str().unwrap());
        world.create("/primary_ips", new("six", "ipv6")).await;
        let path = format!("/primary_ips/{id}");
        assert_eq!(world.see(&path).await["primary_ip"], made["primary_ip"]);
        assert_eq!(names(&world.see(&format!("/primary_ips?ip={ip}")).await["primary_ips"]), ["one"]);
        assert_eq!(names(&world.see("/primary_ips?name=six").await["primary_ips"]), ["six"]);
        assert_eq!(names(&world.see("/primary_ips?sort=id:desc").await["primary_ips"]), ["six", "one"]);
        world.put(&path, json!({"name": "uno", "labels": {"a": "b"}})).await.ok();
        assert_eq!(names(&world.see("/primary_ips?label_selector=a%3Db").await["primary_ips"]), ["uno"]);
        let protect = format!("{path}/actions/change_protection");
        let action = world.post(&protect, json!({"delete": true})).await.ok();
        assert_eq!(action["action"]["command"], "change_protection");
        world.delete(&path).await.refused(423, "protected");
        world.put(&path, json!({"auto_delete": true})).await.refused(422, "invalid_input");
        world.post(&protect, json!({"delete": false})).await.ok();
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn actions_of_primary_ips() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/primary_ips", wanted("one", "ipv4")).await;
    let action =
        world.post(&format!("/primary_ips/{id}/actions/change_protection"), json!({"delete": true})).await.ok();
    let action = &action["action"]["id"];
    for path in [format!("/primary_ips/{id}/actions"), "/primary_ips/actions".to_owned()] {
        assert_eq!(&world.see(&path).await["actions"][0]["id"], action);
    }
    for path in [format!("/primary_ips/{id}/actions/{action}"), format!("/primary_ips/actions/{action}")] {
        assert_eq!(&world.see(&path).await["action"]["id"], action);
    }
}

#[tokio::test]
async fn an_assigned_one_stays() {
    let world = World::new(Dialect::Compat).await;
    let made = world.post("/servers", server("a")).await.ok();
    let ip = &made["server"]["public_net"]["ipv4"]["id"];
    world.delete(&format!("/primary_ips/{ip}")).await.refused(422, "must_be_unassigned");
    let id = &made["server"]["id"];
    let second = json!({"name": "x", "type": "ipv4", "assignee_id": id, "assignee_type": "server"});
    world.post("/primary_ips", second.clone()).await.refused(422, "server_not_stopped");
    world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
    world.post("/primary_ips", second).await.refused(422, "server_has_ipv4");
}

#[tokio::test]
async fn a_server_without_a_wish_goes_where_its_address_is() {
    let world = World::new(Dialect::Compat).await;
    let mut far = wanted("far", "ipv4");
    far["location"] = json!("hel1");
    let id = world.create("/primary_ips", far).await;
    let mut body = server("a");
    body["public_net"] = json!({"enable_ipv4": true, "enable_ipv6": true, "ipv4": id});
    let mut elsewhere = body.clone();
    elsewhere["location"] = json!("fsn1");
    world.post("/servers", elsewhere).await.refused(422, "primary_ip_datacenter_mismatch");
    let made = world.post("/servers", body).await.ok();
    assert_eq!(made["server"]["location"]["name"], "hel1");
    assert_eq!(made["server"]["public_net"]["ipv4"]["id"], id);
}

#[tokio::test]
async fn wrong_requests() {
    let world = World::new(Dialect::Compat).await;
    world.post("/primary_ips", json!({})).await.wrong(&["name", "type"]);
    world
        .post("/primary_ips", json!({"name": "a", "type": "ipv5", "auto_delete": 1}))
        .await
        .wrong(&["type", "auto_delete"]);
    world.create("/primary_ips", wanted("a", "ipv4")).await;
    world.post("/primary_ips", wanted("a", "ipv6")).await.refused(409, "uniqueness_error");
    let both = json!({"name": "b", "type": "ipv4", "location": "fsn1", "assignee_id": 1, "assignee_type": "server"});
    world.post("/primary_ips", both).await.wrong(&["assignee_id", "location"]);
}
