//! The official clients: what creating a server takes beside listing servers, process start and all.

use crate::Bench;
use crate::report::{Row, Target};
use crate::start::median;
use e2e::api::{IMAGE, SERVER_TYPE};
use e2e::cli::Hcloud;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A create may take this many times what a list takes.
const RATIO: f64 = 1.5;

pub fn run(bench: &Bench) -> Vec<Row> {
    let installation = Installation::embedded_in(&bench.data);
    let server = installation.serve(&[]);
    let token = installation.token();
    let rows = [command_line(bench, &server, &token), library(bench, &server, &token)];
    rows.into_iter().flatten().collect()
}

/// `hcloud server create` beside `hcloud server list`.
fn command_line(bench: &Bench, server: &Wolke, token: &str) -> Option<Row> {
    let hcloud = Hcloud::new(prerequisite::hcloud("bench client")?, server, token);
    let create = |name: &str| {
        timed(&mut hcloud.command(&["server", "create", "--name", name, "--type", SERVER_TYPE, "--image", IMAGE]))
    };
    let list = || timed(&mut hcloud.command(&["server", "list"]));
    if hcloud.is_current() {
        return Some(compare(bench, "hcloud server create (floor: list)", create, list));
    }
    // Releases before 2024 wait half a second before their first look at an action, whether it has ended or not: their
    // figure says nothing about the server.
    let row =
        compare(bench, "hcloud server create, Debian's 1.30, which waits 500 ms by itself (floor: list)", create, list);
    Some(row.target(Target::None))
}

/// The same calls by a program around the current Go library.
fn library(bench: &Bench, server: &Wolke, token: &str) -> Option<Row> {
    let program = prerequisite::hcloud_go("bench client")?;
    let command = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).env("HCLOUD_TOKEN", token).env("HCLOUD_ENDPOINT", server.endpoint()).stdin(Stdio::null());
        command
    };
    let create = |name: &str| timed(&mut command(&["create", &format!("go-{name}")]));
    let list = || timed(&mut command(&["list"]));
    Some(compare(bench, "hcloud-go 2.52 create (floor: list)", create, list))
}

/// Runs both in turns and compares their medians.
fn compare(bench: &Bench, name: &str, create: impl Fn(&str) -> f64, list: impl Fn() -> f64) -> Row {
    let (mut creates, mut lists) = (Vec::new(), Vec::new());
    for number in 0..bench.size(21, 7) {
        creates.push(create(&format!("s{number}")));
        lists.push(list());
    }
    let (create, list) = (median(&mut creates), median(&mut lists));
    Row::new(name, create, "ms").floor(list).target(Target::AtMost(list * RATIO))
}

/// Milliseconds of one command that must succeed.
fn timed(command: &mut Command) -> f64 {
    let began = Instant::now();
    let output = command.output().expect("the client starts");
    let took = began.elapsed().as_secs_f64() * 1000.0;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    took
}
