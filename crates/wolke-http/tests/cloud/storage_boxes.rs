//! Storage boxes: life, names, types, passwords, access settings, folders, protection (fact sheet §4.3).

use super::operator::Operator;
use crate::common::{World, ids, names, public_key};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The dialects that have storage boxes.
pub const WITH_BOXES: [Dialect; 3] = [Dialect::D2026_02, Dialect::Compat, Dialect::Newest];
/// A password that the policy allows.
pub const PASSWORD: &str = "1-secret-PASSW0RD-=)";
/// Bytes of a TiB.
pub const TIB: i64 = 1 << 40;

/// The least request for a storage box.
pub fn storage_box(name: &str) -> Value {
    json!({"name": name, "storage_box_type": "bx11", "location": "hel1", "password": PASSWORD})
}

/// Does something to a storage box that must succeed; gives its action.
pub async fn act(world: &World, id: i64, verb: &str, body: Value) -> Value {
    world.post(&format!("/storage_boxes/{id}/actions/{verb}"), body).await.ok()["action"].clone()
}

/// A storage box as it is seen.
pub async fn seen(world: &World, id: i64) -> Value {
    world.see(&format!("/storage_boxes/{id}")).await["storage_box"].clone()
}

/// Tells what a storage box holds.
pub async fn fill(world: &World, id: i64, content: Value) -> Value {
    Operator::of(world).does("PUT", &format!("/storage_boxes/{id}/content"), content).await
}

/// What the operator is refused must be wrong in exactly these fields.
async fn operator_is_wrong(world: &World, (method, path): (&str, &str), body: Value, fields: &[&str]) {
    let (status, refused) = Operator::of(world).ask(method, path, body).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("invalid_input")), "{refused}");
    let named = refused["error"]["details"]["fields"].as_array().unwrap();
    let named: Vec<&str> = named.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(named, fields, "{refused}");
}

/// The folders below a path.
pub async fn folders(world: &World, id: i64, path: &str) -> Value {
    world.see(&format!("/storage_boxes/{id}/folders?path={path}")).await["folders"].clone()
}

#[tokio::test]
async fn a_life() {
    for dialect in WITH_BOXES {
        let world = World::new(dialect).await;
        let mut wanted = storage_box("backups");
        wanted["labels"] = json!({"a": "b"});
        wanted["ssh_keys"] = json!([public_key(1)]);
        wanted["access_settings"] = json!({"ssh_enabled": true, "zfs_enabled": false});
        let made = world.post("/storage_boxes", wanted).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let shown = &made["storage_box"];
        let id = shown["id"].as_i64().unwrap();
        assert_eq!((&made["action"]["command"], &made["action"]["status"]), (&json!("create"), &json!("success")));
        assert_eq!(made["action"]["resources"], json!([{"id": id, "type": "storage_box"}]));
        let username = format!("u{}", 500_000 + id);
        let kind = world.see("/storage_box_types/1333").await["storage_box_type"].clone();
        let location = world.see("/locations/3").await["location"].clone();
        for (member, expected) in [
            ("name", json!("backups")),
            ("status", json!("active")),
            ("server", json!(format!("{username}.your-storagebox.de"))),
            ("username", json!(username)),
            ("system", json!("HEL1-BX1")),
            ("storage_box_type", kind),
            ("location", location),
            ("stats", json!({"size": 0, "size_data": 0, "size_snapshots": 0})),
            ("labels", json!({"a": "b"})),
            ("protection", json!({"delete": false})),
            ("snapshot_plan", Value::Null),
            (
                "access_settings",
                json!({"reachable_externally": false, "samba_enabled": false, "ssh_enabled": true,
                    "webdav_enabled": false, "zfs_enabled": false}),
            ),
        ] {
            assert_eq!(shown[member], expected, "{dialect} {member}");
        }
        assert!(!made.to_string().contains(PASSWORD));
        assert_eq!(&seen(&world, id).await, shown);
        let again = world.put(&format!("/storage_boxes/{id}"), json!({})).await.ok();
        assert_eq!(&again["storage_box"], shown, "an empty update is a read");
        let renamed = world.put(&format!("/storage_boxes/{id}"), json!({"name": "b", "labels": {}})).await.ok();
        assert_eq!((&renamed["storage_box"]["name"], &renamed["storage_box"]["labels"]), (&json!("b"), &json!({})));
        let gone = world.delete(&format!("/storage_boxes/{id}")).await;
        assert_eq!(gone.status, 201);
        assert_eq!(gone.ok()["action"]["command"], "delete");
        world.get(&format!("/storage_boxes/{id}")).await.refused(404, "not_found");
        assert_eq!(world.see("/storage_boxes").await["storage_boxes"], json!([]));
        // The name is free again, and the project empty when the next is gone.
        let next = world.create("/storage_boxes", storage_box("backups")).await;
        world.delete(&format!("/storage_boxes/{next}")).await.ok();
        world.control.delete_project("default", false).await.unwrap();
    }
}

#[tokio::test]
async fn older_dialects_have_none() {
    for dialect in [Dialect::D2018_04, Dialect::D2023_07] {
        let world = World::new(dialect).await;
        for path in ["/storage_boxes", "/storage_boxes/1", "/storage_box_types", "/storage_box_types/1333"] {
            world.get(path).await.refused(404, "not_found");
        }
        world.post("/storage_boxes", storage_box("a")).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    let world = World::new(Dialect::Compat).await;
    world.post("/storage_boxes", json!({})).await.wrong(&["name", "storage_box_type", "location", "password"]);
    let mut wanted = storage_box(" ");
    wanted["password"] = json!("short");
    wanted["labels"] = json!({"-": "x"});
    wanted["ssh_keys"] = json!([public_key(1), "ssh-rsa AAAA", "x"]);
    let refused = world.post("/storage_boxes", wanted).await;
    refused.wrong(&["name", "password", "labels.-", "ssh_keys[1]", "ssh_keys[2]"]);
    assert!(!refused.json.to_string().contains("short\""));
    for (member, value) in [("storage_box_type", json!("bx99")), ("location", json!("atlantis"))] {
        let mut wanted = storage_box("a");
        wanted[member] = value;
        world.post("/storage_boxes", wanted).await.refused(404, "not_found");
    }
    // Offered in two places only.
    let mut wanted = storage_box("a");
    wanted["location"] = json!("ash");
    let refused = world.post("/storage_boxes", wanted).await;
    assert_eq!(
        refused.refused(412, "resource_unavailable").message(),
        "storage box type bx11 is not available in location ash"
    );
    // By id, as a number and as text.
    for (name, kind, location) in [("a", json!(1333), json!(3)), ("b", json!("1333"), json!("3"))] {
        let mut wanted = storage_box(name);
        (wanted["storage_box_type"], wanted["location"]) = (kind, location);
        world.create("/storage_boxes", wanted).await;
    }
    world.post("/storage_boxes", storage_box("a")).await.refused(409, "uniqueness_error");
    world.put("/storage_boxes/2", json!({"name": "a"})).await.refused(409, "uniqueness_error");
    world.put("/storage_boxes/2", json!({"name": "", "labels": {"-": ""}})).await.wrong(&["name", "labels.-"]);
}

#[tokio::test]
async fn passwords_follow_the_policy() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    for wrong in [
        "",
        "Short-1",
        "no-digits-HERE!",
        "n0-upper-case-here",
        "N0-LOWER-CASE-HERE",
        "N0specialhere",
        "N0 blanks here!",
        "Password123!",
    ] {
        let reset = format!("/storage_boxes/{id}/actions/reset_password");
        let refused = world.post(&reset, json!({"password": wrong})).await;
        refused.wrong(&["password"]);
        assert!(wrong.is_empty() || !refused.json.to_string().contains(wrong), "{wrong}");
    }
    let done = act(&world, id, "reset_password", json!({"password": "An0ther-secret-ä"})).await;
    assert_eq!((&done["command"], &done["status"]), (&json!("reset_password"), &json!("success")));
    let dump = world.control.db().read(|tx| wolke_store::dump(tx)).await.unwrap();
    assert!(!dump.contains(PASSWORD) && !dump.contains("An0ther-secret"), "sealed at rest");
}

#[tokio::test]
async fn protected_ones_stay() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    act(&world, id, "change_protection", json!({"delete": true})).await;
    let refused = world.delete(&format!("/storage_boxes/{id}")).await;
    assert_eq!(refused.refused(423, "protected").message(), "storage box is delete protected");
    act(&world, id, "change_protection", json!({})).await;
    assert_eq!(seen(&world, id).await["protection"]["delete"], true, "what is absent stays");
    act(&world, id, "change_protection", json!({"delete": false})).await;
    world.delete(&format!("/storage_boxes/{id}")).await.ok();
}

#[tokio::test]
async fn nobody_elses() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let stranger = world.stranger().await;
    for path in ["", "/folders", "/actions", "/snapshots", "/subaccounts"] {
        let path = format!("/storage_boxes/{id}{path}");
        world.ask("GET", &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
    let delete = world.ask("DELETE", &format!("/storage_boxes/{id}")).token(Some(&stranger));
    delete.send().await.refused(404, "not_found");
    for verb in ["disable_snapshot_plan", "change_protection"] {
        let path = format!("/storage_boxes/{id}/actions/{verb}");
        world.ask("POST", &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_type_must_hold_what_there_is() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = storage_box("a");
    wanted["storage_box_type"] = json!("bx21");
    let id = world.create("/storage_boxes", wanted).await;
    let change = format!("/storage_boxes/{id}/actions/change_type");
    let filled = fill(&world, id, json!({"bytes": TIB + 1})).await;
    assert_eq!((&filled["size_data"], &filled["size_snapshots"]), (&json!(TIB + 1), &json!(0)));
    let refused = world.post(&change, json!({"storage_box_type": "bx11"})).await;
    refused.wrong(&["storage_box_type"]);
    assert!(refused.message().contains("offers 1099511627776 bytes"), "{}", refused.message());
    world.post(&change, json!({"storage_box_type": "bx21"})).await.wrong(&["storage_box_type"]);
    world.post(&change, json!({"storage_box_type": "bx99"})).await.refused(404, "not_found");
    // What snapshots hold counts, too.
    world.create(&format!("/storage_boxes/{id}/snapshots"), json!({})).await;
    fill(&world, id, json!({"bytes": 1})).await;
    assert_eq!(seen(&world, id).await["stats"], json!({"size": TIB + 1, "size_data": 1, "size_snapshots": TIB}));
    world.post(&change, json!({"storage_box_type": "bx11"})).await.wrong(&["storage_box_type"]);
    // More than it has room for does not go in.
    let operator = Operator::of(&world);
    let content = format!("/storage_boxes/{id}/content");
    operator_is_wrong(&world, ("PUT", &content), json!({"bytes": 5 * TIB}), &["bytes"]).await;
    operator_is_wrong(&world, ("PUT", &content), json!({"bytes": -1, "rewritten": -1}), &["bytes", "rewritten"]).await;
    operator_is_wrong(&world, ("PUT", &content), json!({"bytes": 1, "rewritten": 2}), &["rewritten"]).await;
    assert_eq!(operator.ask("PUT", "/storage_boxes/99/content", json!({})).await.0, 404);
    // Larger, by id; then as large as before.
    act(&world, id, "change_type", json!({"storage_box_type": 1335})).await;
    assert_eq!(seen(&world, id).await["storage_box_type"]["name"], "bx31");
    let done = act(&world, id, "change_type", json!({"storage_box_type": "bx21"})).await;
    assert_eq!(done["command"], "change_type");
    // Too many snapshots and accounts, and a plan that keeps too many.
    act(&world, id, "enable_snapshot_plan", json!({"max_snapshots": 11, "minute": 0, "hour": 0})).await;
    for _ in 0..11 {
        world.create(&format!("/storage_boxes/{id}/snapshots"), json!({})).await;
    }
    fill(&world, id, json!({"bytes": 0})).await;
    let refused = world.post(&change, json!({"storage_box_type": "bx11"})).await;
    for part in ["10 snapshots,", "of the snapshot plan", "bytes"] {
        assert!(refused.wrong(&["storage_box_type"]).message().contains(part), "{}", refused.message());
    }
}

#[tokio::test]
async fn types_that_end_cannot_be_ordered() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/clock/mode", json!({"mode": "manual"})).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let when = json!({"announced": "2026-11-21T00:00:00Z", "unavailable_after": "2026-12-01T00:00:00Z"});
    let ending = json!({"kind": "storage_box_type", "name": "bx11", "when": when});
    operator.does("POST", "/catalogue/endings", ending.clone()).await;
    let kind = world.see("/storage_box_types/1333").await["storage_box_type"].clone();
    let announced = json!({"announced": "2026-11-21T00:00:00+00:00", "unavailable_after": "2026-12-01T00:00:00+00:00"});
    assert_eq!(kind["deprecation"], announced);
    assert_eq!(seen(&world, id).await["storage_box_type"], kind, "where it stands inside, too");
    world.create("/storage_boxes", storage_box("b")).await;
    operator.does("POST", "/clock/advance", json!({"milliseconds": 10_i64 * 86_400_000})).await;
    world.post("/storage_boxes", storage_box("c")).await.refused(412, "resource_unavailable");
    assert_eq!(names(&world.see("/storage_box_types").await["storage_box_types"]), ["bx21", "bx31", "bx41"]);
    assert_eq!(seen(&world, id).await["storage_box_type"]["name"], "bx11", "those that there are stay");
    act(&world, id, "change_type", json!({"storage_box_type": "bx21"})).await;
    let back =
        world.post(&format!("/storage_boxes/{id}/actions/change_type"), json!({"storage_box_type": "bx11"})).await;
    back.refused(412, "resource_unavailable");
    let mut elsewhere = ending;
    elsewhere["location"] = json!("fsn1");
    operator_is_wrong(&world, ("POST", "/catalogue/endings"), elsewhere, &["location"]).await;
}

#[tokio::test]
async fn folders_are_seen_where_they_are() {
    for dialect in WITH_BOXES {
        let world = World::new(dialect).await;
        let id = world.create("/storage_boxes", storage_box("a")).await;
        assert_eq!(folders(&world, id, ".").await, json!([]));
        let filled = fill(&world, id, json!({"folders": ["photos/2024/may", "docs", "photos-old"]})).await;
        assert_eq!(filled["folders"], json!(["docs", "photos", "photos-old", "photos/2024", "photos/2024/may"]));
        assert_eq!(
            world.see(&format!("/storage_boxes/{id}/folders")).await["folders"],
            json!(["docs", "photos", "photos-old"])
        );
        for path in ["photos", "./photos", "/photos/", "photos//."] {
            assert_eq!(folders(&world, id, path).await, json!(["2024"]), "{path}");
        }
        assert_eq!(folders(&world, id, "photos%2F2024%2Fmay").await, json!([]));
        let missing = world.get(&format!("/storage_boxes/{id}/folders?path=music")).await;
        assert_eq!(missing.refused(404, "not_found").message(), "folder 'music' not found");
        for wrong in ["..".to_owned(), "photos/../docs".to_owned(), "a%07".to_owned(), "a".repeat(1000)] {
            world.get(&format!("/storage_boxes/{id}/folders?path={wrong}")).await.wrong(&["path"]);
        }
        world.get("/storage_boxes/99/folders").await.refused(404, "not_found");
        // The folder of the snapshots is seen when it is switched on.
        world.create(&format!("/storage_boxes/{id}/snapshots"), json!({})).await;
        fill(&world, id, json!({"folders": []})).await;
        assert_eq!(folders(&world, id, "").await, json!([]));
        world.get(&format!("/storage_boxes/{id}/folders?path=.zfs")).await.refused(404, "not_found");
        act(&world, id, "update_access_settings", json!({"zfs_enabled": true})).await;
        assert_eq!(folders(&world, id, "").await, json!([".zfs"]));
        assert_eq!(folders(&world, id, ".zfs").await, json!(["snapshot"]));
        let names = folders(&world, id, ".zfs/snapshot").await;
        let inside = format!(".zfs/snapshot/{}", names[0].as_str().unwrap());
        assert_eq!(folders(&world, id, &inside).await, json!(["docs", "photos", "photos-old"]));
        assert_eq!(folders(&world, id, &format!("{inside}/photos")).await, json!(["2024"]));
        world.get(&format!("/storage_boxes/{id}/folders?path={inside}/x")).await.refused(404, "not_found");
        let content = format!("/storage_boxes/{id}/content");
        let wrong = json!({"folders": ["..", "a", ".zfs/b"]});
        operator_is_wrong(&world, ("PUT", &content), wrong, &["folders[0]", "folders[2]"]).await;
    }
}

#[tokio::test]
async fn access_settings_say_who_gets_in() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = storage_box("a");
    wanted["ssh_keys"] = json!([public_key(1)]);
    let id = world.create("/storage_boxes", wanted).await;
    let user = seen(&world, id).await["username"].clone();
    let operator = Operator::of(&world);
    let attempt = async |more: Value| {
        let mut login = json!({"username": user, "via": "ssh", "password": PASSWORD});
        login.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let outcome = operator.does("POST", "/storage_boxes/logins", login).await;
        assert_eq!(outcome["granted"], outcome["reason"].is_null());
        outcome["reason"].as_str().unwrap_or("in").to_owned()
    };
    assert_eq!(attempt(json!({})).await, "SSH is not enabled");
    // What is absent stays; a member that is the subaccounts' alone is not known here.
    let change = act(&world, id, "update_access_settings", json!({"ssh_enabled": true})).await;
    assert_eq!(change["command"], "update_access_settings");
    let more = json!({"webdav_enabled": true, "samba_enabled": false, "zfs_enabled": null});
    world
        .ask("POST", &format!("/storage_boxes/{id}/actions/update_access_settings"))
        .body(more.to_string())
        .send()
        .await
        .ok();
    let settings = seen(&world, id).await["access_settings"].clone();
    assert_eq!((&settings["ssh_enabled"], &settings["webdav_enabled"]), (&json!(true), &json!(true)));
    assert!(settings.get("readonly").is_none());
    assert_eq!(attempt(json!({"write": true})).await, "in");
    assert_eq!(attempt(json!({"via": "samba"})).await, "Samba is not enabled");
    assert_eq!(attempt(json!({"external": true})).await, "not reachable externally");
    act(&world, id, "update_access_settings", json!({"reachable_externally": true})).await;
    assert_eq!(attempt(json!({"external": true, "via": "webdav"})).await, "in");
    // Keys open over SSH, whatever their comment; another key does not.
    let with = |key: String, via: &str| json!({"password": null, "public_key": key, "via": via});
    let bare = public_key(1).rsplit_once(' ').unwrap().0.to_owned();
    assert_eq!(attempt(with(bare.clone(), "ssh")).await, "in");
    assert_eq!(attempt(with(bare, "webdav")).await, "wrong password or key");
    assert_eq!(attempt(with(public_key(2), "ssh")).await, "wrong password or key");
    act(&world, id, "reset_password", json!({"password": "An0ther-secret!"})).await;
    assert_eq!(attempt(json!({})).await, "wrong password or key");
    assert_eq!(attempt(json!({"password": "An0ther-secret!"})).await, "in");
    for other in ["u1", "root", "u500099", "u500001-sub1"] {
        let login = json!({"username": other, "via": "ssh", "password": PASSWORD});
        assert_eq!(operator.ask("POST", "/storage_boxes/logins", login).await.0, 404, "{other}");
    }
    let neither = json!({"username": user, "via": "ssh"});
    operator_is_wrong(&world, ("POST", "/storage_boxes/logins"), neither, &["password"]).await;
}

#[tokio::test]
async fn lists_in_order() {
    let world = World::new(Dialect::Compat).await;
    let mut made = Vec::new();
    for (name, bytes) in [("c", 10), ("a", 30), ("b", 20)] {
        let mut wanted = storage_box(name);
        wanted["labels"] = json!({"name": name, "even": (bytes == 20).to_string()});
        let id = world.create("/storage_boxes", wanted).await;
        fill(&world, id, json!({"bytes": bytes})).await;
        made.push(id);
    }
    // 20 more that only a snapshot holds.
    world.create(&format!("/storage_boxes/{}/snapshots", made[0]), json!({})).await;
    fill(&world, made[0], json!({"rewritten": 10})).await;
    world.create(&format!("/storage_boxes/{}/snapshots", made[0]), json!({})).await;
    fill(&world, made[0], json!({"rewritten": 10, "bytes": 15})).await;
    let list = async |query: &str| ids(&world.see(&format!("/storage_boxes?{query}")).await["storage_boxes"]);
    let [c, a, b] = made[..] else { panic!("three") };
    for (query, expected) in [
        ("", vec![c, a, b]),
        ("sort=id:desc", vec![b, a, c]),
        ("sort=name", vec![a, b, c]),
        ("sort=created:desc&sort=name", vec![a, b, c]),
        ("sort=stats.size", vec![b, a, c]),
        ("sort=stats.size:desc", vec![c, a, b]),
        ("sort=stats.size_filesystem:asc", vec![c, b, a]),
        ("name=b", vec![b]),
        ("name=d", vec![]),
        ("label_selector=even%3Dfalse", vec![c, a]),
        ("label_selector=name%20in%20(a,b),even%3Dtrue", vec![b]),
        ("per_page=2&page=2", vec![b]),
    ] {
        assert_eq!(list(query).await, expected, "{query}");
    }
    assert_eq!(seen(&world, c).await["stats"], json!({"size": 35, "size_data": 15, "size_snapshots": 20}));
    world.get("/storage_boxes?sort=size").await.wrong(&["sort"]);
}

#[tokio::test]
async fn actions_are_kept() {
    let world = World::new(Dialect::Compat).await;
    let (id, other) = (
        world.create("/storage_boxes", storage_box("a")).await,
        world.create("/storage_boxes", storage_box("b")).await,
    );
    let snapshot = world.create(&format!("/storage_boxes/{id}/snapshots"), json!({})).await;
    let done = act(&world, id, "rollback_snapshot", json!({"snapshot": snapshot})).await;
    let resources = json!([{"id": id, "type": "storage_box"}, {"id": snapshot, "type": "storage_box_snapshot"}]);
    assert_eq!((&done["command"], &done["resources"]), (&json!("rollback_snapshot"), &resources));
    let commands = |list: &Value| -> Vec<String> {
        list["actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action["command"].as_str().unwrap().to_owned())
            .collect()
    };
    let of_one = world.see(&format!("/storage_boxes/{id}/actions")).await;
    assert_eq!(commands(&of_one), ["create", "create_snapshot", "rollback_snapshot"]);
    assert_eq!(
        commands(&world.see("/storage_boxes/actions?sort=id:desc&per_page=2").await),
        ["rollback_snapshot", "create_snapshot"]
    );
    let action = done["id"].as_i64().unwrap();
    for path in [
        format!("/storage_boxes/{id}/actions/{action}"),
        format!("/storage_boxes/actions/{action}"),
        format!("/actions/{action}"),
    ] {
        assert_eq!(world.see(&path).await["action"], done);
    }
    world.get(&format!("/storage_boxes/{other}/actions/{action}")).await.refused(404, "not_found");
    assert_eq!(world.see(&format!("/actions?id={action}")).await["actions"], json!([done]));
}
