//! Placement groups, and the hosts on which their members stand.

use crate::common::{Setup, World, ids, names, server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wolke_control::Simulation;
use wolke_wire::Dialect;

fn wanted(name: &str) -> Value {
    json!({"name": name, "type": "spread"})
}

fn member(name: &str, group: i64) -> Value {
    let mut wanted = server(name);
    wanted["placement_group"] = json!(group);
    wanted
}

/// A world whose locations have so many hosts.
async fn with_hosts(hosts_per_location: u32) -> World {
    let simulation = Simulation { hosts_per_location, ..Simulation::default() };
    World::with(Setup { simulation, ..Setup::new(Dialect::Compat) }).await
}

/// The hosts of servers.
async fn hosts(world: &World, servers: &[i64]) -> Vec<Option<i64>> {
    let servers = servers.to_vec();
    let read = world.control.db().read(move |tx| {
        servers.iter().map(|id| Ok(wolke_store::server::by_id(tx, *id)?.unwrap().value.host)).collect()
    });
    read.await.unwrap()
}

/// A stopped server.
async fn stopped(world: &World, name: &str) -> i64 {
    let mut wanted = server(name);
    wanted["start_after_create"] = json!(false);
    world.create("/servers", wanted).await
}

async fn add(world: &World, server: i64, group: i64) -> crate::common::Answer {
    world.post(&format!("/servers/{server}/actions/add_to_placement_group"), json!({"placement_group": group})).await
}

async fn power(world: &World, server: i64, verb: &str) -> Value {
    world.post(&format!("/servers/{server}/actions/{verb}"), json!({})).await.ok()["action"].clone()
}

#[tokio::test]
async fn a_life() {
    for dialect in Dialect::ALL.iter().filter(|d| **d != Dialect::D2018_04) {
        let world = World::new(*dialect).await;
        let mut new = wanted("one");
        new["labels"] = json!({"a": "b"});
        let made = world.post("/placement_groups", new).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert_eq!(made["action"], Value::Null);
        let group = &made["placement_group"];
        assert_eq!(
            (&group["type"], &group["servers"], &group["labels"]),
            (&json!("spread"), &json!([]), &json!({"a": "b"}))
        );
        let path = format!("/placement_groups/{}", group["id"]);
        assert_eq!(&world.see(&path).await["placement_group"], group);
        world.create("/placement_groups", wanted("two")).await;
        for (query, expected) in [
            ("", vec!["one", "two"]),
            ("?name=two", vec!["two"]),
            ("?name=three", vec![]),
            ("?type=spread", vec!["one", "two"]),
            ("?label_selector=a", vec!["one"]),
            ("?label_selector=a%21%3Db", vec!["two"]),
            ("?sort=name:desc", vec!["two", "one"]),
            ("?sort=id:desc", vec!["two", "one"]),
            ("?sort=created:desc", vec!["two", "one"]),
            ("?page=2&per_page=1", vec!["two"]),
        ] {
            let list = world.see(&format!("/placement_groups{query}")).await;
            assert_eq!(names(&list["placement_groups"]), expected, "{dialect} {query}");
        }
        world.get("/placement_groups?type=pack").await.wrong(&["type"]);
        world.get("/placement_groups?sort=type").await.wrong(&["sort"]);
        world.post("/placement_groups", wanted("one")).await.refused(409, "uniqueness_error");
        world.put(&path, json!({"name": "two"})).await.refused(409, "uniqueness_error");
        assert_eq!(&world.put(&path, json!({})).await.ok()["placement_group"], group, "a read");
        let renamed = world.put(&path, json!({"name": "uno", "labels": {"c": "d"}})).await.ok();
        assert_eq!(
            (&renamed["placement_group"]["name"], &renamed["placement_group"]["labels"]),
            (&json!("uno"), &json!({"c": "d"}))
        );
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn wrong_requests() {
    let world = World::new(Dialect::Compat).await;
    world.post("/placement_groups", json!({})).await.wrong(&["name", "type"]);
    world.post("/placement_groups", json!({"name": "a", "type": "pack"})).await.wrong(&["type"]);
    world.post("/placement_groups", wanted(" ")).await.wrong(&["name"]);
    let mut reserved = wanted("a");
    reserved["labels"] = json!({"hetzner.cloud/a": "b"});
    world.post("/placement_groups", reserved).await.refused(422, "invalid_input");
    let id = world.create("/placement_groups", wanted("a")).await;
    world.put(&format!("/placement_groups/{id}"), json!({"name": ""})).await.wrong(&["name"]);
    let old = World::new(Dialect::D2018_04).await;
    old.get("/placement_groups").await.refused(404, "not_found");
}

#[tokio::test]
async fn both_ends_show_a_membership() {
    for dialect in Dialect::ALL.iter().filter(|d| **d != Dialect::D2018_04) {
        let world = World::new(*dialect).await;
        let group = world.create("/placement_groups", wanted("one")).await;
        let path = format!("/placement_groups/{group}");
        let made = world.post("/servers", member("a", group)).await.ok();
        let (a, b) = (made["server"]["id"].as_i64().unwrap(), world.create("/servers", member("b", group)).await);
        assert_eq!(made["server"]["placement_group"]["servers"], json!([a]));
        let seen = world.see(&path).await["placement_group"].clone();
        assert_eq!(seen["servers"], json!([a, b]));
        for server in [a, b] {
            assert_eq!(world.see(&format!("/servers/{server}")).await["server"]["placement_group"], seen, "{dialect}");
        }
        world.delete(&path).await.refused(422, "resource_in_use");
        world.see("/servers").await;
        world.put(&path, json!({"name": "uno"})).await.ok();
        let listed = world.see("/servers").await;
        assert_eq!(listed["servers"][1]["placement_group"]["name"], "uno", "no list shows an old name");
        world.delete(&format!("/servers/{a}")).await.ok();
        assert_eq!(world.see(&path).await["placement_group"]["servers"], json!([b]));
        assert_eq!(world.see("/servers").await["servers"][0]["placement_group"]["servers"], json!([b]));

        // Leaving works while the server runs (fact sheet §3.1).
        let left = world.post(&format!("/servers/{b}/actions/remove_from_placement_group"), json!({})).await.ok();
        assert_eq!(
            (&left["action"]["command"], &left["action"]["status"]),
            (&json!("remove_from_placement_group"), &json!("success"))
        );
        let resources = json!([{"id": b, "type": "server"}, {"id": group, "type": "placement_group"}]);
        assert_eq!(left["action"]["resources"], resources);
        assert_eq!(world.see(&format!("/servers/{b}")).await["server"]["placement_group"], Value::Null);
        assert_eq!(world.see(&path).await["placement_group"]["servers"], json!([]));
        assert_eq!(world.delete(&path).await.status, 204);
    }
}

#[tokio::test]
async fn joining_has_rules() {
    let world = World::new(Dialect::Compat).await;
    let (group, other) = (
        world.create("/placement_groups", wanted("one")).await,
        world.create("/placement_groups", wanted("two")).await,
    );
    let id = world.create("/servers", server("a")).await;
    add(&world, id, group).await.refused(422, "server_not_stopped");
    power(&world, id, "poweroff").await;
    add(&world, id, 999).await.refused(404, "not_found");
    add(&world, 999, group).await.refused(404, "not_found");
    world.post(&format!("/servers/{id}/actions/add_to_placement_group"), json!({})).await.wrong(&["placement_group"]);
    let added = add(&world, id, group).await.ok();
    assert_eq!(
        (&added["action"]["command"], &added["action"]["status"]),
        (&json!("add_to_placement_group"), &json!("success"))
    );
    let resources = json!([{"id": id, "type": "server"}, {"id": group, "type": "placement_group"}]);
    assert_eq!(added["action"]["resources"], resources);
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["placement_group"]["id"], group);
    for again in [group, other] {
        add(&world, id, again).await.wrong(&["placement_group"]);
    }
    let remove = format!("/servers/{id}/actions/remove_from_placement_group");
    world.ask("POST", &remove).send().await.ok();
    let idle = world.ask("POST", &remove).send().await.ok();
    assert_eq!(
        idle["action"]["resources"],
        json!([{"id": id, "type": "server"}]),
        "without a group there is nothing to do"
    );

    // What another project owns does not exist.
    let stranger = world.stranger().await;
    let foreign = world.ask("POST", "/placement_groups").token(Some(&stranger)).json(&wanted("x")).send().await.ok();
    let foreign = foreign["placement_group"]["id"].as_i64().unwrap();
    add(&world, id, foreign).await.refused(404, "not_found");
    world.post("/servers", member("b", foreign)).await.refused(404, "not_found");
    world.get(&format!("/placement_groups/{foreign}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_group_has_ten_members_on_ten_hosts() {
    let world = World::new(Dialect::Compat).await;
    let group = world.create("/placement_groups", wanted("one")).await;
    let mut members = Vec::new();
    for n in 0..10 {
        members.push(world.create("/servers", member(&format!("m{n}"), group)).await);
    }
    assert_eq!(hosts(&world, &members).await.into_iter().collect::<BTreeSet<_>>().len(), 10);
    let full = world.post("/servers", member("m10", group)).await;
    full.refused(403, "resource_limit_exceeded");
    assert_eq!(full.json["error"]["details"]["limits"], json!([{"name": "placement_group_server_limit"}]));
    let id = stopped(&world, "m11").await;
    add(&world, id, group).await.refused(403, "resource_limit_exceeded");
    world.delete(&format!("/servers/{}", members[3])).await.ok();
    add(&world, id, group).await.ok();
    assert_eq!(
        world.see(&format!("/placement_groups/{group}")).await["placement_group"]["servers"].as_array().unwrap().len(),
        10
    );
}

#[tokio::test]
async fn a_member_without_a_host_of_its_own_is_refused() {
    let world = with_hosts(2).await;
    let group = world.create("/placement_groups", wanted("one")).await;
    for name in ["a", "b"] {
        world.create("/servers", member(name, group)).await;
    }
    world.post("/servers", member("c", group)).await.refused(422, "placement_error");
    assert_eq!(names(&world.see("/servers").await["servers"]), ["a", "b"], "nothing is left of it");
    assert_eq!(world.see("/placement_groups").await["placement_groups"][0]["servers"].as_array().unwrap().len(), 2);
    // Another location has hosts of its own.
    let mut elsewhere = member("c", group);
    elsewhere["location"] = json!("hel1");
    world.post("/servers", elsewhere).await.ok();
}

#[tokio::test]
async fn a_full_location_fails_the_action() {
    let world = with_hosts(0).await;
    let made = world.post("/servers", server("a")).await.ok();
    assert_eq!(made["action"]["status"], "error");
    assert_eq!(made["action"]["error"]["code"], "resource_unavailable");
    assert_eq!(world.see("/servers").await["servers"], json!([]));
    // The same of the first member of a group: the group is not in the way.
    let group = world.create("/placement_groups", wanted("one")).await;
    let made = world.post("/servers", member("a", group)).await.ok();
    assert_eq!(made["action"]["error"]["code"], "resource_unavailable");
    assert_eq!(world.delete(&format!("/placement_groups/{group}")).await.status, 204);
}

#[tokio::test]
async fn who_starts_beside_a_member_moves() {
    let world = World::new(Dialect::Compat).await;
    let group = world.create("/placement_groups", wanted("one")).await;
    let (a, b) = (stopped(&world, "a").await, stopped(&world, "b").await);
    let before = hosts(&world, &[a, b]).await;
    assert_eq!(before[0], before[1], "the fullest host takes both");
    for id in [a, b] {
        add(&world, id, group).await.ok();
    }
    assert_eq!(power(&world, a, "poweron").await["status"], "success");
    assert_eq!(hosts(&world, &[a, b]).await, before, "beside one that is off nobody has to move");
    assert_eq!(power(&world, b, "poweron").await["status"], "success");
    let after = hosts(&world, &[a, b]).await;
    assert!(after[0] == before[0] && after[1] != after[0], "{after:?}");
    assert_eq!(world.see(&format!("/servers/{b}")).await["server"]["status"], "running");
    assert_eq!(ids(&world.see("/servers?status=running").await["servers"]), [a, b]);
    // Again, now apart: nothing moves.
    power(&world, b, "poweroff").await;
    power(&world, b, "poweron").await;
    assert_eq!(hosts(&world, &[a, b]).await, after);
}

#[tokio::test]
async fn who_cannot_move_does_not_start() {
    let world = with_hosts(1).await;
    let group = world.create("/placement_groups", wanted("one")).await;
    let (a, b) = (stopped(&world, "a").await, stopped(&world, "b").await);
    for id in [a, b] {
        add(&world, id, group).await.ok();
    }
    power(&world, a, "poweron").await;
    let failed = power(&world, b, "poweron").await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("error"), &json!("placement_error")));
    let seen = world.see(&format!("/servers/{b}")).await;
    assert_eq!((&seen["server"]["status"], &seen["server"]["locked"]), (&json!("off"), &json!(false)));
    // With the other one off, or out of the group, it starts where it is.
    power(&world, a, "poweroff").await;
    assert_eq!(power(&world, b, "poweron").await["status"], "success");
    assert_eq!(power(&world, a, "poweron").await["error"]["code"], "placement_error");
    world.post(&format!("/servers/{b}/actions/remove_from_placement_group"), json!({})).await.ok();
    assert_eq!(power(&world, a, "poweron").await["status"], "success");
}
