//! Codes and their details (dialects A.8). Read-only tokens and rescue have their tests in `auth.rs` and `rescue.rs`.

use super::super::operator::Operator;
use crate::common::{World, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn codes_that_2018_lacks_are_told_by_older_ones() {
    for (code, modern, in_2018) in [
        ("conflict", (409, "conflict"), (422, "service_error")),
        ("unsupported_error", (422, "unsupported_error"), (422, "invalid_input")),
        ("unavailable", (503, "unavailable"), (422, "service_error")),
        ("maintenance", (403, "maintenance"), (403, "maintenance")),
        ("locked", (423, "locked"), (423, "locked")),
    ] {
        for dialect in Dialect::ALL {
            let world = World::new(*dialect).await;
            let id = world.create("/servers", server("a")).await;
            let fault = json!({"operation": "update_server", "code": code});
            Operator::of(&world).does("POST", "/faults", fault).await;
            let (status, code) = if *dialect == Dialect::D2018_04 { in_2018 } else { modern };
            world.put(&format!("/servers/{id}"), json!({"name": "b"})).await.refused(status, code);
        }
    }
}

/// Which limit it was is told since 2023.
#[tokio::test]
async fn the_limit_that_was_reached() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        world.control.set_project_limits("default", vec![("ssh_key_limit".into(), Some(0))]).await.unwrap();
        let answer = world.post("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        answer.refused(403, "resource_limit_exceeded");
        let details = answer.json["error"].get("details").cloned().unwrap_or_default();
        let told = json!({"limits": [{"name": "ssh_key_limit"}]});
        assert_eq!(details, if *dialect == Dialect::D2018_04 { Value::Null } else { told }, "{dialect}");
    }
}

/// Wrong members are named in every dialect.
#[tokio::test]
async fn the_fields_that_are_wrong() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        world.post("/servers", json!({"name": 7})).await.wrong(&["name", "server_type", "image"]);
        world.create("/servers", server("a")).await;
        let again = world.post("/servers", server("a")).await;
        again.refused(409, "uniqueness_error");
        assert_eq!(again.json["error"]["details"]["fields"][0]["name"], "name", "{dialect}");
    }
}

/// Codes of single operations that all documents have.
#[tokio::test]
async fn codes_of_operations_in_every_dialect() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let change = format!("/servers/{id}/actions/change_type");
        let to = |kind: &str| json!({"server_type": kind, "upgrade_disk": false});
        world.post(&change, to("cpx32")).await.refused(422, "server_not_stopped");
        world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
        world.post(&change, to("cax21")).await.refused(422, "invalid_server_type");
    }
}
