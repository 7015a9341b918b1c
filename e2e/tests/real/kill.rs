//! `kill -9` in the middle of the work: whatever was under way ends, and nothing is left.

use crate::stage::Stage;
use e2e::wait::wait_for;
use serde_json::{Value, json};
use std::time::Duration;

/// After so many milliseconds the server is killed: before, in the middle of and after the making of a disk or a start.
const MOMENTS_MS: [u64; 4] = [0, 60, 250, 800];

#[test]
fn a_create_that_is_killed_ends() {
    let Some(mut stage) = Stage::start("a_create_that_is_killed_ends") else { return };
    for (number, moment) in MOMENTS_MS.into_iter().enumerate() {
        let (server_type, image) = if number % 2 == 0 { ("box1", "debian-12") } else { ("vm1", "tiny") };
        let body = json!({
            "name": format!("s{number}"), "server_type": server_type, "image": image, "location": "fsn1",
            "ssh_keys": ["me"],
        });
        let created = posted(&stage, "/servers", &body);
        kill_after(&mut stage, moment);
        let actions = std::iter::once(&created["action"]).chain(created["next_actions"].as_array().unwrap());
        for action in actions {
            assert_eq!(stage.ended(action)["status"], "success", "{}", stage.installation.log());
        }
        let address = created["server"]["public_net"]["ipv4"]["ip"].as_str().unwrap().to_owned();
        stage.reachable(&address);
        assert_eq!(stage.ssh(&address, "hostname"), format!("s{number}"));
    }
    // All of them at once, and nobody waits for the end.
    for number in 0..MOMENTS_MS.len() {
        let path = format!("/servers/{}", stage.id(&format!("s{number}")));
        let (status, answer) = stage.api("DELETE", &path, &Value::Null);
        assert_eq!(status, 200, "{answer}");
    }
    kill_after(&mut stage, MOMENTS_MS[1]);
    wait_deleted(&stage);
    stage.ends_empty();
}

#[test]
fn a_delete_that_is_killed_ends() {
    let Some(mut stage) = Stage::start("a_delete_that_is_killed_ends") else { return };
    for (number, moment) in MOMENTS_MS.into_iter().enumerate() {
        let (server_type, name) = (if number % 2 == 0 { "vm1" } else { "box1" }, format!("s{number}"));
        stage.create(&name, server_type, "tiny", &[]);
        let (status, answer) = stage.api("DELETE", &format!("/servers/{}", stage.id(&name)), &Value::Null);
        assert_eq!(status, 200, "{answer}");
        kill_after(&mut stage, moment);
        assert_eq!(stage.ended(&answer["action"])["status"], "success", "{}", stage.installation.log());
    }
    // One that is still being made can be deleted, and may be killed at that.
    let body = json!({"name": "unborn", "server_type": "box1", "image": "debian-12", "location": "fsn1"});
    let created = posted(&stage, "/servers", &body);
    let (status, answer) = stage.api("DELETE", &format!("/servers/{}", created["server"]["id"]), &Value::Null);
    assert_eq!(status, 200, "{answer}");
    kill_after(&mut stage, MOMENTS_MS[1]);
    assert_eq!(stage.ended(&answer["action"])["status"], "success");
    assert_ne!(stage.ended(&created["action"])["status"], "running");
    wait_deleted(&stage);
    stage.ends_empty();
}

#[test]
fn a_snapshot_that_is_killed_ends() {
    let Some(mut stage) = Stage::start("a_snapshot_that_is_killed_ends") else { return };
    for (name, server_type) in [("vm", "vm1"), ("box", "box1")] {
        let address = stage.create(name, server_type, "tiny", &[]);
        stage.ssh(
            &address,
            "dd if=/dev/urandom of=/root/load bs=1M count=60 2>/dev/null; echo precious >/root/marker; sync",
        );
        for moment in MOMENTS_MS {
            let path = format!("/servers/{}/actions/create_image", stage.id(name));
            let made = posted(&stage, &path, &json!({"type": "snapshot", "description": "killed"}));
            kill_after(&mut stage, moment);
            let action = stage.ended(&made["action"]);
            let image = format!("/images/{}", made["image"]["id"]);
            let (status, answer) = stage.api("GET", &image, &Value::Null);
            if action["status"] == "success" {
                assert_eq!((status, &answer["image"]["status"]), (200, &json!("available")), "{answer}");
                let copy = stage.create("copy", server_type, made["image"]["id"].to_string().as_str(), &[]);
                assert_eq!(stage.ssh(&copy, "cat /root/marker"), "precious");
                stage.delete(&["copy"]);
                assert_eq!(stage.api("DELETE", &image, &Value::Null).0, 204);
            } else {
                assert_eq!(status, 404, "a snapshot that failed is no image: {answer}");
            }
            assert_eq!(stage.ssh(&address, "cat /root/marker"), "precious", "the server goes on");
        }
        stage.delete(&[name]);
    }
    stage.ends_empty();
}

/// An answer that must be 201.
fn posted(stage: &Stage, path: &str, body: &Value) -> Value {
    let (status, answer) = stage.api("POST", path, body);
    assert_eq!(status, 201, "{path}: {answer}");
    answer
}

/// Kills the server at a moment in the middle of what it does, and starts it again.
fn kill_after(stage: &mut Stage, moment_ms: u64) {
    // Nothing is waited for but the moment.
    let _: Option<()> = wait_for(Duration::from_millis(moment_ms), || None);
    stage.wolke.kill();
    stage.serve_again();
}

fn wait_deleted(stage: &Stage) {
    let gone =
        wait_for(crate::stage::BOOT_LIMIT, || (stage.hcloud.json(&["server", "list"]) == json!([])).then_some(()));
    assert!(gone.is_some(), "servers are left: {}", stage.hcloud.json(&["server", "list"]));
}
