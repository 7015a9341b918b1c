//! What a host has left on the machine: everything that bears its directory or its namespace, wherever the kernel keeps it.
//!
//! Many hosts are tested side by side, so the machine as a whole is compared elsewhere, by the tests with the real program.

use std::path::Path;
use std::time::Duration;

use wolke_linux::program::Program;

/// The kernel takes mounts and loop devices down after the process that used them has ended.
const TRIES: usize = 50;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Processes, mounts, loop devices, namespaces, devices, routes and locks of this state directory and this namespace.
pub fn of(state: &Path, namespace: &str) -> Vec<String> {
    let mut left = look(state, namespace);
    for _ in 0..TRIES {
        if left.is_empty() {
            break;
        }
        std::thread::park_timeout(PAUSE);
        left = look(state, namespace);
    }
    left
}

fn look(state: &Path, namespace: &str) -> Vec<String> {
    let state = format!("{}/", state.display());
    let mut left = Vec::new();
    let mut find = |what: &str, text: &str| {
        left.extend(text.lines().filter(|line| line.contains(&state)).map(|line| format!("{what}: {line}")));
    };
    find("mount", &std::fs::read_to_string("/proc/self/mountinfo").unwrap());
    find(
        "loop device",
        &Program::new("losetup").args(["--list", "--noheadings", "--output", "NAME,BACK-FILE"]).run().unwrap(),
    );
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        find("process", &String::from_utf8_lossy(&line).replace('\0', " "));
    }
    for path in [format!("/run/netns/{namespace}"), format!("/run/wolke/{namespace}.lock")] {
        if Path::new(&path).exists() {
            left.push(path);
        }
    }
    left
}
