//! Servers: their life and their power.

use super::{actions, has_kind_wide_actions, on_disk};
use crate::common::{ids, names, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

pub async fn servers(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let made = world.post("/servers", server("stays")).await.ok();
    let (stays, create) = (made["server"]["id"].as_i64().unwrap(), made["action"]["id"].as_i64().unwrap());
    let goes = world.create("/servers", server("goes")).await;
    world.put(&format!("/servers/{stays}"), json!({"name": "renamed"})).await.ok();
    let protect = format!("/servers/{stays}/actions/change_protection");
    world.post(&protect, json!({"delete": true, "rebuild": true})).await.ok();
    let delete = world.delete(&format!("/servers/{goes}")).await.ok()["action"]["id"].as_i64().unwrap();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/servers").await["servers"]), ["renamed"]);
    let seen = world.see(&format!("/servers/{stays}")).await;
    assert_eq!((&seen["server"]["name"], &seen["server"]["status"]), (&json!("renamed"), &json!("running")));
    assert_eq!(seen["server"]["protection"], json!({"delete": true, "rebuild": true}));
    let commands: Vec<Value> = actions(&world, &[create, delete]).await.iter().map(|a| a["command"].clone()).collect();
    assert_eq!(commands, ["create_server", "delete_server"]);
    assert_eq!(world.see(&format!("/actions/{delete}")).await["action"]["status"], "success");
    let listed = world.see(&format!("/servers/{stays}/actions")).await;
    assert!(ids(&listed["actions"]).contains(&create));
    assert_eq!(world.see(&format!("/servers/{stays}/actions/{create}")).await["action"]["id"], create);
    world.get(&format!("/servers/{goes}")).await.refused(404, "not_found");
    proofs.note(
        &world,
        &["create_server", "update_server", "delete_server", "server_change_protection"],
        &["list_servers", "get_server", "list_actions", "get_action", "list_server_actions", "get_server_action"],
    );
    if has_kind_wide_actions(dialect) {
        assert_eq!(ids(&world.see(&format!("/servers/actions?id={delete}")).await["actions"]), [delete]);
        assert_eq!(world.see(&format!("/servers/actions/{delete}")).await["action"]["id"], delete);
        proofs.note(&world, &["delete_server"], &["list_servers_actions", "get_servers_action"]);
    }
}

/// Each verb leaves another status or an action that later views show.
pub async fn power(dialect: Dialect, proofs: &mut Proofs) {
    let mut world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    for (operation, verb, command, status) in [
        ("server_poweroff", "poweroff", "stop_server", "off"),
        ("server_poweron", "poweron", "start_server", "running"),
        ("server_reboot", "reboot", "reboot_server", "running"),
        ("server_reset", "reset", "reset_server", "running"),
        ("server_shutdown", "shutdown", "shutdown_server", "off"),
    ] {
        let done = world.post(&format!("/servers/{id}/actions/{verb}"), json!({})).await.ok();
        world = world.restart().await;
        assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["status"], status, "{dialect} {verb}");
        let seen = world.see(&format!("/actions/{}", done["action"]["id"])).await;
        assert_eq!((&seen["action"]["command"], &seen["action"]["status"]), (&json!(command), &json!("success")));
        proofs.note(&world, &[operation], &["get_server", "get_action"]);
    }
}
