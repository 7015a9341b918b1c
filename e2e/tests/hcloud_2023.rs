//! Flows with the command line client of 2023 (Debian bookworm's 1.30) in the dialect of its time. What it decodes and shows is
//! what that dialect's answers hold; what has gone since then still works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::flow::{Flow, ids, names};
use serde_json::{Value, json};

#[test]
fn catalogue_2023() {
    let Some(flow) = Flow::of_2023("catalogue_2023") else { return };
    let list = |noun: &str| flow.hcloud.json(&[noun, "list"]);
    assert_eq!(names(&list("location")), ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"]);
    assert!(names(&list("datacenter")).contains(&"hel1-dc2"));
    assert_eq!(names(&list("load-balancer-type")), ["lb11", "lb21", "lb31"]);
    let types = list("server-type");
    assert!(names(&types).contains(&"cpx22") && !names(&types).contains(&"cx11"), "{types}");
    assert!(names(&list("image")).contains(&"debian-12"));
    let isos = list("iso");
    let id = ids(&isos)[0].to_string();
    let iso = flow.hcloud.json(&["iso", "describe", &id]);
    assert_eq!((&iso["name"], &iso["type"], &iso["deprecated"]), (&isos[0]["name"], &json!("public"), &Value::Null));
    for (noun, name) in
        [("location", "fsn1"), ("datacenter", "fsn1-dc14"), ("server-type", "cpx22"), ("image", "debian-12")]
    {
        assert!(flow.hcloud.ok(&[noun, "describe", name]).contains(name), "{noun}");
        assert!(flow.hcloud.fail(&[noun, "describe", "nowhere"]).contains("not found"), "{noun}");
    }
    flow.ends_empty();
}

#[test]
fn servers_2023() {
    let Some(flow) = Flow::of_2023("servers_2023") else { return };
    flow.create("web", &["--datacenter", "hel1-dc2", "--label", "a=b"]);
    let server = flow.describe("web");
    assert_eq!((&server["status"], &server["datacenter"]["name"]), (&json!("running"), &json!("hel1-dc2")));
    assert_eq!(server.get("location"), None, "not in the documents of 2023");
    let shown = flow.hcloud.ok(&["server", "describe", "web"]);
    assert!(shown.contains("hel1-dc2") && shown.contains("Image:") && shown.contains("20 TiB"), "{shown}");
    for (command, status) in [("poweroff", "off"), ("poweron", "running"), ("reset", "running"), ("shutdown", "off")] {
        flow.hcloud.ok(&["server", command, "web"]);
        assert_eq!(flow.describe("web")["status"], status, "after {command}");
    }
    flow.hcloud.ok(&["server", "change-type", "web", "cpx32"]);
    let server = flow.describe("web");
    assert_eq!((&server["primary_disk_size"], &server["status"]), (&json!(160), &json!("running")));
    flow.hcloud.refused(&["server", "change-type", "web", "cpx42"], "server_not_stopped");
    flow.hcloud.ok(&["server", "rebuild", "web", "--image", "debian-12"]);
    assert_eq!(flow.describe("web")["image"]["name"], "debian-12");
    flow.hcloud.ok(&["server", "set-rdns", "web", "--hostname", "web.example.com"]);
    assert_eq!(flow.describe("web")["public_net"]["ipv4"]["dns_ptr"], "web.example.com");
    flow.hcloud.ok(&["server", "reset-password", "web"]);
    assert!(flow.hcloud.ok(&["server", "request-console", "web"]).contains("Password"));
    // It was made just now: there are no samples yet, or some to draw.
    let metrics = flow.hcloud.ok(&["server", "metrics", "web", "--type", "cpu"]);
    assert!(metrics.contains("metrics available") || metrics.contains("Metric: cpu"), "{metrics}");
    let id = ids(&flow.hcloud.json(&["iso", "list"]))[0].to_string();
    flow.hcloud.ok(&["server", "attach-iso", "web", &id]);
    assert_eq!(flow.describe("web")["iso"]["id"].to_string(), id);
    flow.hcloud.ok(&["server", "detach-iso", "web"]);
    flow.hcloud.ok(&["server", "enable-protection", "web", "delete", "rebuild"]);
    flow.hcloud.refused(&["server", "delete", "web"], "protected");
    flow.hcloud.ok(&["server", "disable-protection", "web", "delete", "rebuild"]);
    flow.delete("web");
    flow.ends_empty();
}

#[test]
fn rescue_2023() {
    let Some(flow) = Flow::of_2023("rescue_2023") else { return };
    flow.create("broken", &[]);
    // Two systems were to be had, and a second request was no error any more.
    for kind in ["linux32", "linux64"] {
        let said = flow.hcloud.ok(&["server", "enable-rescue", "broken", "--type", kind]);
        assert!(said.contains("root password"), "{said}");
    }
    flow.hcloud.refused(&["server", "enable-rescue", "broken", "--type", "freebsd64"], "invalid_input");
    assert_eq!(flow.describe("broken")["rescue_enabled"], true);
    flow.hcloud.ok(&["server", "disable-rescue", "broken"]);
    assert_eq!(flow.describe("broken")["rescue_enabled"], false);
    flow.delete("broken");
    flow.ends_empty();
}

#[test]
fn images_2023() {
    let Some(flow) = Flow::of_2023("images_2023") else { return };
    flow.create("source", &[]);
    flow.hcloud.ok(&["server", "enable-backup", "source"]);
    assert!(!flow.describe("source")["backup_window"].as_str().unwrap().is_empty());
    for kind in ["snapshot", "backup"] {
        flow.hcloud.ok(&["server", "create-image", "source", "--type", kind, "--description", kind]);
    }
    let images = |kind: &str| flow.hcloud.json(&["image", "list", "--type", kind]);
    let (snapshot, backup) = (images("snapshot")[0].clone(), images("backup")[0].clone());
    assert_eq!((&snapshot["status"], &snapshot["description"]), (&json!("available"), &json!("snapshot")));
    assert_eq!(backup["bound_to"], flow.describe("source")["id"]);
    flow.hcloud.ok(&["image", "update", &backup["id"].to_string(), "--type", "snapshot"]);
    flow.hcloud.ok(&["server", "create-image", "source", "--type", "backup"]);
    flow.hcloud.ok(&["server", "disable-backup", "source"]);
    assert_eq!(images("backup"), json!([]));
    flow.delete("source");
    let left = ids(&images("snapshot"));
    assert_eq!(left.len(), 2);
    for id in left {
        flow.hcloud.ok(&["image", "delete", &id.to_string()]);
    }
    flow.ends_empty();
}

#[test]
fn groups_and_addresses_2023() {
    let Some(flow) = Flow::of_2023("groups_and_addresses_2023") else { return };
    flow.hcloud.ok(&["placement-group", "create", "--name", "apart", "--type", "spread"]);
    flow.hcloud.ok(&["primary-ip", "create", "--name", "front", "--type", "ipv4", "--datacenter", "fsn1-dc14"]);
    let front = || flow.hcloud.json(&["primary-ip", "describe", "front"]);
    assert_eq!(front()["datacenter"]["name"], "fsn1-dc14");
    let more = ["--datacenter", "fsn1-dc14", "--primary-ipv4", "front", "--placement-group", "apart"];
    flow.create("web", &more);
    assert_eq!(flow.describe("web")["public_net"]["ipv4"]["ip"], front()["ip"]);
    assert_eq!(flow.describe("web")["placement_group"]["name"], "apart");
    flow.hcloud.ok(&["server", "remove-from-placement-group", "web"]);
    flow.hcloud.ok(&["placement-group", "delete", "apart"]);
    // Until 2026 an assigned address could be deleted, as soon as its server was off.
    flow.hcloud.refused(&["primary-ip", "delete", "front"], "server_not_stopped");
    flow.hcloud.ok(&["server", "poweroff", "web"]);
    flow.hcloud.ok(&["primary-ip", "delete", "front"]);
    assert!(matches!(flow.describe("web")["public_net"]["ipv4"]["ip"].as_str(), None | Some("")));
    flow.delete("web");
    assert_eq!(flow.hcloud.json(&["primary-ip", "list"]), Value::Array(Vec::new()));
    flow.ends_empty();
}
