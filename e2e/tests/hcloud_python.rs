//! The flows with the official Python library (`e2e/hcloud-python`): it looks keys up by name, so a missing one is a crash, and it
//! tells null from absent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::database;
use e2e::prerequisite;
use e2e::process::Installation;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs every flow against a fresh server with these arguments.
fn run(modules: &Path, installation: &Installation, args: &[&str]) {
    let server = installation.serve(args);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hcloud-python/flow.py");
    let mut python = Command::new("python3");
    // Nothing but Python itself and the modules that were unpacked: no packages of the system, no bytecode beside the script.
    python.args(["-S", "-B"]).arg(script).stdin(Stdio::null());
    python.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("PYTHONPATH", modules);
    python.env("HCLOUD_TOKEN", installation.token()).env("HCLOUD_ENDPOINT", server.endpoint());
    let output = python.output().expect("Python starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", installation.log());
}

#[test]
fn python_flows() {
    let Some(modules) = prerequisite::hcloud_python("python_flows") else { return };
    run(&modules, &Installation::embedded(), &[]);
}

#[test]
fn python_flows_that_have_to_wait() {
    let Some(modules) = prerequisite::hcloud_python("python_flows_that_have_to_wait") else { return };
    run(&modules, &Installation::embedded(), &["--settle", "0"]);
}

#[test]
fn python_flows_in_the_newest_dialect() {
    let Some(modules) = prerequisite::hcloud_python("python_flows_in_the_newest_dialect") else { return };
    run(&modules, &Installation::embedded(), &["--dialect", "newest"]);
}

#[test]
fn python_flows_on_postgres() {
    let Some(modules) = prerequisite::hcloud_python("python_flows_on_postgres") else { return };
    let Some(url) = prerequisite::postgres("python_flows_on_postgres") else { return };
    run(&modules, &Installation::on_postgres(&database::create(&url, "python")), &[]);
}
