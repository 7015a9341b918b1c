//! Volumes, alone and with servers.

use e2e::flow::{Flow, names};
use serde_json::{Value, json};

fn describe(flow: &Flow, name: &str) -> Value {
    flow.hcloud.json(&["volume", "describe", name])
}

#[test]
fn volumes() {
    let Some(mut flow) = Flow::start("volumes") else { return };
    flow.hcloud.ok(&["volume", "create", "--name", "data", "--size", "10", "--location", "fsn1", "--format", "ext4"]);
    let data = describe(&flow, "data");
    assert_eq!((&data["size"], &data["status"], &data["format"]), (&json!(10), &json!("available"), &json!("ext4")));
    assert_eq!(data["linux_device"], format!("/dev/disk/by-id/scsi-0HC_Volume_{}", data["id"]));
    let again = ["volume", "create", "--name", "data", "--size", "10", "--location", "fsn1"];
    flow.hcloud.refused(&again, "uniqueness_error");
    flow.hcloud.refused(&["volume", "create", "--name", "tiny", "--size", "9", "--location", "fsn1"], "invalid_input");
    flow.hcloud.ok(&["volume", "add-label", "data", "a=b"]);
    flow.hcloud.ok(&["volume", "update", "data", "--name", "renamed"]);
    assert_eq!(names(&flow.hcloud.json(&["volume", "list", "--selector", "a=b"])), ["renamed"]);

    flow.create("web", &["--location", "fsn1"]);
    flow.hcloud.ok(&["volume", "attach", "renamed", "--server", "web", "--automount"]);
    assert_eq!(flow.describe("web")["volumes"], json!([data["id"]]));
    flow.hcloud.refused(&["volume", "attach", "renamed", "--server", "web"], "volume_already_attached");
    flow.hcloud.refused(&["volume", "delete", "renamed"], "service_error");
    flow.hcloud.ok(&["volume", "resize", "renamed", "--size", "20"]);
    flow.hcloud.refused(&["volume", "resize", "renamed", "--size", "15"], "invalid_input");
    flow.restart();
    assert_eq!(describe(&flow, "renamed")["size"], 20);
    flow.hcloud.ok(&["volume", "detach", "renamed"]);
    assert_eq!(flow.describe("web")["volumes"], json!([]));

    let more =
        ["volume", "create", "--name", "more", "--size", "10", "--server", "web", "--format", "xfs", "--automount"];
    flow.hcloud.ok(&more);
    assert_eq!(describe(&flow, "more")["server"], flow.describe("web")["id"]);
    flow.hcloud.ok(&["volume", "enable-protection", "renamed", "delete"]);
    flow.hcloud.refused(&["volume", "delete", "renamed"], "protected");
    flow.hcloud.ok(&["volume", "disable-protection", "renamed", "delete"]);
    flow.create("elsewhere", &["--location", "hel1"]);
    flow.hcloud.refused(&["volume", "attach", "renamed", "--server", "elsewhere"], "invalid_input");

    // A server that goes leaves its volumes.
    flow.delete("elsewhere");
    flow.delete("web");
    for name in ["renamed", "more"] {
        flow.hcloud.ok(&["volume", "delete", name]);
    }
    flow.ends_empty();
}

#[test]
fn servers_with_volumes() {
    let Some(flow) = Flow::start("servers_with_volumes") else { return };
    for name in ["a", "b"] {
        flow.hcloud.ok(&["volume", "create", "--name", name, "--size", "10", "--location", "hel1", "--format", "xfs"]);
    }
    flow.create("web", &["--volume", "a", "--volume", "b", "--automount"]);
    let web = flow.describe("web");
    assert_eq!(web["volumes"], json!([describe(&flow, "a")["id"], describe(&flow, "b")["id"]]));
    let second = ["--volume", "a"];
    let create = [
        &["server", "create", "--name", "c", "--type", e2e::api::SERVER_TYPE, "--image", e2e::api::IMAGE],
        &second[..],
    ];
    flow.hcloud.refused(&create.concat(), "volume_already_attached");
    assert_eq!(names(&flow.hcloud.json(&["server", "list"])), ["web"]);
    flow.delete("web");
    for name in ["a", "b"] {
        flow.hcloud.ok(&["volume", "delete", name]);
    }
    flow.ends_empty();
}

#[test]
fn full_locations() {
    let Some(flow) = Flow::start("full_locations") else { return };
    flow.installation.run(&["catalogue", "volume-space"], &["nbg1", "--left", "25"]);
    let create = |name: &'static str| ["volume", "create", "--name", name, "--size", "10", "--location", "nbg1"];
    flow.hcloud.ok(&create("a"));
    flow.hcloud.ok(&create("b"));
    flow.hcloud.refused(&create("c"), "no_space_left_in_location");
    flow.hcloud.ok(&["volume", "delete", "a"]);
    flow.hcloud.ok(&create("c"));
    let shown = flow.installation.run(&["catalogue", "volume-space"], &[]);
    assert!(shown.contains("nbg1") && shown.contains('5'), "{shown}");
    flow.installation.run(&["catalogue", "volume-space"], &["nbg1", "--unlimited"]);
    flow.hcloud.ok(&create("d"));
    for name in ["b", "c", "d"] {
        flow.hcloud.ok(&["volume", "delete", name]);
    }
    flow.ends_empty();
}
