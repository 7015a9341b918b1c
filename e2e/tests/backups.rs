//! The rehearsal of `docs/rehearsing-backups.md`: days pass, backups rotate, one is restored, one outlives the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::api::{delete_server, list_all};
use e2e::flow::{Flow, ids};
use serde_json::{Value, json};

/// How many backups a server keeps.
const KEPT: usize = 7;

fn advance(flow: &Flow, duration: &str) -> Value {
    let said = flow.installation.run(&["clock", "advance"], &[duration, "--output", "json"]);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error} in {said:?}"))
}

fn backups(flow: &Flow) -> Value {
    flow.hcloud.json(&["image", "list", "-t", "backup"])
}

/// The days on which images were made.
fn days(images: &Value) -> Vec<&str> {
    images.as_array().unwrap().iter().map(|image| &image["created"].as_str().unwrap()[..10]).collect()
}

#[test]
fn a_rotation_is_rehearsed() {
    let Some(flow) = Flow::start("a_rotation_is_rehearsed") else { return };
    flow.create("db", &[]);
    assert_eq!(flow.describe("db")["backup_window"], Value::Null);
    flow.hcloud.ok(&["server", "enable-backup", "db"]);
    let window = flow.describe("db")["backup_window"].clone();
    let jumped = advance(&flow, "8d");
    assert!(jumped["stops"].as_u64().unwrap() >= 9 && jumped["warning"].is_null(), "{jumped}");

    let made = backups(&flow);
    assert_eq!(made.as_array().unwrap().len(), KEPT);
    let mut distinct = days(&made);
    distinct.dedup();
    assert_eq!(distinct.len(), KEPT, "one a day: {distinct:?}");
    let times: Vec<&str> =
        made.as_array().unwrap().iter().map(|image| &image["created"].as_str().unwrap()[11..]).collect();
    assert!(times.iter().all(|time| *time == times[0]), "always at the same time: {times:?}");
    assert_eq!(flow.describe("db")["backup_window"], window);

    let known = ids(&made);
    let (first, last) = (known[0].to_string(), known[KEPT - 1].to_string());
    flow.hcloud.ok(&["server", "rebuild", "db", "--image", &first]);
    assert_eq!(flow.describe("db")["image"]["id"], known[0]);
    assert_eq!(flow.describe("db")["status"], "running");
    flow.hcloud.ok(&["image", "update", &last, "--type", "snapshot"]);
    flow.hcloud.ok(&["server", "disable-backup", "db"]);
    assert_eq!(flow.describe("db")["backup_window"], Value::Null);
    advance(&flow, "3d");
    assert_eq!(backups(&flow), json!([]), "none is left, and none is made any more");
    assert_eq!(ids(&flow.hcloud.json(&["image", "list", "-t", "snapshot"])), [known[KEPT - 1]]);
    flow.hcloud.ok(&["image", "delete", &last]);
    flow.delete("db");
    flow.ends_empty();
}

/// The appointment is in the database: a cloud that was down for days makes one backup when it is back.
#[test]
fn appointments_outlive_the_process() {
    let Some(mut flow) = Flow::start("appointments_outlive_the_process") else { return };
    flow.create("db", &[]);
    flow.hcloud.ok(&["server", "enable-backup", "db"]);
    flow.restart();
    advance(&flow, "2d");
    assert_eq!(backups(&flow).as_array().unwrap().len(), 2);
    // Without a server the command moves the clock by itself, and does what is due on the way.
    assert!(flow.server.terminate().success());
    advance(&flow, "2d");
    flow.server = flow.installation.serve(&[]);
    let mut client = flow.server.client(&flow.token);
    assert_eq!(list_all(&mut client, "/v1/images?type=backup", "images").len(), 4);
    let id = list_all(&mut client, "/v1/servers", "servers")[0]["id"].as_u64().unwrap();
    delete_server(&mut client, id);
    flow.ends_empty();
}
