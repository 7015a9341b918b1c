//! Private networks, and servers in them.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, names, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

pub async fn networks(dialect: Dialect, proofs: &mut Proofs) {
    let new = |name: &str, range: &str| json!({"name": name, "ip_range": range});
    let world = on_disk(dialect).await;
    let stays = world.create("/networks", new("stays", "10.0.0.0/24")).await;
    let goes = world.create("/networks", new("goes", "10.0.0.0/16")).await;
    let path = format!("/networks/{stays}");
    world.put(&path, json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/networks/{goes}")).await.ok();
    let subnet = |range: &str| json!({"type": "cloud", "ip_range": range, "network_zone": "eu-central"});
    let route = |to: &str| json!({"destination": to, "gateway": "10.0.0.7"});
    let mut made = Vec::new();
    for (verb, body) in [
        ("change_ip_range", json!({"ip_range": "10.0.0.0/16"})),
        ("add_subnet", subnet("10.0.1.0/24")),
        ("add_subnet", subnet("10.0.2.0/24")),
        ("add_route", route("10.100.0.0/16")),
        ("add_route", route("10.101.0.0/16")),
        ("delete_subnet", json!({"ip_range": "10.0.2.0/24"})),
        ("delete_route", route("10.101.0.0/16")),
        ("change_protection", json!({"delete": true})),
    ] {
        let done = world.post(&format!("{path}/actions/{verb}"), body).await.ok();
        made.push(done["action"]["id"].as_i64().unwrap());
    }

    let world = world.restart().await;
    assert_eq!(names(&world.see("/networks").await["networks"]), ["renamed"]);
    let seen = world.see(&path).await["network"].clone();
    assert_eq!((&seen["ip_range"], &seen["protection"]), (&json!("10.0.0.0/16"), &json!({"delete": true})));
    let ranges: Vec<_> = seen["subnets"].as_array().unwrap().iter().map(|subnet| &subnet["ip_range"]).collect();
    assert_eq!((ranges, &seen["routes"]), (vec![&json!("10.0.1.0/24")], &json!([route("10.100.0.0/16")])));
    world.get(&format!("/networks/{goes}")).await.refused(404, "not_found");
    let actions = world.see(&format!("{path}/actions?sort=id")).await;
    assert_eq!(ids(&actions["actions"]), made);
    assert_eq!(world.see(&format!("{path}/actions/{}", made[0])).await["action"]["command"], "change_ip_range");
    proofs.note(
        &world,
        &[
            "create_network",
            "update_network",
            "delete_network",
            "network_change_ip_range",
            "network_add_subnet",
            "network_add_route",
            "network_delete_subnet",
            "network_delete_route",
            "network_change_protection",
        ],
        &["list_networks", "get_network", "list_network_actions", "get_network_action"],
    );
    if has_kind_wide_actions(dialect) {
        assert_eq!(ids(&world.see("/networks/actions?sort=id").await["actions"]), made);
        assert_eq!(world.see(&format!("/networks/actions/{}", made[1])).await["action"]["command"], "add_subnet");
        proofs.note(&world, &["network_add_subnet"], &["list_networks_actions", "get_networks_action"]);
    }
}

/// Servers that join, change and leave.
pub async fn private_nets(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
    let new = json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": [subnet]});
    let net = world.create("/networks", new).await;
    let id = world.create("/servers", server("a")).await;
    let (path, of_net) = (format!("/servers/{id}"), format!("/networks/{net}"));
    world.post(&format!("{path}/actions/attach_to_network"), json!({"network": net, "ip": "10.0.1.7"})).await.ok();
    let aliases = json!({"network": net, "alias_ips": ["10.0.1.9"]});
    world.post(&format!("{path}/actions/change_alias_ips"), aliases).await.ok();
    let before = world.see(&path).await["server"]["private_net"].clone();

    let world = world.restart().await;
    let seen = world.see(&path).await["server"]["private_net"].clone();
    assert_eq!((&seen, seen.as_array().map(Vec::len)), (&before, Some(1)), "addresses and hardware address stay");
    assert_eq!((&seen[0]["ip"], &seen[0]["alias_ips"]), (&json!("10.0.1.7"), &json!(["10.0.1.9"])));
    assert_eq!(world.see(&of_net).await["network"]["servers"], json!([id]));
    proofs.note(&world, &["server_attach_to_network", "server_change_alias_ips"], &["get_server", "get_network"]);
    if matches!(dialect, Dialect::Compat | Dialect::Newest) {
        let members = world.see(&format!("{of_net}/members")).await["members"].clone();
        assert_eq!((&members[0]["id"], &members[0]["ip"]), (&json!(id), &json!("10.0.1.7")));
        proofs.note(&world, &["server_attach_to_network"], &["list_network_members"]);
    }

    world.post(&format!("{path}/actions/detach_from_network"), json!({"network": net})).await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["server"]["private_net"], Value::Array(Vec::new()));
    assert_eq!(world.see(&of_net).await["network"]["servers"], json!([]));
    proofs.note(&world, &["server_detach_from_network"], &["get_server", "get_network"]);
}
