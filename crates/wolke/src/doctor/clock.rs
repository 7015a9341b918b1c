//! The wall clock, held against what is known to be past, and world time.

use super::databases::Databases;
use super::{Check, Patient};
use std::time::UNIX_EPOCH;
use wolke_domain::clock::{Clock as _, ClockMode, ClockState};
use wolke_wire::Timestamp;

const NAME: &str = "clock";
/// 2026-01-01T00:00:00Z: this program is younger.
const EARLIEST_MS: i64 = 1_767_225_600_000;
/// How far the wall clock may be behind what it has written before, in milliseconds.
const BEHIND_MS: i64 = 60_000;
/// What sets a wall clock.
const SET: &str = "timedatectl set-ntp true (or set the clock by hand, or fix the host's)";
/// Milliseconds of a day, an hour, a minute and a second, with their letters.
const UNITS: [(i64, char); 4] = [(86_400_000, 'd'), (3_600_000, 'h'), (60_000, 'm'), (1_000, 's')];

pub(super) fn check(patient: &Patient<'_>, databases: &Databases) -> Check {
    let wall = patient.real.wall();
    let world = Databases::known(&databases.world).and_then(|world| world.clock);
    judge(wall, newest_trace(patient), world)
}

fn judge(wall: Timestamp, trace: Option<Timestamp>, world: Option<ClockState>) -> Check {
    if wall.0 < EARLIEST_MS {
        return Check::fail(NAME, format!("the machine's clock says {wall}, which is long past"), SET);
    }
    let anchor = world.map(|world| world.anchor_real);
    if let Some(past) = trace.into_iter().chain(anchor).max().filter(|past| past.0 - wall.0 > BEHIND_MS) {
        let message = format!("the machine's clock says {wall}, but the installation was written to at {past}");
        return Check::warning(NAME, message, SET);
    }
    let Some(world) = world else { return Check::ok(NAME, format!("the machine's clock says {wall}")) };
    let now = world.world_at(wall);
    let how = match world.mode {
        ClockMode::Wall => "runs with the machine's",
        ClockMode::Scaled => "runs at a rate of its own",
        ClockMode::Manual => "stands still until told (wolke clock advance)",
        ClockMode::Instant => "runs with the machine's, and simulated work takes no time",
    };
    Check::ok(NAME, format!("world time is {now}, {}, and {how}", offset(now.0 - wall.0)))
}

/// When the installation was written to for the last time, by its files.
fn newest_trace(patient: &Patient<'_>) -> Option<Timestamp> {
    let names = ["root.db", "root.db-wal", "worlds/main.db", "worlds/main.db-wal", "lock", "token", "seal.key"];
    let modified = |name: &&str| {
        let modified = std::fs::metadata(patient.directory.file(name)).ok()?.modified().ok()?;
        i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    };
    names.iter().filter_map(modified).max().map(Timestamp)
}

/// How far world time is from the wall clock, in its two largest units.
fn offset(milliseconds: i64) -> String {
    let (mut rest, mut parts) = (milliseconds.abs(), Vec::new());
    for (length, letter) in UNITS {
        if rest >= length && parts.len() < 2 {
            parts.push(format!("{}{letter}", rest / length));
            rest %= length;
        }
    }
    match parts.join("") {
        none if none.is_empty() => "the same as the machine's".to_owned(),
        parts if milliseconds > 0 => format!("{parts} ahead of the machine's"),
        parts => format!("{parts} behind the machine's"),
    }
}

#[cfg(test)]
mod tests {
    use super::{BEHIND_MS, EARLIEST_MS, judge, offset};
    use crate::doctor::Grade;
    use wolke_domain::clock::{ClockMode, ClockState};
    use wolke_wire::Timestamp;

    #[test]
    fn a_clock_that_lies_is_found_out() {
        let now = Timestamp(EARLIEST_MS + 1_000_000_000);
        assert_eq!(judge(now, None, None).status, Grade::Ok);
        assert_eq!(judge(Timestamp(0), None, None).status, Grade::Fail);
        assert_eq!(judge(now, Some(Timestamp(now.0 + BEHIND_MS)), None).status, Grade::Ok);
        let behind = judge(now, Some(Timestamp(now.0 + BEHIND_MS + 1)), None);
        assert_eq!(behind.status, Grade::Warning);
        let ahead = ClockState { anchor_real: Timestamp(now.0 + BEHIND_MS + 1), ..ClockState::wall() };
        assert_eq!(judge(now, None, Some(ahead)).status, Grade::Warning);
    }

    #[test]
    fn world_time_is_told() {
        let now = Timestamp(EARLIEST_MS);
        let day = Timestamp(EARLIEST_MS + 86_400_000);
        let manual = ClockState { mode: ClockMode::Manual, anchor_world: day, ..ClockState::wall() };
        let said = judge(now, None, Some(manual)).message;
        assert!(said.contains("2026-01-02T00:00:00+00:00, 1d ahead") && said.contains("stands still"), "{said}");
        assert_eq!(offset(90_061_000), "1d1h ahead of the machine's");
        assert_eq!(offset(-61_000), "1m1s behind the machine's");
        assert_eq!(offset(999), "the same as the machine's");
    }
}
