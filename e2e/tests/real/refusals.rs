//! What a real location cannot do yet is refused, named, and changes nothing; a simulated one beside it can.

use crate::stage::Stage;
use serde_json::{Value, json};

#[test]
fn what_a_real_location_cannot_do_is_refused() {
    let Some(stage) = Stage::start("what_a_real_location_cannot_do_is_refused") else { return };
    let address = stage.create("box", "box1", "tiny", &[]);
    let id = stage.id("box");
    let before = stage.describe("box");
    let (_, isos) = stage.api("GET", "/isos?architecture=x86", &Value::Null);
    let refused = |path: &str, body: &Value, code: &str, names: &str| {
        let (status, answer) = stage.api("POST", path, body);
        let error = &answer["error"];
        let expected = match code {
            "unsupported_error" => 422,
            "resource_unavailable" => 412,
            _ => status,
        };
        let message = error["message"].as_str().unwrap_or_default();
        assert_eq!((status, error["code"].as_str()), (expected, Some(code)), "{path}: {answer}");
        assert!(message.contains(names), "{path} does not name {names:?}: {message}");
    };
    let action = |name: &str| format!("/servers/{id}/actions/{name}");
    refused(&action("enable_rescue"), &json!({}), "unsupported_error", "rescue");
    refused(&action("attach_iso"), &json!({"iso": isos["isos"][0]["name"]}), "unsupported_error", "ISO");
    refused(&action("request_console"), &json!({}), "unsupported_error", "console");
    refused(&action("rebuild"), &json!({"image": "ubuntu-24.04"}), "unsupported_error", "ubuntu-24.04");
    let server = |name: &str, server_type: &str, image: &str| json!({"name": name, "server_type": server_type, "image": image, "location": "fsn1"});
    refused("/servers", &server("a", "box1", "ubuntu-24.04"), "unsupported_error", "ubuntu-24.04");
    refused("/servers", &server("b", "huge", "tiny"), "resource_unavailable", "huge");
    refused("/servers", &server("c", "cax11", "debian-12"), "resource_unavailable", "cax11");
    assert_eq!(stage.describe("box"), before, "a refusal changes nothing");
    let names = stage.hcloud.json(&["server", "list"]);
    assert_eq!(names.as_array().unwrap().len(), 1, "{names}");
    // A container does not become a virtual machine.
    stage.hcloud.ok(&["server", "poweroff", "box"]);
    refused(&action("change_type"), &json!({"server_type": "vm2", "upgrade_disk": false}), "unsupported_error", "vm2");
    refused(
        &action("change_type"),
        &json!({"server_type": "huge", "upgrade_disk": false}),
        "resource_unavailable",
        "huge",
    );
    stage.hcloud.ok(&["server", "poweron", "box"]);
    stage.reachable(&address);

    // The location next door is simulated, behind the same token.
    let elsewhere = ["server", "create", "--name", "sim", "--type", "cx23", "--image", "ubuntu-24.04"];
    stage.hcloud.ok(&[&elsewhere[..], &["--location", "nbg1"]].concat());
    stage.hcloud.ok(&["server", "enable-rescue", "sim", "--type", "linux64"]);
    assert_eq!(stage.describe("sim")["rescue_enabled"], true);
    stage.delete(&["box", "sim"]);
    stage.ends_empty();
}
