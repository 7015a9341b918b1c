//! What a machine says while it boots, in words of our own.

use super::screen::{Ink, Page};
use super::{Machine, Source};

/// How long after its boot a machine asks for a login, in milliseconds of world time.
pub const PROMPT_AFTER_MS: i64 = 3_000;

/// The lines that a machine has put out `running_ms` after its boot.
pub(super) fn lines(page: &mut Page, machine: &Machine, running_ms: i64) {
    for (after_ms, line) in kernel(machine) {
        if after_ms <= running_ms {
            page.line(Ink::Dim, &format!("[{:5}.{:03}] ", after_ms / 1000, after_ms % 1000));
            page.more(Ink::Plain, &line);
        }
    }
    for (after_ms, line) in SERVICES {
        if *after_ms <= running_ms {
            page.line(Ink::Dim, "[");
            page.more(Ink::Good, "  OK  ");
            page.more(Ink::Dim, "] ");
            page.more(Ink::Plain, line);
        }
    }
}

/// What comes up after the kernel, and when.
const SERVICES: &[(i64, &str)] = &[
    (1_900, "Mounted the root file system"),
    (2_100, "Brought up the network"),
    (2_250, "Set the clock"),
    (2_450, "Started the system log"),
    (2_600, "Started the secure shell server"),
    (2_850, "Reached the multi-user system"),
];

fn kernel(machine: &Machine) -> Vec<(i64, String)> {
    let Machine { name, server_type, architecture, cores, memory_mb, disk_gb, .. } = machine;
    let from = match &machine.source {
        Source::Disk(_) => "disk".to_owned(),
        Source::Iso(name) => format!("ISO {name}"),
        Source::Rescue(kind) => format!("the rescue system {kind}"),
    };
    let mut lines = vec![
        (0, format!("Wolke simulated machine, type {server_type}, {architecture}")),
        (40, format!("Booting {name} from {from}")),
        (150, format!("cpu: {cores} {} online", if *cores == 1 { "core" } else { "cores" })),
        (310, format!("memory: {memory_mb} MB available")),
        (620, "rng: seeded".to_owned()),
        (780, format!("sda: disk of {disk_gb} GB")),
        (830, "sda: sda1 sda14 sda15".to_owned()),
        (1_150, "eth0: link is up".to_owned()),
    ];
    lines.extend((1_250..).step_by(50).zip(machine.addresses.iter().map(|address| format!("eth0: {address}"))));
    lines
}

/// What stands above the first prompt.
pub(super) fn banner(page: &mut Page, machine: &Machine) {
    let system = match &machine.source {
        Source::Disk(Some(image)) => image.as_str(),
        Source::Disk(None) => "Unknown system",
        Source::Iso(name) => name,
        Source::Rescue(_) => "Rescue system",
    };
    page.line(Ink::Plain, "");
    page.line(Ink::Strong, system);
    page.more(Ink::Plain, &format!(" on {} (simulated: nobody can log in here)", machine.name));
    page.line(Ink::Plain, "");
}
