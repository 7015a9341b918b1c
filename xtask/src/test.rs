//! The chores that test: one build for the whole workspace, lanes of test binaries, one closing line for all of it.

use crate::prerequisites::Prerequisites;
use crate::shell::{cargo, exit, shown, target};
use crate::summary::Summary;
use crate::{binaries, lane};
use std::process::ExitCode;

/// `cargo xtask test`: everything.
pub fn all(args: &[String]) -> ExitCode {
    run(&["--workspace", "--all-targets"], &["--workspace"], args, lane::examples)
}

/// `cargo xtask e2e`: the flows with real clients.
pub fn e2e(args: &[String]) -> ExitCode {
    run(&["-p", "wolke"], &["-p", "e2e"], args, Summary::default)
}

/// `cargo xtask kill`: the kill script alone.
pub fn kill(args: &[String]) -> ExitCode {
    run(&["-p", "wolke"], &["-p", "e2e", "--test", "kill"], args, Summary::default)
}

/// `cargo xtask setup`: installs prerequisites and says what it found. Fails when something is missing.
pub fn setup(_: &[String]) -> ExitCode {
    exit(Prerequisites::set_up().complete())
}

/// Sets up, builds `build` and the tests of `selection`, runs these and then `more`, and closes with the sum. Of the caller's
/// own arguments those before `--` go to cargo, those after it to the tests.
fn run(build: &[&str], selection: &[&str], args: &[String], more: fn() -> Summary) -> ExitCode {
    let mut prerequisites = Prerequisites::set_up();
    if !prerequisites.acceptable() {
        return refused();
    }
    // Built first, because tests start this program. For the whole workspace all targets at once, with the features that the
    // tests use, so that nothing compiles twice.
    if !shown(cargo().arg("build").args(build)) {
        println!("0 passed, 1 failed, 0 skipped");
        return ExitCode::FAILURE;
    }
    let wolke = target().join("debug").join("wolke");
    prerequisites.build_with(&wolke);
    if !prerequisites.acceptable() {
        return refused();
    }
    let split = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let (of_cargo, of_tests) = (&args[..split], args.get(split + 1..).unwrap_or_default());
    let selection: Vec<String> = selection.iter().map(ToString::to_string).chain(of_cargo.iter().cloned()).collect();
    let Some(binaries) = binaries::build(&selection) else {
        println!("0 passed, 1 failed, 0 skipped");
        return ExitCode::FAILURE;
    };
    let summary = lane::run(&binaries, of_tests, &|command| {
        command.env("WOLKE_BIN", &wolke);
        prerequisites.hand_to(command);
    });
    let summary = summary.plus(more());
    drop(prerequisites);
    println!("\n{summary}");
    exit(summary.good())
}

/// A prerequisite is missing where none may be.
fn refused() -> ExitCode {
    eprintln!("xtask: CI=true allows no missing prerequisite");
    println!("0 passed, 1 failed, 0 skipped");
    ExitCode::FAILURE
}
