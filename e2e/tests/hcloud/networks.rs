//! Networks: ranges, subnets, routes, and servers that join and leave them.

use e2e::flow::{Flow, names};
use serde_json::{Value, json};

fn describe(flow: &Flow, name: &str) -> Value {
    flow.hcloud.json(&["network", "describe", name])
}

fn subnet<'a>(network: &'a str, range: &'a str) -> Vec<&'a str> {
    vec!["network", "add-subnet", network, "--type", "cloud", "--network-zone", "eu-central", "--ip-range", range]
}

#[test]
fn network_life() {
    let Some(flow) = Flow::start("network_life") else { return };
    let create = |name: &'static str, range: &'static str| ["network", "create", "--name", name, "--ip-range", range];
    flow.hcloud.ok(&create("net", "10.0.0.0/24"));
    flow.hcloud.refused(&create("net", "10.0.0.0/16"), "uniqueness_error");
    flow.hcloud.refused(&create("public", "8.0.0.0/16"), "invalid_input");
    flow.hcloud.ok(&["network", "add-label", "net", "a=b"]);
    flow.hcloud.ok(&["network", "change-ip-range", "net", "--ip-range", "10.0.0.0/16"]);
    flow.hcloud.refused(&["network", "change-ip-range", "net", "--ip-range", "10.0.0.0/24"], "invalid_input");
    flow.hcloud.ok(&subnet("net", "10.0.16.0/24"));
    flow.hcloud.refused(&subnet("net", "10.0.16.0/25"), "invalid_input");
    let vswitch =
        ["network", "add-subnet", "net", "--type", "vswitch", "--vswitch-id", "42", "--network-zone", "eu-central"];
    let vswitch = [&vswitch[..], &["--ip-range", "10.0.17.0/24"]].concat();
    assert!(flow.hcloud.fail(&vswitch).contains("vswitch not found (service_error"));
    flow.hcloud.ok(&["network", "add-route", "net", "--destination", "10.100.1.0/24", "--gateway", "10.0.1.1"]);
    let seen = describe(&flow, "net");
    assert_eq!((&seen["ip_range"], &seen["labels"]), (&json!("10.0.0.0/16"), &json!({"a": "b"})));
    assert_eq!(seen["routes"], json!([{"destination": "10.100.1.0/24", "gateway": "10.0.1.1"}]));
    let subnet = &seen["subnets"][0];
    assert_eq!((&subnet["ip_range"], &subnet["gateway"]), (&json!("10.0.16.0/24"), &json!("10.0.0.1")));
    assert_eq!(names(&flow.hcloud.json(&["network", "list", "--selector", "a"])), ["net"]);

    flow.hcloud.ok(&["network", "remove-route", "net", "--destination", "10.100.1.0/24", "--gateway", "10.0.1.1"]);
    flow.hcloud.ok(&["network", "remove-subnet", "net", "--ip-range", "10.0.16.0/24"]);
    let seen = describe(&flow, "net");
    assert!([&seen["routes"], &seen["subnets"]].iter().all(|list| list.as_array().is_none_or(Vec::is_empty)));
    flow.hcloud.ok(&["network", "enable-protection", "net", "delete"]);
    let refused = flow.hcloud.fail(&["network", "delete", "net"]);
    assert!(refused.contains("network is delete protected (protected"), "{refused}");
    flow.hcloud.ok(&["network", "disable-protection", "net", "delete"]);
    flow.hcloud.ok(&["network", "update", "net", "--name", "renamed"]);
    flow.hcloud.ok(&["network", "delete", "renamed"]);
    assert!(flow.hcloud.fail(&["network", "describe", "renamed"]).contains("not found"));
    flow.ends_empty();
}

#[test]
fn servers_in_networks() {
    let Some(mut flow) = Flow::start("servers_in_networks") else { return };
    flow.hcloud.ok(&["network", "create", "--name", "net", "--ip-range", "10.0.0.0/16"]);
    flow.hcloud.ok(&subnet("net", "10.0.1.0/24"));
    flow.create("born", &["--network", "net"]);
    flow.create("joins", &[]);
    let attach = ["server", "attach-to-network", "joins", "--network", "net"];
    flow.hcloud.ok(&[&attach[..], &["--ip", "10.0.1.7", "--alias-ips", "10.0.1.20,10.0.1.10"]].concat());
    flow.hcloud.refused(&attach, "server_already_attached");
    let change = ["server", "change-alias-ips", "joins", "--network", "net", "--alias-ips", "10.0.1.30"];
    flow.hcloud.ok(&change);
    let private = |flow: &Flow, name: &str| flow.describe(name)["private_net"][0].clone();
    let (born, joined) = (private(&flow, "born"), private(&flow, "joins"));
    assert_eq!((&born["ip"], &joined["ip"]), (&json!("10.0.1.1"), &json!("10.0.1.7")));
    assert_eq!(joined["alias_ips"], json!(["10.0.1.30"]));
    assert!(joined["mac_address"].as_str().unwrap().starts_with("86:00:ff:"));
    assert_eq!(describe(&flow, "net")["servers"].as_array().map(Vec::len), Some(2));
    let used = flow.hcloud.fail(&["network", "remove-subnet", "net", "--ip-range", "10.0.1.0/24"]);
    assert!(used.contains("servers are attached") && used.contains("service_error"), "{used}");

    flow.restart();
    assert_eq!(private(&flow, "joins"), joined, "addresses outlive the server that hands them out");
    flow.hcloud.ok(&["server", "detach-from-network", "joins", "--network", "net"]);
    assert!(flow.describe("joins")["private_net"].as_array().is_none_or(Vec::is_empty));
    flow.delete("joins");
    // The network goes while somebody is in it.
    flow.hcloud.ok(&["network", "delete", "net"]);
    assert!(flow.describe("born")["private_net"].as_array().is_none_or(Vec::is_empty));
    flow.delete("born");
    flow.ends_empty();
}
