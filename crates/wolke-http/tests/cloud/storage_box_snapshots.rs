//! Snapshots of storage boxes: what they hold, rollback, limits, plans on the clock (fact sheet §4.3).

use super::storage_boxes::{WITH_BOXES, act, fill, folders, seen, storage_box};
use crate::common::{World, ids, names};
use serde_json::{Value, json};
use wolke_control::clock::Jump;
use wolke_wire::{Dialect, Timestamp};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn pass(world: &World, milliseconds: i64) {
    let jumped = world.control.jump_clock(Jump::By(milliseconds)).await.unwrap();
    assert!(jumped.warning.is_none(), "{jumped:?}");
}

/// The snapshots of a storage box, oldest first.
async fn snapshots(world: &World, id: i64, query: &str) -> Vec<Value> {
    let list = world.see(&format!("/storage_boxes/{id}/snapshots?{query}")).await;
    assert!(list.get("meta").is_none(), "there are no pages");
    list["snapshots"].as_array().unwrap().clone()
}

async fn take(world: &World, id: i64, body: Value) -> i64 {
    let made = world.post(&format!("/storage_boxes/{id}/snapshots"), body).await;
    assert_eq!(made.status, 201);
    let made = made.ok();
    let snapshot = made["snapshot"]["id"].as_i64().unwrap();
    assert_eq!(made["snapshot"], json!({"id": snapshot, "storage_box": id}));
    assert_eq!((&made["action"]["command"], &made["action"]["status"]), (&json!("create_snapshot"), &json!("success")));
    snapshot
}

async fn snapshot(world: &World, id: i64, snapshot: i64) -> Value {
    world.see(&format!("/storage_boxes/{id}/snapshots/{snapshot}")).await["snapshot"].clone()
}

#[tokio::test]
async fn a_life() {
    for dialect in WITH_BOXES {
        let world = World::new(dialect).await;
        let id = world.create("/storage_boxes", storage_box("a")).await;
        let first = take(&world, id, json!({"description": "before", "labels": {"a": "b"}})).await;
        let shown = snapshot(&world, id, first).await;
        for (member, expected) in [
            ("storage_box", json!(id)),
            ("description", json!("before")),
            ("is_automatic", json!(false)),
            ("labels", json!({"a": "b"})),
            ("stats", json!({"size": 0, "size_filesystem": 0})),
            ("name", json!("2026-11-21T00-00-00")),
            ("created", json!("2026-11-21T00:00:00+00:00")),
        ] {
            assert_eq!(shown[member], expected, "{dialect} {member}");
        }
        let path = format!("/storage_boxes/{id}/snapshots/{first}");
        assert_eq!(world.put(&path, json!({})).await.ok()["snapshot"], shown, "an empty update is a read");
        let changed = world.put(&path, json!({"description": "", "labels": {}})).await.ok()["snapshot"].clone();
        assert_eq!((&changed["description"], &changed["labels"]), (&json!(""), &json!({})));
        // Names of one second differ, so that each is found by its own.
        let (second, third) = (take(&world, id, json!({})).await, take(&world, id, json!({})).await);
        let all = snapshots(&world, id, "").await;
        assert_eq!(names(&json!(all)), ["2026-11-21T00-00-00", "2026-11-21T00-00-00-2", "2026-11-21T00-00-00-3"]);
        assert_eq!(all[1], snapshot(&world, id, second).await);
        assert_eq!(all[1]["description"], "");
        let gone = world.delete(&format!("/storage_boxes/{id}/snapshots/{second}")).await;
        assert_eq!(gone.status, 201);
        let resources = json!([{"id": id, "type": "storage_box"}, {"id": second, "type": "storage_box_snapshot"}]);
        let gone = gone.ok();
        assert_eq!((&gone["action"]["command"], &gone["action"]["resources"]), (&json!("delete_snapshot"), &resources));
        assert_eq!(ids(&json!(snapshots(&world, id, "").await)), [first, third]);
        world.get(&format!("/storage_boxes/{id}/snapshots/{second}")).await.refused(404, "not_found");
        world.delete(&format!("/storage_boxes/{id}/snapshots/{second}")).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn of_their_own_storage_box_only() {
    let world = World::new(Dialect::Compat).await;
    let (a, b) = (
        world.create("/storage_boxes", storage_box("a")).await,
        world.create("/storage_boxes", storage_box("b")).await,
    );
    let first = take(&world, a, json!({})).await;
    let path = format!("/storage_boxes/{b}/snapshots/{first}");
    world.get(&path).await.refused(404, "not_found");
    world.put(&path, json!({"description": "x"})).await.refused(404, "not_found");
    world.delete(&path).await.refused(404, "not_found");
    let rollback = format!("/storage_boxes/{b}/actions/rollback_snapshot");
    world.post(&rollback, json!({"snapshot": first})).await.refused(404, "not_found");
    world.post("/storage_boxes/99/snapshots", json!({})).await.refused(404, "not_found");
    let list = world.get(&format!("/storage_boxes/99/snapshots/{first}")).await;
    assert_eq!(list.refused(404, "not_found").message(), "storage box with ID '99' not found");
    let long = json!({"description": "x".repeat(1001), "labels": {"-": ""}});
    world.post(&format!("/storage_boxes/{a}/snapshots"), long.clone()).await.wrong(&["description"]);
    world
        .put(&format!("/storage_boxes/{a}/snapshots/{first}"), json!({"labels": {"-": ""}}))
        .await
        .wrong(&["labels.-"]);
    // They go with their storage box.
    world.delete(&format!("/storage_boxes/{a}")).await.ok();
    world.get(&format!("/storage_boxes/{a}/snapshots")).await.refused(404, "not_found");
}

#[tokio::test]
async fn lists_are_filtered_and_ordered() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    act(&world, id, "enable_snapshot_plan", json!({"max_snapshots": 5, "minute": 0, "hour": 12})).await;
    let first = take(&world, id, json!({"labels": {"kind": "first"}})).await;
    pass(&world, DAY_MS).await;
    let last = take(&world, id, json!({"labels": {"kind": "last"}})).await;
    let [_, automatic, _] = &snapshots(&world, id, "").await[..] else { panic!("three") };
    assert_eq!((&automatic["name"], &automatic["is_automatic"]), (&json!("2026-11-21T12-00-00"), &json!(true)));
    let automatic = automatic["id"].as_i64().unwrap();
    for (query, expected) in [
        ("is_automatic=true", vec![automatic]),
        ("is_automatic=false", vec![first, last]),
        ("name=2026-11-21T12-00-00", vec![automatic]),
        ("name=x", vec![]),
        ("label_selector=kind", vec![first, last]),
        ("label_selector=kind!%3Dfirst", vec![automatic, last]),
        ("label_selector=kind%3Dlast&is_automatic=true", vec![]),
        ("sort=created:desc", vec![last, automatic, first]),
        ("sort=name", vec![first, automatic, last]),
        ("sort=id:desc", vec![last, automatic, first]),
    ] {
        assert_eq!(ids(&json!(snapshots(&world, id, query).await)), expected, "{query}");
    }
    for wrong in ["sort=size", "is_automatic=maybe", "label_selector=a%3D%3D%3D"] {
        let name = wrong.split('=').next().unwrap();
        world.get(&format!("/storage_boxes/{id}/snapshots?{wrong}")).await.wrong(&[name]);
    }
}

#[tokio::test]
async fn they_hold_what_was_there() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    fill(&world, id, json!({"bytes": 100, "folders": ["old/deep", "both"]})).await;
    let first = take(&world, id, json!({})).await;
    fill(&world, id, json!({"bytes": 120, "folders": ["both", "new"]})).await;
    let second = take(&world, id, json!({})).await;
    fill(&world, id, json!({"bytes": 30})).await;
    let stats = async |snapshot_id: i64| snapshot(&world, id, snapshot_id).await["stats"].clone();
    assert_eq!(seen(&world, id).await["stats"], json!({"size": 120, "size_data": 30, "size_snapshots": 90}));
    assert_eq!(stats(first).await, json!({"size": 0, "size_filesystem": 100}), "the second holds it, too");
    assert_eq!(stats(second).await, json!({"size": 20, "size_filesystem": 120}));
    let third = take(&world, id, json!({})).await;
    // The second goes: the first holds alone what both did.
    world.delete(&format!("/storage_boxes/{id}/snapshots/{second}")).await.ok();
    assert_eq!(stats(first).await, json!({"size": 70, "size_filesystem": 100}));
    assert_eq!(seen(&world, id).await["stats"], json!({"size": 100, "size_data": 30, "size_snapshots": 70}));
    // Back to the first: newer ones go, data and folders come back.
    let name = snapshot(&world, id, first).await["name"].clone();
    act(&world, id, "rollback_snapshot", json!({"snapshot": name})).await;
    assert_eq!(seen(&world, id).await["stats"], json!({"size": 100, "size_data": 100, "size_snapshots": 0}));
    assert_eq!(ids(&json!(snapshots(&world, id, "").await)), [first]);
    assert_eq!(folders(&world, id, ".").await, json!(["both", "old"]));
    assert_eq!(folders(&world, id, "old").await, json!(["deep"]));
    assert_eq!(stats(first).await, json!({"size": 0, "size_filesystem": 100}));
    let rollback = format!("/storage_boxes/{id}/actions/rollback_snapshot");
    world.post(&rollback, json!({"snapshot": third})).await.refused(404, "not_found");
    world.post(&rollback, json!({"snapshot": "nothing"})).await.refused(404, "not_found");
    world.post(&rollback, json!({})).await.wrong(&["snapshot"]);
    // An id as text is one.
    act(&world, id, "rollback_snapshot", json!({"snapshot": first.to_string()})).await;
}

#[tokio::test]
async fn as_many_as_the_type_allows() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let plan = json!({"max_snapshots": 10, "minute": 0, "hour": 12});
    act(&world, id, "enable_snapshot_plan", plan).await;
    pass(&world, 2 * DAY_MS).await;
    for _ in 0..10 {
        take(&world, id, json!({})).await;
    }
    let full = world.post(&format!("/storage_boxes/{id}/snapshots"), json!({})).await;
    assert_eq!(full.refused(403, "resource_limit_exceeded").message(), "storage box snapshot limit exceeded");
    assert_eq!(full.json["error"]["details"]["limits"], json!([{"name": "storage_box_snapshot_limit"}]));
    // The plan has a limit of its own.
    pass(&world, DAY_MS).await;
    assert_eq!(snapshots(&world, id, "is_automatic=true").await.len(), 3);
    act(&world, id, "change_type", json!({"storage_box_type": "bx21"})).await;
    take(&world, id, json!({})).await;
}

#[tokio::test]
async fn a_plan_runs_on_the_clock() {
    for dialect in WITH_BOXES {
        let world = World::new(dialect).await;
        let id = world.create("/storage_boxes", storage_box("a")).await;
        let by_hand = take(&world, id, json!({})).await;
        let wish = json!({"max_snapshots": 3, "minute": 30, "hour": 6, "day_of_week": null, "day_of_month": null});
        let done = act(&world, id, "enable_snapshot_plan", wish.clone()).await;
        assert_eq!((&done["command"], &done["status"]), (&json!("enable_snapshot_plan"), &json!("success")));
        assert_eq!(seen(&world, id).await["snapshot_plan"], wish);
        pass(&world, 5 * DAY_MS).await;
        let automatic = snapshots(&world, id, "is_automatic=true").await;
        let days: Vec<&str> = automatic.iter().map(|one| one["created"].as_str().unwrap()).collect();
        assert_eq!(days, ["2026-11-23T06:30:00+00:00", "2026-11-24T06:30:00+00:00", "2026-11-25T06:30:00+00:00"]);
        assert!(automatic.iter().all(|one| one["description"] == "" && one["labels"] == json!({})));
        assert_eq!(ids(&json!(snapshots(&world, id, "is_automatic=false").await)), [by_hand], "those by hand stay");
        let actions = world.see(&format!("/storage_boxes/{id}/actions")).await;
        let made = actions["actions"].as_array().unwrap().iter().filter(|a| a["command"] == "create_snapshot").count();
        assert_eq!(made, 6, "each shows as an action");
        // Another plan takes its place: it keeps fewer, from its next snapshot on.
        act(&world, id, "enable_snapshot_plan", json!({"max_snapshots": 1, "minute": 0, "hour": 0})).await;
        assert_eq!(seen(&world, id).await["snapshot_plan"]["day_of_week"], Value::Null);
        assert_eq!(snapshots(&world, id, "is_automatic=true").await.len(), 3);
        pass(&world, DAY_MS).await;
        let left = snapshots(&world, id, "is_automatic=true").await;
        assert_eq!((left.len(), &left[0]["created"]), (1, &json!("2026-11-27T00:00:00+00:00")));
        // Without a plan nothing is made, and nothing goes.
        for _ in 0..2 {
            let done = act(&world, id, "disable_snapshot_plan", json!({})).await;
            assert_eq!(done["command"], "disable_snapshot_plan");
        }
        assert_eq!(seen(&world, id).await["snapshot_plan"], Value::Null);
        pass(&world, 3 * DAY_MS).await;
        assert_eq!(snapshots(&world, id, "is_automatic=true").await, left);
    }
}

#[tokio::test]
async fn days_of_plans() {
    let world = World::new(Dialect::Compat).await;
    let mut made = Vec::new();
    for (name, week, month) in
        [("week", json!(5), json!(null)), ("month", json!(null), json!(1)), ("both", json!(1), json!(22))]
    {
        let id = world.create("/storage_boxes", storage_box(name)).await;
        let plan = json!({"max_snapshots": 10, "minute": 0, "hour": 3, "day_of_week": week, "day_of_month": month});
        act(&world, id, "enable_snapshot_plan", plan).await;
        made.push(id);
    }
    // From Saturday, 2026-11-21, to Sunday, 2026-12-06.
    pass(&world, 15 * DAY_MS).await;
    let mut days = Vec::new();
    for id in made {
        let all = snapshots(&world, id, "").await;
        let day = |one: &Value| one["name"].as_str().unwrap()[5..10].to_owned();
        days.push(all.iter().map(day).collect::<Vec<_>>());
    }
    assert_eq!(days, [vec!["11-27", "12-04"], vec!["12-01"], vec!["11-22", "11-23", "11-30"]]);
}

#[tokio::test]
async fn plans_are_checked() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let enable = format!("/storage_boxes/{id}/actions/enable_snapshot_plan");
    world.post(&enable, json!({})).await.wrong(&["hour", "max_snapshots", "minute"]);
    let wrong = json!({"max_snapshots": 0, "minute": 60, "hour": 24, "day_of_week": 8, "day_of_month": 32});
    world.post(&enable, wrong).await.wrong(&["max_snapshots", "minute", "hour", "day_of_week", "day_of_month"]);
    let wrong = json!({"max_snapshots": 1, "minute": -1, "hour": 0, "day_of_week": 0, "day_of_month": 0});
    world.post(&enable, wrong).await.wrong(&["minute", "day_of_week", "day_of_month"]);
    let many = world.post(&enable, json!({"max_snapshots": 11, "minute": 0, "hour": 0})).await;
    assert!(many.wrong(&["max_snapshots"]).message().contains("the 10 automatic snapshots"));
    assert_eq!(seen(&world, id).await["snapshot_plan"], Value::Null);
    world
        .post("/storage_boxes/99/actions/enable_snapshot_plan", json!({"max_snapshots": 1, "minute": 0, "hour": 0}))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_plan_goes_with_its_storage_box() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    act(&world, id, "enable_snapshot_plan", json!({"max_snapshots": 1, "minute": 0, "hour": 0})).await;
    pass(&world, 2 * DAY_MS).await;
    world.delete(&format!("/storage_boxes/{id}")).await.ok();
    pass(&world, 2 * DAY_MS).await;
    let now = world.control.clock().await.unwrap().now;
    assert!(now > Timestamp::parse("2026-11-24T00:00:00Z").unwrap());
    world.control.delete_project("default", false).await.unwrap();
}
