//! Metrics: they follow when a machine ran.

use super::on_disk;
use crate::common::server;
use crate::proof::Proofs;
use serde_json::json;
use wolke_wire::Dialect;

pub async fn metrics(dialect: Dialect, proofs: &mut Proofs) {
    use wolke_domain::clock::Clock as _;
    let world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    world.clock.advance(3_600_000);
    let off = world.clock.wall();
    world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
    world.clock.advance(3_600_000);
    let world = world.restart().await;
    let text = |ms: i64| off.plus_ms(ms).to_string().replace("+00:00", "Z");
    let path = format!("/servers/{id}/metrics?type=cpu&start={}&end={}&step=600", text(-1_800_000), text(1_800_000));
    let seen = world.see(&path).await["metrics"]["time_series"]["cpu"]["values"].clone();
    for sample in seen.as_array().unwrap() {
        let ran = sample[0].as_f64().unwrap() < off.0 as f64 / 1000.0;
        assert_eq!(sample[1] != "0", ran, "{dialect}: {sample}");
    }
    proofs.note(&world, &["server_poweroff"], &["get_server_metrics"]);
}
