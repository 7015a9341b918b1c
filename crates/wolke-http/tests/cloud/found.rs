//! What the generated requests (`tests/generated`) and others that send anything have found, kept one by one.

use super::load_balancers::wanted;
use crate::common::{World, server};
use serde_json::json;
use wolke_wire::Dialect;

/// The 2023 document does not say that an entry needs its firewall: the body then could not be read, and the answer named no
/// member.
#[tokio::test]
async fn an_entry_without_its_firewall_says_what_it_lacks() {
    for dialect in [Dialect::D2023_07, Dialect::Compat] {
        let world = World::new(dialect).await;
        let mut wanted = server("a");
        wanted["firewalls"] = json!([{}]);
        world.post("/servers", wanted).await.wrong(&["firewalls[0].firewall"]);
    }
}

/// Beside a server that does not belong there, nobody looked at the selector that does.
#[tokio::test]
async fn a_target_of_two_sorts_is_told_everything_that_is_wrong() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/load_balancers", wanted("a")).await;
    let target = json!({"type": "label_selector", "label_selector": {"selector": "a,,b"}, "server": {"id": 1},
        "ip": {"ip": "203.0.113.7"}});
    let refused = world.post(&format!("/load_balancers/{id}/actions/add_target"), target.clone()).await;
    refused.wrong(&["server", "ip", "label_selector.selector"]);
    let mut new = wanted("b");
    new["targets"] = json!([target]);
    let all = ["targets[0].server", "targets[0].ip", "targets[0].label_selector.selector"];
    world.post("/load_balancers", new).await.wrong(&all);
}

/// So it was with what a firewall is applied to.
#[tokio::test]
async fn an_entry_of_two_sorts_is_told_everything_that_is_wrong() {
    for dialect in [Dialect::D2023_07, Dialect::Compat] {
        let world = World::new(dialect).await;
        let entry = |kind: &str| json!({"type": kind, "label_selector": {"selector": "!!a"}, "server": {"id": 1}});
        let asked = json!([entry("label_selector"), entry("server"), {"type": "server"}]);
        let refused = world.post("/firewalls", json!({"name": "f", "apply_to": asked})).await;
        refused.wrong(&[
            "apply_to[0].server",
            "apply_to[0].label_selector.selector",
            "apply_to[1].label_selector",
            "apply_to[2].server",
        ]);
    }
}

/// Of two wrong parameters only the first was named.
#[tokio::test]
async fn a_list_of_images_names_all_wrong_parameters() {
    let world = World::new(Dialect::Compat).await;
    let wrong = world.get("/images?bound_to=none&label_selector=a,,b").await;
    wrong.wrong(&["bound_to", "label_selector"]);
    world.get("/images?bound_to=none").await.wrong(&["bound_to"]);
    assert_eq!(world.see("/images?bound_to=1&bound_to=2").await["images"], json!([]));
}
