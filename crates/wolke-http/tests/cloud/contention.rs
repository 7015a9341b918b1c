//! Work on a busy server: it waits its turn, or is refused (design §5).

use crate::common::{Answer, Setup, World, server};
use serde_json::json;
use std::time::Duration;
use wolke_control::Simulation;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_wire::Dialect;

/// Looks that the making of the first server may take.
const LOOKS_MAX: u32 = 100_000;

/// A world whose answers wait for nothing, in which work on servers never ends by itself, with a server that was made before
/// and runs.
pub async fn stuck(refuse_contention: bool) -> (World, i64) {
    let setup = Setup { refuse_contention, settle: Duration::ZERO, ..Setup::new(Dialect::Compat) };
    let world = World::with(setup).await;
    let id = world.create("/servers", server("a")).await;
    for look in 0.. {
        assert!(look < LOOKS_MAX, "the server is not made");
        let seen = world.see(&format!("/servers/{id}")).await;
        if seen["server"]["status"] == "running" && seen["server"]["locked"] == false {
            break;
        }
        tokio::task::yield_now().await;
    }
    let stuck = |profile: LatencyProfile, kind| profile.with(kind, Policy::Stuck);
    let kinds = [OperationKind::Rebuild, OperationKind::Snapshot, OperationKind::Reboot, OperationKind::Delete];
    let profile = kinds.into_iter().fold(LatencyProfile::none(), stuck);
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    (world, id)
}

async fn act(world: &World, id: i64, verb: &str) -> Answer {
    let body = match verb {
        "rebuild" => json!({"image": "debian-13"}),
        "change_type" => json!({"server_type": "cpx32", "upgrade_disk": true}),
        "create_image" => json!({"type": "snapshot"}),
        "attach_iso" => json!({"iso": 8637}),
        _ => json!({}),
    };
    world.post(&format!("/servers/{id}/actions/{verb}"), body).await
}

async fn accepted(world: &World, id: i64, verb: &str) {
    let action = act(world, id, verb).await.ok()["action"].clone();
    assert_eq!(action["status"], "running", "{verb}");
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["locked"], true, "{verb}");
}

#[tokio::test]
async fn what_only_follows_waits_its_turn() {
    let (world, id) = stuck(false).await;
    for verb in ["reboot", "poweroff", "rebuild", "create_image", "reset_password", "poweron"] {
        accepted(&world, id, verb).await;
    }
    // What is done in the answer need not wait.
    for verb in ["attach_iso", "detach_iso", "enable_rescue", "disable_rescue", "enable_backup"] {
        assert_eq!(act(&world, id, verb).await.ok()["action"]["status"], "success", "{verb}");
    }
    let running = world.see(&format!("/servers/{id}/actions?status=running&sort=id")).await;
    assert_eq!(running["actions"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn some_pairs_are_always_refused() {
    for (running, refused) in [
        ("rebuild", ["rebuild", "create_image", "change_type", "reset_password"].as_slice()),
        ("create_image", &["rebuild", "change_type"]),
    ] {
        let (world, id) = stuck(false).await;
        accepted(&world, id, running).await;
        for verb in refused {
            act(&world, id, verb).await.refused(423, "locked");
        }
        accepted(&world, id, "poweroff").await;
        accepted(&world, id, "shutdown").await;
    }
}

#[tokio::test]
async fn a_delete_is_legal_always_and_lets_nothing_in() {
    let (world, id) = stuck(false).await;
    accepted(&world, id, "rebuild").await;
    let action = world.delete(&format!("/servers/{id}")).await.ok()["action"].clone();
    assert_eq!((&action["command"], &action["status"]), (&json!("delete_server"), &json!("running")));
    let verbs = ["poweron", "rebuild", "change_type", "create_image", "attach_iso", "detach_iso", "enable_rescue"];
    for verb in verbs.into_iter().chain(["disable_rescue", "reset_password", "reboot"]) {
        act(&world, id, verb).await.refused(423, "locked");
    }
    world.delete(&format!("/servers/{id}")).await.refused(423, "locked");
}

#[tokio::test]
async fn where_contention_is_refused_a_busy_server_is_locked() {
    let (world, id) = stuck(true).await;
    accepted(&world, id, "reboot").await;
    let verbs = ["poweroff", "reset", "shutdown", "rebuild", "change_type", "create_image", "attach_iso", "detach_iso"];
    for verb in verbs.into_iter().chain(["enable_rescue", "disable_rescue", "reset_password", "enable_backup"]) {
        let refused = act(&world, id, verb).await;
        assert_eq!(refused.refused(423, "locked").message(), "server is locked by another action", "{verb}");
    }
    world.delete(&format!("/servers/{id}")).await.refused(423, "locked");
}

/// Private networks need no machine: done at once, unless contention is refused.
#[tokio::test]
async fn networks_of_a_busy_server() {
    for refuse in [false, true] {
        let (world, id) = stuck(refuse).await;
        let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
        let net = json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": [subnet]});
        let net = world.create("/networks", net).await;
        accepted(&world, id, "reboot").await;
        let bodies = [
            ("attach_to_network", json!({"network": net})),
            ("change_alias_ips", json!({"network": net, "alias_ips": ["10.0.1.9"]})),
            ("detach_from_network", json!({"network": net})),
        ];
        for (verb, body) in bodies {
            let answer = world.post(&format!("/servers/{id}/actions/{verb}"), body).await;
            if refuse {
                answer.refused(423, "locked");
            } else {
                assert_eq!(answer.ok()["action"]["status"], "success", "{verb}");
            }
        }
    }
}
