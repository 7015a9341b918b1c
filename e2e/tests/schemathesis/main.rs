//! An outside opinion: schemathesis reads the document that the server serves and sends what it allows and what it does not.
//! No failure of the server, no status, content type or body that the document does not promise, and nothing wrong is granted.
//!
//! The tool does not know what there is. So a project gets one of everything first, and the document that the tool reads gets
//! the ids, and bodies that can succeed: what the tool asks is about something, and much of it is done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "it says what it did")]

mod document;
mod things;

use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use e2e::wait::wait_for;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use things::Things;

/// At least so many requests arrive.
const REQUESTS: u64 = 2000;
/// The tool's requests of chance for each operation; those at the limits of the schemas are as many as there are limits.
const BY_OPERATION: usize = 1;
/// How long the tool may take; usually it is a minute.
const TIME_MAX: Duration = Duration::from_secs(570);
/// What is checked of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
negative_data_rejection";
/// What is accepted of the tool's complaints, with the reasons.
const SETTINGS: &str = include_str!("../../schemathesis/schemathesis.toml");
/// Of the requests about the resources of a kind, so many of a hundred are done.
const DONE_PERCENT: u64 = 10;
/// Operations of which none needs to be done, and why. The list only shrinks.
const NEVER_DONE: &[(&str, &str)] = &[
    ("get_storage_box_snapshot", "by then the snapshot that was to be kept is gone"),
    ("primary_ip_unassign", "the tool does not assign it to the server that is off before"),
    ("update_storage_box_snapshot", "by then the snapshot that was to be kept is gone"),
    ("zone_change_primary_nameservers", "chance does not hit the public addresses that nameservers have"),
];

/// Requests by operation and status, by the server's own count.
fn answered(server: &Wolke) -> BTreeMap<(String, u16), u64> {
    let text = String::from_utf8(server.client("").get("/metrics").unwrap().body).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("wolke_http_requests_total"));
    let read = |line: &str| {
        let label = |name: &str| line.split(&format!("{name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
        Some(((label("operation")?, label("status")?.parse().ok()?), line.rsplit(' ').next()?.parse().ok()?))
    };
    lines.filter_map(read).collect()
}

/// The server's document, told what there is.
fn told(server: &Wolke, token: &str, folder: &Path) -> Value {
    let mut client = server.client(token);
    let things = Things::make(&mut client);
    let mut document = client.get("/v1/openapi.json").unwrap().json();
    document::tell(&mut document, &things);
    std::fs::write(folder.join("openapi.json"), document.to_string()).unwrap();
    std::fs::write(folder.join("schemathesis.toml"), SETTINGS).unwrap();
    document
}

fn tool(modules: &Path, folder: &Path, server: &Wolke, token: &str) -> Command {
    let mut tool = Command::new("python3");
    tool.args(["-S", "-B", "-m", "schemathesis.cli", "--no-color", "run", "openapi.json", "--url", &server.endpoint()]);
    // The same requests every time: the tool then takes no seed.
    tool.args([
        "--checks",
        CHECKS,
        "--phases",
        "examples,coverage,fuzzing",
        "--generation-deterministic",
        "--no-shrink",
    ]);
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
    let folder = installation.data();
    let document = told(&server, &token, &folder);
    let before = answered(&server);
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
    let mut after = answered(&server);
    before.iter().for_each(|(key, count)| *after.entry(key.clone()).or_default() -= count);
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{said}\n{}", installation.log());
    let never = reached(&document, &after);
    let sent: u64 = after.values().sum();
    assert!(sent >= REQUESTS, "{sent} requests\n{said}");
    let excused = |id: &&String| NEVER_DONE.iter().any(|(known, _)| known == id);
    let missing: Vec<&String> = never.iter().filter(|id| !excused(id)).collect();
    assert!(missing.is_empty(), "never done: {missing:?}");
}

/// Says how much was done of each kind, which must be enough of each; gives the operations of which none was done.
fn reached(document: &Value, counts: &BTreeMap<(String, u16), u64>) -> Vec<String> {
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut never = Vec::new();
    let paths = document["paths"].as_object().unwrap().values();
    for operation in paths.filter_map(Value::as_object).flat_map(|item| item.values()) {
        let id = operation["operationId"].as_str().unwrap();
        let of = |done: bool| {
            let mine = counts.iter().filter(|((known, status), _)| known == id && (!done || *status < 300));
            mine.map(|(_, count)| count).sum::<u64>()
        };
        let sums = kinds.entry(operation["tags"][0].as_str().unwrap()).or_default();
        *sums = (sums.0 + of(true), sums.1 + of(false));
        if of(true) == 0 {
            never.push(id.to_owned());
        }
    }
    println!("done, of requests: {kinds:#?}\nnever done: {never:?}");
    for (kind, (done, all)) in kinds {
        assert!(done * 100 >= all * DONE_PERCENT, "{kind}: only {done} of {all} requests were done");
    }
    never
}
