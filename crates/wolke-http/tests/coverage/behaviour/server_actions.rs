//! Servers: what changes their machines.

use super::on_disk;
use crate::common::{World, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// Windows Server 2022, of the catalogue.
const ISO: i64 = 8637;

/// Runs an action, restarts the world, and gives the server and the action as they are then.
async fn act(world: World, id: i64, verb: &str, body: Value) -> (World, Value, Value) {
    let done = world.post(&format!("/servers/{id}/actions/{verb}"), body).await.ok();
    let world = world.restart().await;
    let server = world.see(&format!("/servers/{id}")).await["server"].clone();
    let action = world.see(&format!("/actions/{}", done["action"]["id"])).await["action"].clone();
    assert_eq!(action["status"], "success", "{}: {verb}", world.setup.dialect);
    (world, server, action)
}

/// Each leaves something on the server, or an action, that later views show.
pub async fn server_actions(dialect: Dialect, proofs: &mut Proofs) {
    let mut world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
    let iso = |server: &Value| server["iso"]["id"].clone();
    let (mut server, mut action);
    for (operation, verb, body, command) in [
        (
            "server_change_type",
            "change_type",
            json!({"server_type": "cpx32", "upgrade_disk": true}),
            "change_server_type",
        ),
        ("server_rebuild", "rebuild", json!({"image": "debian-13"}), "rebuild_server"),
        ("server_enable_rescue", "enable_rescue", json!({}), "enable_rescue"),
        ("server_attach_iso", "attach_iso", json!({"iso": ISO}), "attach_iso"),
        ("server_reset_password", "reset_password", json!({}), "reset_password"),
        ("server_disable_rescue", "disable_rescue", json!({}), "disable_rescue"),
        ("server_detach_iso", "detach_iso", json!({}), "detach_iso"),
    ] {
        (world, server, action) = act(world, id, verb, body).await;
        assert_eq!(action["command"], command);
        match verb {
            "change_type" => assert_eq!(server["server_type"]["name"], "cpx32"),
            "rebuild" => assert_eq!(server["image"]["name"], "debian-13"),
            "enable_rescue" => assert_eq!(server["rescue_enabled"], true),
            "disable_rescue" => assert_eq!(server["rescue_enabled"], false),
            "attach_iso" => assert_eq!(iso(&server), ISO),
            "detach_iso" => assert_eq!(server["iso"], Value::Null),
            _ => {}
        }
        assert_eq!(server["status"], "running", "{dialect} {verb}");
        proofs.note(&world, &[operation], &["get_server", "get_action"]);
    }
}
