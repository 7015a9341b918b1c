//! Actions: by ids, of a kind, of a resource; running ones.

use crate::common::{Setup, World, ids, server};
use serde_json::{Value, json};
use std::time::Duration;
use wolke_control::Simulation;
use wolke_host::LatencyProfile;
use wolke_wire::Dialect;

fn slow(dialect: Dialect) -> Setup {
    let simulation = Simulation { profile: LatencyProfile::realistic(), ..Simulation::default() };
    Setup { simulation, settle: Duration::ZERO, ..Setup::new(dialect) }
}

#[tokio::test]
async fn by_ids_all_in_one_answer() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = Vec::new();
    for n in 0..20 {
        let made = world.post("/servers", server(&format!("s{n}"))).await.ok();
        wanted.push(made["action"]["id"].as_i64().unwrap());
        wanted.extend(ids(&made["next_actions"]));
    }
    assert_eq!(wanted.len(), 40);
    let query: Vec<String> = wanted.iter().map(|id| format!("id={id}")).collect();
    let answer = world.see(&format!("/actions?{}&page=1&sort=status&sort=id", query.join("&"))).await;
    assert_eq!(ids(&answer["actions"]), wanted, "more than a page, in one answer");
    assert!(answer.get("meta").is_none());
    let some = world.see(&format!("/actions?id={}&id=999999", wanted[0])).await;
    assert_eq!(ids(&some["actions"]), [wanted[0]]);
    world.get("/actions?id=0").await.wrong(&["id"]);
    world.get("/actions?id=x").await.wrong(&["id"]);
    let flood: String = (1..=501).map(|id| format!("id={id}&")).collect();
    world.get(&format!("/actions?{flood}")).await.wrong(&["id"]);
}

#[tokio::test]
async fn without_ids_they_have_ended_or_are_all_listed() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        world.create("/servers", server("a")).await;
        let answer = world.get("/actions").await;
        if dialect.lists_all_actions() {
            let answer = answer.ok();
            let commands: Vec<&Value> = answer["actions"].as_array().unwrap().iter().map(|a| &a["command"]).collect();
            assert_eq!(commands, ["create_server", "start_server"], "{dialect}");
            let none = world.see("/actions?status=running&sort=progress:desc").await;
            assert_eq!(none["actions"], json!([]));
        } else {
            answer.refused(410, "deprecated_api_endpoint");
            assert!(answer.json["error"]["details"]["announcement"].as_str().unwrap().starts_with("https://"));
        }
    }
}

#[tokio::test]
async fn of_a_kind_and_of_a_resource() {
    let world = World::new(Dialect::Compat).await;
    let made = world.post("/servers", server("a")).await.ok();
    let (id, image) = (&made["server"]["id"], &made["server"]["image"]["id"]);
    let (create, start) = (made["action"]["id"].as_i64().unwrap(), ids(&made["next_actions"])[0]);
    world.create("/servers", server("b")).await;
    let reset = world.post(&format!("/servers/{id}/actions/reset"), json!({})).await.ok();
    let reset = reset["action"]["id"].as_i64().unwrap();
    let of = async |path: &str| ids(&world.see(path).await["actions"]);
    assert_eq!(of(&format!("/servers/{id}/actions")).await, [create, start, reset]);
    assert_eq!(of(&format!("/servers/{id}/actions?sort=command")).await, [create, reset, start]);
    assert_eq!(of(&format!("/servers/{id}/actions?sort=id:desc&per_page=1")).await, [reset]);
    assert_eq!(of(&format!("/servers/{id}/actions?status=running")).await, [0; 0]);
    assert_eq!(of("/servers/actions").await.len(), 5);
    assert_eq!(of(&format!("/servers/actions?id={reset}&id={create}")).await, [create, reset]);
    assert_eq!(of("/primary_ips/actions").await, [0; 0]);
    assert_eq!(of("/images/actions").await.len(), 2, "creates name their image");
    assert_eq!(of(&format!("/images/{image}/actions")).await.len(), 2);
    let path = format!("/images/{image}/actions/{create}");
    assert_eq!(world.see(&path).await["action"]["id"], create);
    for path in
        [format!("/actions/{reset}"), format!("/servers/actions/{reset}"), format!("/servers/{id}/actions/{reset}")]
    {
        assert_eq!(world.see(&path).await["action"]["command"], "reset_server");
    }
    for path in [
        "/servers/999/actions".to_owned(),
        format!("/servers/999/actions/{reset}"),
        format!("/primary_ips/actions/{reset}"),
        format!("/images/{image}/actions/{reset}"),
        "/images/999999999/actions".to_owned(),
        format!("/servers/{id}/actions/999999"),
    ] {
        world.get(&path).await.refused(404, "not_found");
    }
    world.get(&format!("/servers/{id}/actions?sort=progress")).await.wrong(&["sort"]);
    world.get(&format!("/servers/{id}/actions?status=happy")).await.wrong(&["status"]);
}

#[tokio::test]
async fn under_way_they_run_and_lock() {
    for dialect in Dialect::ALL {
        let world = World::with(slow(*dialect)).await;
        let made = world.post("/servers", server("a")).await.ok();
        assert_eq!((&made["action"]["status"], &made["action"]["finished"]), (&json!("running"), &Value::Null));
        assert_eq!((&made["server"]["status"], &made["server"]["locked"]), (&json!("initializing"), &json!(true)));
        let id = &made["server"]["id"];
        let running = world.see(&format!("/servers/{id}/actions?status=running")).await;
        assert_eq!(running["actions"][0]["command"], "create_server", "{dialect}");
        // Deleting is legal while it is being made; a second time it is on its way out.
        let deleted = world.delete(&format!("/servers/{id}")).await.ok();
        assert_eq!(deleted["action"]["command"], "delete_server");
        world.delete(&format!("/servers/{id}")).await.refused(423, "locked");
    }
}
