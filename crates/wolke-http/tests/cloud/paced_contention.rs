//! Who waits for whom, and who is refused, while actions that are done in their answer take their time.

use super::paced::{PASSWORD, TAKES_MS, actions, all, pass, set_pace};
use crate::common::{Setup, World, server};
use serde_json::json;
use wolke_wire::Dialect;

#[tokio::test]
async fn where_contention_is_refused_what_runs_is_locked() {
    let world = World::with(Setup { refuse_contention: true, ..Setup::new(Dialect::Compat) }).await;
    let id = world.create("/servers", server("a")).await;
    let volume = json!({"name": "data", "size": 10, "location": "fsn1"});
    let volume = world.create("/volumes", volume).await;
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    set_pace(&world, Some(TAKES_MS));
    all(
        &actions(&world.post(&format!("/volumes/{volume}/actions/attach"), json!({"server": id})).await.ok()),
        "running",
        "",
    );
    // Also where a profile says no more that it should take time: it is under way.
    for ms in [Some(TAKES_MS), None] {
        set_pace(&world, ms);
        let locked = [
            (format!("/volumes/{volume}/actions/resize"), json!({"size": 20}), "volume"),
            (format!("/volumes/{volume}/actions/detach"), json!({}), "volume"),
            (format!("/servers/{id}/actions/change_protection"), json!({"delete": true, "rebuild": true}), "server"),
            (format!("/servers/{id}/actions/poweroff"), json!({}), "server"),
        ];
        for (path, body, kind) in locked {
            let refused = world.post(&path, body).await;
            assert!(refused.refused(423, "locked").message().contains(kind) || kind == "volume", "{path}");
        }
    }
    all(
        &actions(&world.post(&format!("/firewalls/{wall}/actions/set_rules"), json!({"rules": []})).await.ok()),
        "success",
        "",
    );
    pass(&world, i64::from(TAKES_MS)).await;
    all(&actions(&world.post(&format!("/volumes/{volume}/actions/detach"), json!({})).await.ok()), "success", "");
    set_pace(&world, Some(TAKES_MS));
    // A new server's own work is no stranger's.
    let mut wanted = server("b");
    wanted["volumes"] = json!([volume]);
    wanted["firewalls"] = json!([{"firewall": wall}]);
    world.post("/servers", wanted).await.ok();
}

/// What many share keeps nobody waiting: servers of one network and firewall are made and attached side by side.
#[tokio::test]
async fn members_of_a_network_do_not_wait_for_each_other() {
    let world = World::with(Setup { refuse_contention: true, ..Setup::new(Dialect::Compat) }).await;
    let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
    let net = json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": [subnet]});
    let net = world.create("/networks", net).await;
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    set_pace(&world, Some(TAKES_MS));
    for name in ["a", "b", "c"] {
        let mut wanted = server(name);
        wanted["networks"] = json!([net]);
        wanted["firewalls"] = json!([{"firewall": wall}]);
        world.post("/servers", wanted).await.ok();
    }
    all(
        &actions(&world.post(&format!("/firewalls/{wall}/actions/set_rules"), json!({"rules": []})).await.ok()),
        "running",
        "",
    );
    // The network itself is worked on by what is about nothing else.
    let route = json!({"destination": "10.100.0.0/16", "gateway": "10.0.1.200"});
    world.post(&format!("/networks/{net}/actions/add_route"), route.clone()).await.ok();
    world.post(&format!("/networks/{net}/actions/delete_route"), route).await.refused(423, "locked");
}

/// A storage box makes one snapshot or subaccount at a time (fact sheet §4.3).
#[tokio::test]
async fn a_storage_box_makes_one_thing_at_a_time() {
    let world = World::new(Dialect::Compat).await;
    let wanted = json!({"name": "box", "storage_box_type": "bx11", "location": "fsn1", "password": PASSWORD});
    let id = world.create("/storage_boxes", wanted).await;
    set_pace(&world, Some(TAKES_MS));
    world.post(&format!("/storage_boxes/{id}/snapshots"), json!({})).await.ok();
    let account = json!({"home_directory": "a", "password": PASSWORD});
    for (path, body) in [("snapshots", json!({})), ("subaccounts", account.clone())] {
        let refused = world.post(&format!("/storage_boxes/{id}/{path}"), body).await;
        assert!(refused.refused(423, "locked").message().contains("storage box"), "{path}");
    }
    pass(&world, i64::from(TAKES_MS)).await;
    world.post(&format!("/storage_boxes/{id}/subaccounts"), account).await.ok();
}
