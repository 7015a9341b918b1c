//! Changing the type of a server (fact sheet §3.1, dialects A.7, D.1).

use crate::common::{World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

async fn shown(world: &World, id: i64) -> Value {
    world.see(&format!("/servers/{id}")).await["server"].clone()
}

/// A server of type cpx22 that is off.
async fn off(world: &World) -> i64 {
    let id = world.create("/servers", server("a")).await;
    stop(world, id).await;
    id
}

async fn stop(world: &World, id: i64) {
    world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
}

fn to(server_type: impl Into<Value>, upgrade_disk: bool) -> Value {
    json!({"server_type": server_type.into(), "upgrade_disk": upgrade_disk})
}

#[tokio::test]
async fn it_needs_a_stopped_server_and_ends_with_one_that_runs() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let path = format!("/servers/{id}/actions/change_type");
        world.post(&path, to("cpx32", true)).await.refused(422, "server_not_stopped");
        stop(&world, id).await;
        let answer = world.post(&path, to("cpx32", true)).await;
        assert_eq!(answer.status, 201);
        let action = answer.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("change_server_type"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": id, "type": "server"}]));
        let after = shown(&world, id).await;
        assert_eq!(
            (&after["server_type"]["name"], &after["status"]),
            (&json!("cpx32"), &json!("running")),
            "{dialect}"
        );
        if *dialect != Dialect::D2018_04 {
            assert_eq!(after["primary_disk_size"], 160, "{dialect}");
        }
    }
}

#[tokio::test]
async fn only_2018_may_leave_the_disk_open() {
    let new = World::new(Dialect::D2023_07).await;
    let id = off(&new).await;
    new.post(&format!("/servers/{id}/actions/change_type"), json!({"server_type": "cpx32"}))
        .await
        .wrong(&["upgrade_disk"]);
    let old = World::new(Dialect::D2018_04).await;
    let id = off(&old).await;
    let path = format!("/servers/{id}/actions/change_type");
    old.post(&path, json!({"server_type": "cpx32"})).await.ok();
    stop(&old, id).await;
    // The disk has grown with it.
    old.post(&path, json!({"server_type": "cpx22"})).await.refused(422, "invalid_server_type");
}

#[tokio::test]
async fn a_kept_disk_leads_back_and_a_grown_one_does_not() {
    let world = World::new(Dialect::Compat).await;
    let id = off(&world).await;
    let path = format!("/servers/{id}/actions/change_type");
    for (kind, upgrade, disk) in [("cpx32", false, 80), ("cpx22", true, 80), ("cpx32", true, 160)] {
        world.post(&path, to(kind, upgrade)).await.ok();
        let seen = shown(&world, id).await;
        assert_eq!((&seen["server_type"]["name"], &seen["primary_disk_size"]), (&json!(kind), &json!(disk)));
        stop(&world, id).await;
    }
    world.post(&path, to("cpx22", false)).await.refused(422, "invalid_server_type");
    assert_eq!(shown(&world, id).await["status"], "off");
}

#[tokio::test]
async fn types_that_do_not_fit_are_refused() {
    let world = World::new(Dialect::Compat).await;
    let id = off(&world).await;
    let path = format!("/servers/{id}/actions/change_type");
    for (kind, why) in
        [("cpx22", "its own"), ("cax21", "another architecture"), ("cpx12", "a smaller disk"), ("cx11", "gone")]
    {
        let answer = world.post(&path, to(kind, false)).await;
        assert_eq!((answer.status, answer.code()), (422, Some("invalid_server_type")), "{why}: {}", answer.json);
    }
    world.post(&path, to("no-such-type", false)).await.refused(404, "not_found");
    world.post(&path, to(999_999, false)).await.refused(404, "not_found");
    world.post("/servers/999/actions/change_type", to("cpx32", false)).await.refused(404, "not_found");
}

#[tokio::test]
async fn stock_follows_the_type() {
    let world = World::new(Dialect::Compat).await;
    let id = off(&world).await;
    let place = shown(&world, id).await["location"]["name"].as_str().unwrap().to_owned();
    let set = |kind: &str, left| {
        let (kind, place) = (kind.into(), place.as_str().into());
        let control = world.control.clone();
        async move { control.set_stock(&kind, &place, Some(left)).await.unwrap() }
    };
    let path = format!("/servers/{id}/actions/change_type");
    set("cpx32", 0).await;
    world.post(&path, to("cpx32", false)).await.refused(412, "resource_unavailable");
    set("cpx32", 1).await;
    set("cpx22", 0).await;
    world.post(&path, to("cpx32", false)).await.ok();
    let left = || async {
        let stock = world.control.list_stock().await.unwrap();
        let of = |kind: &str| stock.iter().find(|s| s.server_type == kind).unwrap().left.unwrap();
        (of("cpx22"), of("cpx32"))
    };
    assert_eq!(left().await, (1, 0), "one was taken, one given back");
    world.delete(&format!("/servers/{id}")).await.ok();
    assert_eq!(left().await, (1, 1));
}
