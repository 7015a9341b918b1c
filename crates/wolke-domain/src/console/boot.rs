//! What a machine says while it boots, in words of our own.

use super::screen::{Ink, Page};
use super::{Drive, Machine, Source};
use crate::volume::mount_point;

/// How long after its boot a machine asks for a login, in milliseconds of world time.
pub const PROMPT_AFTER_MS: i64 = 3_000;

/// The lines that a machine has put out `running_ms` after its boot.
pub(super) fn lines(page: &mut Page, machine: &Machine, running_ms: i64) {
    for (after_ms, line) in kernel(machine) {
        if after_ms <= running_ms {
            of_kernel(page, after_ms, &line);
        }
    }
    for (after_ms, line) in SERVICES {
        if *after_ms <= running_ms {
            of_service(page, line);
        }
        if *after_ms == ROOT_MOUNTED_MS && *after_ms <= running_ms {
            drives(machine).filter(|(_, drive)| !is_late(drive)).for_each(|(_, drive)| mounted(page, machine, drive));
        }
    }
}

/// The lines of volumes that were attached while the machine ran.
pub(super) fn late_lines(page: &mut Page, machine: &Machine, running_ms: i64) {
    let late = drives(machine).filter(|(_, drive)| is_late(drive) && drive.after_ms <= running_ms);
    for (letter, drive) in late {
        of_kernel(page, drive.after_ms, &found(letter, drive));
        mounted(page, machine, drive);
    }
}

fn of_kernel(page: &mut Page, after_ms: i64, line: &str) {
    page.line(Ink::Dim, &format!("[{:5}.{:03}] ", after_ms / 1000, after_ms % 1000));
    page.more(Ink::Plain, line);
}

fn of_service(page: &mut Page, line: &str) {
    page.line(Ink::Dim, "[");
    page.more(Ink::Good, "  OK  ");
    page.more(Ink::Dim, "] ");
    page.more(Ink::Plain, line);
}

/// Volumes with the letters that the kernel gives them: the first disk is the machine's own.
fn drives(machine: &Machine) -> impl Iterator<Item = (char, &Drive)> {
    ('b'..='z').zip(&machine.volumes)
}

/// Whether a volume came when the boot was over.
const fn is_late(drive: &Drive) -> bool {
    drive.after_ms >= PROMPT_AFTER_MS
}

fn found(letter: char, drive: &Drive) -> String {
    format!("sd{letter}: volume {} of {} GB", drive.id, drive.size_gb)
}

/// Only the system on the disk was told what to mount.
fn mounted(page: &mut Page, machine: &Machine, drive: &Drive) {
    if drive.mounted && matches!(machine.source, Source::Disk(_)) {
        of_service(page, &format!("Mounted {}", mount_point(drive.id)));
    }
}

/// When the root file system is there.
const ROOT_MOUNTED_MS: i64 = 1_900;

/// What comes up after the kernel, and when.
const SERVICES: &[(i64, &str)] = &[
    (ROOT_MOUNTED_MS, "Mounted the root file system"),
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
    ];
    let early = drives(machine).filter(|(_, drive)| !is_late(drive));
    lines.extend((850..).step_by(10).zip(early.map(|(letter, drive)| found(letter, drive))));
    lines.push((1_150, "eth0: link is up".to_owned()));
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
