//! Floating IPs.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

pub async fn floating_ips(dialect: Dialect, proofs: &mut Proofs) {
    let new = || json!({"type": "ipv6", "home_location": "fsn1"});
    let world = on_disk(dialect).await;
    let stays = world.create("/floating_ips", new()).await;
    let goes = world.create("/floating_ips", new()).await;
    let path = format!("/floating_ips/{stays}");
    world.put(&path, json!({"description": "changed"})).await.ok();
    let protect = format!("{path}/actions/change_protection");
    let action = world.post(&protect, json!({"delete": true})).await.ok()["action"]["id"].as_i64().unwrap();
    let network = world.see(&path).await["floating_ip"]["ip"].as_str().unwrap().replace("/64", "");
    let entry = json!({"ip": format!("{network}1"), "dns_ptr": "a.example.com"});
    world.post(&format!("{path}/actions/change_dns_ptr"), entry.clone()).await.ok();
    world.delete(&format!("/floating_ips/{goes}")).await.ok();

    let world = world.restart().await;
    assert_eq!(ids(&world.see("/floating_ips").await["floating_ips"]), [stays]);
    let seen = world.see(&path).await["floating_ip"].clone();
    assert_eq!((&seen["description"], &seen["protection"]["delete"]), (&json!("changed"), &json!(true)));
    assert_eq!(seen["dns_ptr"], json!([entry]));
    world.get(&format!("/floating_ips/{goes}")).await.refused(404, "not_found");
    let changes = [
        "create_floating_ip",
        "update_floating_ip",
        "delete_floating_ip",
        "floating_ip_change_protection",
        "floating_ip_change_dns_ptr",
    ];
    proofs.note(&world, &changes, &["list_floating_ips", "get_floating_ip"]);

    let list = format!("{path}/actions");
    assert!(ids(&world.see(&list).await["actions"]).contains(&action));
    assert_eq!(world.see(&format!("{list}/{action}")).await["action"]["command"], "change_protection");
    let views = ["list_floating_ip_actions", "get_floating_ip_action"];
    proofs.note(&world, &["floating_ip_change_protection"], &views);
    if has_kind_wide_actions(dialect) {
        assert!(ids(&world.see("/floating_ips/actions").await["actions"]).contains(&action));
        let seen = world.see(&format!("/floating_ips/actions/{action}")).await;
        assert_eq!(seen["action"]["command"], "change_protection");
        let views = ["list_floating_ips_actions", "get_floating_ips_action"];
        proofs.note(&world, &["floating_ip_change_protection"], &views);
    }
}

pub async fn assignment(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    let ip = world.create("/floating_ips", json!({"type": "ipv4", "home_location": "fsn1"})).await;
    let (path, of_server) = (format!("/floating_ips/{ip}"), format!("/servers/{id}"));
    world.post(&format!("{path}/actions/assign"), json!({"server": id})).await.ok();

    let world = world.restart().await;
    assert_eq!(world.see(&path).await["floating_ip"]["server"], id);
    assert_eq!(world.see(&of_server).await["server"]["public_net"]["floating_ips"], json!([ip]));
    proofs.note(&world, &["floating_ip_assign"], &["get_server", "get_floating_ip"]);

    world.ask("POST", &format!("{path}/actions/unassign")).send().await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["floating_ip"]["server"], Value::Null);
    assert_eq!(world.see(&of_server).await["server"]["public_net"]["floating_ips"], json!([]));
    proofs.note(&world, &["floating_ip_unassign"], &["get_server", "get_floating_ip"]);
}
