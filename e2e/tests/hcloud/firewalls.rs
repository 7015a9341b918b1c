//! Firewalls: rules, servers and selectors.

use e2e::flow::{Flow, names};
use serde_json::{Value, json};

fn describe(flow: &Flow, name: &str) -> Value {
    flow.hcloud.json(&["firewall", "describe", name])
}

/// The names of the servers' firewalls are not shown, their ids are.
fn behind(flow: &Flow, server: &str) -> Vec<Value> {
    let shown = flow.describe(server)["public_net"]["firewalls"].clone();
    shown.as_array().into_iter().flatten().map(|firewall| firewall["id"].clone()).collect()
}

#[test]
fn firewalls() {
    let Some(flow) = Flow::start("firewalls") else { return };
    flow.hcloud.ok(&["firewall", "create", "--name", "web"]);
    let rule =
        ["--direction", "in", "--protocol", "tcp", "--port", "80", "--source-ips", "0.0.0.0/0", "--source-ips", "::/0"];
    flow.hcloud.ok(&[&["firewall", "add-rule", "web"], &rule[..]].concat());
    let web = describe(&flow, "web");
    assert_eq!(
        (&web["rules"][0]["port"], &web["rules"][0]["source_ips"]),
        (&json!("80"), &json!(["0.0.0.0/0", "::/0"]))
    );
    flow.create("a", &["--firewall", "web"]);
    flow.create("b", &["--label", "env=prod"]);
    assert_eq!(behind(&flow, "a"), [web["id"].clone()]);
    flow.hcloud.refused(&["firewall", "delete", "web"], "resource_in_use");
    flow.hcloud.ok(&[
        "firewall",
        "apply-to-resource",
        "web",
        "--type",
        "label_selector",
        "--label-selector",
        "env=prod",
    ]);
    assert_eq!(behind(&flow, "b"), [web["id"].clone()]);
    flow.create("c", &["--label", "env=prod"]);
    assert_eq!(behind(&flow, "c"), [web["id"].clone()]);
    flow.hcloud.ok(&["server", "remove-label", "c", "env"]);
    assert!(behind(&flow, "c").is_empty());
    flow.hcloud.refused(
        &["firewall", "remove-from-resource", "web", "--type", "server", "--server", "b"],
        "firewall_managed_by_label_selector",
    );
    flow.hcloud.ok(&[
        "firewall",
        "remove-from-resource",
        "web",
        "--type",
        "label_selector",
        "--label-selector",
        "env=prod",
    ]);
    assert!(behind(&flow, "b").is_empty());
    flow.hcloud.ok(&[&["firewall", "delete-rule", "web"], &rule[..]].concat());
    assert_eq!(describe(&flow, "web")["rules"], json!([]));
    flow.hcloud.ok(&["firewall", "update", "web", "--name", "renamed"]);
    assert_eq!(names(&flow.hcloud.json(&["firewall", "list"])), ["renamed"]);
    // A server that goes frees its firewall.
    for server in ["a", "b", "c"] {
        flow.delete(server);
    }
    flow.hcloud.ok(&["firewall", "delete", "renamed"]);
    flow.ends_empty();
}
