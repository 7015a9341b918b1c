//! Chores that are a program or a test of another package: benchmarks, the simulator, the model tests, the coverage page.

use crate::prerequisites::{Clients, real_hosts};
use crate::shell::{cargo, exit, root, shown, target};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Simulator steps when `--steps` is not given: some seconds of work.
const SIMULATOR_STEPS: &str = "20000";

/// Lists of transitions when `--cases` is not given: some minutes of work.
const MODEL_CASES: &str = "2000";

/// Generated requests when `--n` is not given: some minutes of work.
const FUZZ_REQUESTS: &str = "200000";

/// `cargo xtask bench`: builds the server, the floors and the load generator in release and runs the latter.
pub fn bench(args: &[String]) -> ExitCode {
    if !shown(cargo().args(["build", "--release", "-p", "wolke", "-p", "e2e", "--bins"])) {
        return ExitCode::FAILURE;
    }
    let programs = target().join("release");
    let mut bench = Command::new(programs.join("bench"));
    bench.args(args).current_dir(root()).env("WOLKE_BIN", programs.join("wolke"));
    let mut missing = Vec::new();
    Clients::set_up(&mut missing).hand_to(&mut bench);
    match real_hosts::install().and_then(|()| real_hosts::images(&programs.join("wolke"))) {
        Ok(images) => drop(bench.env("WOLKE_TEST_IMAGES", images)),
        Err(reason) => missing.push(format!("images of real servers: {reason}")),
    }
    missing.iter().for_each(|line| eprintln!("xtask: MISSING {line}"));
    exit(shown(&mut bench))
}

/// `cargo xtask sim`: the seeded simulator, with the seed printed so that a failure can be repeated.
pub fn sim(args: &[String]) -> ExitCode {
    let seed = value_of(args, "--seed").unwrap_or_else(random_seed);
    let steps = value_of(args, "--steps").unwrap_or_else(|| SIMULATOR_STEPS.into());
    eprintln!("xtask: simulator with --seed {seed} --steps {steps}");
    let Some(package) = package_with_test("simulator") else {
        eprintln!("xtask: no crate has tests/simulator.rs");
        return ExitCode::FAILURE;
    };
    let mut command = cargo();
    command.args(["test", "-p", &package, "--test", "simulator", "--", "--nocapture"]);
    exit(shown(command.env("WOLKE_SIM_SEED", seed).env("WOLKE_SIM_STEPS", steps)))
}

/// `cargo xtask model`: the model tests, with the seed printed so that a failure can be repeated.
pub fn model(args: &[String]) -> ExitCode {
    let seed = value_of(args, "--seed").unwrap_or_else(random_seed);
    let cases = value_of(args, "--cases").unwrap_or_else(|| MODEL_CASES.into());
    eprintln!("xtask: model tests with --seed {seed} --cases {cases}");
    let Some(package) = package_with_test("model") else {
        eprintln!("xtask: no crate has tests/model");
        return ExitCode::FAILURE;
    };
    let mut command = cargo();
    command.args(["test", "-p", &package, "--test", "model", "cases_from_outside", "--", "--nocapture"]);
    exit(shown(command.env("WOLKE_MODEL_SEED", seed).env("WOLKE_MODEL_CASES", cases)))
}

/// `cargo xtask fuzz-api [--n N] [--seed S] [--world W]`: the generated requests, with the seed printed. With a world only that
/// one gets requests, N of them, and the last is shown with its answer: so a failure is found again.
pub fn fuzz_api(args: &[String]) -> ExitCode {
    let seed = value_of(args, "--seed").unwrap_or_else(random_seed);
    let number = value_of(args, "--n").unwrap_or_else(|| FUZZ_REQUESTS.into());
    eprintln!("xtask: generated requests with --seed {seed} --n {number}");
    let Some(package) = package_with_test("generated") else {
        eprintln!("xtask: no crate has tests/generated");
        return ExitCode::FAILURE;
    };
    let mut command = cargo();
    command.args(["test", "-p", &package, "--test", "generated", "--", "--nocapture"]);
    command.env("WOLKE_FUZZ_SEED", seed).env("WOLKE_FUZZ_N", number);
    if let Some(world) = value_of(args, "--world") {
        command.env("WOLKE_FUZZ_WORLD", world);
    }
    exit(shown(&mut command))
}

/// `cargo xtask coverage [--check]`: the test `coverage` of the crate that holds the operation table compares
/// `docs/coverage.md`, or writes it when `WOLKE_COVERAGE_WRITE` is set.
pub fn coverage(args: &[String]) -> ExitCode {
    if package_with_test("coverage").is_none() {
        eprintln!("xtask: no crate has tests/coverage.rs");
        return ExitCode::FAILURE;
    }
    // The whole workspace is selected so that cargo uses what the tests have compiled already.
    let mut command = cargo();
    command.args(["test", "--workspace", "--test", "coverage"]);
    if !args.iter().any(|arg| arg == "--check") {
        command.env("WOLKE_COVERAGE_WRITE", "1");
    }
    exit(shown(&mut command))
}

/// The argument after `name`.
fn value_of(args: &[String], name: &str) -> Option<String> {
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1).cloned()
}

/// A seed from the operating system: the standard library's hash keys are random per process.
fn random_seed() -> String {
    use std::hash::{BuildHasher, Hasher};
    let seed = std::hash::RandomState::new().build_hasher().finish();
    (seed >> 1).to_string()
}

/// The crate under `crates/` that has the integration test `name`.
fn package_with_test(name: &str) -> Option<String> {
    let crates = std::fs::read_dir(root().join("crates")).ok()?;
    crates
        .flatten()
        .find(|entry| {
            let tests = entry.path().join("tests");
            tests.join(format!("{name}.rs")).is_file() || is_folder_test(&tests, name)
        })
        .and_then(|entry| entry.file_name().into_string().ok())
}

/// Integration tests may also be a folder with a `main.rs`.
fn is_folder_test(tests: &Path, name: &str) -> bool {
    tests.join(name).join("main.rs").is_file()
}
