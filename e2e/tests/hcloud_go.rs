//! The flows with the official Go library (`e2e/hcloud-go`): its decoder is strict about types, and its action waiter is the one
//! inside today's clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::database;
use e2e::prerequisite;
use e2e::process::Installation;
use std::process::{Command, Stdio};

/// Runs every flow against a fresh server with these arguments.
fn run(program: &std::path::Path, installation: &Installation, args: &[&str]) {
    let server = installation.serve(args);
    let mut flow = Command::new(program);
    flow.arg("flow").env("HCLOUD_TOKEN", installation.token()).env("HCLOUD_ENDPOINT", server.endpoint());
    let output = flow.stdin(Stdio::null()).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", installation.log());
}

#[test]
fn library_flows() {
    let Some(program) = prerequisite::hcloud_go("library_flows") else { return };
    run(&program, &Installation::embedded(), &[]);
}

#[test]
fn library_flows_that_have_to_wait() {
    let Some(program) = prerequisite::hcloud_go("library_flows_that_have_to_wait") else { return };
    // Answers come before the work is done, so that the library polls.
    run(&program, &Installation::embedded(), &["--settle", "0"]);
}

#[test]
fn library_flows_in_the_newest_dialect() {
    let Some(program) = prerequisite::hcloud_go("library_flows_in_the_newest_dialect") else { return };
    run(&program, &Installation::embedded(), &["--dialect", "newest"]);
}

#[test]
fn library_flows_on_postgres() {
    let Some(program) = prerequisite::hcloud_go("library_flows_on_postgres") else { return };
    let Some(url) = prerequisite::postgres("library_flows_on_postgres") else { return };
    run(&program, &Installation::on_postgres(&database::create(&url, "library")), &[]);
}
