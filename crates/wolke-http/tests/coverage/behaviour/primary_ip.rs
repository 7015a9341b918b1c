//! Primary IPs.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, names, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

pub async fn primary_ips(dialect: Dialect, proofs: &mut Proofs) {
    let new = |name: &str| {
        let place = if dialect == Dialect::D2023_07 { ("datacenter", "fsn1-dc14") } else { ("location", "fsn1") };
        json!({"name": name, "type": "ipv4", "assignee_type": "server", place.0: place.1})
    };
    let world = on_disk(dialect).await;
    let stays = world.create("/primary_ips", new("stays")).await;
    let goes = world.create("/primary_ips", new("goes")).await;
    world.put(&format!("/primary_ips/{stays}"), json!({"name": "renamed"})).await.ok();
    let protect = format!("/primary_ips/{stays}/actions/change_protection");
    let action = world.post(&protect, json!({"delete": true})).await.ok()["action"]["id"].as_i64().unwrap();
    world.delete(&format!("/primary_ips/{goes}")).await.ok();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/primary_ips").await["primary_ips"]), ["renamed"]);
    let seen = world.see(&format!("/primary_ips/{stays}")).await;
    assert_eq!(seen["primary_ip"]["protection"]["delete"], true);
    world.get(&format!("/primary_ips/{goes}")).await.refused(404, "not_found");
    proofs.note(
        &world,
        &["create_primary_ip", "update_primary_ip", "delete_primary_ip", "primary_ip_change_protection"],
        &["list_primary_ips", "get_primary_ip"],
    );
    if has_kind_wide_actions(dialect) {
        for list in ["/primary_ips/actions".to_owned(), format!("/primary_ips/{stays}/actions")] {
            assert_eq!(ids(&world.see(&list).await["actions"]), [action]);
            assert_eq!(world.see(&format!("{list}/{action}")).await["action"]["command"], "change_protection");
        }
        proofs.note(
            &world,
            &["primary_ip_change_protection"],
            &["list_primary_ips_actions", "get_primary_ips_action", "list_primary_ip_actions", "get_primary_ip_action"],
        );
    }
}

/// Between servers, and what addresses resolve to.
pub async fn assignment(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let mut wanted = server("a");
    wanted["start_after_create"] = json!(false);
    wanted["public_net"] = json!({"enable_ipv4": false});
    let id = world.create("/servers", wanted).await;
    let seen = world.see(&format!("/servers/{id}")).await;
    let place = if dialect == Dialect::D2023_07 { "datacenter" } else { "location" };
    let name = if dialect == Dialect::D2023_07 {
        &seen["server"]["datacenter"]["name"]
    } else {
        &seen["server"]["location"]["name"]
    };
    let new = json!({"name": "ip", "type": "ipv4", "assignee_type": "server", place: name});
    let made = world.post("/primary_ips", new).await.ok();
    let (ip, address) = (&made["primary_ip"]["id"], &made["primary_ip"]["ip"]);
    let path = format!("/primary_ips/{ip}");
    let assign = json!({"assignee_id": id, "assignee_type": "server"});
    world.post(&format!("{path}/actions/assign"), assign).await.ok();
    let entry = json!({"ip": address, "dns_ptr": "a.example.com"});
    world.post(&format!("{path}/actions/change_dns_ptr"), entry).await.ok();

    let world = world.restart().await;
    let seen = world.see(&format!("/servers/{id}")).await;
    let public = &seen["server"]["public_net"]["ipv4"];
    assert_eq!((&public["ip"], &public["dns_ptr"]), (address, &json!("a.example.com")));
    assert_eq!(world.see(&path).await["primary_ip"]["assignee_id"], id);
    proofs.note(&world, &["primary_ip_assign", "primary_ip_change_dns_ptr"], &["get_server", "get_primary_ip"]);

    world.ask("POST", &format!("{path}/actions/unassign")).send().await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["primary_ip"]["assignee_id"], Value::Null);
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["public_net"]["ipv4"], Value::Null);
    proofs.note(&world, &["primary_ip_unassign"], &["get_server", "get_primary_ip"]);
}

/// Given to a load balancer, and kept by it.
pub async fn of_load_balancers(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let made = world.post("/primary_ips", json!({"name": "ip", "type": "ipv4", "location": "fsn1"})).await.ok();
    let (id, address) = (&made["primary_ip"]["id"], &made["primary_ip"]["ip"]);
    let new = json!({"name": "lb", "load_balancer_type": "lb11", "location": "fsn1", "public_net": {"ipv4": id}});
    let balancer = world.create("/load_balancers", new).await;
    let entry = json!({"ip": address, "dns_ptr": "lb.example.com"});
    world.post(&format!("/load_balancers/{balancer}/actions/change_dns_ptr"), entry).await.ok();

    let world = world.restart().await;
    let path = format!("/primary_ips/{id}");
    let seen = world.see(&path).await["primary_ip"].clone();
    assert_eq!((&seen["assignee_id"], &seen["assignee_type"]), (&json!(balancer), &json!("load_balancer")));
    assert_eq!(seen["dns_ptr"], json!([{"ip": address, "dns_ptr": "lb.example.com"}]));
    let public = world.see(&format!("/load_balancers/{balancer}")).await["load_balancer"]["public_net"].clone();
    assert_eq!((&public["ipv4"]["id"], &public["ipv4"]["ip"]), (id, address));
    let changes = ["create_load_balancer", "load_balancer_change_dns_ptr"];
    proofs.note(&world, &changes, &["get_primary_ip", "get_load_balancer"]);

    world.delete(&format!("/load_balancers/{balancer}")).await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["primary_ip"]["assignee_id"], Value::Null);
    proofs.note(&world, &["delete_load_balancer"], &["get_primary_ip"]);
}

/// A server's entries, in every dialect.
pub async fn reverse_dns(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    let path = format!("/servers/{id}");
    let ip = world.see(&path).await["server"]["public_net"]["ipv4"]["ip"].clone();
    let entry = json!({"ip": ip, "dns_ptr": "a.example.com"});
    let done = world.post(&format!("{path}/actions/change_dns_ptr"), entry).await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["server"]["public_net"]["ipv4"]["dns_ptr"], "a.example.com");
    let seen = world.see(&format!("/actions/{}", done["action"]["id"])).await;
    assert_eq!(seen["action"]["command"], "change_dns_ptr");
    proofs.note(&world, &["server_change_dns_ptr"], &["get_server", "get_action"]);
}
