//! A test that hangs must not hide what all others say: a test binary that has said nothing for a long time is ended, and
//! the run goes on with the next one.

use crate::shell::quiet;
use std::process::Command;
use std::time::Duration;

/// How long a test binary may say nothing. The longest tests take minutes on a slow machine, and each says when it has ended.
pub const SILENCE_MAX: Duration = Duration::from_secs(12 * 60);

/// Ends what a cargo runs right now, and says so. What those have started themselves is not followed.
pub fn end_children_of(cargo: u32) {
    for child in children(cargo) {
        eprintln!("xtask: process {child} has said nothing for {} minutes and is ended", SILENCE_MAX.as_secs() / 60);
        if let Err(error) = quiet(Command::new("kill").args(["-9", &child.to_string()])) {
            eprintln!("xtask: {error}");
        }
    }
}

/// The processes whose parent is this one.
fn children(parent: u32) -> Vec<u32> {
    let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold anything; behind it stand the state and the parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{children, end_children_of};
    use std::process::{Command, Stdio};

    #[test]
    fn a_silent_child_is_ended() {
        let mut child = Command::new("sleep").arg("4712").stdin(Stdio::null()).spawn().unwrap();
        // A shell in between, so that the other children of this process are left alone.
        let mut shell = Command::new("sh").args(["-c", "sleep 4713; exit 3"]).stdin(Stdio::null()).spawn().unwrap();
        while children(shell.id()).is_empty() {
            std::thread::yield_now();
        }
        end_children_of(shell.id());
        assert_eq!(shell.wait().unwrap().code(), Some(3), "it goes on with what comes next");
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
