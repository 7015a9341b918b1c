//! Volumes.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, names, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

pub async fn volumes(dialect: Dialect, proofs: &mut Proofs) {
    let new = |name: &str| json!({"name": name, "size": 10, "location": "fsn1"});
    let world = on_disk(dialect).await;
    let stays = world.create("/volumes", new("stays")).await;
    let goes = world.create("/volumes", new("goes")).await;
    let mut wanted = server("a");
    wanted["location"] = json!("fsn1");
    let id = world.create("/servers", wanted).await;
    let path = format!("/volumes/{stays}");
    world.put(&path, json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/volumes/{goes}")).await.ok();
    let mut actions = Vec::new();
    for (verb, body) in [
        ("resize", json!({"size": 20})),
        ("change_protection", json!({"delete": true})),
        ("attach", json!({"server": id})),
    ] {
        let done = world.post(&format!("{path}/actions/{verb}"), body).await.ok();
        actions.push(done["action"]["id"].as_i64().unwrap());
    }

    let world = world.restart().await;
    assert_eq!(names(&world.see("/volumes").await["volumes"]), ["renamed"]);
    let seen = world.see(&path).await["volume"].clone();
    assert_eq!((&seen["size"], &seen["protection"]["delete"], &seen["server"]), (&json!(20), &json!(true), &json!(id)));
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["volumes"], json!([stays]));
    world.get(&format!("/volumes/{goes}")).await.refused(404, "not_found");
    let changes = [
        "create_volume",
        "update_volume",
        "delete_volume",
        "volume_resize",
        "volume_change_protection",
        "volume_attach",
    ];
    proofs.note(&world, &changes, &["list_volumes", "get_volume", "get_server"]);
    let of_volume = world.see(&format!("{path}/actions?sort=id")).await;
    assert!(ids(&of_volume["actions"]).ends_with(&actions));
    let last = world.see(&format!("{path}/actions/{}", actions[2])).await;
    assert_eq!(last["action"]["command"], "attach_volume");
    proofs.note(&world, &["volume_attach"], &["list_volume_actions", "get_volume_action"]);
    if has_kind_wide_actions(dialect) {
        assert!(ids(&world.see("/volumes/actions").await["actions"]).contains(&actions[2]));
        assert_eq!(world.see(&format!("/volumes/actions/{}", actions[0])).await["action"]["command"], "resize_volume");
        proofs.note(&world, &["volume_attach"], &["list_volumes_actions", "get_volumes_action"]);
    }

    world.ask("POST", &format!("{path}/actions/detach")).send().await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["volume"]["server"], Value::Null);
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["volumes"], json!([]));
    proofs.note(&world, &["volume_detach"], &["get_volume", "get_server"]);
}
