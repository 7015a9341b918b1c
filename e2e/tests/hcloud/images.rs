//! Snapshots: made of a server, described, protected, booted from, deleted.

use e2e::flow::{Flow, ids};
use serde_json::json;

/// The one snapshot of the project.
fn only_snapshot(flow: &Flow) -> String {
    let list = flow.hcloud.json(&["image", "list", "--type", "snapshot", "--architecture", "x86"]);
    let [id] = ids(&list)[..] else { panic!("{list}") };
    id.to_string()
}

#[test]
fn snapshot_life() {
    let Some(mut flow) = Flow::start("snapshot_life") else { return };
    flow.create("source", &[]);
    flow.hcloud.ok(&[
        "server",
        "create-image",
        "source",
        "--type",
        "snapshot",
        "--description",
        "first",
        "--label",
        "a=b",
    ]);
    let id = only_snapshot(&flow);
    let image = flow.hcloud.json(&["image", "describe", &id]);
    assert_eq!((&image["status"], &image["type"]), (&json!("available"), &json!("snapshot")));
    assert_eq!((&image["description"], &image["labels"]), (&json!("first"), &json!({"a": "b"})));
    assert_eq!(image["created_from"], json!({"id": flow.describe("source")["id"], "name": "source"}));
    assert_eq!((&image["disk_size"], &image["os_flavor"]), (&json!(80), &json!("ubuntu")));
    assert!(image["image_size"].as_f64().unwrap() > 0.0, "{image}");

    flow.hcloud.ok(&["image", "update", &id, "--description", "second"]);
    flow.hcloud.ok(&["image", "add-label", &id, "tier=1"]);
    flow.hcloud.ok(&["image", "remove-label", &id, "a"]);
    let selected = flow.hcloud.json(&["image", "list", "--selector", "tier=1", "--architecture", "x86"]);
    assert_eq!(ids(&selected), [id.parse::<u64>().unwrap()]);
    let image = flow.hcloud.json(&["image", "describe", &id]);
    assert_eq!((&image["description"], &image["labels"]), (&json!("second"), &json!({"tier": "1"})));

    flow.hcloud.ok(&["image", "enable-protection", &id, "delete"]);
    flow.hcloud.refused(&["image", "delete", &id], "protected");
    flow.restart();
    assert_eq!(flow.hcloud.json(&["image", "describe", &id])["protection"], json!({"delete": true}));
    flow.hcloud.ok(&["image", "disable-protection", &id, "delete"]);
    flow.delete("source");
    flow.hcloud.ok(&["image", "delete", &id]);
    assert!(flow.hcloud.fail(&["image", "describe", &id]).contains("not found"));
    flow.ends_empty();
}

#[test]
fn servers_from_a_snapshot() {
    let Some(flow) = Flow::start("servers_from_a_snapshot") else { return };
    flow.create("source", &[]);
    flow.hcloud.ok(&["server", "create-image", "source", "--type", "snapshot"]);
    let id = only_snapshot(&flow);
    let create = |name: &'static str, kind: &'static str| {
        ["server", "create", "--name", name, "--image", &id, "--type", kind].map(str::to_owned)
    };
    flow.hcloud.ok(&create("copy", "cpx32").each_ref().map(String::as_str));
    assert_eq!(flow.describe("copy")["image"]["id"].to_string(), id);
    // A disk of 80 GB goes to no server with 40, and a system of one architecture not to the other.
    flow.hcloud.refused(&create("small", "cpx12").each_ref().map(String::as_str), "invalid_input");
    flow.hcloud.refused(&create("other", "cax21").each_ref().map(String::as_str), "invalid_input");
    flow.hcloud.ok(&["server", "rebuild", "source", "--image", &id]);
    // Servers outlive the image that they were made of.
    flow.hcloud.ok(&["image", "delete", &id]);
    assert_eq!(flow.describe("copy")["image"]["id"].to_string(), id);
    assert_eq!(flow.describe("copy")["status"], "running");
    flow.delete("copy");
    flow.delete("source");
    flow.ends_empty();
}
