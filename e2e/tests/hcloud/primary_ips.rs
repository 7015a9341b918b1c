//! Primary IPs: made, assigned to servers that are off, named, protected, and what becomes of them when a server goes.

use e2e::flow::{Flow, names};
use serde_json::{Value, json};

fn describe(flow: &Flow, name: &str) -> Value {
    flow.hcloud.json(&["primary-ip", "describe", name])
}

fn create(flow: &Flow, name: &str, kind: &str, more: &[&str]) {
    flow.hcloud.ok(&[&["primary-ip", "create", "--name", name, "--type", kind], more].concat());
}

#[test]
fn primary_ip_life() {
    let Some(flow) = Flow::start("primary_ip_life") else { return };
    create(&flow, "front", "ipv4", &["--datacenter", "hel1-dc2"]);
    // Not with --label: releases up to 1.39 forget to send it.
    flow.hcloud.ok(&["primary-ip", "add-label", "front", "a=b"]);
    create(&flow, "wide", "ipv6", &["--datacenter", "hel1-dc2"]);
    let front = describe(&flow, "front");
    assert_eq!(
        (&front["type"], &front["auto_delete"], &front["blocked"]),
        (&json!("ipv4"), &json!(false), &json!(false))
    );
    assert_eq!((&front["labels"], &front["datacenter"]["name"]), (&json!({"a": "b"}), &json!("hel1-dc2")));
    let taken = ["primary-ip", "create", "--name", "front", "--type", "ipv4", "--datacenter", "hel1-dc2"];
    flow.hcloud.refused(&taken, "uniqueness_error");
    let nowhere = ["primary-ip", "create", "--name", "x", "--type", "ipv4"];
    flow.hcloud.refused(&nowhere, "invalid_input");

    let address = front["ip"].as_str().unwrap();
    flow.hcloud.ok(&["primary-ip", "set-rdns", "front", "--ip", address, "--hostname", "front.example.com"]);
    assert_eq!(describe(&flow, "front")["dns_ptr"], json!([{"ip": address, "dns_ptr": "front.example.com"}]));
    let network = describe(&flow, "wide")["ip"].as_str().unwrap().replace("/64", "");
    let (one, two) = (format!("{network}1"), format!("{network}2"));
    for (ip, name) in [(&one, "one.example.com"), (&two, "two.example.com")] {
        flow.hcloud.ok(&["primary-ip", "set-rdns", "wide", "--ip", ip, "--hostname", name]);
    }
    assert_eq!(describe(&flow, "wide")["dns_ptr"].as_array().unwrap().len(), 2);
    let foreign = ["primary-ip", "set-rdns", "front", "--ip", "192.0.2.1", "--hostname", "x.example.com"];
    flow.hcloud.refused(&foreign, "invalid_input");

    flow.hcloud.ok(&["primary-ip", "update", "front", "--name", "renamed"]);
    flow.hcloud.ok(&["primary-ip", "enable-protection", "renamed"]);
    flow.hcloud.refused(&["primary-ip", "delete", "renamed"], "protected");
    flow.hcloud.ok(&["primary-ip", "disable-protection", "renamed"]);
    let listed = flow.hcloud.json(&["primary-ip", "list", "--selector", "a=b"]);
    assert_eq!(names(&listed), ["renamed"]);
    flow.hcloud.ok(&["primary-ip", "delete", "renamed"]);
    flow.hcloud.ok(&["primary-ip", "delete", "wide"]);
    assert!(flow.hcloud.fail(&["primary-ip", "describe", "wide"]).contains("not found"));
    flow.ends_empty();
}

#[test]
fn primary_ips_and_servers() {
    let Some(flow) = Flow::start("primary_ips_and_servers") else { return };
    create(&flow, "a", "ipv4", &["--datacenter", "fsn1-dc14"]);
    create(&flow, "b", "ipv4", &["--datacenter", "fsn1-dc14"]);
    flow.create("web", &["--location", "fsn1", "--primary-ipv4", "a"]);
    let server = flow.describe("web");
    assert_eq!(describe(&flow, "a")["assignee_id"], server["id"]);
    assert_eq!(server["public_net"]["ipv4"]["ip"], describe(&flow, "a")["ip"]);

    let assign = ["primary-ip", "assign", "b", "--server", "web"];
    flow.hcloud.refused(&assign, "server_not_stopped");
    flow.hcloud.refused(&["primary-ip", "unassign", "a"], "server_not_stopped");
    flow.hcloud.ok(&["server", "poweroff", "web"]);
    flow.hcloud.refused(&assign, "server_has_ipv4");
    flow.hcloud.refused(&["primary-ip", "delete", "a"], "must_be_unassigned");
    flow.hcloud.ok(&["primary-ip", "unassign", "a"]);
    assert_eq!(describe(&flow, "a")["assignee_id"].as_u64().unwrap_or(0), 0);
    flow.hcloud.ok(&assign);
    flow.hcloud.ok(&["server", "poweron", "web"]);
    assert_eq!(flow.describe("web")["public_net"]["ipv4"]["ip"], describe(&flow, "b")["ip"]);

    // What was made with the server goes with it, what was made before stays, unless it was told to go.
    flow.hcloud.ok(&["primary-ip", "update", "b", "--auto-delete=true"]);
    flow.delete("web");
    assert_eq!(names(&flow.hcloud.json(&["primary-ip", "list"])), ["a"]);
    flow.hcloud.ok(&["primary-ip", "delete", "a"]);
    flow.ends_empty();
}

#[test]
fn primary_ip_for_a_server_without() {
    let Some(flow) = Flow::start("primary_ip_for_a_server_without") else { return };
    flow.create("six", &["--without-ipv4"]);
    let six = flow.describe("six");
    let id = six["id"].to_string();
    assert!(matches!(six["public_net"]["ipv4"]["ip"].as_str(), None | Some("")), "{six}");
    let new = ["primary-ip", "create", "--name", "new", "--type", "ipv4", "--assignee-id", &id];
    flow.hcloud.refused(&new, "server_not_stopped");
    flow.hcloud.ok(&["server", "poweroff", "six"]);
    flow.hcloud.ok(&new);
    assert_eq!(describe(&flow, "new")["assignee_id"], six["id"]);
    flow.hcloud.ok(&["server", "poweron", "six"]);
    assert_eq!(flow.describe("six")["public_net"]["ipv4"]["ip"], describe(&flow, "new")["ip"]);
    flow.delete("six");
    flow.hcloud.ok(&["primary-ip", "delete", "new"]);
    flow.ends_empty();
}
