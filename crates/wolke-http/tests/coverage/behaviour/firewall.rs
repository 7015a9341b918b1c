//! Firewalls.

use super::{has_kind_wide_actions, on_disk};
use crate::common::{ids, names, server};
use crate::proof::Proofs;
use serde_json::json;
use wolke_wire::Dialect;

pub async fn firewalls(dialect: Dialect, proofs: &mut Proofs) {
    let rule = json!({"direction": "in", "protocol": "tcp", "port": "80", "source_ips": ["0.0.0.0/0"]});
    let world = on_disk(dialect).await;
    let stays = world.create("/firewalls", json!({"name": "stays"})).await;
    let goes = world.create("/firewalls", json!({"name": "goes"})).await;
    let id = world.create("/servers", server("a")).await;
    let path = format!("/firewalls/{stays}");
    world.put(&path, json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/firewalls/{goes}")).await.ok();
    let set = world.post(&format!("{path}/actions/set_rules"), json!({"rules": [rule]})).await.ok();
    let set = set["actions"][0]["id"].as_i64().unwrap();
    let to = json!([{"type": "server", "server": {"id": id}}]);
    world.post(&format!("{path}/actions/apply_to_resources"), json!({"apply_to": to})).await.ok();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/firewalls").await["firewalls"]), ["renamed"]);
    let seen = world.see(&path).await["firewall"].clone();
    assert_eq!((&seen["rules"][0]["port"], &seen["applied_to"]), (&json!("80"), &to));
    let shown = world.see(&format!("/servers/{id}")).await["server"]["public_net"]["firewalls"].clone();
    assert_eq!(shown, json!([{"id": stays, "status": "applied"}]));
    world.get(&format!("/firewalls/{goes}")).await.refused(404, "not_found");
    let changes =
        ["create_firewall", "update_firewall", "delete_firewall", "firewall_set_rules", "firewall_apply_to_resources"];
    proofs.note(&world, &changes, &["list_firewalls", "get_firewall", "get_server"]);
    assert!(ids(&world.see(&format!("{path}/actions")).await["actions"]).contains(&set));
    let action = world.see(&format!("{path}/actions/{set}")).await;
    assert_eq!(action["action"]["command"], "set_firewall_rules");
    proofs.note(&world, &["firewall_set_rules"], &["list_firewall_actions", "get_firewall_action"]);
    if has_kind_wide_actions(dialect) {
        assert!(ids(&world.see("/firewalls/actions").await["actions"]).contains(&set));
        assert_eq!(world.see(&format!("/firewalls/actions/{set}")).await["action"]["command"], "set_firewall_rules");
        proofs.note(&world, &["firewall_set_rules"], &["list_firewalls_actions", "get_firewalls_action"]);
    }

    world.post(&format!("{path}/actions/remove_from_resources"), json!({"remove_from": to})).await.ok();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["firewall"]["applied_to"], json!([]));
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["public_net"]["firewalls"], json!([]));
    proofs.note(&world, &["firewall_remove_from_resources"], &["get_firewall", "get_server"]);
}
