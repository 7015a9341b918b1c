//! The life of a server: power, labels, names, protection.

use e2e::api::{IMAGE, SERVER_TYPE, expect, wait_success};
use e2e::flow::Flow;
use serde_json::json;

#[test]
fn server_life() {
    let Some(flow) = Flow::start("server_life") else { return };
    flow.create("web-1", &["--label", "env=prod", "--label", "team=a"]);
    let server = flow.describe("web-1");
    assert_eq!(server["status"], "running");
    assert_eq!(server["labels"], json!({"env": "prod", "team": "a"}));
    assert_eq!(server["server_type"]["name"], SERVER_TYPE);
    assert_eq!(server["image"]["name"], IMAGE);
    let address = server["public_net"]["ipv4"]["ip"].as_str().unwrap();
    assert!(address.starts_with("198.18.") || address.starts_with("198.19."), "{address}");
    let table = flow.hcloud.ok(&["server", "list"]);
    assert!(table.contains("web-1") && table.contains(address), "{table}");

    for (command, status) in
        [("poweroff", "off"), ("poweron", "running"), ("reboot", "running"), ("reset", "running"), ("shutdown", "off")]
    {
        flow.hcloud.ok(&["server", command, "web-1"]);
        assert_eq!(flow.describe("web-1")["status"], status, "after {command}");
    }
    flow.hcloud.ok(&["server", "delete", "web-1"]);
    assert!(flow.hcloud.fail(&["server", "describe", "web-1"]).contains("not found"));
    flow.ends_empty();
}

#[test]
fn labels_and_selectors() {
    let Some(flow) = Flow::start("labels_and_selectors") else { return };
    flow.create("a", &["--label", "env=prod"]);
    flow.create("b", &["--label", "env=test"]);
    let names = |selector: &str| -> Vec<String> {
        let list = flow.hcloud.json(&["server", "list", "--selector", selector]);
        list.as_array().unwrap().iter().map(|server| server["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("env=prod"), ["a"]);
    assert_eq!(names("env!=prod"), ["b"]);
    assert_eq!(names("env in (prod,test)"), ["a", "b"]);
    assert_eq!(names("env notin (prod)"), ["b"]);
    assert_eq!(names("!env"), Vec::<String>::new());

    flow.hcloud.ok(&["server", "add-label", "a", "tier=1"]);
    assert_eq!(flow.describe("a")["labels"], json!({"env": "prod", "tier": "1"}));
    flow.hcloud.ok(&["server", "add-label", "--overwrite", "a", "tier=2"]);
    flow.hcloud.ok(&["server", "remove-label", "a", "env"]);
    assert_eq!(flow.describe("a")["labels"], json!({"tier": "2"}));
    flow.hcloud.ok(&["server", "update", "a", "--name", "renamed"]);
    assert_eq!(flow.describe("renamed")["labels"], json!({"tier": "2"}));
    flow.hcloud.ok(&["server", "delete", "renamed"]);
    flow.hcloud.ok(&["server", "delete", "b"]);
    flow.ends_empty();
}

#[test]
fn protection() {
    let Some(flow) = Flow::start("protection") else { return };
    flow.create("kept", &[]);
    flow.hcloud.ok(&["server", "enable-protection", "kept", "delete", "rebuild"]);
    assert_eq!(flow.describe("kept")["protection"], json!({"delete": true, "rebuild": true}));
    flow.hcloud.refused(&["server", "delete", "kept"], "protected");
    assert_eq!(flow.describe("kept")["status"], "running");
    flow.hcloud.ok(&["server", "disable-protection", "kept", "delete", "rebuild"]);
    flow.hcloud.ok(&["server", "delete", "kept"]);
    flow.ends_empty();
}

#[test]
fn busy() {
    let Some(flow) = Flow::start_with("busy", &["--contention", "refuse"]) else { return };
    flow.create("busy", &[]);
    let latency = |preset: &str| flow.installation.run(&["sim", "latency", "set"], &[preset]);
    latency("realistic");
    let mut client = flow.server.client(&flow.token);
    let path = format!("/v1/servers/{}/actions/poweroff", flow.describe("busy")["id"]);
    let stopping = expect(client.post(&path, &json!({})), 201);
    assert_eq!(flow.describe("busy")["locked"], true);
    flow.hcloud.refused(&["server", "poweron", "busy"], "locked");
    flow.hcloud.refused(&["server", "delete", "busy"], "locked");
    wait_success(&mut client, &stopping);
    // Here the client waits by itself, for some seconds.
    flow.hcloud.ok(&["server", "poweron", "busy"]);
    assert_eq!(flow.describe("busy")["status"], "running");
    latency("none");
    flow.delete("busy");
    flow.ends_empty();
}
