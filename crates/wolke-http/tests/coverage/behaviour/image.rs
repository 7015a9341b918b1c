//! Images.

use super::{actions, has_kind_wide_actions, on_disk};
use crate::common::{ids, names, public_key, server};
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
