//! Images.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// Creating a server works on an image, too.
pub async fn image_actions(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let made = world.post("/servers", server("a")).await.ok();
    let (image, create) = (&made["server"]["image"]["id"], made["action"]["id"].as_i64().unwrap());
    let world = world.restart().await;
    let list = format!("/images/{image}/actions");
    assert_eq!(ids(&world.see(&list).await["actions"]), [create]);
    assert_eq!(world.see(&format!("{list}/{create}")).await["action"]["command"], "create_server");
    proofs.note(&world, &["create_server"], &["list_image_actions", "get_image_action"]);
    if has_kind_wide_actions(dialect) {
        assert_eq!(ids(&world.see("/images/actions").await["actions"]), [create]);
        assert_eq!(world.see(&format!("/images/actions/{create}")).await["action"]["id"], create);
        proofs.note(&world, &["create_server"], &["list_images_actions", "get_images_action"]);
    }
}

/// A snapshot is made, changed, protected and deleted; each is seen through later views.
pub async fn snapshots(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    let create = format!("/servers/{id}/actions/create_image");
    let (stays, goes) = (world.post(&create, json!({})).await.ok(), world.post(&create, json!({})).await.ok());
    let path = |made: &Value| format!("/images/{}", made["image"]["id"]);
    let (stays, goes) = (path(&stays), path(&goes));
    world.put(&stays, json!({"description": "renamed"})).await.ok();
    world.post(&format!("{stays}/actions/change_protection"), json!({"delete": true})).await.ok();
    world.delete(&goes).await.ok();

    let world = world.restart().await;
    let seen = world.see(&stays).await["image"].clone();
    assert_eq!((&seen["description"], &seen["status"]), (&json!("renamed"), &json!("available")));
    assert_eq!(seen["protection"]["delete"], true);
    world.get(&goes).await.refused(404, "not_found");
    assert_eq!(world.see("/images?type=snapshot").await["images"], json!([seen]));
    let commands = world.see(&format!("{stays}/actions?sort=id")).await["actions"].clone();
    let commands: Vec<&Value> = commands.as_array().unwrap().iter().map(|a| &a["command"]).collect();
    assert_eq!(commands, ["create_image", "change_protection"]);
    proofs.note(
        &world,
        &["server_create_image", "update_image", "delete_image", "image_change_protection"],
        &["get_image", "list_images", "list_image_actions"],
    );
}
