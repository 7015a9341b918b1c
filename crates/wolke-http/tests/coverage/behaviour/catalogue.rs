//! What can be ordered.

use super::on_disk;
use crate::proof::Proofs;
use wolke_wire::Dialect;

/// Nothing changes the catalogue: what its lists show is what its entries and a new server show after a restart.
pub async fn catalogue(dialect: Dialect, proofs: &mut Proofs) {
    let kinds = [
        ("locations", "list_locations", "get_location"),
        ("datacenters", "list_datacenters", "get_datacenter"),
        ("server_types", "list_server_types", "get_server_type"),
        ("images", "list_images", "get_image"),
        ("isos", "list_isos", "get_iso"),
        ("load_balancer_types", "list_load_balancer_types", "get_load_balancer_type"),
        ("storage_box_types", "list_storage_box_types", "get_storage_box_type"),
    ];
    for (path, list, get) in kinds {
        let gone = dialect == Dialect::Newest && path == "datacenters";
        let is_later = match path {
            "load_balancer_types" => dialect == Dialect::D2018_04,
            "storage_box_types" => matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07),
            _ => false,
        };
        if gone || is_later {
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
    prices(dialect, proofs).await;
}

/// What types cost is what their own entries say, after a restart.
async fn prices(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let before = world.see("/pricing").await["pricing"]["server_types"].clone();
    let listed = world.see("/server_types?per_page=50").await["server_types"].clone();
    let world = world.restart().await;
    assert_eq!(world.see("/pricing").await["pricing"]["server_types"][0]["prices"], listed[0]["prices"], "{dialect}");
    let id = &before[0]["id"];
    assert_eq!(world.see(&format!("/server_types/{id}")).await["server_type"]["prices"], before[0]["prices"]);
    proofs.note(&world, &["get_pricing"], &["get_server_type"]);
    proofs.note(&world, &["list_server_types"], &["get_pricing"]);
}
