//! Creation, repetition, deletion: the life of one object.

use super::{Bench, Case, Verdict, ensure, expect_power, expect_sound};
use crate::host::{Delta, Report};
use crate::object::{Desired, ObjectKey, PowerState};
use crate::server::Power;

pub(super) const CASES: &[Case] = &[
    ("create_runs", create_runs),
    ("create_off_stays_off", create_off_stays_off),
    ("apply_twice_changes_nothing", apply_twice),
    ("older_generation_is_refused", older_generation),
    ("delete_leaves_nothing", delete),
    ("delete_of_never_created", delete_of_never_created),
    ("delete_during_create", delete_during_create),
    ("older_wish_does_not_resurrect", no_resurrection),
];

fn create_runs(bench: &mut Bench<'_>) -> Verdict {
    let spec = bench.harness.spec();
    let desired = bench.desire(1, &spec);
    let observed = bench.reach(&desired, PowerState::Running)?;
    expect_sound(&observed)?;
    ensure(observed.generation == desired.generation, || format!("applied another generation: {observed:?}"))?;
    let listed = bench.harness.host().list(None, 10).map_err(|error| error.to_string())?;
    let keys: Vec<_> = listed.iter().map(|artefact| artefact.key).collect();
    ensure(keys == [desired.key], || format!("listed {keys:?}"))
}

fn create_off_stays_off(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.power = Power::Off;
    let desired = bench.desire(1, &spec);
    bench.reach(&desired, PowerState::Off)?;
    bench.stays(desired.key, PowerState::Off)?;
    spec.power = Power::On;
    spec.power_epoch += 1;
    let desired = bench.desire(1, &spec);
    bench.reach(&desired, PowerState::Running).map(drop)
}

fn apply_twice(bench: &mut Bench<'_>) -> Verdict {
    let spec = bench.harness.spec();
    let desired = bench.desire(1, &spec);
    let twice = Delta { objects: vec![desired.clone(), desired.clone()], ..Delta::default() };
    bench.apply(&twice)?;
    bench.apply(&twice)?;
    let first = bench.reach(&desired, PowerState::Running)?;
    let again = bench.reach(&desired, PowerState::Running)?;
    ensure(first.state == again.state && first.generation == again.generation, || {
        format!("the second time changed {first:?} to {again:?}")
    })
}

fn older_generation(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    let old = bench.desire(1, &spec);
    spec.power = Power::Off;
    let new = bench.desire(1, &spec);
    bench.reach(&new, PowerState::Off)?;
    let reports = bench.apply(&Delta::object(old.clone()))?;
    let refused = reports.iter().any(|report| {
        matches!(report, Report::Refused { offered, has } if *offered == old.generation && has.accepted == new.generation)
    });
    ensure(refused, || format!("not refused: {reports:?}"))?;
    bench.stays(new.key, PowerState::Off)
}

fn delete(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let (_, other) = bench.running(2)?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    bench.reach(&tombstone, PowerState::Absent)?;
    let listed = bench.harness.host().list(None, 10).map_err(|error| error.to_string())?;
    let keys: Vec<_> = listed.iter().map(|artefact| artefact.key).collect();
    ensure(keys == [other], || format!("listed {keys:?} after the delete"))?;
    bench.stays(other, PowerState::Running)
}

fn delete_of_never_created(bench: &mut Bench<'_>) -> Verdict {
    let spec = bench.harness.spec();
    let late = bench.desire(1, &spec);
    let tombstone = Desired::absent(ObjectKey::server(1), bench.next());
    let observed = bench.reach(&tombstone, PowerState::Absent)?;
    expect_sound(&observed)?;
    bench.apply(&Delta::object(late))?;
    bench.stays(tombstone.key, PowerState::Absent)
}

fn delete_during_create(bench: &mut Bench<'_>) -> Verdict {
    let spec = bench.harness.spec();
    let desired = bench.desire(1, &spec);
    bench.apply(&Delta::object(desired))?;
    let tombstone = Desired::absent(ObjectKey::server(1), bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    let listed = bench.harness.host().list(None, 10).map_err(|error| error.to_string())?;
    ensure(listed.is_empty(), || format!("listed {listed:?} after the delete"))
}

fn no_resurrection(bench: &mut Bench<'_>) -> Verdict {
    let spec = bench.harness.spec();
    let first = bench.desire(1, &spec);
    let overtaken = bench.desire(1, &spec);
    bench.reach(&first, PowerState::Running)?;
    let tombstone = Desired::absent(first.key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    bench.harness.restart();
    for late in [first, overtaken] {
        bench.apply(&Delta::object(late))?;
        let seen = bench.look(tombstone.key)?.ok_or("the tombstone was forgotten without being told")?;
        expect_power(&seen, PowerState::Absent)?;
    }
    bench.stays(tombstone.key, PowerState::Absent)
}
