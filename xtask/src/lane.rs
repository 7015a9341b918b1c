//! Test binaries that run one after another, beside other lanes that do the same.
//!
//! Tests that start machines wait most of the time, clients sleep between their questions, and what runs within one process
//! computes: side by side they take little longer than the longest lane. Within a lane the order is cargo's.

use crate::binaries::Binary;
use crate::shell::{cargo, quiet};
use crate::summary::Summary;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a test binary may say nothing before it is ended, so that one that hangs does not hide what all others say. The
/// longest tests take minutes on a slow machine, and each says when it has ended.
const SILENCE_MAX: Duration = Duration::from_secs(12 * 60);

/// How long the output of a binary that has ended is still read: what it has left running may hold it open for ever.
const LINGER: Duration = Duration::from_secs(10);

/// How often a silent binary is looked at.
const TICK: Duration = Duration::from_millis(500);

/// Packages whose tests start machines. They look for what others leave behind, so they share a lane.
const WITH_MACHINES: [&str; 2] = ["wolke", "wolke-linux"];
/// Flows that start machines, or end processes in the middle of their work: in the lane of the machines.
const FLOWS_WITH_MACHINES: [&str; 3] = ["real", "kill", "two_processes"];
/// The package of the flows. All others are with clients, each of which talks to a server of its own.
const FLOWS: &str = "e2e";

/// What the binaries of a lane have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Machines,
    Clients,
    Computing,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Machines, Self::Clients, Self::Computing];

    fn of(binary: &Binary) -> Self {
        match (binary.package.as_str(), binary.target.as_str()) {
            (package, _) if WITH_MACHINES.contains(&package) => Self::Machines,
            (FLOWS, target) if FLOWS_WITH_MACHINES.contains(&target) => Self::Machines,
            (FLOWS, _) => Self::Clients,
            _ => Self::Computing,
        }
    }
}

/// Runs binaries in lanes; `prepare` gets each command before it starts. Output is shown as it comes when there is only
/// one lane, else whole per binary when that has ended.
pub fn run(binaries: &[Binary], args: &[String], prepare: &(dyn Fn(&mut Command) + Sync)) -> Summary {
    let lanes = Lane::ALL.map(|lane| binaries.iter().filter(|binary| Lane::of(binary) == lane).collect::<Vec<_>>());
    let live = lanes.iter().filter(|lane| !lane.is_empty()).count() < 2;
    let run_lane = |lane: &[&Binary]| {
        let one = |binary: &&Binary| run_one(binary, args, prepare, live, SILENCE_MAX);
        lane.iter().map(one).fold(Summary::default(), Summary::plus)
    };
    std::thread::scope(|scope| {
        let running = lanes.each_ref().map(|lane| scope.spawn(|| run_lane(lane)));
        let ended = running.map(|lane| lane.join().unwrap_or(Summary { failed: 1, ..Summary::default() }));
        ended.into_iter().fold(Summary::default(), Summary::plus)
    })
}

/// Runs one binary as cargo would.
fn run_one(
    binary: &Binary,
    args: &[String],
    prepare: &dyn Fn(&mut Command),
    live: bool,
    silence_max: Duration,
) -> Summary {
    let mut command = Command::new(&binary.program);
    command.args(args).current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
    prepare(&mut command);
    run_command(&format!("{} {}", binary.package, binary.target), &mut command, live, silence_max)
}

/// Runs the examples in the documentation, which cargo compiles and runs by itself.
pub fn examples() -> Summary {
    run_command("examples", cargo().args(["test", "--quiet", "--workspace", "--doc"]), false, SILENCE_MAX)
}

fn run_command(title: &str, command: &mut Command, live: bool, silence_max: Duration) -> Summary {
    let mut output = Output { held: Vec::new(), live };
    if !live {
        // Its output comes later: who watches wants to know what is under way.
        println!("     Beginning {title}");
    }
    output.take(format!("     Running {title}\n").as_bytes());
    let began = Instant::now();
    // A group of its own, so that it can be ended with what it has started.
    command.process_group(0);
    let summary = match command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => follow(child, &mut output, silence_max),
        Err(error) => {
            output.take(format!("xtask: {title}: {error}\n").as_bytes());
            Summary { failed: 1, ..Summary::default() }
        }
    };
    output.take(format!("       Ended {title} after {} s\n", began.elapsed().as_secs()).as_bytes());
    summary
}

/// Reads what a binary says until it has ended, and ends it when it has been silent for too long.
fn follow(mut child: Child, output: &mut Output, silence_max: Duration) -> Summary {
    let mut summary = Summary::default();
    let (lines, received) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        read(stream, lines.clone());
    }
    if let Some(stream) = child.stderr.take() {
        read(stream, lines);
    }
    let (mut heard, mut ended) = (Instant::now(), None);
    loop {
        if ended.is_none() && child.try_wait().is_ok_and(|status| status.is_some()) {
            ended = Some(Instant::now());
        }
        match received.recv_timeout(TICK) {
            Ok(line) => {
                heard = Instant::now();
                summary.read(&String::from_utf8_lossy(&line));
                output.take(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => match ended {
                None if heard.elapsed() > silence_max => {
                    output.take(format!("xtask: ended after {} silent seconds\n", silence_max.as_secs()).as_bytes());
                    end_group(&mut child);
                }
                _ => {}
            },
        }
        if ended.is_some_and(|at| at.elapsed() > LINGER) {
            end_group(&mut child);
            break;
        }
    }
    // One that crashed has no result line, nor has one that went off in the middle.
    let succeeded = child.wait().is_ok_and(|status| status.success());
    if (!succeeded || summary.results == 0) && summary.failed == 0 {
        summary.failed = 1;
    }
    summary
}

/// Ends a binary with all that it has started.
fn end_group(child: &mut Child) {
    let group = format!("-{}", child.id());
    if quiet(Command::new("kill").args(["-9", "--", &group])).is_err() {
        let _ = child.kill();
    }
}

/// Sends a stream line by line to the channel, on a thread that ends with the stream.
fn read(stream: impl Read + Send + 'static, to: mpsc::Sender<Vec<u8>>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            if to.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
}

/// What a binary has said: shown at once, or held until it has ended.
struct Output {
    held: Vec<u8>,
    live: bool,
}

impl Output {
    fn take(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        if self.live {
            self.show();
        }
    }

    fn show(&mut self) {
        // The macro, because what tests of this module show must not look like results to the lane that they run in.
        print!("{}", String::from_utf8_lossy(&self.held));
        let _ = std::io::stdout().flush();
        self.held.clear();
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.show();
    }
}

#[cfg(test)]
mod tests {
    use super::{Binary, LINGER, Lane, run_one};
    use crate::summary::Summary;
    use std::process::Command;
    use std::time::{Duration, Instant};

    /// Runs a script as a test binary that may be silent for a second.
    fn script(text: &str) -> Summary {
        let binary = Binary { package: "p".into(), target: "t".into(), program: "/bin/sh".into(), folder: "/".into() };
        let args = ["-c".to_owned(), text.to_owned()];
        run_one(&binary, &args, &|_: &mut Command| {}, true, Duration::from_secs(1))
    }

    #[test]
    fn what_starts_machines_is_in_one_lane() {
        let lane = |package: &str, target: &str| {
            let binary = Binary {
                package: package.into(),
                target: target.into(),
                program: "/bin/true".into(),
                folder: "/".into(),
            };
            Lane::of(&binary)
        };
        assert_eq!(lane("wolke-linux", "net"), Lane::Machines);
        assert_eq!(lane("e2e", "real"), Lane::Machines);
        assert_eq!(lane("e2e", "hcloud"), Lane::Clients);
        assert_eq!(lane("wolke-control", "strands"), Lane::Computing);
    }

    #[test]
    fn results_of_both_streams_count() {
        let summary =
            script("echo 'SKIPPED t: nothing there' >&2; echo 'test result: ok. 3 passed; 0 failed; 0 ignored;'");
        assert_eq!(summary, Summary { passed: 2, failed: 0, results: 1, skipped: 1 });
    }

    #[test]
    fn one_that_crashes_has_failed() {
        assert_eq!(script("kill -9 $$").failed, 1);
    }

    #[test]
    fn one_that_says_nothing_of_its_tests_has_failed() {
        assert_eq!(script("echo running 3 tests").failed, 1);
    }

    #[test]
    fn one_that_is_silent_is_ended_with_what_it_has_started() {
        let folder = std::env::temp_dir().join(format!("wolke-lane-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("pid");
        assert_eq!(script(&format!("sleep 4712 & echo $! > {}; wait", file.display())).failed, 1);
        let started = std::fs::read_to_string(&file).unwrap();
        // Killed is not gone at once, and whoever was its parent is gone too: it may still wait to be collected.
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", started.trim())).unwrap_or_default();
        let asked = Instant::now();
        while !state().is_empty() && !state().contains(") Z ") {
            assert!(asked.elapsed() < LINGER, "{}", state());
            std::thread::yield_now();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
