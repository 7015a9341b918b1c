//! Tokens: none, wrong, read-only, of another project, deleted.

use crate::common::{World, public_key, server};
use serde_json::json;
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;
use wolke_wire::contract::Contract;

/// A path of an operation that names nothing.
fn path(template: &str) -> String {
    template.replace("{id}", "1").replace("{action_id}", "1")
}

#[tokio::test]
async fn every_operation_asks_for_a_token() {
    let world = World::new(Dialect::Compat).await;
    for operation in OPERATIONS {
        for token in [None, Some("wrong"), Some(""), Some("a b")] {
            let answer = world.ask(operation.verb.as_str(), &path(operation.path)).token(token).send().await;
            answer.refused(401, "unauthorized");
            assert_eq!(answer.message(), "unable to authenticate");
        }
    }
    let secret = world.token.clone();
    let with = |header: String| world.ask("GET", "/servers").token(None).header("authorization", &header);
    with(secret.clone()).send().await.refused(401, "unauthorized");
    with(format!("Basic {secret}")).send().await.refused(401, "unauthorized");
    with(format!("bearer  {secret}")).send().await.ok();
}

#[tokio::test]
async fn a_read_only_token_changes_nothing() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let key = world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        let (status, code) = if *dialect == Dialect::D2018_04 { (403, "forbidden") } else { (401, "token_readonly") };
        for operation in OPERATIONS.iter().filter(|o| o.mutating()) {
            if Contract::of(*dialect).operation(operation.id).is_none() {
                continue;
            }
            let ask = world.ask(operation.verb.as_str(), &path(operation.path)).token(Some(&world.reader));
            ask.send().await.refused(status, code);
        }
        let reader = Some(world.reader.as_str());
        world.ask("DELETE", &format!("/ssh_keys/{key}")).token(reader).send().await.refused(status, code);
        world.ask("GET", &format!("/ssh_keys/{key}")).token(reader).send().await.ok();
        world.ask("GET", "/servers").token(reader).send().await.ok();
    }
}

#[tokio::test]
async fn what_another_project_owns_does_not_exist() {
    let world = World::new(Dialect::Compat).await;
    let stranger = world.stranger().await;
    let key = world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
    let made = world.post("/servers", server("mine")).await.ok();
    let (id, action) = (&made["server"]["id"], &made["action"]["id"]);
    let ip = &made["server"]["public_net"]["ipv4"]["id"];
    for (method, path) in [
        ("GET", format!("/servers/{id}")),
        ("PUT", format!("/servers/{id}")),
        ("DELETE", format!("/servers/{id}")),
        ("POST", format!("/servers/{id}/actions/reset")),
        ("GET", format!("/servers/{id}/actions")),
        ("GET", format!("/servers/{id}/actions/{action}")),
        ("GET", format!("/servers/actions/{action}")),
        ("GET", format!("/actions/{action}")),
        ("GET", format!("/ssh_keys/{key}")),
        ("DELETE", format!("/ssh_keys/{key}")),
        ("GET", format!("/primary_ips/{ip}")),
        ("GET", format!("/primary_ips/{ip}/actions")),
    ] {
        world.ask(method, &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
    for list in ["servers", "ssh_keys", "primary_ips", "servers/actions"] {
        let listed = world.ask("GET", &format!("/{list}")).token(Some(&stranger)).send().await.ok();
        assert_eq!(listed["meta"]["pagination"]["total_entries"], 0, "{list}");
    }
    let listed = world.ask("GET", &format!("/actions?id={action}")).token(Some(&stranger)).send().await.ok();
    assert_eq!(listed["actions"], json!([]));
    let mut theirs = server("theirs");
    theirs["ssh_keys"] = json!([key]);
    world.ask("POST", "/servers").token(Some(&stranger)).json(&theirs).send().await.refused(404, "not_found");
    theirs["ssh_keys"] = json!([]);
    theirs["name"] = json!("mine");
    world.ask("POST", "/servers").token(Some(&stranger)).json(&theirs).send().await.ok();
}

#[tokio::test]
async fn a_deleted_token_is_dead_at_once() {
    let world = World::new(Dialect::Compat).await;
    let (token, secret) = world.control.create_token("default", "short", true, None).await.unwrap();
    world.ask("GET", "/servers").token(Some(&secret)).send().await.ok();
    world.control.delete_token(token.id).await.unwrap();
    world.ask("GET", "/servers").token(Some(&secret)).send().await.refused(401, "unauthorized");
    assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}
