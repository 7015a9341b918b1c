//! What can be ordered.

use super::{actions, has_kind_wide_actions, on_disk};
use crate::common::{ids, names, public_key, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// Nothing changes the catalogue: what its lists show is what its entries and a new server show after a restart.
pub async fn catalogue(dialect: Dialect, proofs: &mut Proofs) {
    let kinds = [
        ("locations", "list_locations", "get_location"),
        ("datacenters", "list_datacenters", "get_datacenter"),
        ("server_types", "list_server_types", "get_server_type"),
        ("images", "list_images", "get_image"),
    ];
    for (path, list, get) in kinds {
        if dialect == Dialect::Newest && path == "datacenters" {
            continue;
        }
        let world = on_disk(dialect).await;
        let before = world.see(&format!("/{path}")).await[path].clone();
        let (id, kind) = (&before[0]["id"], &path[..path.len() - 1]);
        let entry = world.see(&format!("/{path}/{id}")).await[kind].clone();
        let world = world.restart().await;
        assert_eq!(world.see(&format!("/{path}/{id}")).await[kind], before[0], "{dialect}");
        assert_eq!(world.see(&format!("/{path}")).await[path][0], entry, "{dialect}");
        proofs.note(&world, &[list], &[get]);
        proofs.note(&world, &[get], &[list]);
    }
}
