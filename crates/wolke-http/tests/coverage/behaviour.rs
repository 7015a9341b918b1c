//! The behaviours: each changes something, restarts the control plane on the same files, and looks through other operations.

mod backup;
mod catalogue;
mod certificate;
mod console;
mod firewall;
mod floating_ip;
mod image;
mod load_balancer;
mod metrics;
mod network;
mod placement_group;
mod primary_ip;
mod server;
mod server_actions;
mod ssh_key;
mod storage_box;
mod volume;
mod zone;

use crate::common::{Setup, World};
use crate::proof::Proofs;
use serde_json::Value;
use wolke_wire::Dialect;

/// Runs every behaviour in a dialect.
pub async fn run(dialect: Dialect, proofs: &mut Proofs) {
    server::servers(dialect, proofs).await;
    server::power(dialect, proofs).await;
    server_actions::server_actions(dialect, proofs).await;
    backup::backups(dialect, proofs).await;
    console::console(dialect, proofs).await;
    ssh_key::ssh_keys(dialect, proofs).await;
    floating_ip::floating_ips(dialect, proofs).await;
    floating_ip::assignment(dialect, proofs).await;
    primary_ip::reverse_dns(dialect, proofs).await;
    catalogue::catalogue(dialect, proofs).await;
    image::image_actions(dialect, proofs).await;
    image::snapshots(dialect, proofs).await;
    metrics::metrics(dialect, proofs).await;
    if dialect != Dialect::D2018_04 {
        primary_ip::primary_ips(dialect, proofs).await;
        primary_ip::assignment(dialect, proofs).await;
        placement_group::placement_groups(dialect, proofs).await;
        volume::volumes(dialect, proofs).await;
        certificate::certificates(dialect, proofs).await;
        firewall::firewalls(dialect, proofs).await;
        network::networks(dialect, proofs).await;
        network::private_nets(dialect, proofs).await;
        load_balancer::load_balancers(dialect, proofs).await;
        load_balancer::load_balancer_ends(dialect, proofs).await;
    }
    if matches!(dialect, Dialect::Compat | Dialect::Newest) {
        primary_ip::of_load_balancers(dialect, proofs).await;
    }
    if !matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07) {
        zone::zones(dialect, proofs).await;
        zone::rrsets(dialect, proofs).await;
        storage_box::storage_boxes(dialect, proofs).await;
        storage_box::snapshots_and_subaccounts(dialect, proofs).await;
    }
}

/// A world whose restart reads everything anew.
async fn on_disk(dialect: Dialect) -> World {
    World::with(Setup { on_disk: true, ..Setup::new(dialect) }).await
}

/// Kind-wide lists of actions came after the 2023 document.
fn has_kind_wide_actions(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07)
}

/// The actions with these ids, through `GET /actions`.
async fn actions(world: &World, wanted: &[i64]) -> Vec<Value> {
    let query: Vec<String> = wanted.iter().map(|id| format!("id={id}")).collect();
    let all = world.see(&format!("/actions?{}", query.join("&"))).await;
    let actions = all["actions"].as_array().unwrap().clone();
    wanted.iter().map(|id| actions.iter().find(|a| a["id"] == *id).unwrap().clone()).collect()
}
