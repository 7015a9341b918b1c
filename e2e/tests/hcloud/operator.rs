//! What an operator does to a client: sells out, ends, blocks, adds, breaks. The refusals are the API's own, and so are their codes.

use e2e::api::{IMAGE, SERVER_TYPE};
use e2e::flow::{Flow, ids, names};
use serde_json::{Value, json};

/// Runs a command of the operator.
fn operate(flow: &Flow, command: &[&str], args: &[&str]) {
    flow.installation.run(command, args);
}

/// `hcloud server create` of the usual type and image.
fn create<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["server", "create", "--name", name, "--type", SERVER_TYPE, "--image", IMAGE], more].concat()
}

#[test]
fn stock() {
    let Some(flow) = Flow::start("stock") else { return };
    let at = ["--location", "nbg1"];
    operate(&flow, &["catalogue", "stock"], &[SERVER_TYPE, "nbg1", "--left", "1"]);
    flow.hcloud.ok(&create("last", &at));
    flow.hcloud.refused(&create("late", &at), "resource_unavailable");
    let offered = || flow.hcloud.json(&["datacenter", "describe", "nbg1-dc3"])["server_types"]["available"].clone();
    let id = flow.describe("last")["server_type"]["id"].clone();
    assert!(!offered().as_array().unwrap().contains(&id));
    // Elsewhere there are more, and what goes is to be had again.
    flow.create("elsewhere", &["--location", "hel1"]);
    flow.delete("last");
    assert!(offered().as_array().unwrap().contains(&id));
    flow.hcloud.ok(&create("late", &at));
    flow.delete("late");
    flow.delete("elsewhere");
    flow.ends_empty();
}

#[test]
fn ends() {
    let Some(flow) = Flow::start("ends") else { return };
    flow.create("old", &[]);
    operate(&flow, &["catalogue", "deprecate"], &["image", "debian-12"]);
    operate(&flow, &["catalogue", "deprecate"], &["server_type", "cpx32"]);
    // The client warns, and goes on when it is told to.
    let rebuild = ["server", "rebuild", "old", "--image", "debian-12"];
    assert!(flow.hcloud.fail(&rebuild).contains("deprecated"));
    flow.hcloud.ok(&[&rebuild[..], &["--allow-deprecated-image"]].concat());
    let shown = flow.hcloud.json(&["server-type", "describe", "cpx32"]);
    assert!(shown["deprecation"]["unavailable_after"].is_string(), "{shown}");
    operate(&flow, &["clock", "advance"], &["91d"]);
    assert!(flow.hcloud.fail(&rebuild).contains("not found"));
    assert!(!names(&flow.hcloud.json(&["server-type", "list"])).contains(&"cpx32"));
    let by_id = shown["id"].to_string();
    flow.hcloud.ok(&["server", "poweroff", "old"]);
    flow.hcloud.refused(&["server", "change-type", "old", &by_id], "invalid_server_type");
    assert_eq!(flow.describe("old")["image"]["name"], "debian-12", "who has it keeps it");
    flow.delete("old");
    flow.ends_empty();
}

#[test]
fn private_isos() {
    let Some(flow) = Flow::start("private_isos") else { return };
    flow.create("boots", &[]);
    operate(&flow, &["iso", "add"], &["Our own installer", "--project", "default"]);
    let list = || flow.hcloud.json(&["iso", "list", "--type", "private"]);
    let isos = list();
    let [id] = ids(&isos)[..] else { panic!("{isos}") };
    assert_eq!((&isos[0]["description"], &isos[0]["architecture"]), (&json!("Our own installer"), &Value::Null));
    let id = id.to_string();
    flow.hcloud.ok(&["server", "attach-iso", "boots", &id]);
    operate(&flow, &["iso", "remove"], &[&id]);
    assert_eq!(list(), json!([]));
    assert_eq!(flow.describe("boots")["iso"]["id"].to_string(), id, "it stays in the drive");
    flow.hcloud.ok(&["server", "detach-iso", "boots"]);
    flow.hcloud.refused(&["server", "attach-iso", "boots", &id], "resource_unavailable");
    flow.delete("boots");
    flow.ends_empty();
}

#[test]
fn blocked_addresses() {
    let Some(flow) = Flow::start("blocked_addresses") else { return };
    flow.create("spam", &[]);
    let blocked = || flow.describe("spam")["public_net"]["ipv4"]["blocked"] == true;
    let id = flow.describe("spam")["public_net"]["ipv4"]["id"].to_string();
    operate(&flow, &["address", "block"], &[&id]);
    assert!(blocked() && flow.hcloud.json(&["primary-ip", "describe", &id])["blocked"] == true);
    operate(&flow, &["address", "unblock"], &[&id]);
    assert!(!blocked());
    flow.hcloud.ok(&["floating-ip", "create", "--name", "moves", "--type", "ipv4", "--server", "spam"]);
    let floating = || flow.hcloud.json(&["floating-ip", "describe", "moves"]);
    let id = floating()["id"].to_string();
    operate(&flow, &["address", "block"], &[&id, "--floating"]);
    assert!(floating()["blocked"] == true && !blocked());
    operate(&flow, &["address", "unblock"], &[&id, "--floating"]);
    assert_eq!(floating()["blocked"], false);
    flow.delete("spam");
    flow.hcloud.ok(&["floating-ip", "delete", "moves"]);
    flow.ends_empty();
}

#[test]
fn faults() {
    let Some(flow) = Flow::start("faults") else { return };
    operate(&flow, &["fault", "add"], &["maintenance", "--operation", "create_server", "--message", "back at noon"]);
    assert!(flow.hcloud.fail(&create("web", &[])).contains("back at noon (maintenance"));
    operate(&flow, &["fault", "clear"], &[]);
    flow.create("web", &[]);
    // A conflict passes: the client tries again by itself.
    operate(&flow, &["fault", "add"], &["conflict", "--operation", "server_poweroff", "--calls", "1"]);
    flow.hcloud.ok(&["server", "poweroff", "web"]);
    assert_eq!(flow.describe("web")["status"], "off");
    flow.delete("web");
    flow.ends_empty();
}

#[test]
fn crowded_hosts() {
    let Some(flow) = Flow::start("crowded_hosts") else { return };
    operate(&flow, &["sim", "hosts", "set"], &["1"]);
    flow.hcloud.ok(&["placement-group", "create", "--name", "apart", "--type", "spread"]);
    flow.create("first", &["--placement-group", "apart"]);
    flow.hcloud.refused(&create("second", &["--placement-group", "apart"]), "placement_error");
    assert_eq!(names(&flow.hcloud.json(&["server", "list"])), ["first"]);
    flow.delete("first");
    flow.hcloud.ok(&["placement-group", "delete", "apart"]);
    flow.ends_empty();
}
