//! Load balancers, their services, targets, networks and metrics.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{World, ids, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The least request, valid in every dialect.
fn wanted(name: &str) -> Value {
    json!({"name": name, "load_balancer_type": "lb11", "location": "fsn1", "algorithm": {"type": "round_robin"}})
}

fn service(port: u16) -> Value {
    json!({
        "protocol": "tcp", "listen_port": port, "destination_port": port, "proxyprotocol": false,
        "health_check": {"protocol": "tcp", "port": port, "interval": 15, "timeout": 10, "retries": 3},
    })
}

async fn see(world: &World, id: i64) -> Value {
    world.see(&format!("/load_balancers/{id}")).await["load_balancer"].clone()
}

async fn act(world: &World, id: i64, verb: &str, body: Value) -> Value {
    let path = format!("/load_balancers/{id}/actions/{verb}");
    if body.is_null() {
        return world.ask("POST", &path).send().await.ok()["action"].clone();
    }
    world.post(&path, body).await.ok()["action"].clone()
}

pub async fn load_balancers(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/load_balancers", wanted("stays")).await;
    let goes = world.create("/load_balancers", wanted("goes")).await;
    world.put(&format!("/load_balancers/{id}"), json!({"name": "changed"})).await.ok();
    world.delete(&format!("/load_balancers/{goes}")).await.ok();
    act(&world, id, "change_protection", json!({"delete": true})).await;
    act(&world, id, "change_algorithm", json!({"type": "least_connections"})).await;
    act(&world, id, "change_type", json!({"load_balancer_type": "lb21"})).await;
    let ip = see(&world, id).await["public_net"]["ipv6"]["ip"].clone();
    let action = act(&world, id, "change_dns_ptr", json!({"ip": ip, "dns_ptr": "lb.example.com"})).await["id"].clone();
    for port in [80, 443, 22] {
        act(&world, id, "add_service", service(port)).await;
    }
    let mut changed = service(443);
    changed["destination_port"] = json!(8443);
    act(&world, id, "update_service", changed).await;
    act(&world, id, "delete_service", json!({"listen_port": 22})).await;

    let world = world.restart().await;
    assert_eq!(ids(&world.see("/load_balancers").await["load_balancers"]), [id]);
    let seen = see(&world, id).await;
    assert_eq!((&seen["name"], &seen["protection"]["delete"]), (&json!("changed"), &json!(true)));
    assert_eq!(
        (&seen["algorithm"]["type"], &seen["load_balancer_type"]["name"]),
        (&json!("least_connections"), &json!("lb21"))
    );
    assert_eq!(seen["public_net"]["ipv6"]["dns_ptr"], "lb.example.com");
    assert_eq!(seen["services"].as_array().unwrap().len(), 2);
    assert_eq!(seen["services"][1]["destination_port"], 8443);
    world.get(&format!("/load_balancers/{goes}")).await.refused(404, "not_found");
    let changes = [
        "create_load_balancer",
        "update_load_balancer",
        "delete_load_balancer",
        "load_balancer_change_protection",
        "load_balancer_change_algorithm",
        "load_balancer_change_type",
        "load_balancer_change_dns_ptr",
        "load_balancer_add_service",
        "load_balancer_update_service",
        "load_balancer_delete_service",
    ];
    proofs.note(&world, &changes, &["list_load_balancers", "get_load_balancer"]);

    let (list, action) = (format!("/load_balancers/{id}/actions"), action.as_i64().unwrap());
    assert!(ids(&world.see(&list).await["actions"]).contains(&action));
    assert_eq!(world.see(&format!("{list}/{action}")).await["action"]["command"], "change_dns_ptr");
    let views = ["list_load_balancer_actions", "get_load_balancer_action"];
    proofs.note(&world, &["load_balancer_change_dns_ptr"], &views);
    if has_kind_wide_actions(dialect) {
        assert!(ids(&world.see("/load_balancers/actions").await["actions"]).contains(&action));
        assert_eq!(
            world.see(&format!("/load_balancers/actions/{action}")).await["action"]["command"],
            "change_dns_ptr"
        );
        let views = ["list_load_balancers_actions", "get_load_balancers_action"];
        proofs.note(&world, &["load_balancer_change_dns_ptr"], &views);
    }
}

pub async fn load_balancer_ends(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
    let net = json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": [subnet]});
    let net = world.create("/networks", net).await;
    let mut web = server("web");
    web["networks"] = json!([net]);
    let (web, other) = (world.create("/servers", web).await, world.create("/servers", server("other")).await);
    let id = world.create("/load_balancers", wanted("one")).await;
    act(&world, id, "add_service", service(80)).await;
    act(&world, id, "attach_to_network", json!({"network": net})).await;
    let target = |id: i64, private: bool| json!({"type": "server", "server": {"id": id}, "use_private_ip": private});
    act(&world, id, "add_target", target(web, true)).await;
    act(&world, id, "add_target", target(other, false)).await;
    act(&world, id, "remove_target", json!({"type": "server", "server": {"id": other}})).await;
    act(&world, id, "disable_public_interface", Value::Null).await;
    world.clock.advance(2 * 3_600_000);

    let world = world.restart().await;
    let seen = see(&world, id).await;
    assert_eq!(seen["private_net"], json!([{"network": net, "ip": "10.0.1.2"}]));
    assert_eq!(world.see(&format!("/networks/{net}")).await["network"]["load_balancers"], json!([id]));
    assert_eq!((&seen["public_net"]["enabled"], &seen["targets"][0]["server"]["id"]), (&json!(false), &json!(web)));
    assert_eq!(seen["targets"][0]["health_status"][0]["status"], "healthy");
    for (server, balancers) in [(web, json!([id])), (other, json!([]))] {
        assert_eq!(world.see(&format!("/servers/{server}")).await["server"]["load_balancers"], balancers);
    }
    let metrics =
        format!("/load_balancers/{id}/metrics?type=bandwidth&start=2026-11-21T01:00:00Z&end=2026-11-21T02:00:00Z");
    let values = world.see(&metrics).await["metrics"]["time_series"]["bandwidth.out"]["values"].clone();
    assert!(values.as_array().unwrap().iter().all(|value| value[1] != "0"), "there was something to do");
    let changes = [
        "load_balancer_attach_to_network",
        "load_balancer_add_target",
        "load_balancer_remove_target",
        "load_balancer_disable_public_interface",
    ];
    proofs.note(&world, &changes, &["get_load_balancer", "get_server", "get_network", "get_load_balancer_metrics"]);

    act(&world, id, "enable_public_interface", Value::Null).await;
    act(&world, id, "detach_from_network", json!({"network": net})).await;
    let world = world.restart().await;
    let seen = see(&world, id).await;
    assert_eq!((&seen["public_net"]["enabled"], &seen["private_net"]), (&json!(true), &json!([])));
    assert_eq!(world.see(&format!("/networks/{net}")).await["network"]["load_balancers"], json!([]));
    let changes = ["load_balancer_enable_public_interface", "load_balancer_detach_from_network"];
    proofs.note(&world, &changes, &["get_load_balancer", "get_network"]);
}
