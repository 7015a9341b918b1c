//! SSH keys.

use crate::common::{World, names, public_key};
use serde_json::json;
use wolke_wire::Dialect;

#[tokio::test]
async fn a_life() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let made = world.post("/ssh_keys", json!({"name": "one", "public_key": public_key(1)})).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let (id, fingerprint) = (&made["ssh_key"]["id"], made["ssh_key"]["fingerprint"].as_str().unwrap());
        assert_eq!(fingerprint.len(), 47);
        let path = format!("/ssh_keys/{id}");
        assert_eq!(world.see(&path).await["ssh_key"], made["ssh_key"]);
        world.create("/ssh_keys", json!({"name": "two", "public_key": public_key(2)})).await;
        let found = world.see(&format!("/ssh_keys?fingerprint={fingerprint}")).await;
        assert_eq!(names(&found["ssh_keys"]), ["one"]);
        assert_eq!(names(&world.see("/ssh_keys?name=two").await["ssh_keys"]), ["two"]);
        world.put(&path, json!({"name": "uno"})).await.ok();
        assert_eq!(world.see(&path).await["ssh_key"]["name"], "uno");
        let gone = world.delete(&path).await;
        assert_eq!((gone.status, gone.json.is_null()), (204, true));
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_key_is_there_once_under_any_name() {
    let world = World::new(Dialect::Compat).await;
    world.create("/ssh_keys", json!({"name": "a", "public_key": public_key(1)})).await;
    let same_key = world.post("/ssh_keys", json!({"name": "b", "public_key": public_key(1)})).await;
    same_key.refused(409, "uniqueness_error");
    assert_eq!(same_key.json["error"]["details"]["fields"], json!([{"name": "public_key"}]));
    let same_name = world.post("/ssh_keys", json!({"name": "a", "public_key": public_key(2)})).await;
    same_name.refused(409, "uniqueness_error");
    assert_eq!(same_name.json["error"]["details"]["fields"], json!([{"name": "name"}]));
    world.post("/ssh_keys", json!({"name": " ", "public_key": "x"})).await.wrong(&["name", "public_key"]);
}

#[tokio::test]
async fn labels_order_and_selectors() {
    let world = World::new(Dialect::Compat).await;
    for (n, name) in [(1, "b"), (2, "a"), (3, "c")] {
        let labels = json!({"n": n.to_string()});
        world.create("/ssh_keys", json!({"name": name, "public_key": public_key(n), "labels": labels})).await;
    }
    assert_eq!(names(&world.see("/ssh_keys?sort=name").await["ssh_keys"]), ["a", "b", "c"]);
    assert_eq!(names(&world.see("/ssh_keys?label_selector=n!%3D2&sort=id:desc").await["ssh_keys"]), ["c", "b"]);
    world.get("/ssh_keys?sort=created").await.wrong(&["sort"]);
}
