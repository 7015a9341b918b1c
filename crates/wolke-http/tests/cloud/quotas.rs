//! How many resources a project may have.

use crate::common::{World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGW3RfrgCZeMBuVjTCVqDmbhbXLXOM5Yl5h6T7qj9yOs";

/// One request for each kind that has a limit, with the limit's name.
fn creates() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("ssh_key_limit", "/ssh_keys", json!({"name": "key", "public_key": KEY})),
        (
            "primary_ip_limit",
            "/primary_ips",
            json!({"name": "ip", "type": "ipv4", "assignee_type": "server", "location": "fsn1"}),
        ),
        ("placement_group_limit", "/placement_groups", json!({"name": "group", "type": "spread"})),
        ("volume_limit", "/volumes", json!({"name": "data", "size": 10, "location": "fsn1"})),
        ("network_limit", "/networks", json!({"name": "net", "ip_range": "10.0.0.0/16"})),
        ("floating_ip_limit", "/floating_ips", json!({"type": "ipv4", "home_location": "fsn1"})),
        ("firewall_limit", "/firewalls", json!({"name": "wall"})),
        (
            "certificate_limit",
            "/certificates",
            json!({"name": "cert", "type": "managed", "domain_names": ["example.com"]}),
        ),
        ("storage_box_limit", "/storage_boxes", super::storage_boxes::storage_box("backups")),
        ("zone_limit", "/zones", json!({"name": "example.com", "mode": "primary"})),
        // Last, because they bring addresses along.
        (
            "load_balancer_limit",
            "/load_balancers",
            json!({"name": "lb", "load_balancer_type": "lb11", "location": "fsn1"}),
        ),
        ("server_limit", "/servers", server("web")),
    ]
}

#[tokio::test]
async fn each_kind_has_a_limit_that_the_operator_sets() {
    let world = World::new(Dialect::Compat).await;
    for (limit, path, body) in creates() {
        let set = |value| world.control.set_project_limits("default", vec![(limit.into(), value)]);
        set(Some(0)).await.unwrap();
        let answer = world.post(path, body.clone()).await;
        assert_eq!(answer.json["error"]["details"]["limits"], json!([{"name": limit}]), "{}", answer.json);
        answer.refused(403, "resource_limit_exceeded");
        set(Some(1)).await.unwrap();
        world.create(path, body).await;
        set(None).await.unwrap();
    }
    let limits = world.control.project_limits("default").await.unwrap();
    for (name, ..) in creates() {
        let limit = limits.iter().find(|limit| limit.name == name).unwrap();
        assert_eq!(limit.limit, limit.default, "{name}");
        assert_eq!(limit.used, if name == "primary_ip_limit" { 5 } else { 1 }, "{name}");
    }
}

#[tokio::test]
async fn addresses_that_a_server_brings_along_count() {
    let world = World::new(Dialect::Compat).await;
    world.control.set_project_limits("default", vec![("primary_ip".into(), Some(1))]).await.unwrap();
    let answer = world.post("/servers", server("web")).await;
    assert_eq!(answer.json["error"]["details"]["limits"], json!([{"name": "primary_ip_limit"}]), "{}", answer.json);
    answer.refused(403, "resource_limit_exceeded");
    assert_eq!(world.see("/primary_ips").await["primary_ips"], json!([]));
}
