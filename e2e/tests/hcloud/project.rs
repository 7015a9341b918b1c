//! What holds for every resource: wrong input, tokens and projects, pages, and what is still there after a restart.

use e2e::api::{IMAGE, SERVER_TYPE, create_server, delete_server, expect, server_body};
use e2e::flow::{Flow, ids};
use serde_json::json;

/// Servers for the paging flow: more than one page of any client.
const MANY: usize = 60;

#[test]
fn wrong_input() {
    let Some(flow) = Flow::start("wrong_input") else { return };
    let create = |name: &str, kind: &str, image: &str| {
        let args = ["server", "create", "--name", name, "--type", kind, "--image", image];
        args.map(str::to_owned)
    };
    // The client looks types and images up itself, so these two never reach the create call.
    for args in [create("x", "nope", IMAGE), create("x", SERVER_TYPE, "nope")] {
        let said = flow.hcloud.fail(&args.each_ref().map(String::as_str)).to_lowercase();
        assert!(said.contains("not found"), "{said}");
    }
    let args = create("not a name!", SERVER_TYPE, IMAGE);
    flow.hcloud.refused(&args.each_ref().map(String::as_str), "invalid_input");
    flow.create("taken", &[]);
    let args = create("taken", SERVER_TYPE, IMAGE);
    flow.hcloud.refused(&args.each_ref().map(String::as_str), "uniqueness_error");
    flow.hcloud.ok(&["server", "delete", "taken"]);
    raw_wrong_input(&flow);
    flow.ends_empty();
}

/// The same without a client in between: status, code, message, correlation id.
fn raw_wrong_input(flow: &Flow) {
    let mut client = flow.server.client(&flow.token);
    let body = |key: &str, value: &str| {
        let mut body = server_body("x");
        body[key] = json!(value);
        body
    };
    let cases = [
        (body("server_type", "nope"), &["invalid_input", "not_found"][..]),
        (body("image", "nope"), &["invalid_input", "not_found"]),
        (body("name", "not a name!"), &["invalid_input"]),
        (json!({}), &["invalid_input"]),
    ];
    for (body, codes) in cases {
        let answer = client.post("/v1/servers", &body).unwrap();
        assert!(codes.contains(&answer.code().as_str()), "{body}: {}", String::from_utf8_lossy(&answer.body));
        assert!(!answer.json()["error"]["message"].as_str().unwrap().is_empty());
        let id = answer.header("x-correlation-id").unwrap();
        assert!(!id.is_empty() && id.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)), "{id}");
    }
    let answer = client.send("POST", "/v1/servers", Some(b"{")).unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (400, "json_error"));
    let missing = expect(client.post("/v1/servers", &json!({})), 422);
    let fields = missing["error"]["details"]["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().filter_map(|field| field["name"].as_str()).collect();
    assert!(names.contains(&"name") && names.contains(&"server_type"), "every field at once: {names:?}");
}

#[test]
fn read_only_token() {
    let Some(flow) = Flow::start("read_only_token") else { return };
    flow.create("seen", &[]);
    let token =
        flow.installation.run(&["token", "create"], &["--project", "default", "--read-only", "--name", "reader"]);
    let reader = flow.hcloud.with_token(token.trim());
    assert!(reader.ok(&["server", "list"]).contains("seen"));
    reader.refused(&["server", "delete", "seen"], "token_readonly");
    reader.refused(&["server", "poweroff", "seen"], "token_readonly");
    flow.hcloud.with_token(&"x".repeat(64)).refused(&["server", "list"], "unauthorized");
    assert_eq!(flow.describe("seen")["status"], "running");
    flow.hcloud.ok(&["server", "delete", "seen"]);
    flow.ends_empty();
}

#[test]
fn projects_do_not_see_each_other() {
    let Some(flow) = Flow::start("projects_do_not_see_each_other") else { return };
    flow.installation.run(&["project", "create"], &["other"]);
    let token = flow.installation.run(&["token", "create"], &["--project", "other", "--name", "t"]);
    let other = flow.hcloud.with_token(token.trim());
    flow.create("mine", &[]);
    let id = flow.describe("mine")["id"].to_string();
    assert!(other.fail(&["server", "describe", &id]).contains("not found"));
    assert_eq!(other.json(&["server", "list"]), json!([]));
    flow.hcloud.ok(&["server", "delete", "mine"]);
    flow.ends_empty();
}

#[test]
fn paging() {
    let Some(flow) = Flow::start("paging") else { return };
    let mut client = flow.server.client(&flow.token);
    let made: Vec<u64> = (0..MANY).map(|n| create_server(&mut client, &format!("s{n:02}"))).collect();

    let listed = flow.hcloud.json(&["server", "list"]);
    assert_eq!(ids(&listed), made, "the client walks every page, in order of id");

    let second = expect(client.get("/v1/servers?page=2&per_page=25&sort=name:desc"), 200);
    let names: Vec<&str> =
        second["servers"].as_array().unwrap().iter().filter_map(|server| server["name"].as_str()).collect();
    assert_eq!((names.len(), names[0], names[24]), (25, "s34", "s10"));
    let expected =
        json!({"page": 2, "per_page": 25, "previous_page": 1, "next_page": 3, "last_page": 3, "total_entries": MANY});
    assert_eq!(second["meta"]["pagination"], expected);

    for id in made {
        delete_server(&mut client, id);
    }
    flow.ends_empty();
}

#[test]
fn acknowledged_before_a_restart_and_there_after_it() {
    let Some(mut flow) = Flow::start("acknowledged_before_a_restart_and_there_after_it") else { return };
    flow.create("stays", &["--label", "a=b"]);
    let before = flow.describe("stays");
    flow.restart();
    assert_eq!(flow.describe("stays"), before);
    flow.hcloud.ok(&["server", "delete", "stays"]);
    flow.ends_empty();
}
