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
        let refused = world.delete(&path).await;
        assert_eq!(refused.refused(423, "protected").message(), "Primary IP deletion is protected");
        world.put(&path, json!({"auto_delete": true})).await.refused(422, "invalid_input");
        // Optional until 2026: what is absent stays.
        let absent = world.post(&protect, json!({})).await;
        if *dialect == Dialect::D2023_07 {
            absent.ok();
        } else {
            absent.wrong(&["delete"]);
        }
        assert_eq!(world.see(&path).await["primary_ip"]["protection"]["delete"], true);
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

/// A server that is off, without an address of its own but of the other family.
async fn stopped(world: &World, name: &str, family: &str) -> i64 {
    let mut wanted = server(name);
    wanted["start_after_create"] = json!(false);
    wanted["public_net"] = json!({"enable_ipv4": family != "ipv4", "enable_ipv6": family != "ipv6"});
    if world.setup.dialect == Dialect::D2023_07 {
        wanted["datacenter"] = json!("fsn1-dc14");
    } else {
        wanted["location"] = json!("fsn1");
    }
    world.create("/servers", wanted).await
}

async fn assign(world: &World, ip: i64, server: i64) -> crate::common::Answer {
    let body = json!({"assignee_id": server, "assignee_type": "server"});
    world.post(&format!("/primary_ips/{ip}/actions/assign"), body).await
}

async fn unassign(world: &World, ip: i64) -> crate::common::Answer {
    world.ask("POST", &format!("/primary_ips/{ip}/actions/unassign")).send().await
}

async fn power(world: &World, server: i64, verb: &str) {
    world.post(&format!("/servers/{server}/actions/{verb}"), json!({})).await.ok();
}

#[tokio::test]
async fn assigned_and_taken_back() {
    for dialect in Dialect::ALL.iter().filter(|d| **d != Dialect::D2018_04) {
        for family in ["ipv4", "ipv6"] {
            let world = World::new(*dialect).await;
            let new = if *dialect == Dialect::D2023_07 { in_2023 } else { wanted };
            let mut new = new("ip", family);
            new["auto_delete"] = json!(true);
            let made = world.post("/primary_ips", new).await.ok();
            let (ip, address) = (made["primary_ip"]["id"].as_i64().unwrap(), &made["primary_ip"]["ip"]);
            let server = stopped(&world, "a", family).await;
            let (of_ip, of_server) = (format!("/primary_ips/{ip}"), format!("/servers/{server}"));
            let free = if *dialect == Dialect::Newest { "unassigned" } else { "server" };
            assert_eq!(made["primary_ip"]["assignee_type"], free);
            assert_eq!(
                world.see(&of_server).await["server"]["public_net"][family]["ip"].as_str().unwrap_or_default(),
                ""
            );

            let done = assign(&world, ip, server).await;
            assert_eq!(done.status, 201);
            let done = done.ok();
            let shown = (&done["action"]["command"], &done["action"]["status"]);
            assert_eq!(shown, (&json!("assign_primary_ip"), &json!("success")));
            let resources = json!([{"id": server, "type": "server"}, {"id": ip, "type": "primary_ip"}]);
            assert_eq!(done["action"]["resources"], resources);
            let seen = world.see(&of_ip).await;
            assert_eq!(
                (&seen["primary_ip"]["assignee_id"], &seen["primary_ip"]["assignee_type"]),
                (&json!(server), &json!("server"))
            );
            assert_eq!(&world.see(&of_server).await["server"]["public_net"][family]["ip"], address, "{dialect}");

            // The machine has it from its next start on, and keeps it while it runs.
            power(&world, server, "poweron").await;
            unassign(&world, ip).await.refused(422, "server_not_stopped");
            power(&world, server, "poweroff").await;
            let done = unassign(&world, ip).await.ok();
            assert_eq!(done["action"]["command"], "unassign_primary_ip");
            assert_eq!(done["action"]["resources"], resources);
            // auto_delete speaks of the server's deletion, not of this (fact sheet §3.2).
            let seen = world.see(&of_ip).await;
            assert_eq!(
                (&seen["primary_ip"]["assignee_id"], &seen["primary_ip"]["assignee_type"]),
                (&Value::Null, &json!(free))
            );
            assert_eq!(seen["primary_ip"]["auto_delete"], true);
            assert!(!world.see(&of_server).await.to_string().contains(address.as_str().unwrap()));
            let idle = unassign(&world, ip).await.ok();
            assert_eq!(idle["action"]["resources"], json!([{"id": ip, "type": "primary_ip"}]), "a free one is free");
            assert_eq!(world.delete(&of_ip).await.status, 204);
        }
    }
}

#[tokio::test]
async fn assigning_has_rules() {
    let world = World::new(Dialect::Compat).await;
    let four = world.create("/primary_ips", wanted("four", "ipv4")).await;
    let six = world.create("/primary_ips", wanted("six", "ipv6")).await;
    let mut elsewhere = wanted("far", "ipv4");
    elsewhere["location"] = json!("hel1");
    let far = world.create("/primary_ips", elsewhere).await;
    let bare = stopped(&world, "bare", "ipv4").await;
    assign(&world, far, bare).await.refused(422, "primary_ip_datacenter_mismatch");
    assign(&world, six, bare).await.refused(422, "server_has_ipv6");
    assign(&world, 999, bare).await.refused(404, "not_found");
    assign(&world, four, 999).await.refused(404, "not_found");
    unassign(&world, 999).await.refused(404, "not_found");
    let path = format!("/primary_ips/{four}/actions/assign");
    world.post(&path, json!({})).await.wrong(&["assignee_id", "assignee_type"]);
    world.post(&path, json!({"assignee_id": bare, "assignee_type": "unassigned"})).await.wrong(&["assignee_type"]);
    power(&world, bare, "poweron").await;
    assign(&world, four, bare).await.refused(422, "server_not_stopped");
    power(&world, bare, "poweroff").await;
    assign(&world, four, bare).await.ok();
    assign(&world, four, bare).await.refused(422, "primary_ip_already_assigned");
    let other = stopped(&world, "other", "ipv4").await;
    assign(&world, four, other).await.refused(422, "primary_ip_already_assigned");
    let five = world.create("/primary_ips", wanted("five", "ipv4")).await;
    assign(&world, five, bare).await.refused(422, "server_has_ipv4");
    let stranger = world.stranger().await;
    let foreign = world.ask("POST", &format!("/primary_ips/{five}/actions/assign")).token(Some(&stranger));
    foreign.json(&json!({"assignee_id": other, "assignee_type": "server"})).send().await.refused(404, "not_found");
}

/// The terraform provider gives a stopped server a generated address that goes with it (fact sheet §3.2).
#[tokio::test]
async fn made_for_a_stopped_server() {
    let world = World::new(Dialect::Compat).await;
    let server = stopped(&world, "a", "ipv4").await;
    let body =
        json!({"name": "ip", "type": "ipv4", "assignee_id": server, "assignee_type": "server", "auto_delete": true});
    let made = world.post("/primary_ips", body.clone()).await.ok();
    assert_eq!(
        (&made["action"]["command"], &made["action"]["status"]),
        (&json!("assign_primary_ip"), &json!("success"))
    );
    let ip = made["primary_ip"]["id"].as_i64().unwrap();
    assert_eq!(world.see(&format!("/servers/{server}")).await["server"]["public_net"]["ipv4"]["id"], ip);
    let mut again = body;
    again["name"] = json!("again");
    world.post("/primary_ips", again).await.refused(422, "server_has_ipv4");
    let protect = format!("/primary_ips/{ip}/actions/change_protection");
    world.post(&protect, json!({"delete": true})).await.wrong(&["delete"]);
    assert_eq!(world.put(&format!("/primary_ips/{ip}"), json!({})).await.ok()["primary_ip"]["auto_delete"], true);
    world.delete(&format!("/servers/{server}")).await.ok();
    world.get(&format!("/primary_ips/{ip}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_place_is_asked_for_by_the_name_that_the_dialect_has() {
    for (dialect, field) in [(Dialect::D2023_07, "datacenter"), (Dialect::Compat, "location")] {
        let world = World::new(dialect).await;
        let wanted = json!({"name": "a", "type": "ipv4", "assignee_type": "server", "auto_delete": false});
        world.post("/primary_ips", wanted).await.wrong(&[field]);
    }
}
