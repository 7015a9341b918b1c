//! What a container has used: processor time of its control group, operations of its loop device.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wolke_domain::clock::Clock;

use super::disk::loops;
use super::run::Run;
use crate::cgroup::Cgroups;
use crate::engine::{Counters, Result};
use crate::process::until;

/// The unit of `/sys/block/*/stat` in bytes, whatever the device.
const SECTOR: u64 = 512;
/// How long a reboot inside may keep the numbers from being read.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// The counters since the start; zeros when it does not run.
pub(super) fn read(run: &Run, server: &Path, cgroups: &Cgroups, clock: &dyn Clock) -> Result<Counters> {
    if run.monitor().is_none() {
        return Ok(Counters::default());
    }
    let mut cpu_ms = 0;
    // Between two boots the sum of both moves from one file to the other.
    until(clock, SETTLE_MAX, || {
        let before = run.init();
        cpu_ms = cpu(run, cgroups);
        Ok(run.monitor().is_none() || (before.is_some() && before == run.init()))
    })?;
    let device = loops(server).into_iter().next();
    let now =
        device.map(|device| Disk::parse(&fs::read_to_string(format!("/sys/block/{device}/stat")).unwrap_or_default()));
    let start = Disk::parse(&run.read("disk.before"));
    let now = now.unwrap_or(start);
    Ok(Counters {
        cpu_ms,
        disk_read_ops: now.read_ops.saturating_sub(start.read_ops),
        disk_write_ops: now.write_ops.saturating_sub(start.write_ops),
        disk_read_bytes: now.read_sectors.saturating_sub(start.read_sectors) * SECTOR,
        disk_write_bytes: now.write_sectors.saturating_sub(start.write_sectors) * SECTOR,
    })
}

fn cpu(run: &Run, cgroups: &Cgroups) -> u64 {
    let before: u64 = run.read("cpu.before").trim().parse().unwrap_or(0);
    let now = cgroups.cpu(&run.group).and_then(|(file, word, units)| {
        let text = fs::read_to_string(file).ok()?;
        let number = text.lines().find_map(|line| line.strip_prefix(word))?;
        number.trim().parse::<u64>().ok().map(|used| used / units)
    });
    before + now.unwrap_or(0)
}

/// The fields of `/sys/block/*/stat` that count.
#[derive(Clone, Copy, Default)]
struct Disk {
    read_ops: u64,
    read_sectors: u64,
    write_ops: u64,
    write_sectors: u64,
}

impl Disk {
    fn parse(text: &str) -> Self {
        let fields: Vec<u64> = text.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or(0);
        Self { read_ops: field(0), read_sectors: field(2), write_ops: field(4), write_sectors: field(6) }
    }
}
