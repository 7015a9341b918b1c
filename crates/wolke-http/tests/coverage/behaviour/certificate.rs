//! Certificates.

use super::{has_kind_wide_actions, on_disk};
use crate::common::pem::{P256, P256_KEY};
use crate::common::{ids, names};
use crate::proof::Proofs;
use serde_json::json;
use wolke_wire::Dialect;

pub async fn certificates(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let uploaded = |name: &str| json!({"name": name, "certificate": P256, "private_key": P256_KEY});
    let stays = world.create("/certificates", uploaded("stays")).await;
    let goes = world.create("/certificates", uploaded("goes")).await;
    let made = world
        .post("/certificates", json!({"name": "managed", "type": "managed", "domain_names": ["example.com"]}))
        .await
        .ok();
    let managed = made["certificate"]["id"].as_i64().unwrap();
    world.put(&format!("/certificates/{stays}"), json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/certificates/{goes}")).await.ok();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/certificates?sort=id").await["certificates"]), ["renamed", "managed"]);
    assert_eq!(world.see(&format!("/certificates/{stays}")).await["certificate"]["certificate"], P256);
    world.get(&format!("/certificates/{goes}")).await.refused(404, "not_found");
    let path = format!("/certificates/{managed}");
    let failed = world.see(&path).await["certificate"]["status"].clone();
    assert_eq!((&failed["issuance"], &failed["error"]["code"]), (&json!("failed"), &json!("dns_zone_not_found")));
    let changes = ["create_certificate", "update_certificate", "delete_certificate"];
    proofs.note(&world, &changes, &["list_certificates", "get_certificate"]);

    let retried = world.ask("POST", &format!("{path}/actions/retry")).send().await.ok()["action"].clone();
    let world = world.restart().await;
    assert_eq!(world.see(&path).await["certificate"]["status"]["error"], retried["error"]);
    let of_certificate = world.see(&format!("{path}/actions?sort=id")).await;
    assert_eq!(
        ids(&of_certificate["actions"]),
        [made["action"]["id"].as_i64().unwrap(), retried["id"].as_i64().unwrap()]
    );
    assert_eq!(world.see(&format!("{path}/actions/{}", retried["id"])).await["action"], retried);
    proofs.note(
        &world,
        &["certificate_retry"],
        &["get_certificate", "list_certificate_actions", "get_certificate_action"],
    );
    if has_kind_wide_actions(dialect) {
        assert_eq!(world.see("/certificates/actions?sort=id").await["actions"], of_certificate["actions"]);
        assert_eq!(world.see(&format!("/certificates/actions/{}", retried["id"])).await["action"], retried);
        proofs.note(&world, &["certificate_retry"], &["list_certificates_actions", "get_certificates_action"]);
    }
}
