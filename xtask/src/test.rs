//! The chores that test: one cargo invocation for the whole workspace, one closing line for all of it.

use crate::prerequisites::Prerequisites;
use crate::shell::{cargo, exit, shown, target};
use crate::silence::{SILENCE_MAX, end_children_of};
use crate::summary::Summary;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};

/// `cargo xtask test`: everything.
pub fn all(args: &[String]) -> ExitCode {
    run(&["--workspace", "--all-targets"], &["--workspace"], args)
}

/// `cargo xtask e2e`: the flows with real clients.
pub fn e2e(args: &[String]) -> ExitCode {
    run(&["-p", "wolke"], &["-p", "e2e"], args)
}

/// `cargo xtask kill`: the kill script alone.
pub fn kill(args: &[String]) -> ExitCode {
    run(&["-p", "wolke"], &["-p", "e2e", "--test", "kill"], args)
}

/// `cargo xtask setup`: installs prerequisites and says what it found. Fails when something is missing.
pub fn setup(_: &[String]) -> ExitCode {
    exit(Prerequisites::set_up().complete())
}

/// Sets up, builds `build`, runs `cargo test` with `selection` and the caller's own arguments, and closes with the sum.
fn run(build: &[&str], selection: &[&str], args: &[String]) -> ExitCode {
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
    let mut command = cargo();
    command.arg("test").args(selection).arg("--no-fail-fast").args(args);
    command.env("WOLKE_BIN", wolke);
    prerequisites.hand_to(&mut command);
    let summary = run_and_sum(&mut command);
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

/// Runs the command, passes on what it prints, and sums the results that it reports.
fn run_and_sum(command: &mut Command) -> Summary {
    let mut summary = Summary::default();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            eprintln!("xtask: cargo: {error}");
            summary.failed = 1;
            return summary;
        }
    };
    let (lines, received) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|stream| pass_on(stream, std::io::stdout(), lines.clone())),
        child.stderr.take().map(|stream| pass_on(stream, std::io::stderr(), lines)),
    ];
    loop {
        match received.recv_timeout(SILENCE_MAX) {
            Ok(line) => summary.read(&line),
            Err(RecvTimeoutError::Disconnected) => {
                for reader in readers.into_iter().flatten() {
                    let _ = reader.join();
                }
                break;
            }
            // What an ended test has left running may hold its output open for ever.
            Err(RecvTimeoutError::Timeout) if child.try_wait().is_ok_and(|ended| ended.is_some()) => break,
            Err(RecvTimeoutError::Timeout) => end_children_of(child.id()),
        }
    }
    // A binary that crashed, or did not compile, has no result line: the exit status still counts.
    let succeeded = child.wait().is_ok_and(|status| status.success());
    if !succeeded && summary.failed == 0 {
        summary.failed = 1;
    }
    summary
}

/// Copies a stream line by line to one of ours and to the channel, on a thread that ends with the stream.
fn pass_on(
    stream: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    lines: mpsc::Sender<String>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(read) if read > 0) {
            let _ = to.write_all(&bytes);
            let _ = to.flush();
            let _ = lines.send(String::from_utf8_lossy(&bytes).into_owned());
            bytes.clear();
        }
    })
}
