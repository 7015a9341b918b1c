//! Placement groups.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, names, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

pub async fn placement_groups(dialect: Dialect, proofs: &mut Proofs) {
    let new = |name: &str| json!({"name": name, "type": "spread"});
    let world = on_disk(dialect).await;
    let stays = world.create("/placement_groups", new("stays")).await;
    let goes = world.create("/placement_groups", new("goes")).await;
    world.put(&format!("/placement_groups/{stays}"), json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/placement_groups/{goes}")).await.ok();
    let mut wanted = server("a");
    wanted["start_after_create"] = json!(false);
    let id = world.create("/servers", wanted).await;
    let add = format!("/servers/{id}/actions/add_to_placement_group");
    let added = world.post(&add, json!({"placement_group": stays})).await.ok()["action"]["id"].as_i64().unwrap();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/placement_groups").await["placement_groups"]), ["renamed"]);
    let seen = world.see(&format!("/placement_groups/{stays}")).await;
    assert_eq!(seen["placement_group"]["servers"], json!([id]));
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["placement_group"], seen["placement_group"]);
    world.get(&format!("/placement_groups/{goes}")).await.refused(404, "not_found");
    proofs.note(
        &world,
        &[
            "create_placement_group",
            "update_placement_group",
            "delete_placement_group",
            "server_add_to_placement_group",
        ],
        &["list_placement_groups", "get_placement_group", "get_server"],
    );
    if has_kind_wide_actions(dialect) {
        assert!(ids(&world.see("/servers/actions").await["actions"]).contains(&added));
    }

    let remove = format!("/servers/{id}/actions/remove_from_placement_group");
    world.ask("POST", &remove).send().await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&format!("/placement_groups/{stays}")).await["placement_group"]["servers"], json!([]));
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["placement_group"], Value::Null);
    proofs.note(&world, &["server_remove_from_placement_group"], &["get_placement_group", "get_server"]);
}
