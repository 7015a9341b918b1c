//! Flows with the official `hcloud` command line client. Each test has a server and a data directory of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::api::{IMAGE, SERVER_TYPE, create_server, delete_server, expect, list_all, server_body};
use e2e::cli::Hcloud;
use e2e::folder::Folder;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use serde_json::{Value, json};

/// A public key made for these tests; nobody holds the private half.
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIECEyYmOjnizBckgGLpuy2w/OBjo9IjyVd1dqWEMx/yC e2e@wolke";
/// Servers for the paging flow: more than one page of any client.
const MANY: usize = 60;

/// One installation with a running server and a client.
struct Flow {
    installation: Installation,
    server: Wolke,
    hcloud: Hcloud,
    token: String,
}

impl Flow {
    /// Starts everything, or says that `test` is skipped.
    fn start(test: &str) -> Option<Self> {
        let program = prerequisite::hcloud(test)?;
        let installation = Installation::embedded();
        let server = installation.serve(&[]);
        let token = installation.token();
        let hcloud = Hcloud::new(program, &server, &token);
        Some(Flow { installation, server, hcloud, token })
    }

    /// Creates a server through the client.
    fn create(&self, name: &str, more: &[&str]) {
        let mut args = vec!["server", "create", "--name", name, "--type", SERVER_TYPE, "--image", IMAGE];
        args.extend(more);
        self.hcloud.ok(&args);
    }

    /// What `hcloud server describe` says.
    fn describe(&self, name: &str) -> Value {
        self.hcloud.json(&["server", "describe", name])
    }

    /// Asserts that nothing is left in the project, then stops the server the clean way.
    fn ends_empty(mut self) {
        let mut client = self.server.client(&self.token);
        for (path, kind) in
            [("/v1/servers", "servers"), ("/v1/ssh_keys", "ssh_keys"), ("/v1/primary_ips", "primary_ips")]
        {
            assert_eq!(list_all(&mut client, path, kind), Vec::<Value>::new(), "{kind} left over");
        }
        let status = self.server.terminate();
        assert!(status.success(), "{status}\n{}", self.installation.log());
    }
}

#[test]
fn ssh_keys() {
    let Some(flow) = Flow::start("ssh_keys") else { return };
    let folder = Folder::new("key");
    let file = folder.path().join("key.pub");
    std::fs::write(&file, PUBLIC_KEY).unwrap();
    let file = file.to_str().unwrap();

    flow.hcloud.ok(&["ssh-key", "create", "--name", "laptop", "--public-key-from-file", file, "--label", "team=a"]);
    let keys = flow.hcloud.json(&["ssh-key", "list"]);
    assert_eq!(keys.as_array().unwrap().len(), 1);
    let key = flow.hcloud.json(&["ssh-key", "describe", "laptop"]);
    assert_eq!(key["labels"], json!({"team": "a"}));
    assert_eq!(key["public_key"], PUBLIC_KEY);
    // MD5, sixteen pairs of hex digits.
    assert_eq!(key["fingerprint"].as_str().unwrap().split(':').count(), 16);

    // Uniqueness is by key, whatever the name says, and by name, whatever the key is.
    flow.hcloud.refused(&["ssh-key", "create", "--name", "other", "--public-key-from-file", file], "uniqueness_error");
    flow.hcloud.refused(&["ssh-key", "create", "--name", "bad", "--public-key", "no key at all"], "invalid_input");

    flow.create("with-key", &["--ssh-key", "laptop"]);
    flow.hcloud.ok(&["server", "delete", "with-key"]);
    flow.hcloud.ok(&["ssh-key", "delete", "laptop"]);
    assert!(flow.hcloud.fail(&["ssh-key", "describe", "laptop"]).contains("not found"));
    flow.ends_empty();
}

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
    let ids: Vec<u64> = (0..MANY).map(|n| create_server(&mut client, &format!("s{n:02}"))).collect();

    let listed = flow.hcloud.json(&["server", "list"]);
    let listed: Vec<u64> = listed.as_array().unwrap().iter().filter_map(|server| server["id"].as_u64()).collect();
    assert_eq!(listed, ids, "the client walks every page, in order of id");

    let second = expect(client.get("/v1/servers?page=2&per_page=25&sort=name:desc"), 200);
    let names: Vec<&str> =
        second["servers"].as_array().unwrap().iter().filter_map(|server| server["name"].as_str()).collect();
    assert_eq!((names.len(), names[0], names[24]), (25, "s34", "s10"));
    let expected =
        json!({"page": 2, "per_page": 25, "previous_page": 1, "next_page": 3, "last_page": 3, "total_entries": MANY});
    assert_eq!(second["meta"]["pagination"], expected);

    for id in ids {
        delete_server(&mut client, id);
    }
    flow.ends_empty();
}

#[test]
fn acknowledged_before_a_restart_and_there_after_it() {
    let Some(mut flow) = Flow::start("acknowledged_before_a_restart_and_there_after_it") else { return };
    flow.create("stays", &["--label", "a=b"]);
    let before = flow.describe("stays");
    assert!(flow.server.terminate().success());
    flow.server = flow.installation.serve(&[]);
    flow.hcloud = Hcloud::new(prerequisite::hcloud("restart").unwrap(), &flow.server, &flow.token);
    assert_eq!(flow.describe("stays"), before);
    flow.hcloud.ok(&["server", "delete", "stays"]);
    flow.ends_empty();
}
