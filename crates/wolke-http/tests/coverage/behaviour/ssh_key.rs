//! SSH keys.

use super::on_disk;
use crate::common::{names, public_key};
use crate::proof::Proofs;
use serde_json::json;
use wolke_wire::Dialect;

pub async fn ssh_keys(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let stays = world.create("/ssh_keys", json!({"name": "stays", "public_key": public_key(1)})).await;
    let goes = world.create("/ssh_keys", json!({"name": "goes", "public_key": public_key(2)})).await;
    world.put(&format!("/ssh_keys/{stays}"), json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/ssh_keys/{goes}")).await.ok();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/ssh_keys").await["ssh_keys"]), ["renamed"]);
    assert_eq!(world.see(&format!("/ssh_keys/{stays}")).await["ssh_key"]["public_key"], public_key(1));
    world.get(&format!("/ssh_keys/{goes}")).await.refused(404, "not_found");
    proofs.note(&world, &["create_ssh_key", "update_ssh_key", "delete_ssh_key"], &["list_ssh_keys", "get_ssh_key"]);
}
