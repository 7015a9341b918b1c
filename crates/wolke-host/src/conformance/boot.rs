//! From what a guest boots: disk, disc, and the rescue system exactly once per epoch, whatever is repeated.

use wolke_wire::Id;

use super::{Bench, Case, Verdict, ensure, expect_sound};
use crate::command::{Outcome, Verb};
use crate::host::Delta;
use crate::object::{Desired, HostError, ObjectKey, Observed, PowerState};
use crate::server::{Boot, Power, Rescue, Secret, ServerSpec};

pub(super) const CASES: &[Case] = &[("boots_from_disk", from_disk)];

pub(super) const DISC: &[Case] = &[("disc_counts_at_the_next_boot", disc)];

pub(super) const BOTH: &[Case] = &[("rescue_goes_before_the_disc", before_the_disc)];

pub(super) const RESCUE: &[Case] = &[
    ("rescue_is_booted_once_by_start", |bench| once(bench, start)),
    ("rescue_is_booted_once_by_reset", |bench| once(bench, |bench, key, _| press(bench, key, Verb::Reset))),
    ("rescue_is_booted_once_by_reboot", |bench| once(bench, |bench, key, _| press(bench, key, Verb::Reboot))),
    ("rescue_is_booted_once_by_rebuild", |bench| once(bench, rebuild)),
    ("rescue_is_booted_once_after_the_machine_died", |bench| once(bench, die)),
    ("rescue_and_on_in_one_generation", rescue_and_on),
    ("withdrawn_rescue_is_not_booted", withdrawn),
    ("overtaken_rescue_is_not_booted", overtaken),
    ("crash_during_start_into_rescue", crash_during_start),
    ("crash_during_reset_into_rescue", crash_during_reset),
];

/// A rescue wish with everything that can be wished for.
fn rescue(epoch: i64) -> Option<Rescue> {
    Some(Rescue {
        epoch,
        kind: "linux64".into(),
        ssh_keys: vec!["ssh-ed25519 AAAA rescue".into()],
        root_password_hash: Some(Secret("hunter2".into())),
    })
}

fn expect(observed: &Observed, boot: Boot, epoch: i64) -> Verdict {
    ensure(observed.state.booted == Some(boot) && observed.state.rescue_epoch == epoch, || {
        format!("expected {boot:?} and rescue epoch {epoch}, saw {observed:?}")
    })
}

impl Bench<'_> {
    /// The machine runs, booted like this, and goes on like this although time passes and the agent starts anew.
    fn runs_from(&mut self, key: ObjectKey, boot: Boot, epoch: i64) -> Verdict {
        for restart in [false, true] {
            if restart {
                self.harness.restart();
            }
            let seen = self.look(key)?.ok_or("the server is unknown")?;
            expect(&seen, boot, epoch)?;
            self.stays(key, PowerState::Running)?;
        }
        Ok(())
    }
}

/// Presses a button and waits until the machine runs again.
fn press(bench: &mut Bench<'_>, key: ObjectKey, verb: Verb) -> Verdict {
    let command = bench.verb(key, verb);
    let outcome = bench.outcome(&command)?;
    ensure(outcome == Outcome::Done, || format!("{command:?}: {outcome:?}"))?;
    bench.wait(key, "running", |seen| seen.state.power == PowerState::Running).map(drop)
}

fn start(bench: &mut Bench<'_>, key: ObjectKey, spec: &mut ServerSpec) -> Verdict {
    for (power, state) in [(Power::Off, PowerState::Off), (Power::On, PowerState::Running)] {
        spec.power = power;
        spec.power_epoch += 1;
        let desired = bench.desire(key.id, spec);
        let observed = bench.reach(&desired, state)?;
        ensure(observed.state.booted.is_some() == (power == Power::On), || format!("{observed:?}"))?;
    }
    Ok(())
}

fn rebuild(bench: &mut Bench<'_>, key: ObjectKey, spec: &mut ServerSpec) -> Verdict {
    spec.rebuild_epoch += 1;
    let desired = bench.desire(key.id, spec);
    bench.reach(&desired, PowerState::Running).map(drop)
}

fn die(bench: &mut Bench<'_>, key: ObjectKey, _: &mut ServerSpec) -> Verdict {
    bench.harness.guest_dies(key);
    bench.settle()?;
    bench.wait(key, "running again", |seen| seen.state.power == PowerState::Running).map(drop)
}

fn from_disk(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    bench.runs_from(key, Boot::Disk, 0)?;
    start(bench, key, &mut spec)?;
    bench.runs_from(key, Boot::Disk, 0)?;
    bench.harness.guest_powers_off(key);
    let off = bench.wait(key, "off by itself", |seen| seen.state.power == PowerState::Off)?;
    ensure(off.state.booted.is_none(), || format!("off and booted: {off:?}"))
}

fn disc(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.iso = Some(bench.harness.iso());
    let inserted = bench.desire(1, &spec);
    bench.reach(&inserted, PowerState::Running)?;
    bench.runs_from(key, Boot::Disk, 0)?;
    press(bench, key, Verb::Reset)?;
    bench.runs_from(key, Boot::Iso, 0)?;
    press(bench, key, Verb::Reboot)?;
    bench.runs_from(key, Boot::Iso, 0)?;
    spec.iso = None;
    let ejected = bench.desire(1, &spec);
    bench.reach(&ejected, PowerState::Running)?;
    bench.runs_from(key, Boot::Iso, 0)?;
    start(bench, key, &mut spec)?;
    bench.runs_from(key, Boot::Disk, 0)
}

/// One way of booting, four times: into the rescue system, out of it, and the same for the next epoch.
fn once(bench: &mut Bench<'_>, boot: fn(&mut Bench<'_>, ObjectKey, &mut ServerSpec) -> Verdict) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    for epoch in 1..=2 {
        spec.rescue = rescue(epoch);
        let armed = bench.desire(1, &spec);
        let waiting = bench.reach(&armed, PowerState::Running)?;
        expect_sound(&waiting)?;
        bench.runs_from(key, Boot::Disk, epoch - 1)?;
        boot(bench, key, &mut spec)?;
        bench.runs_from(key, Boot::Rescue, epoch)?;
        // The same wish again, and a change of something else, arm nothing.
        spec.definition.name = format!("rescued-{epoch}");
        let renamed = bench.desire(1, &spec);
        bench.reach(&renamed, PowerState::Running)?;
        bench.reach(&renamed, PowerState::Running)?;
        boot(bench, key, &mut spec)?;
        bench.runs_from(key, Boot::Disk, epoch)?;
    }
    Ok(())
}

fn rescue_and_on(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.power = Power::Off;
    let off = bench.desire(1, &spec);
    let observed = bench.reach(&off, PowerState::Off)?;
    ensure(observed.state.booted.is_none(), || format!("off and booted: {observed:?}"))?;
    spec.rescue = rescue(1);
    let armed = bench.desire(1, &spec);
    let observed = bench.reach(&armed, PowerState::Off)?;
    ensure(observed.state.rescue_epoch == 0, || format!("consumed without a boot: {observed:?}"))?;
    spec.rescue = rescue(2);
    spec.power = Power::On;
    spec.power_epoch += 1;
    let on = bench.desire(1, &spec);
    bench.reach(&on, PowerState::Running)?;
    bench.runs_from(on.key, Boot::Rescue, 2)?;
    press(bench, on.key, Verb::Reset)?;
    bench.runs_from(on.key, Boot::Disk, 2)
}

fn before_the_disc(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.iso = Some(bench.harness.iso());
    spec.rescue = rescue(1);
    let both = bench.desire(1, &spec);
    bench.reach(&both, PowerState::Running)?;
    press(bench, key, Verb::Reset)?;
    bench.runs_from(key, Boot::Rescue, 1)?;
    press(bench, key, Verb::Reset)?;
    bench.runs_from(key, Boot::Iso, 1)
}

fn withdrawn(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    for wish in [rescue(1), None] {
        spec.rescue = wish;
        let desired = bench.desire(1, &spec);
        bench.reach(&desired, PowerState::Running)?;
    }
    press(bench, key, Verb::Reset)?;
    bench.runs_from(key, Boot::Disk, 0)?;
    spec.rescue = rescue(2);
    let again = bench.desire(1, &spec);
    bench.reach(&again, PowerState::Running)?;
    press(bench, key, Verb::Reboot)?;
    bench.runs_from(key, Boot::Rescue, 2)
}

/// An older generation that wishes for the rescue system arrives late: before and after its withdrawal counts.
fn overtaken(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.rescue = rescue(1);
    let late = bench.desire(1, &spec);
    spec.rescue = None;
    let newer = bench.desire(1, &spec);
    bench.reach(&newer, PowerState::Running)?;
    bench.apply(&Delta::object(late))?;
    press(bench, key, Verb::Reset)?;
    bench.runs_from(key, Boot::Disk, 0)
}

fn crash_during_start(bench: &mut Bench<'_>) -> Verdict {
    let into_rescue = |spec: &mut ServerSpec| {
        spec.disk_gb += 1;
        spec.rescue = rescue(1);
        spec.power = Power::On;
        spec.power_epoch += 1;
    };
    bench.at_every_point(|spec| spec.power = Power::Off, into_rescue, PowerState::Running)?;
    for key in bench.listed_keys()? {
        let seen = bench.look(key)?.ok_or("the server is unknown")?;
        expect(&seen, Boot::Rescue, 1)?;
        press(bench, key, Verb::Reset)?;
        let seen = bench.look(key)?.ok_or("the server is unknown")?;
        expect(&seen, Boot::Disk, 1)?;
    }
    Ok(())
}

fn crash_during_reset(bench: &mut Bench<'_>) -> Verdict {
    for point in 0..3 {
        let id = Id::from(point) + 1;
        let (mut spec, key) = bench.running(id)?;
        spec.rescue = rescue(1);
        let armed: Desired = bench.desire(id, &spec);
        bench.reach(&armed, PowerState::Running)?;
        let command = bench.verb(key, Verb::Reset);
        let outcome = bench.die_in_command(point, &command)?;
        let seen = bench.wait(key, "running", |seen| seen.state.power == PowerState::Running)?;
        match &outcome {
            Outcome::Done => {}
            Outcome::Failed { error } if error.code == HostError::INTERRUPTED => {}
            other => return Err(format!("dead after {point}: {other:?}")),
        }
        // Whatever became of the reset: a boot that did not happen has consumed nothing.
        if outcome == Outcome::Done || seen.state.rescue_epoch == 1 {
            expect(&seen, Boot::Rescue, 1)?;
        } else {
            expect(&seen, Boot::Disk, 0)?;
            press(bench, key, Verb::Reset)?;
            bench.runs_from(key, Boot::Rescue, 1)?;
        }
        let repeated = bench.outcome(&command)?;
        ensure(repeated == outcome, || format!("first {outcome:?}, then {repeated:?}"))?;
        bench.runs_from(key, Boot::Rescue, 1)?;
        press(bench, key, Verb::Reset)?;
        bench.runs_from(key, Boot::Disk, 1)?;
    }
    Ok(())
}
