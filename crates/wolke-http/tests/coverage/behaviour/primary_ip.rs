//! Primary IPs.

use super::{actions, has_kind_wide_actions, on_disk};
use crate::common::{ids, names, public_key, server};
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
