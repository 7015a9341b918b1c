//! Snapshots: of whatever has a disk, beside what else goes on, and never without an end.

use wolke_wire::Id;

use super::{Bench, Case, Verdict, ensure, expect_sound};
use crate::command::{Command, Outcome, Verb};
use crate::host::Delta;
use crate::object::{Desired, HostError, ObjectKey, PowerState};
use crate::server::Power;

pub(super) const CASES: &[Case] = &[
    ("snapshot_while_running", while_running),
    ("snapshot_while_off", while_off),
    ("snapshot_of_what_was_never_there", of_never_created),
    ("snapshot_of_what_is_gone", of_gone),
    ("snapshot_delivered_twice_is_one", delivered_twice),
    ("expired_snapshot_is_not_made", expired),
    ("snapshot_and_reboot_go_side_by_side", beside_power),
    ("snapshot_outlives_a_power_off", outlives_power_off),
    ("later_snapshot_leaves_no_earlier_one_open", one_after_the_other),
    ("delete_ends_a_snapshot", ended_by_delete),
    ("rebuild_ends_a_snapshot", ended_by_rebuild),
    ("crash_during_snapshot", crash),
];

/// The id of the first image that a case makes.
const IMAGE: Id = 9001;

/// MiB of one GB of disk.
const MB_PER_GB: u64 = 1024;

const fn snapshot(image: Id) -> Verb {
    Verb::Snapshot { image }
}

/// The image is complete and no larger than the disk.
fn expect_image(outcome: &Outcome, disk_gb: u32) -> Verdict {
    let largest = u64::from(disk_gb) * MB_PER_GB;
    let plausible = matches!(outcome, Outcome::Snapshotted { size_mb } if (1..=largest).contains(size_mb));
    ensure(plausible, || format!("expected an image of at most {largest} MiB, got {outcome:?}"))
}

fn expect_failure(outcome: &Outcome, codes: &[&str]) -> Verdict {
    let failed = matches!(outcome, Outcome::Failed { error }
        if codes.contains(&error.code.as_str()) && !error.message.is_empty());
    ensure(failed, || format!("expected a failure {codes:?}, got {outcome:?}"))
}

/// Complete before it could be cut short, or cut short and told so.
fn expect_ended(outcome: &Outcome, disk_gb: u32) -> Verdict {
    expect_image(outcome, disk_gb)
        .or_else(|_| expect_failure(outcome, &[HostError::SUPERSEDED, HostError::INTERRUPTED]))
}

fn while_running(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let command = bench.verb(key, snapshot(IMAGE));
    bench.apply(&Delta::command(command.clone()))?;
    bench.stays(key, PowerState::Running)?;
    expect_image(&bench.outcome(&command)?, spec.disk_gb)?;
    bench.stays(key, PowerState::Running)
}

fn while_off(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.power = Power::Off;
    let desired = bench.desire(1, &spec);
    bench.reach(&desired, PowerState::Off)?;
    let command = bench.verb(desired.key, snapshot(IMAGE));
    expect_image(&bench.outcome(&command)?, spec.disk_gb)?;
    bench.stays(desired.key, PowerState::Off)
}

fn of_never_created(bench: &mut Bench<'_>) -> Verdict {
    let key = ObjectKey::server(1);
    let command = bench.verb(key, snapshot(IMAGE));
    expect_failure(&bench.outcome(&command)?, &[HostError::NO_DISK])?;
    let listed = bench.listed_keys()?;
    ensure(listed.is_empty(), || format!("the command has brought about {listed:?}"))
}

fn of_gone(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    let command = bench.verb(key, snapshot(IMAGE));
    expect_failure(&bench.outcome(&command)?, &[HostError::NO_DISK])?;
    bench.stays(key, PowerState::Absent)
}

fn delivered_twice(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let command = bench.verb(key, snapshot(IMAGE));
    bench.apply(&Delta { commands: vec![command.clone(), command.clone()], ..Delta::default() })?;
    let first = bench.outcome(&command)?;
    expect_image(&first, spec.disk_gb)?;
    bench.harness.restart();
    let again = bench.outcome(&command)?;
    ensure(first == again, || format!("first {first:?}, then {again:?}"))
}

fn expired(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let mut command = bench.verb(key, snapshot(IMAGE));
    command.expires_at = Some(bench.harness.now());
    let outcome = bench.outcome(&command)?;
    ensure(outcome == Outcome::Expired, || format!("{outcome:?}"))
}

/// Neither takes the place of the other, whichever comes first.
fn beside_power(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    for power in [Verb::Reboot, Verb::Reset] {
        for snapshot_first in [false, true] {
            let mut verbs = [power.clone(), snapshot(IMAGE)];
            if snapshot_first {
                verbs.reverse();
            }
            let commands = verbs.map(|verb| bench.verb(key, verb));
            bench.apply(&Delta { commands: commands.to_vec(), ..Delta::default() })?;
            for command in &commands {
                let outcome = bench.outcome(command)?;
                match command.verb {
                    Verb::Snapshot { .. } => expect_image(&outcome, spec.disk_gb)?,
                    _ => ensure(outcome == Outcome::Done, || format!("{command:?}: {outcome:?}"))?,
                }
            }
            bench.wait(key, "running", |seen| seen.state.power == PowerState::Running)?;
        }
    }
    Ok(())
}

fn outlives_power_off(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    let command = bench.verb(key, snapshot(IMAGE));
    bench.apply(&Delta::command(command.clone()))?;
    spec.power = Power::Off;
    spec.power_epoch += 1;
    let off = bench.desire(1, &spec);
    bench.reach(&off, PowerState::Off)?;
    expect_image(&bench.outcome(&command)?, spec.disk_gb)?;
    bench.stays(key, PowerState::Off)
}

fn one_after_the_other(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let commands: Vec<Command> = (IMAGE..IMAGE + 3).map(|image| bench.verb(key, snapshot(image))).collect();
    bench.apply(&Delta { commands: commands.clone(), ..Delta::default() })?;
    let [earlier @ .., last] = commands.as_slice() else { return Err("no commands".into()) };
    expect_image(&bench.outcome(last)?, spec.disk_gb)?;
    for command in earlier {
        expect_ended(&bench.outcome(command)?, spec.disk_gb)?;
    }
    Ok(())
}

fn ended_by_delete(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let command = bench.verb(key, snapshot(IMAGE));
    bench.apply(&Delta::command(command.clone()))?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    let first = bench.outcome(&command)?;
    expect_ended(&first, spec.disk_gb)?;
    bench.stays(key, PowerState::Absent)?;
    let again = bench.outcome(&command)?;
    ensure(first == again, || format!("first {first:?}, then {again:?}"))
}

fn ended_by_rebuild(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    let command = bench.verb(key, snapshot(IMAGE));
    bench.apply(&Delta::command(command.clone()))?;
    spec.rebuild_epoch += 1;
    let rebuilt = bench.desire(1, &spec);
    let observed = bench.reach(&rebuilt, PowerState::Running)?;
    expect_sound(&observed)?;
    expect_ended(&bench.outcome(&command)?, spec.disk_gb)?;
    let next = bench.verb(key, snapshot(IMAGE + 1));
    expect_image(&bench.outcome(&next)?, spec.disk_gb)
}

fn crash(bench: &mut Bench<'_>) -> Verdict {
    for point in 0..3 {
        let (spec, key) = bench.running(Id::from(point) + 1)?;
        let command = bench.verb(key, snapshot(IMAGE));
        let outcome = bench.die_in_command(point, &command)?;
        expect_image(&outcome, spec.disk_gb).or_else(|_| expect_failure(&outcome, &[HostError::INTERRUPTED]))?;
        let again = bench.outcome(&command)?;
        ensure(outcome == again, || format!("dead after {point}: first {outcome:?}, then {again:?}"))?;
        bench.stays(key, PowerState::Running)?;
        // A lane is not blocked by what died in it.
        let next = bench.verb(key, snapshot(IMAGE + 1));
        expect_image(&bench.outcome(&next)?, spec.disk_gb)?;
    }
    Ok(())
}
