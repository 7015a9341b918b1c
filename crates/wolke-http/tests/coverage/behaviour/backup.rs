//! Daily backups.

use super::on_disk;
use crate::common::server;
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_control::clock::Jump;
use wolke_domain::backup::WINDOWS;
use wolke_wire::Dialect;

/// The window is seen with the server, and the days bring backups until they are disabled.
pub async fn backups(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    let (enable, disable) =
        (format!("/servers/{id}/actions/enable_backup"), format!("/servers/{id}/actions/disable_backup"));
    let done = world.ask("POST", &enable).send().await.ok();
    let world = world.restart().await;
    let window = world.see(&format!("/servers/{id}")).await["server"]["backup_window"].clone();
    assert!(WINDOWS.contains(&window.as_str().unwrap_or_default()), "{dialect}: {window}");
    let seen = world.see(&format!("/actions/{}", done["action"]["id"])).await;
    assert_eq!(seen["action"]["command"], "enable_backup");
    proofs.note(&world, &["server_enable_backup"], &["get_server", "get_action"]);
    world.control.jump_clock(Jump::By(24 * 60 * 60 * 1000)).await.unwrap();
    let made = backups_in(&world.see("/images?per_page=50&sort=id:desc").await);
    assert_eq!(made.len(), 1, "{dialect}");
    assert_eq!(made[0]["bound_to"], id);
    world.ask("POST", &disable).send().await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["backup_window"], json!(null));
    assert!(backups_in(&world.see("/images?per_page=50&sort=id:desc").await).is_empty(), "{dialect}");
    proofs.note(&world, &["server_disable_backup"], &["get_server", "list_images"]);
}

fn backups_in(list: &Value) -> Vec<Value> {
    list["images"].as_array().unwrap().iter().filter(|image| image["type"] == "backup").cloned().collect()
}
