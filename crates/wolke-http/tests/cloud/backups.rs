//! Daily backups (fact sheet §3.1 and §7, dialects A.6 and D.1), and the days that bring them.

use crate::common::{World, server};
use serde_json::{Value, json};
use wolke_control::clock::{Jump, Jumped};
use wolke_domain::backup::WINDOWS;
use wolke_wire::{Dialect, Timestamp};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn pass(world: &World, milliseconds: i64) -> Jumped {
    world.control.jump_clock(Jump::By(milliseconds)).await.unwrap()
}

async fn window(world: &World, id: i64) -> Value {
    world.see(&format!("/servers/{id}")).await["server"]["backup_window"].clone()
}

async fn backups(world: &World) -> Vec<Value> {
    let all = world.see("/images?per_page=50&sort=id:desc").await;
    all["images"].as_array().unwrap().iter().filter(|image| image["type"] == "backup").cloned().collect()
}

#[tokio::test]
async fn enabled_and_disabled() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        assert_eq!(window(&world, id).await, Value::Null);
        let enable = format!("/servers/{id}/actions/enable_backup");
        let done = world.ask("POST", &enable).send().await;
        assert_eq!(done.status, 201);
        let done = done.ok();
        assert_eq!(
            (&done["action"]["command"], &done["action"]["status"]),
            (&json!("enable_backup"), &json!("success"))
        );
        let chosen = window(&world, id).await;
        assert!(WINDOWS.contains(&chosen.as_str().unwrap()), "{dialect}: {chosen}");
        world.ask("POST", &enable).send().await.ok();
        assert_eq!(window(&world, id).await, chosen, "{dialect}: a second enable moves nothing");
        let disable = format!("/servers/{id}/actions/disable_backup");
        for _ in 0..2 {
            let done = world.ask("POST", &disable).send().await.ok();
            assert_eq!(done["action"]["command"], "disable_backup");
            assert_eq!(window(&world, id).await, Value::Null);
        }
        world.ask("POST", "/servers/999/actions/enable_backup").send().await.refused(404, "not_found");
        world.ask("POST", "/servers/999/actions/disable_backup").send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn windows_are_chosen_in_2018_only() {
    let world = World::new(Dialect::D2018_04).await;
    let id = world.create("/servers", server("a")).await;
    let enable = format!("/servers/{id}/actions/enable_backup");
    for chosen in WINDOWS {
        world.post(&enable, json!({"backup_window": chosen})).await.ok();
        assert_eq!(window(&world, id).await, chosen);
    }
    world.post(&enable, json!({"backup_window": "22-03"})).await.wrong(&["backup_window"]);
    assert_eq!(window(&world, id).await, "18-22");
    let world = World::new(Dialect::Compat).await;
    let mut drawn = std::collections::BTreeSet::new();
    for n in 0..20 {
        let id = world.create("/servers", server(&format!("s{n}"))).await;
        // A member that the dialect does not know is ignored.
        world
            .ask("POST", &format!("/servers/{id}/actions/enable_backup"))
            .body("{\"backup_window\": \"x\"}")
            .send()
            .await;
        drawn.insert(window(&world, id).await.as_str().unwrap_or_default().to_owned());
    }
    assert!(drawn.len() > 2 && drawn.iter().all(|chosen| WINDOWS.contains(&chosen.as_str())), "{drawn:?}");
}

#[tokio::test]
async fn a_rotation() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("db")).await;
        world.ask("POST", &format!("/servers/{id}/actions/enable_backup")).send().await.ok();
        let jumped = pass(&world, 8 * DAY_MS).await;
        assert!((9..=20).contains(&jumped.stops) && jumped.warning.is_none(), "{jumped:?}");
        let made = backups(&world).await;
        assert_eq!(made.len(), 7, "{dialect}");
        let mut times: Vec<i64> =
            made.iter().map(|image| Timestamp::parse(image["created"].as_str().unwrap()).unwrap().0).collect();
        times.sort_unstable();
        assert!(times.windows(2).all(|two| two[1] - two[0] == DAY_MS), "{dialect}: {times:?}");
        assert!(made.iter().all(|image| image["bound_to"] == id && image["status"] == "available"));
        // Restored from the oldest.
        let oldest = made.iter().min_by_key(|image| image["id"].as_i64()).unwrap()["id"].clone();
        world.post(&format!("/servers/{id}/actions/rebuild"), json!({"image": oldest})).await.ok();
        assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["image"]["id"], oldest);
        world.ask("POST", &format!("/servers/{id}/actions/disable_backup")).send().await.ok();
        assert!(backups(&world).await.is_empty(), "{dialect}: they go at once");
        pass(&world, 2 * DAY_MS).await;
        assert!(backups(&world).await.is_empty());
    }
}

#[tokio::test]
async fn backups_go_with_their_server() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    world.ask("POST", &format!("/servers/{id}/actions/enable_backup")).send().await.ok();
    pass(&world, 2 * DAY_MS).await;
    assert_eq!(backups(&world).await.len(), 2);
    world.delete(&format!("/servers/{id}")).await.ok();
    assert!(backups(&world).await.is_empty());
    world.control.delete_project("default", false).await.unwrap();
}

/// Two operators who each add a day get two days.
#[tokio::test]
async fn jumps_take_turns() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    world.ask("POST", &format!("/servers/{id}/actions/enable_backup")).send().await.ok();
    let before = world.control.clock().await.unwrap().now;
    let (first, second) = tokio::join!(pass(&world, DAY_MS), pass(&world, DAY_MS));
    assert_eq!(world.control.clock().await.unwrap().now.0 - before.0, 2 * DAY_MS);
    assert!(first.clock.now != second.clock.now);
    assert_eq!(backups(&world).await.len(), 2);
}
