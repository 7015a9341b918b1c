//! Every chore of the project as one command: `cargo xtask CHORE`.
//!
//! Each chore is a module with `run(args) -> ExitCode`. Chores run other programs and measure real time, so the globals
//! that the product must not touch (`clippy.toml`) are allowed here, and only here and in `e2e`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "chores run programs and print, see above"
)]

mod binaries;
mod chores;
mod contract;
mod lane;
mod prerequisites;
mod shell;
mod summary;
mod test;

use std::process::ExitCode;

/// A chore's entry point: gets the arguments that follow its name.
type Run = fn(&[String]) -> ExitCode;

/// Every chore: name, one line of help, entry point.
const CHORES: &[(&str, &str, Run)] = &[
    (
        "test",
        "everything that tests: sets up PostgreSQL and hcloud, then unit, API, e2e, kill and two-process tests",
        test::all,
    ),
    ("e2e", "only the flows with real clients (e2e/); arguments go to cargo test", test::e2e),
    ("kill", "only the kill script: fifty times kill -9 in the middle of creates and deletes", test::kill),
    (
        "bench",
        "benchmarks in the release profile, each beside its floor; writes target/bench.json; --quick for small sizes",
        chores::bench,
    ),
    ("sim", "the seeded simulator: sim [--seed N] [--steps N]; without a seed a random one, printed", chores::sim),
    ("model", "the model tests: model [--seed N] [--cases N]; without a seed a random one, printed", chores::model),
    (
        "fuzz-api",
        "requests made out of the contract, valid and broken: fuzz-api [--n N] [--seed S] [--world W]",
        chores::fuzz_api,
    ),
    ("contract", "distils contract/ from the reference documents; --check only compares", contract::run),
    (
        "coverage",
        "writes docs/coverage.md from the operation table and test annotations; --check only compares",
        chores::coverage,
    ),
    ("setup", "installs what the tests need beside Rust (PostgreSQL, hcloud) and says what it found", test::setup),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        return help();
    };
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        return help();
    }
    match CHORES.iter().find(|(chore, _, _)| chore == name) {
        Some((_, _, run)) => run(rest),
        None => {
            eprintln!("xtask: no chore named {name:?}; `cargo xtask` lists them");
            ExitCode::from(2)
        }
    }
}

/// Lists every chore with one line each.
fn help() -> ExitCode {
    println!("usage: cargo xtask CHORE [ARGUMENTS]\n");
    for (name, line, _) in CHORES {
        println!("  {name:<9} {line}");
    }
    ExitCode::SUCCESS
}
