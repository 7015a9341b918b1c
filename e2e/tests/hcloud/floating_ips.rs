//! Floating IPs: made, moved between servers, named, protected, and what becomes of them when a server goes.

use e2e::flow::{Flow, names};
use serde_json::{Value, json};

fn describe(flow: &Flow, name: &str) -> Value {
    flow.hcloud.json(&["floating-ip", "describe", name])
}

fn create(flow: &Flow, name: &str, kind: &str, more: &[&str]) {
    flow.hcloud.ok(&[&["floating-ip", "create", "--name", name, "--type", kind], more].concat());
}

#[test]
fn floating_ip_life() {
    let Some(mut flow) = Flow::start("floating_ip_life") else { return };
    create(&flow, "front", "ipv4", &["--home-location", "hel1", "--description", "web"]);
    create(&flow, "wide", "ipv6", &["--home-location", "hel1"]);
    flow.hcloud.ok(&["floating-ip", "add-label", "front", "a=b"]);
    let front = describe(&flow, "front");
    assert_eq!(
        (&front["type"], &front["description"], &front["home_location"]["name"]),
        (&json!("ipv4"), &json!("web"), &json!("hel1"))
    );
    assert_eq!((&front["labels"], &front["blocked"]), (&json!({"a": "b"}), &json!(false)));
    let taken = ["floating-ip", "create", "--name", "front", "--type", "ipv4", "--home-location", "hel1"];
    flow.hcloud.refused(&taken, "uniqueness_error");
    let nowhere = ["floating-ip", "create", "--type", "ipv4", "--home-location", "mars"];
    assert!(flow.hcloud.fail(&nowhere).contains("invalid input in fields 'server', 'home_location' (invalid_input"));

    let address = front["ip"].as_str().unwrap();
    assert!(flow.hcloud.ok(&["floating-ip", "describe", "front"]).contains(".clients.your-server.de"));
    flow.hcloud.ok(&["floating-ip", "set-rdns", "front", "--ip", address, "--hostname", "front.example.com"]);
    assert_eq!(describe(&flow, "front")["dns_ptr"], json!([{"ip": address, "dns_ptr": "front.example.com"}]));
    assert!(flow.hcloud.ok(&["floating-ip", "describe", "wide"]).contains("No reverse DNS entries"));
    let network = describe(&flow, "wide")["ip"].as_str().unwrap().replace("/64", "");
    for (end, name) in [("1", "one.example.com"), ("2", "two.example.com")] {
        let ip = format!("{network}{end}");
        flow.hcloud.ok(&["floating-ip", "set-rdns", "wide", "--ip", &ip, "--hostname", name]);
    }
    let listed = flow.hcloud.ok(&["floating-ip", "list", "-o", "columns=name,dns"]);
    assert!(listed.contains("2 entries"), "{listed}");

    flow.hcloud.ok(&["floating-ip", "update", "front", "--name", "renamed", "--description", "mail"]);
    flow.hcloud.ok(&["floating-ip", "enable-protection", "renamed", "delete"]);
    let refused = flow.hcloud.fail(&["floating-ip", "delete", "renamed"]);
    assert!(refused.contains("Floating IP deletion is protected (protected"), "{refused}");
    let before = describe(&flow, "renamed");
    flow.restart();
    assert_eq!(describe(&flow, "renamed"), before);
    flow.hcloud.ok(&["floating-ip", "disable-protection", "renamed", "delete"]);
    assert_eq!(names(&flow.hcloud.json(&["floating-ip", "list", "--selector", "a=b"])), ["renamed"]);
    flow.hcloud.ok(&["floating-ip", "delete", "renamed"]);
    flow.hcloud.ok(&["floating-ip", "delete", "wide"]);
    assert!(flow.hcloud.fail(&["floating-ip", "describe", "wide"]).contains("not found"));
    flow.ends_empty();
}

#[test]
fn floating_ips_and_servers() {
    let Some(flow) = Flow::start("floating_ips_and_servers") else { return };
    flow.create("web", &["--location", "fsn1"]);
    flow.create("spare", &["--location", "hel1"]);
    create(&flow, "moves", "ipv4", &["--server", "web"]);
    let holder = || describe(&flow, "moves")["server"].clone();
    let shown = |name: &str| flow.describe(name)["public_net"]["floating_ips"].clone();
    let (web, spare, id) = (
        flow.describe("web")["id"].clone(),
        flow.describe("spare")["id"].clone(),
        describe(&flow, "moves")["id"].clone(),
    );
    assert_eq!((holder(), shown("web")), (web, json!([id])));
    flow.hcloud.refused(&["floating-ip", "assign", "moves", "web"], "floating_ip_assigned");
    flow.hcloud.refused(&["floating-ip", "delete", "moves"], "must_be_unassigned");
    // To another server at once, both of them running.
    flow.hcloud.ok(&["floating-ip", "assign", "moves", "spare"]);
    assert_eq!((holder(), shown("web"), shown("spare")), (spare, Value::Array(Vec::new()), json!([id])));
    flow.hcloud.ok(&["floating-ip", "unassign", "moves"]);
    flow.hcloud.ok(&["floating-ip", "unassign", "moves"]);
    assert_eq!(holder(), Value::Null);
    flow.hcloud.ok(&["floating-ip", "assign", "moves", "web"]);
    flow.delete("web");
    assert_eq!(holder(), Value::Null, "it outlives its server");
    flow.hcloud.ok(&["floating-ip", "delete", "moves"]);
    flow.delete("spare");
    flow.ends_empty();
}
