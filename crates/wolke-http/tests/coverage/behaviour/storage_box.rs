//! Storage boxes, their snapshots and further accounts.

use super::on_disk;
use crate::common::{ids, names};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

const PASSWORD: &str = "1-secret-PASSW0RD-=)";

fn new(name: &str) -> Value {
    json!({"name": name, "storage_box_type": "bx11", "location": "fsn1", "password": PASSWORD})
}

pub async fn storage_boxes(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let stays = world.create("/storage_boxes", new("a")).await;
    let goes = world.create("/storage_boxes", new("b")).await;
    let path = format!("/storage_boxes/{stays}");
    let act = async |verb: &str, body: Value| world.post(&format!("{path}/actions/{verb}"), body).await.ok();
    world.put(&path, json!({"labels": {"a": "b"}})).await.ok();
    act("change_protection", json!({"delete": true})).await;
    act("change_type", json!({"storage_box_type": "bx21"})).await;
    act("update_access_settings", json!({"zfs_enabled": true})).await;
    let reset = act("reset_password", json!({"password": "An0ther-secret!"})).await["action"].clone();
    world.delete(&format!("/storage_boxes/{goes}")).await.ok();
    let plan = json!({"max_snapshots": 2, "minute": 1, "hour": 2, "day_of_week": 3, "day_of_month": null});
    let other = world.create("/storage_boxes", new("c")).await;
    for id in [stays, other] {
        world.post(&format!("/storage_boxes/{id}/actions/enable_snapshot_plan"), plan.clone()).await.ok();
    }
    world.post(&format!("/storage_boxes/{other}/actions/disable_snapshot_plan"), json!({})).await.ok();

    let world = world.restart().await;
    let list = world.see("/storage_boxes").await["storage_boxes"].clone();
    assert_eq!(names(&list), ["a", "c"]);
    let seen = world.see(&path).await["storage_box"].clone();
    assert_eq!((&seen, &list[1]["snapshot_plan"]), (&list[0], &Value::Null));
    assert_eq!((&seen["labels"], &seen["protection"]["delete"]), (&json!({"a": "b"}), &json!(true)));
    assert_eq!((&seen["storage_box_type"]["name"], &seen["snapshot_plan"]), (&json!("bx21"), &plan));
    assert_eq!(world.see(&format!("{path}/folders")).await["folders"], json!([".zfs"]), "the setting has an effect");
    let id = reset["id"].as_i64().unwrap();
    for path in ["/storage_boxes/actions".to_owned(), format!("{path}/actions")] {
        assert!(ids(&world.see(&path).await["actions"]).contains(&id));
        assert_eq!(world.see(&format!("{path}/{id}")).await["action"], reset);
    }
    proofs.note(
        &world,
        &[
            "create_storage_box",
            "update_storage_box",
            "delete_storage_box",
            "storage_box_change_protection",
            "storage_box_change_type",
            "storage_box_update_access_settings",
            "storage_box_reset_password",
            "storage_box_enable_snapshot_plan",
            "storage_box_disable_snapshot_plan",
        ],
        &[
            "list_storage_boxes",
            "get_storage_box",
            "list_storage_box_folders",
            "list_storage_boxes_actions",
            "get_storage_boxes_action",
            "list_storage_box_actions",
            "get_storage_box_action",
        ],
    );
}

pub async fn snapshots_and_subaccounts(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/storage_boxes", new("a")).await;
    let path = format!("/storage_boxes/{id}");
    let snapshots = format!("{path}/snapshots");
    let mut taken = Vec::new();
    for description in ["first", "second", "third"] {
        taken.push(world.create(&snapshots, json!({"description": description})).await);
        let account = json!({"home_directory": description, "password": PASSWORD, "name": description});
        world.create(&format!("{path}/subaccounts"), account).await;
    }
    world.put(&format!("{snapshots}/{}", taken[0]), json!({"labels": {"a": "b"}})).await.ok();
    world.post(&format!("{path}/actions/rollback_snapshot"), json!({"snapshot": taken[1]})).await.ok();
    let fourth = world.create(&snapshots, json!({})).await;
    world.delete(&format!("{snapshots}/{fourth}")).await.ok();
    let accounts = ids(&world.see(&format!("{path}/subaccounts")).await["subaccounts"]);
    let account = format!("{path}/subaccounts/{}", accounts[0]);
    let act = async |verb: &str, body: Value| world.post(&format!("{account}/actions/{verb}"), body).await.ok();
    world.put(&account, json!({"description": "d"})).await.ok();
    act("change_home_directory", json!({"home_directory": "home"})).await;
    act("update_access_settings", json!({"readonly": true})).await;
    let reset = act("reset_subaccount_password", json!({"password": "An0ther-secret!"})).await["action"].clone();
    world.delete(&format!("{path}/subaccounts/{}", accounts[1])).await.ok();

    let world = world.restart().await;
    let list = world.see(&snapshots).await["snapshots"].clone();
    assert_eq!(ids(&list), taken[..2], "what was newer has gone");
    assert_eq!(world.see(&format!("{snapshots}/{}", taken[0])).await["snapshot"]["labels"], json!({"a": "b"}));
    let list = world.see(&format!("{path}/subaccounts")).await["subaccounts"].clone();
    assert_eq!(names(&list), ["first", "third"]);
    let seen = world.see(&account).await["subaccount"].clone();
    assert_eq!(seen, list[0]);
    assert_eq!((&seen["description"], &seen["home_directory"]), (&json!("d"), &json!("home")));
    assert_eq!(seen["access_settings"]["readonly"], true);
    assert_eq!(world.see(&format!("{path}/folders")).await["folders"], json!(["first", "home", "second", "third"]));
    let actions = world.see(&format!("{path}/actions")).await["actions"].clone();
    assert!(actions.as_array().unwrap().contains(&reset));
    proofs.note(
        &world,
        &[
            "create_storage_box_snapshot",
            "update_storage_box_snapshot",
            "delete_storage_box_snapshot",
            "storage_box_rollback_snapshot",
            "create_storage_box_subaccount",
            "update_storage_box_subaccount",
            "delete_storage_box_subaccount",
            "storage_box_subaccount_change_home_directory",
            "storage_box_subaccount_update_access_settings",
            "storage_box_subaccount_reset_subaccount_password",
        ],
        &[
            "list_storage_box_snapshots",
            "get_storage_box_snapshot",
            "list_storage_box_subaccounts",
            "get_storage_box_subaccount",
            "list_storage_box_actions",
        ],
    );
}
