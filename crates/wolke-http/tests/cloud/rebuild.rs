//! Rebuilding a server (fact sheet §3.1, dialects A.5).

use crate::common::{World, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

async fn shown(world: &World, id: i64) -> Value {
    world.see(&format!("/servers/{id}")).await["server"].clone()
}

#[tokio::test]
async fn the_disk_is_another_and_the_server_the_same() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let before = shown(&world, id).await;
        let answer = world.post(&format!("/servers/{id}/actions/rebuild"), json!({"image": "debian-13"})).await;
        assert_eq!(answer.status, 201, "{dialect}: {}", answer.json);
        let answer = answer.ok();
        assert!(answer["root_password"].as_str().unwrap().len() >= 16, "{dialect}: it has no keys");
        let action = &answer["action"];
        assert_eq!((&action["command"], &action["status"]), (&json!("rebuild_server"), &json!("success")));
        let after = shown(&world, id).await;
        assert_eq!((&after["image"]["name"], &after["status"]), (&json!("debian-13"), &json!("running")), "{dialect}");
        assert_eq!(action["resources"][0], json!({"id": id, "type": "server"}));
        assert_eq!(action["resources"][1], json!({"id": after["image"]["id"], "type": "image"}));
        for same in ["id", "name", "created", "server_type", "public_net"] {
            assert_eq!(after[same], before[same], "{dialect}: {same}");
        }
        // By id, and off: it stays off.
        world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
        let image = before["image"]["id"].to_string();
        world.post(&format!("/servers/{id}/actions/rebuild"), json!({"image": image})).await.ok();
        let after = shown(&world, id).await;
        assert_eq!((&after["image"], &after["status"]), (&before["image"], &json!("off")), "{dialect}");
    }
}

#[tokio::test]
async fn keys_make_a_password_needless() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        let mut wanted = server("a");
        wanted["ssh_keys"] = json!(["k"]);
        let id = world.create("/servers", wanted).await;
        let answer = world.post(&format!("/servers/{id}/actions/rebuild"), json!({"image": "debian-13"})).await.ok();
        assert_eq!(answer.get("root_password"), Some(&Value::Null), "{dialect}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let path = format!("/servers/{id}/actions/rebuild");
    let rebuild = |image: Value| world.post(&path, json!({"image": image}));
    rebuild(json!("no-such-image")).await.refused(404, "not_found");
    rebuild(json!(12_345)).await.refused(404, "not_found");
    // debian-12 for Arm.
    rebuild(json!(114_690_389)).await.wrong(&["image"]);
    rebuild(json!("centos-stream-8")).await.refused(412, "resource_unavailable");
    world.post(&path, json!({})).await.wrong(&["image"]);
    let data = "x".repeat(32 * 1024 + 1);
    world.post(&path, json!({"image": "debian-13", "user_data": data})).await.wrong(&["user_data"]);
    // The snapshot of a larger disk.
    let large = world.create("/servers", json!({"name": "b", "server_type": "cpx32", "image": "debian-12"})).await;
    let made = world.post(&format!("/servers/{large}/actions/create_image"), json!({"type": "snapshot"})).await.ok();
    rebuild(made["image"]["id"].clone()).await.wrong(&["image"]);
    world.post(&format!("/servers/{large}/actions/rebuild"), json!({"image": made["image"]["id"]})).await.ok();
    assert_eq!(shown(&world, large).await["image"]["id"], made["image"]["id"]);
    assert_eq!(shown(&world, id).await["image"]["name"], "debian-12");
    world.post("/servers/999/actions/rebuild", json!({"image": "debian-13"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn protection_stands_in_the_way() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let both = json!({"delete": true, "rebuild": true});
        world.post(&format!("/servers/{id}/actions/change_protection"), both).await.ok();
        let refused = world.post(&format!("/servers/{id}/actions/rebuild"), json!({"image": "debian-13"})).await;
        assert_eq!(refused.refused(423, "protected").message(), "server rebuild is protected");
    }
}

/// `user_data` came in 2026; what an older dialect does not know is ignored there (dialects A.6).
#[tokio::test]
async fn user_data_is_renewed_where_the_dialect_has_it() {
    for (dialect, expected) in [
        (Dialect::D2018_04, "first"),
        (Dialect::D2023_07, "first"),
        (Dialect::D2026_02, "second"),
        (Dialect::Compat, "second"),
    ] {
        let world = World::new(dialect).await;
        let mut wanted = server("a");
        wanted["user_data"] = json!("first");
        let id = world.create("/servers", wanted).await;
        let path = format!("/servers/{id}/actions/rebuild");
        let user_data = || async { super::metadata::user_data(&world, id).await };
        world.post(&path, json!({"image": "debian-13"})).await.ok();
        assert_eq!(user_data().await, "first", "{dialect}: what is not given stays");
        world.post(&path, json!({"image": "debian-13", "user_data": "second"})).await.ok();
        assert_eq!(user_data().await, expected, "{dialect}");
    }
}
