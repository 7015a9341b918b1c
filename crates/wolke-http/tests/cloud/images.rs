//! Snapshots and backups, and the list that they share with the catalogue.

use crate::common::{Setup, World, ids, server};
use serde_json::{Value, json};
use std::time::Duration;
use wolke_control::Simulation;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_wire::Dialect;

/// A snapshot of a server.
async fn snapshot(world: &World, server: i64, description: &str) -> i64 {
    let body = json!({"description": description});
    let made = world.post(&format!("/servers/{server}/actions/create_image"), body).await.ok();
    made["image"]["id"].as_i64().unwrap()
}

/// Backups are made by hand here; their calendar has tests of its own.
async fn backup(world: &World, server: i64) -> i64 {
    let made = world.post(&format!("/servers/{server}/actions/create_image"), json!({"type": "backup"})).await.ok();
    made["image"]["id"].as_i64().unwrap()
}

async fn enable_backup(world: &World, server: i64) {
    world.post(&format!("/servers/{server}/actions/enable_backup"), json!({})).await.ok();
}

/// The ids of a page.
async fn listed(world: &World, query: &str) -> Vec<i64> {
    ids(&world.see(&format!("/images?{query}")).await["images"])
}

/// The ids of all pages, in pieces of this many; each page names the same total.
async fn whole(world: &World, query: &str, per_page: usize) -> Vec<i64> {
    let (mut all, mut page) = (Vec::new(), json!(1));
    while page.is_number() {
        let answer = world.see(&format!("/images?{query}&per_page={per_page}&page={page}")).await;
        all.extend(ids(&answer["images"]));
        page = answer["meta"]["pagination"]["next_page"].clone();
        let total = answer["meta"]["pagination"]["total_entries"].as_u64().unwrap();
        assert_eq!(page.is_null(), all.len() as u64 == total, "{query}: {} of {total}", all.len());
    }
    all
}

#[tokio::test]
async fn a_life() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("web")).await;
        let made = world.post(&format!("/servers/{id}/actions/create_image"), json!({})).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let (image, action) = (&made["image"], &made["action"]);
        assert_eq!((&action["command"], &action["status"]), (&json!("create_image"), &json!("success")));
        let resources: Vec<&Value> = action["resources"].as_array().unwrap().iter().map(|r| &r["type"]).collect();
        assert_eq!(resources, ["server", "image"]);
        assert_eq!((&image["type"], &image["status"]), (&json!("snapshot"), &json!("available")));
        assert_eq!((&image["name"], &image["description"]), (&Value::Null, &json!("web")));
        assert_eq!(image["created_from"], json!({"id": id, "name": "web"}));
        assert_eq!((&image["os_flavor"], &image["os_version"]), (&json!("debian"), &json!("12")));
        assert_eq!((&image["bound_to"], &image["rapid_deploy"]), (&Value::Null, &json!(false)));
        assert_eq!((image["disk_size"].as_f64(), &image["protection"]), (Some(80.0), &json!({"delete": false})));
        assert!(image["image_size"].as_f64().is_some_and(|size| size > 1.0 && size < 80.0), "{image}");

        let path = format!("/images/{}", image["id"]);
        assert_eq!(&world.see(&path).await["image"], image);
        let renamed = world.put(&path, json!({"description": "mine"})).await.ok();
        assert_eq!(renamed["image"]["description"], "mine");
        assert_eq!(world.put(&path, json!({})).await.ok(), renamed, "an empty change is a read");
        assert_eq!(world.see("/images?type=snapshot").await["images"], json!([renamed["image"]]));
        assert!(listed(&world, "type=backup").await.is_empty());

        let protect = format!("{path}/actions/change_protection");
        let action = world.post(&protect, json!({"delete": true})).await;
        assert_eq!(action.status, 201);
        let action = action.ok();
        assert_eq!(action["action"]["command"], "change_protection");
        world.post(&protect, json!({})).await.ok();
        let refused = world.delete(&path).await;
        refused.refused(423, "protected");
        assert_eq!(refused.message(), "snapshot deletion is protected");
        let actions = world.see(&format!("{path}/actions?sort=id:desc")).await;
        assert_eq!(actions["actions"].as_array().unwrap().len(), 3);
        let first = &action["action"]["id"];
        assert_eq!(&world.see(&format!("{path}/actions/{first}")).await["action"]["id"], first);
        world.post(&protect, json!({"delete": false})).await.ok();
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
        world.get(&format!("{path}/actions")).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
        world.put(&path, json!({"description": "x"})).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn labels_are_of_dialects_that_have_them() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("web")).await;
    let body = json!({"description": "a", "labels": {"env": "prod"}});
    let made = world.post(&format!("/servers/{id}/actions/create_image"), body).await.ok();
    let image = made["image"]["id"].as_i64().unwrap();
    assert_eq!(made["image"]["labels"], json!({"env": "prod"}));
    let all = whole(&world, "", 50).await.len();
    assert_eq!(listed(&world, "label_selector=env%3Dprod").await, [image]);
    assert_eq!(whole(&world, "label_selector=!env", 50).await.len(), all - 1, "the catalogue has no labels");
    assert_eq!(whole(&world, "label_selector=env!%3Dprod", 50).await.len(), all - 1);
    let path = format!("/images/{image}");
    world.put(&path, json!({"labels": {"a": "1", "b": "2"}})).await.ok();
    assert_eq!(listed(&world, "label_selector=a,b").await, [image]);
    assert_eq!(world.put(&path, json!({"labels": {}})).await.ok()["image"]["labels"], json!({}));
    world.put(&path, json!({"labels": {"-": "x"}})).await.wrong(&["labels.-"]);
    let long = "a".repeat(1025);
    world.put(&path, json!({"description": long})).await.wrong(&["description"]);
    let both = json!({"description": long, "labels": {"-": "x"}});
    world.post(&format!("/servers/{id}/actions/create_image"), both).await.wrong(&["description", "labels.-"]);
    world.post("/servers/77/actions/create_image", json!({})).await.refused(404, "not_found");
    world.post(&format!("/servers/{id}/actions/create_image"), json!({"type": "system"})).await.wrong(&["type"]);
}

#[tokio::test]
async fn images_of_the_catalogue_stay_as_they_are() {
    for dialect in [Dialect::Compat, Dialect::D2018_04] {
        let (status, code) =
            if dialect == Dialect::Compat { (422, "unsupported_error") } else { (422, "invalid_input") };
        let world = World::new(dialect).await;
        let path = format!("/images/{}", listed(&world, "").await[0]);
        world.put(&path, json!({"description": "mine"})).await.refused(status, code);
        world.delete(&path).await.refused(status, code);
        world.post(&format!("{path}/actions/change_protection"), json!({"delete": true})).await.refused(status, code);
        for path in ["/images/12345", "/images/1000000001"] {
            world.get(path).await.refused(404, "not_found");
            world.put(path, json!({"description": "mine"})).await.refused(404, "not_found");
            world.delete(path).await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn a_project_sees_its_own() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("web")).await;
    let image = snapshot(&world, id, "secret").await;
    let stranger = world.stranger().await;
    let path = format!("/images/{image}");
    for method in ["GET", "PUT", "DELETE"] {
        world.ask(method, &path).json(&json!({})).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
    let theirs = world.ask("GET", "/images?type=snapshot").token(Some(&stranger)).send().await.ok();
    assert_eq!(theirs["images"], json!([]));
    let mut theft = server("thief");
    theft["image"] = json!(image);
    world.ask("POST", "/servers").json(&theft).token(Some(&stranger)).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn servers_from_a_snapshot() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("web")).await;
        let image = snapshot(&world, id, "golden").await;
        let path = format!("/images/{image}");
        let from = |name: &str| {
            let mut body = server(name);
            body["image"] = json!(image);
            body
        };
        let made = world.post("/servers", from("copy")).await.ok();
        assert_eq!(made["server"]["image"], world.see(&path).await["image"]);
        let mut named = from("named");
        named["image"] = json!("golden");
        world.post("/servers", named).await.refused(404, "not_found");
        let mut other = from("other");
        other["server_type"] = json!("cax11");
        world.post("/servers", other).await.wrong(&["image"]);
        let mut small = from("small");
        small["server_type"] = json!("cpx11");
        world.post("/servers", small).await.wrong(&["image"]);

        // Pages are kept as long as nothing on them changes, and what is inside of them counts.
        let images = async || -> Vec<Value> {
            let servers = world.see("/servers").await["servers"].clone();
            servers.as_array().unwrap().iter().map(|s| s["image"]["description"].clone()).collect()
        };
        assert_eq!(images().await[1], "golden");
        world.put(&path, json!({"description": "silver"})).await.ok();
        assert_eq!(images().await[1], "silver");

        // Deleted, it is gone for everybody but its server.
        let copy = format!("/servers/{}", made["server"]["id"]);
        world.delete(&path).await.ok();
        world.get(&path).await.refused(404, "not_found");
        assert!(listed(&world, "type=snapshot").await.is_empty());
        world.post("/servers", from("late")).await.refused(404, "not_found");
        let shown = world.see(&copy).await["server"]["image"].clone();
        assert_eq!((&shown["id"], &shown["description"]), (&json!(image), &json!("silver")));
        assert_eq!(shown.get("deleted").is_some_and(Value::is_string), *dialect != Dialect::D2018_04);
        assert_eq!(world.see("/servers").await["servers"][1]["image"], shown);
        // What is made of that server still knows what is on its disk.
        let again = snapshot(&world, made["server"]["id"].as_i64().unwrap(), "again").await;
        assert_eq!(world.see(&format!("/images/{again}")).await["image"]["os_flavor"], "debian");
        world.delete(&copy).await.ok();
    }
}

#[tokio::test]
async fn backups() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("web")).await;
    let create = format!("/servers/{id}/actions/create_image");
    world.post(&create, json!({"type": "backup"})).await.wrong(&["type"]);
    enable_backup(&world, id).await;
    let mut made = Vec::new();
    for number in 0..9 {
        made.push(backup(&world, id).await);
        assert_eq!(listed(&world, "type=backup").await.len(), made.len().min(7), "after {number}");
    }
    assert_eq!(listed(&world, "type=backup").await, made[2..]);
    assert_eq!(listed(&world, &format!("bound_to={id}&sort=id:desc")).await.first(), made.last());
    assert!(listed(&world, "bound_to=77").await.is_empty());
    let path = format!("/images/{}", made[4]);
    let shown = world.see(&path).await["image"].clone();
    assert_eq!((&shown["type"], &shown["bound_to"]), (&json!("backup"), &json!(id)));
    world
        .post(&format!("{path}/actions/change_protection"), json!({"delete": true}))
        .await
        .refused(422, "unsupported_error");

    // A converted one belongs to nobody, makes room, and survives the end of backups.
    let converted = world.put(&path, json!({"type": "snapshot"})).await.ok()["image"].clone();
    assert_eq!((&converted["type"], &converted["bound_to"]), (&json!("snapshot"), &Value::Null));
    made.push(backup(&world, id).await);
    assert_eq!(listed(&world, "type=backup").await.len(), 7);
    let mut copy = server("copy");
    copy["image"] = json!(made[9]);
    let copy = world.create("/servers", copy).await;
    world.post(&format!("/servers/{id}/actions/disable_backup"), json!({})).await.ok();
    assert_eq!(listed(&world, "type=backup&type=snapshot").await, [made[4]]);
    assert!(world.see(&format!("/servers/{copy}")).await["server"]["image"]["deleted"].is_string());

    enable_backup(&world, id).await;
    backup(&world, id).await;
    world.delete(&format!("/servers/{id}")).await.ok();
    assert_eq!(listed(&world, "type=backup&type=snapshot").await, [made[4]], "backups go with their server");
}

#[tokio::test]
async fn one_list_of_all() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("web")).await;
    let known = whole(&world, "", 50).await;
    let mut own = Vec::new();
    for number in 0..7 {
        own.push(snapshot(&world, id, &number.to_string()).await);
        world.clock.advance(60_000);
    }
    let all: Vec<i64> = known.iter().chain(&own).copied().collect();
    let back = |ids: &[i64]| -> Vec<i64> { ids.iter().rev().copied().collect() };
    for (sort, expected) in [("sort=id", all.clone()), ("sort=id:desc", back(&all)), ("", all.clone())] {
        assert_eq!(whole(&world, sort, 50).await, expected);
        assert_eq!(whole(&world, sort, 7).await, expected);
    }
    for sort in ["name", "created", "name:desc", "created:desc", "created:desc&sort=name", "name&sort=created:desc"] {
        let found = whole(&world, &format!("sort={sort}"), 50).await;
        assert_eq!(found.len(), all.len(), "{sort}");
        let expected = if sort.contains("desc") { back(&own) } else { own.clone() };
        let ours: Vec<i64> = found.iter().filter(|id| own.contains(id)).copied().collect();
        assert_eq!(ours, expected, "{sort}");
        assert_eq!(whole(&world, &format!("sort={sort}"), 3).await, found, "{sort}");
    }
    // A name comes before none, or after it in descending order.
    assert_eq!(whole(&world, "sort=name", 50).await[known.len()..], own);
    assert_eq!(whole(&world, "sort=name:desc", 50).await[..7], back(&own));
    assert!(listed(&world, "page=99").await.is_empty());
    assert_eq!(listed(&world, "type=snapshot&type=backup&sort=created:desc&per_page=2&page=2").await, back(&own)[2..4]);
    let arm = listed(&world, "architecture=arm&per_page=50").await;
    assert!(!arm.is_empty() && arm.iter().all(|id| known.contains(id)), "{arm:?}");
    assert!(listed(&world, "status=creating").await.is_empty());
    assert_eq!(listed(&world, "status=available&type=snapshot").await, own);
    assert_eq!(listed(&world, "name=debian-12&architecture=x86").await.len(), 1);
    world.get("/images?bound_to=x").await.wrong(&["bound_to"]);
}

/// A world in which snapshots go like this, and answers do not wait for them.
async fn with_snapshots(policy: Policy) -> World {
    let profile = LatencyProfile::none().with(OperationKind::Snapshot, policy);
    let simulation = Simulation { profile, ..Simulation::default() };
    World::with(Setup { simulation, settle: Duration::from_millis(500), ..Setup::new(Dialect::Compat) }).await
}

#[tokio::test]
async fn while_it_is_being_made() {
    let world = with_snapshots(Policy::After { ms: 60_000 }).await;
    let id = world.create("/servers", server("web")).await;
    let made = world.post(&format!("/servers/{id}/actions/create_image"), json!({})).await.ok();
    let image = &made["image"];
    assert_eq!((&image["status"], &image["image_size"]), (&json!("creating"), &Value::Null));
    assert_eq!((&made["action"]["status"], &made["action"]["finished"]), (&json!("running"), &Value::Null));
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["locked"], true);
    let path = format!("/images/{}", image["id"]);
    assert_eq!(ids(&world.see("/images?status=creating").await["images"]), [image["id"].as_i64().unwrap()]);
    world.put(&path, json!({"description": "soon"})).await.ok();
    world.delete(&path).await.refused(423, "locked");
    let mut early = server("early");
    early["image"] = image["id"].clone();
    world.post("/servers", early).await.refused(412, "resource_unavailable");
}

#[tokio::test]
async fn what_fails_leaves_nothing() {
    let world = with_snapshots(Policy::FailOnce { code: "x".into(), message: "the disk is broken".into() }).await;
    let id = world.create("/servers", server("web")).await;
    let made = world.post(&format!("/servers/{id}/actions/create_image"), json!({"description": "a"})).await.ok();
    assert_eq!(made["image"]["description"], "a");
    assert_eq!(
        (&made["action"]["status"], &made["action"]["error"]["message"]),
        (&json!("error"), &json!("the disk is broken"))
    );
    world.get(&format!("/images/{}", made["image"]["id"])).await.refused(404, "not_found");
    assert!(listed(&world, "type=snapshot").await.is_empty());
    let seen = world.see(&format!("/servers/{id}")).await;
    assert_eq!((&seen["server"]["locked"], &seen["server"]["status"]), (&json!(false), &json!("running")));
    snapshot(&world, id, "b").await;
}

#[tokio::test]
async fn an_image_that_a_server_is_made_from_stays() {
    let profile = LatencyProfile::none();
    let world = World::with(Setup { settle: Duration::from_millis(500), ..Setup::new(Dialect::Compat) }).await;
    let id = world.create("/servers", server("web")).await;
    let image = snapshot(&world, id, "golden").await;
    let slow = profile.with(OperationKind::Create, Policy::After { ms: 60_000 });
    world.control.set_simulation(Simulation { profile: slow, ..Simulation::default() });
    let mut copy = server("copy");
    copy["image"] = json!(image);
    let made = world.post("/servers", copy).await.ok();
    assert_eq!(made["server"]["status"], "initializing");
    world.delete(&format!("/images/{image}")).await.refused(423, "locked");
}

#[tokio::test]
async fn a_stopped_server_is_copied_as_well() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("web")).await;
    world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
    snapshot(&world, id, "cold").await;
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["status"], "off");
}
