//! An outside opinion: schemathesis reads the document that the server serves and sends what it allows and what it does not.
//! No failure of the server, no status, content type or body that the document does not promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::api::{create_server, expect};
use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use e2e::wait::wait_for;
use serde_json::json;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// At least so many requests arrive.
const REQUESTS: u64 = 2000;
/// The tool's requests of chance for each operation; those at the limits of the schemas are as many as there are limits.
const BY_OPERATION: usize = 4;
/// How long the tool may take; usually it is a minute.
const TIME_MAX: Duration = Duration::from_secs(300);
/// What is checked of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// A few things to be found.
fn populate(server: &Wolke, token: &str) {
    let mut client = server.client(token);
    create_server(&mut client, "first");
    expect(client.post("/v1/networks", &json!({"name": "n", "ip_range": "10.0.0.0/8"})), 201);
    expect(client.post("/v1/volumes", &json!({"name": "v", "size": 10, "location": "fsn1"})), 201);
    expect(client.post("/v1/firewalls", &json!({"name": "f"})), 201);
}

/// Requests that were answered so far, by the server's own count.
fn answered(server: &Wolke) -> u64 {
    let text = String::from_utf8(server.client("").get("/metrics").unwrap().body).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("wolke_http_requests_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn tool(modules: &Path, folder: &Path, server: &Wolke, token: &str) -> Command {
    let mut tool = Command::new("python3");
    tool.args(["-S", "-B", "-m", "schemathesis.cli", "--no-color", "run"]);
    tool.arg(format!("{}/openapi.json", server.endpoint()));
    // The same requests every time: the tool then takes no seed.
    tool.args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--generation-deterministic", "--no-shrink"]);
    tool.args(["--max-examples", &BY_OPERATION.to_string()]);
    tool.args(["--suppress-health-check", "all", "--continue-on-failure", "--warnings", "off"]);
    tool.args(["-H", &format!("Authorization: Bearer {token}")]);
    // One worker: threads of Python 3.11 that parse at the same time break each other (`AST constructor recursion depth mismatch`).
    tool.args(["--workers", "1"]);
    // Nothing but Python itself and the modules that were unpacked; what it leaves behind stays in the test's folder.
    tool.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("PYTHONPATH", modules);
    tool.env("HOME", folder).current_dir(folder).stdin(Stdio::null());
    tool
}

#[test]
fn what_the_document_promises_is_what_is_answered() {
    let test = "what_the_document_promises_is_what_is_answered";
    let Some(modules) = prerequisite::schemathesis(test) else { return };
    let installation = Installation::embedded();
    let server = installation.serve(&[]);
    let token = installation.token();
    populate(&server, &token);
    let folder = installation.data();
    let said = folder.join("schemathesis.log");
    let output = File::create(&said).unwrap();
    let mut tool = tool(&modules, &folder, &server, &token);
    let mut tool = tool.stdout(output.try_clone().unwrap()).stderr(output).spawn().expect("Python starts");
    let ended = wait_for(TIME_MAX, || tool.try_wait().unwrap());
    if ended.is_none() {
        let _ = tool.kill();
        let _ = tool.wait();
    }
    let said = std::fs::read_to_string(&said).unwrap();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{said}\n{}", installation.log());
    let sent = answered(&server);
    assert!(sent >= REQUESTS, "{sent} requests\n{said}");
}
