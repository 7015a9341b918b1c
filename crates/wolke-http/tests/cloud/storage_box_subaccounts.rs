//! Further accounts of storage boxes: homes, names, limits, what they may do (fact sheet §4.3).

use super::operator::Operator;
use super::storage_boxes::{PASSWORD, WITH_BOXES, act, fill, folders, storage_box};
use crate::common::{World, ids};
use serde_json::{Value, json};
use wolke_domain::storage_box::folder::FOLDERS_MAX;
use wolke_wire::Dialect;

fn subaccount(home: &str) -> Value {
    json!({"home_directory": home, "password": PASSWORD})
}

async fn make(world: &World, id: i64, body: Value) -> i64 {
    world.create(&format!("/storage_boxes/{id}/subaccounts"), body).await
}

async fn seen(world: &World, id: i64, account: i64) -> Value {
    world.see(&format!("/storage_boxes/{id}/subaccounts/{account}")).await["subaccount"].clone()
}

async fn list(world: &World, id: i64, query: &str) -> Vec<i64> {
    let list = world.see(&format!("/storage_boxes/{id}/subaccounts?{query}")).await;
    assert!(list.get("meta").is_none(), "there are no pages");
    ids(&list["subaccounts"])
}

#[tokio::test]
async fn a_life() {
    for dialect in WITH_BOXES {
        let world = World::new(dialect).await;
        let id = world.create("/storage_boxes", storage_box("a")).await;
        let mut wanted = subaccount("backups/team1");
        wanted["name"] = json!("team1");
        wanted["description"] = json!("backups of team 1");
        wanted["labels"] = json!({"a": "b"});
        wanted["access_settings"] = json!({"ssh_enabled": true, "readonly": false});
        let made = world.post(&format!("/storage_boxes/{id}/subaccounts"), wanted).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let first = made["subaccount"]["id"].as_i64().unwrap();
        assert_eq!(made["subaccount"], json!({"id": first, "storage_box": id}));
        let resources = json!([{"id": id, "type": "storage_box"}, {"id": first, "type": "storage_box_subaccount"}]);
        assert_eq!(
            (&made["action"]["command"], &made["action"]["resources"]),
            (&json!("create_subaccount"), &resources)
        );
        let username = format!("u{}-sub1", 500_000 + id);
        let shown = seen(&world, id, first).await;
        for (member, expected) in [
            ("storage_box", json!(id)),
            ("name", json!("team1")),
            ("username", json!(username)),
            ("server", json!(format!("{username}.your-storagebox.de"))),
            ("home_directory", json!("backups/team1")),
            ("description", json!("backups of team 1")),
            ("labels", json!({"a": "b"})),
            (
                "access_settings",
                json!({"reachable_externally": false, "readonly": false, "samba_enabled": false, "ssh_enabled": true,
                    "webdav_enabled": false}),
            ),
        ] {
            assert_eq!(shown[member], expected, "{dialect} {member}");
        }
        let path = format!("/storage_boxes/{id}/subaccounts/{first}");
        assert_eq!(world.put(&path, json!({})).await.ok()["subaccount"], shown, "an empty update is a read");
        let update = json!({"name": "team2", "description": "", "labels": {}});
        let changed = world.put(&path, update).await.ok()["subaccount"].clone();
        assert_eq!(
            (&changed["name"], &changed["description"], &changed["labels"]),
            (&json!("team2"), &json!(""), &json!({}))
        );
        assert_eq!(changed["username"], username, "a name is not what one logs in with");
        // Without a name it is called as it logs in; a number is not given twice.
        let gone = world.delete(&path).await;
        assert_eq!(gone.status, 201);
        assert_eq!(gone.ok()["action"]["command"], "delete_subaccount");
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
        let second = make(&world, id, subaccount("x")).await;
        let shown = seen(&world, id, second).await;
        assert_eq!((&shown["name"], &shown["description"]), (&shown["username"], &json!("")));
        assert!(shown["username"].as_str().unwrap().ends_with("-sub2"));
        assert_eq!(folders(&world, id, ".").await, json!(["backups", "x"]), "a home outlives its account");
    }
}

#[tokio::test]
async fn homes() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let first = make(&world, id, subaccount("/backups/db 1/_x-y.z")).await;
    assert_eq!(seen(&world, id, first).await["home_directory"], "backups/db 1/_x-y.z", "as given, without the slash");
    assert_eq!(folders(&world, id, "backups/db%201").await, json!(["_x-y.z"]));
    // Two may share one, and one may lie in another.
    make(&world, id, subaccount("backups/db 1/_x-y.z")).await;
    make(&world, id, subaccount("backups")).await;
    let verb = format!("/storage_boxes/{id}/subaccounts/{first}/actions/change_home_directory");
    let done = world.post(&verb, json!({"home_directory": "elsewhere/a"})).await.ok();
    let resources = json!([{"id": id, "type": "storage_box"}, {"id": first, "type": "storage_box_subaccount"}]);
    assert_eq!(
        (&done["action"]["command"], &done["action"]["resources"]),
        (&json!("change_home_directory"), &resources)
    );
    assert_eq!(seen(&world, id, first).await["home_directory"], "elsewhere/a");
    assert_eq!(folders(&world, id, ".").await, json!(["backups", "elsewhere"]));
    // As long as there is an account, so is its home.
    let snapshot = world.create(&format!("/storage_boxes/{id}/snapshots"), json!({})).await;
    world.post(&verb, json!({"home_directory": "later"})).await.ok();
    let filled = fill(&world, id, json!({"folders": ["other"]})).await;
    assert_eq!(filled["folders"], json!(["backups", "backups/db 1", "backups/db 1/_x-y.z", "later", "other"]));
    act(&world, id, "rollback_snapshot", json!({"snapshot": snapshot})).await;
    assert_eq!(folders(&world, id, ".").await, json!(["backups", "elsewhere", "later"]));
    for wrong in ["", "a:b", "ä", "..", "a/../b", "/", ".", ".zfs", ".zfs/snapshot/a", &"a".repeat(1000)] {
        world.post(&verb, json!({"home_directory": wrong})).await.wrong(&["home_directory"]);
        world.post(&format!("/storage_boxes/{id}/subaccounts"), subaccount(wrong)).await.wrong(&["home_directory"]);
    }
    let deep = ["ab"; 330].join("/");
    world.post(&verb, json!({"home_directory": deep})).await.refused(403, "resource_limit_exceeded");
}

/// Homes outlive their accounts, so they fill a storage box up; and however full it is, there is a way on.
#[tokio::test]
async fn homes_that_nobody_lives_in_can_go() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let path = format!("/storage_boxes/{id}/subaccounts");
    let taken: Vec<String> = (0..FOLDERS_MAX - 2).map(|n| format!("old/{n}")).collect();
    fill(&world, id, json!({"folders": taken})).await;
    let first = make(&world, id, subaccount("alice")).await;
    // The last place is taken by a home that nobody has any more.
    let verb = format!("{path}/{first}/actions/change_home_directory");
    for full in [subaccount("bob"), subaccount("old/0/deep")] {
        world.post(&path, full).await.refused(403, "resource_limit_exceeded");
    }
    world.post(&verb, json!({"home_directory": "bob"})).await.refused(403, "resource_limit_exceeded");
    world.post(&verb, json!({"home_directory": "old/1"})).await.ok();
    assert_eq!(folders(&world, id, ".").await, json!(["alice", "old"]), "the old home stays");
    // What is there already can be somebody's home, however full it is.
    make(&world, id, subaccount("old/2")).await;

    let operator = Operator::of(&world);
    let content = format!("/storage_boxes/{id}/content");
    let refused = operator.ask("PUT", &content, json!({"removed": ["old", "nowhere", "..", "alice"]})).await;
    assert_eq!(refused.0, 422);
    let username = seen(&world, id, first).await["username"].clone();
    let fields = json!([
        {"name": "removed[0]", "messages": [format!("{} is at home in 'old/1'", username.as_str().unwrap())]},
        {"name": "removed[1]", "messages": ["there is no folder 'nowhere'"]},
        {"name": "removed[2]", "messages": ["must not contain '..'"]},
    ]);
    assert_eq!(refused.1["error"]["details"]["fields"], fields);
    assert_eq!(folders(&world, id, ".").await, json!(["alice", "old"]), "what was refused has changed nothing");
    let both = json!({"folders": [], "removed": ["alice"]});
    assert_eq!(operator.ask("PUT", &content, both).await.1["error"]["details"]["fields"][0]["name"], "removed");
    operator.does("PUT", &content, json!({"removed": ["alice"]})).await;
    world.post(&verb, json!({"home_directory": "bob"})).await.ok();
    assert_eq!(folders(&world, id, ".").await, json!(["bob", "old"]));
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let path = format!("/storage_boxes/{id}/subaccounts");
    world.post(&path, json!({})).await.wrong(&["home_directory", "password"]);
    let long = json!({"home_directory": "", "password": "x", "name": "n".repeat(51), "description": "d".repeat(1001)});
    world.post(&path, long).await.wrong(&["home_directory", "name", "description"]);
    let refused = json!({"home_directory": "..", "password": "x", "name": " ", "labels": {"-": "x"}});
    world.post(&path, refused).await.wrong(&["home_directory", "password", "name", "labels.-"]);
    let mut named = subaccount("a");
    named["name"] = json!("n");
    let first = make(&world, id, named.clone()).await;
    world.post(&path, named).await.refused(409, "uniqueness_error");
    let second = make(&world, id, subaccount("a")).await;
    world.put(&format!("{path}/{second}"), json!({"name": "n"})).await.refused(409, "uniqueness_error");
    // What the next one would be called by itself is taken, too: it is called after the one that follows.
    let username = seen(&world, id, second).await["username"].as_str().unwrap().to_owned();
    let (stem, number) = username.rsplit_once("-sub").unwrap();
    let next = |more: u32| format!("{stem}-sub{}", number.parse::<u32>().unwrap() + more);
    world.put(&format!("{path}/{second}"), json!({"name": next(1)})).await.ok();
    let third = make(&world, id, subaccount("a")).await;
    let third = seen(&world, id, third).await;
    assert_eq!((&third["name"], &third["username"]), (&json!(next(2)), &json!(next(2))));
    world.put(&format!("{path}/{second}"), json!({"name": "", "labels": {"-": ""}})).await.wrong(&["name"]);
    world
        .put(&format!("{path}/{second}"), json!({"name": " ", "labels": {"-": ""}}))
        .await
        .wrong(&["name", "labels.-"]);
    let reset = format!("{path}/{first}/actions/reset_subaccount_password");
    world.post(&reset, json!({"password": "weak"})).await.wrong(&["password"]);
    // Those of another storage box are not here.
    let other = world.create("/storage_boxes", storage_box("b")).await;
    for (method, more) in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/actions/update_access_settings")] {
        let path = format!("/storage_boxes/{other}/subaccounts/{first}{more}");
        world.ask(method, &path).send().await.refused(404, "not_found");
    }
    // The same name in another storage box is free.
    let mut named = subaccount("a");
    named["name"] = json!("n");
    make(&world, other, named).await;
}

#[tokio::test]
async fn lists_are_filtered_and_ordered() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    let mut made = Vec::new();
    for name in ["b", "a"] {
        let mut wanted = subaccount(name);
        (wanted["name"], wanted["labels"]) = (json!(name), json!({"name": name}));
        made.push(make(&world, id, wanted).await);
    }
    let [b, a] = made[..] else { panic!("two") };
    let username = seen(&world, id, a).await["username"].as_str().unwrap().to_owned();
    for (query, expected) in [
        (String::new(), vec![b, a]),
        ("name=a".into(), vec![a]),
        ("name=x".into(), vec![]),
        (format!("username={username}"), vec![a]),
        (format!("username={username}&name=b"), vec![]),
        ("label_selector=name%3Db".into(), vec![b]),
        ("label_selector=!name".into(), vec![]),
        ("sort=id:desc".into(), vec![a, b]),
        ("sort=created&sort=id:desc".into(), vec![a, b]),
    ] {
        assert_eq!(list(&world, id, &query).await, expected, "{query}");
    }
    world.get(&format!("/storage_boxes/{id}/subaccounts?sort=name")).await.wrong(&["sort"]);
    world.get("/storage_boxes/99/subaccounts").await.refused(404, "not_found");
}

#[tokio::test]
async fn as_many_as_the_type_allows() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    for n in 0..100 {
        make(&world, id, subaccount(&format!("home/{n}"))).await;
    }
    let full = world.post(&format!("/storage_boxes/{id}/subaccounts"), subaccount("x")).await;
    full.refused(403, "resource_limit_exceeded");
    assert_eq!(full.json["error"]["details"]["limits"], json!([{"name": "storage_box_subaccount_limit"}]));
    let all = list(&world, id, "").await;
    assert_eq!(all.len(), 100, "all are on the one page");
    world.delete(&format!("/storage_boxes/{id}/subaccounts/{}", all[0])).await.ok();
    make(&world, id, subaccount("x")).await;
}

#[tokio::test]
async fn they_may_do_what_their_settings_say() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/storage_boxes", storage_box("a")).await;
    act(&world, id, "update_access_settings", json!({"zfs_enabled": true})).await;
    let mut wanted = subaccount("team");
    wanted["access_settings"] = json!({"webdav_enabled": true, "readonly": true});
    let account = make(&world, id, wanted).await;
    let user = seen(&world, id, account).await["username"].clone();
    let operator = Operator::of(&world);
    let attempt = async |via: &str, password: &str, write: bool| {
        let login = json!({"username": user, "via": via, "password": password, "write": write});
        let outcome = operator.does("POST", "/storage_boxes/logins", login).await;
        assert_eq!((&outcome["home_directory"], &outcome["sees_snapshots"]), (&json!("team"), &json!(false)));
        outcome["reason"].as_str().unwrap_or("in").to_owned()
    };
    assert_eq!(attempt("webdav", PASSWORD, false).await, "in");
    assert_eq!(attempt("webdav", PASSWORD, true).await, "read-only");
    assert_eq!(attempt("ssh", PASSWORD, false).await, "SSH is not enabled");
    let verb = |verb: &str| format!("/storage_boxes/{id}/subaccounts/{account}/actions/{verb}");
    let change = json!({"ssh_enabled": true, "readonly": false});
    let done = world.post(&verb("update_access_settings"), change).await.ok();
    assert_eq!(done["action"]["command"], "update_access_settings");
    let settings = seen(&world, id, account).await["access_settings"].clone();
    assert_eq!(
        (&settings["webdav_enabled"], &settings["ssh_enabled"]),
        (&json!(true), &json!(true)),
        "what is absent stays"
    );
    assert_eq!(attempt("ssh", PASSWORD, true).await, "in");
    let done = world.post(&verb("reset_subaccount_password"), json!({"password": "An0ther-secret!"})).await.ok();
    assert_eq!(done["action"]["command"], "reset_subaccount_password");
    assert!(!done.to_string().contains("An0ther"));
    assert_eq!(attempt("ssh", PASSWORD, true).await, "wrong password or key");
    assert_eq!(attempt("ssh", "An0ther-secret!", true).await, "in");
    let dump = world.control.db().read(|tx| wolke_store::dump(tx)).await.unwrap();
    assert!(!dump.contains("An0ther-secret") && !dump.contains(PASSWORD), "sealed at rest");
}
