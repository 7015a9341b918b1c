//! Placement groups: who is in, who may come in, and when they may go.

use e2e::flow::Flow;
use serde_json::{Value, json};

#[test]
fn placement_groups() {
    let Some(flow) = Flow::start("placement_groups") else { return };
    let describe = |name: &str| flow.hcloud.json(&["placement-group", "describe", name]);
    let create = |name: &'static str, kind: &'static str| ["placement-group", "create", "--name", name, "--type", kind];
    flow.hcloud.ok(&[&create("apart", "spread")[..], &["--label", "a=b"]].concat());
    flow.hcloud.refused(&create("apart", "spread"), "uniqueness_error");
    flow.hcloud.refused(&create("else", "heap"), "invalid_input");

    flow.create("in", &["--placement-group", "apart"]);
    flow.create("out", &[]);
    let id = |name: &str| flow.describe(name)["id"].clone();
    assert_eq!(describe("apart")["servers"], json!([id("in")]));
    assert_eq!(flow.describe("in")["placement_group"]["name"], "apart");
    // Only a server that is off moves.
    let join = ["server", "add-to-placement-group", "out", "--placement-group", "apart"];
    flow.hcloud.refused(&join, "server_not_stopped");
    flow.hcloud.ok(&["server", "poweroff", "out"]);
    flow.hcloud.ok(&join);
    assert_eq!(describe("apart")["servers"], json!([id("in"), id("out")]));
    flow.hcloud.ok(&["server", "poweron", "out"]);
    flow.hcloud.refused(&["placement-group", "delete", "apart"], "resource_in_use");
    flow.hcloud.ok(&["server", "remove-from-placement-group", "in"]);
    assert_eq!(flow.describe("in")["placement_group"], Value::Null);
    flow.delete("out");
    assert_eq!(describe("apart")["servers"], json!([]));

    flow.hcloud.ok(&["placement-group", "add-label", "apart", "tier=1"]);
    flow.hcloud.ok(&["placement-group", "remove-label", "apart", "a"]);
    flow.hcloud.ok(&["placement-group", "update", "apart", "--name", "far"]);
    assert_eq!(describe("far")["labels"], json!({"tier": "1"}));
    flow.hcloud.ok(&["placement-group", "delete", "far"]);
    assert!(flow.hcloud.fail(&["placement-group", "describe", "far"]).contains("not found"));
    flow.delete("in");
    flow.ends_empty();
}
