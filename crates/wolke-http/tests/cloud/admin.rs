//! The operator's API.

use crate::common::{Setup, World, server};
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;
use wolke_control::Simulation;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_http::admin::{Admin, router, types};
use wolke_wire::Dialect;

struct Operator(Router);

impl Operator {
    fn of(world: &World) -> Self {
        let status = types::Status {
            version: "0".into(),
            engine: "memory".into(),
            endpoint: "http://127.0.0.1:1".into(),
            dialect: world.setup.dialect,
            pid: 1,
        };
        Self(router(Arc::new(Admin { control: Arc::clone(&world.control), status })))
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }
}

#[tokio::test]
async fn projects_and_tokens() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let (status, made) = operator.ask("POST", "/projects", json!({"name": "blue"})).await;
    assert_eq!((status, &made["name"]), (201, &json!("blue")));
    assert_eq!(operator.ask("POST", "/projects", json!({"name": "blue"})).await.0, 409);
    assert_eq!(operator.ask("POST", "/projects", json!({"nam": "x"})).await.0, 422);
    let (_, projects) = operator.ask("GET", "/projects", Value::Null).await;
    assert_eq!(projects.as_array().unwrap().len(), 2);
    let new = json!({"project": "blue", "name": "t", "writes": true, "dialect": "2018-04"});
    let (status, made) = operator.ask("POST", "/tokens", new).await;
    assert_eq!((status, &made["token"]["dialect"]), (201, &json!("2018-04")));
    let secret = made["secret"].as_str().unwrap();
    let listed = world.ask("GET", "/servers").token(Some(secret)).send().await;
    assert_eq!(listed.status, 200);
    let (_, tokens) = operator.ask("GET", "/tokens", Value::Null).await;
    assert!(!tokens.to_string().contains(secret));
    assert_eq!(operator.ask("DELETE", &format!("/tokens/{}", made["token"]["id"]), Value::Null).await.0, 204);
    world.ask("GET", "/servers").token(Some(secret)).send().await.refused(401, "unauthorized");
    assert_eq!(operator.ask("DELETE", "/tokens/x", Value::Null).await.0, 404);
    assert_eq!(operator.ask("DELETE", "/projects/blue", Value::Null).await.0, 204);
    world.create("/servers", server("a")).await;
    let (status, held) = operator.ask("DELETE", "/projects/default", Value::Null).await;
    assert_eq!((status, &held["error"]["code"]), (409, &json!("conflict")));
    assert_eq!(operator.ask("DELETE", "/projects/default?everything=maybe", Value::Null).await.0, 422);
    world.see("/servers").await;
    assert_eq!(operator.ask("DELETE", "/projects/default?everything=true", Value::Null).await.0, 204);
    world.get("/servers").await.refused(401, "unauthorized");
    assert_eq!(operator.ask("GET", "/projects", Value::Null).await.1, json!([]), "it was waited for");
}

/// A world in which servers take a minute to go, with one server and one network.
async fn slow_to_go(emptying: Duration) -> World {
    let profile = LatencyProfile::none().with(OperationKind::Delete, Policy::After { ms: 60_000 });
    let simulation = Simulation { profile, ..Simulation::default() };
    let world = World::with(Setup { emptying, simulation, ..Setup::new(Dialect::Compat) }).await;
    world.create("/servers", server("a")).await;
    world.create("/networks", json!({"name": "n", "ip_range": "10.0.0.0/16"})).await;
    world
}

#[tokio::test]
async fn a_project_that_takes_longer_says_what_is_left() {
    let world = slow_to_go(Duration::from_millis(1)).await;
    let operator = Operator::of(&world);
    for _ in 0..2 {
        let (status, left) = operator.ask("DELETE", "/projects/default?everything=true", Value::Null).await;
        assert_eq!(status, 202, "{left}");
        assert_eq!(left["left"], json!({"network": 1, "primary_ip": 2, "server": 1}));
        let message = "project 'default' is still being emptied: it holds 1 network, 2 primary IPs, 1 server";
        assert_eq!(left["message"], message);
    }
    assert_eq!(operator.ask("GET", "/projects", Value::Null).await.1[0]["deleting"], json!(true));
}

#[tokio::test]
async fn the_end_of_a_project_is_waited_for_however_often_its_work_sleeps() {
    let world = slow_to_go(Duration::from_secs(20)).await;
    let operator = Operator::of(&world);
    operator.ask("POST", "/clock/mode", json!({"mode": "manual"})).await;
    let deletion = operator.ask("DELETE", "/projects/default?everything=true", Value::Null);
    let time = async {
        while operator.ask("GET", "/projects", Value::Null).await.1[0]["deleting"] != json!(true) {
            tokio::task::yield_now().await;
        }
        operator.ask("POST", "/clock/advance", json!({"milliseconds": 3_600_000})).await
    };
    let ((status, answer), _) = tokio::join!(deletion, time);
    assert_eq!((status, answer), (204, Value::Null));
    assert_eq!(operator.ask("GET", "/projects", Value::Null).await.1, json!([]));
}

#[tokio::test]
async fn the_clock_and_the_simulation() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let (_, clock) = operator.ask("POST", "/clock/mode", json!({"mode": "manual"})).await;
    assert_eq!((&clock["mode"], &clock["now"]), (&json!("manual"), &json!("2026-11-21T00:00:00+00:00")));
    let (_, clock) = operator.ask("POST", "/clock/advance", json!({"milliseconds": 86_400_000})).await;
    assert_eq!(clock["now"], "2026-11-22T00:00:00+00:00");
    assert_eq!(operator.ask("POST", "/clock/set", json!({"now": "2020-01-01T00:00:00Z"})).await.0, 422);
    let made = world.post("/servers", server("a")).await.ok();
    assert_eq!(made["server"]["created"], "2026-11-22T00:00:00+00:00");
    let (_, simulation) = operator.ask("GET", "/simulation", Value::Null).await;
    assert_eq!(simulation["preset"], "none");
    let (_, simulation) = operator.ask("PUT", "/simulation", json!({"preset": "realistic"})).await;
    assert_eq!(simulation["preset"], "realistic");
    let (_, simulation) = operator.ask("PUT", "/simulation", json!({"faults": {"disk_full": true}})).await;
    assert_eq!((&simulation["preset"], &simulation["faults"]["disk_full"]), (&json!("realistic"), &json!(true)));
    assert_eq!(operator.ask("PUT", "/simulation", json!({"preset": "x"})).await.0, 422);
    let (_, simulation) = operator.ask("PUT", "/simulation", json!({"hosts_per_location": 3})).await;
    assert_eq!((&simulation["preset"], &simulation["hosts_per_location"]), (&json!("realistic"), &json!(3)));
    assert_eq!(operator.ask("PUT", "/simulation", json!({"hosts_per_location": 10_001})).await.0, 422);
    assert_eq!(operator.ask("GET", "/status", Value::Null).await.1["dialect"], "compat");
    assert_eq!(operator.ask("GET", "/nothing", Value::Null).await.1["error"]["code"], "not_found");
    assert_eq!(operator.ask("DELETE", "/clock", Value::Null).await.1["error"]["code"], "method_not_allowed");
}
