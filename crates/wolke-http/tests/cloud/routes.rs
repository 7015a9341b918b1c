//! Paths, methods, ids.

use crate::common::{World, server};
use serde_json::json;
use std::collections::HashSet;
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;
use wolke_wire::contract::Contract;

#[tokio::test]
async fn paths_that_lead_nowhere() {
    let world = World::new(Dialect::Compat).await;
    for path in ["", "/", "/nothing", "/servers/", "/servers/1/actions/dance/x", "/Servers", "/volumes/1"] {
        world.get(path).await.refused(404, "not_found");
        world.ask("POST", path).token(None).send().await.code().unwrap();
    }
    world.ask("GET", "/nothing").token(None).send().await.refused(404, "not_found");
    world.ask("POST", "/openapi.json").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn nothing_is_yet_to_come() {
    for dialect in Dialect::ALL {
        let all = Contract::of(*dialect).operations().filter(|operation| operation.ended.is_none());
        let missing = all.filter(|operation| OPERATIONS.iter().all(|known| known.id != operation.id));
        let missing: Vec<&str> = missing.map(|operation| operation.id.as_str()).collect();
        assert!(missing.is_empty(), "{dialect}: {missing:?}");
    }
    let world = World::new(Dialect::Compat).await;
    let said = world.get("/nothing").await.message().to_owned();
    assert_eq!(said, "the requested API endpoint does not exist");
}

#[tokio::test]
async fn methods_that_a_path_does_not_have() {
    let world = World::new(Dialect::Compat).await;
    for (method, path, allow) in [
        ("PATCH", "/servers", "GET, POST"),
        ("DELETE", "/servers", "GET, POST"),
        ("POST", "/servers/1", "GET, PUT, DELETE"),
        ("OPTIONS", "/servers/1", "GET, PUT, DELETE"),
        ("POST", "/locations", "GET"),
        ("GET", "/servers/1/actions/reset", "POST"),
        ("BREW", "/actions", "GET"),
    ] {
        let answer = world.ask(method, path).send().await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    world.ask("PATCH", "/servers").token(None).send().await.refused(401, "unauthorized");
}

/// A word that is no action stands where another route has the id of one.
#[tokio::test]
async fn actions_that_do_not_exist() {
    for (dialect, path) in [
        (Dialect::Compat, "/servers/1/actions/dance"),
        (Dialect::Compat, "/images/1/actions/dance"),
        (Dialect::D2018_04, "/servers/1/actions/attach_to_network"),
        (Dialect::D2018_04, "/servers/1/actions/add_to_placement_group"),
    ] {
        let answer = World::new(dialect).await.post(path, json!({})).await;
        assert_eq!(answer.refused(404, "not_found").message(), "the requested API endpoint does not exist", "{path}");
    }
    for dialect in [Dialect::D2018_04, Dialect::D2023_07] {
        let answer = World::new(dialect).await.get("/servers/actions").await;
        assert_eq!(answer.refused(404, "not_found").message(), "the requested API endpoint does not exist");
    }
}

#[tokio::test]
async fn what_is_no_id_names_nothing() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("12345")).await;
    for wrong in ["abc", "0", "-1", "1.5", "+1", "9007199254740992", "99999999999999999999999", "12345", "%20", "1%30x"]
    {
        let answer = world.get(&format!("/servers/{wrong}")).await;
        answer.refused(404, "not_found");
        assert!(answer.json["error"]["details"].is_null());
    }
    assert_eq!(world.get("/servers/abc").await.message(), "server with ID 'abc' not found");
    assert_eq!(world.get("/servers/42").await.message(), "server with ID '42' not found");
    assert_eq!(world.get("/servers/9007199254740991").await.message(), "server with ID '9007199254740991' not found");
    assert_eq!(world.delete("/ssh_keys/x").await.message(), "SSH key with ID 'x' not found");
    let action = world.get(&format!("/servers/{id}/actions/x")).await;
    action.refused(404, "not_found");
    assert_eq!(action.message(), "action with ID 'x' not found");
    let long = world.get(&format!("/servers/{}", "x".repeat(5000))).await;
    assert!(long.refused(404, "not_found").message().len() < 200);
    let by_name = world.see("/servers?name=12345").await;
    assert_eq!(by_name["servers"][0]["id"], id);
}

#[tokio::test]
async fn correlation_ids_differ() {
    let world = World::new(Dialect::Compat).await;
    let mut seen = HashSet::new();
    for path in ["/servers", "/nothing", "/servers/1", "/actions"] {
        for _ in 0..5 {
            assert!(seen.insert(world.get(path).await.header("x-correlation-id").unwrap().to_owned()));
        }
    }
}

#[tokio::test]
async fn head_is_answered_like_get() {
    let world = World::new(Dialect::Compat).await;
    assert_eq!(world.ask("HEAD", "/servers").send().await.status, 200);
    assert_eq!(world.ask("HEAD", "/servers/1").send().await.status, 404);
}
