//! Death between any two operations: the same delta, applied again after the restart, reaches the same state.

use super::{Bench, Case, Verdict, ensure, expect_power, expect_sound};
use crate::command::{Command, Outcome, Verb};
use crate::host::Delta;
use crate::object::{Desired, HostError, PowerState};
use crate::plan::PLAN_MAX;
use crate::server::{Power, ServerSpec};
use wolke_wire::Id;

pub(super) const CASES: &[Case] = &[
    ("crash_during_create", create),
    ("crash_during_stop", stop),
    ("crash_during_rebuild", rebuild),
    ("crash_during_resize_and_start", resize_and_start),
    ("crash_during_delete", delete),
    ("crash_during_command", command),
];

/// One more than the longest plan: the last round has to come through without dying.
const POINTS: u32 = PLAN_MAX as u32 + 1;

impl Bench<'_> {
    /// Applies and polls until the generation is applied, with a death after `operations` of them; says whether it died.
    fn die_after(&mut self, operations: u32, desired: &Desired) -> Result<bool, String> {
        self.harness.crash_after(Some(operations));
        let delta = Delta::object(desired.clone());
        let mut died = self.apply(&delta).is_err();
        let patience = self.patience();
        while !died && self.harness.now() < patience {
            if self.look(desired.key).is_ok_and(|seen| seen.is_some_and(|seen| seen.has_applied(desired.generation))) {
                break;
            }
            died = self.step().is_err();
        }
        self.harness.crash_after(None);
        if died {
            self.harness.restart();
        }
        Ok(died)
    }

    /// Delivers a command to a host that dies after `operations`, and asks for its outcome after the restart.
    pub(super) fn die_in_command(&mut self, operations: u32, command: &Command) -> Result<Outcome, String> {
        self.harness.crash_after(Some(operations));
        let mut died = self.apply(&Delta::command(command.clone())).is_err();
        let end = self.harness.now().plus_ms(self.harness.settle_ms());
        while !died && self.harness.now() < end {
            died = self.step().is_err();
        }
        self.harness.crash_after(None);
        ensure(died || operations > 0, || "it never died: the harness injects nothing".into())?;
        if died {
            self.harness.restart();
        }
        self.outcome(command)
    }

    /// For every point of the plan: prepare, change, die there, repeat, compare.
    pub(super) fn at_every_point(
        &mut self,
        prepare: impl Fn(&mut ServerSpec),
        change: impl Fn(&mut ServerSpec),
        power: PowerState,
    ) -> Verdict {
        let mut deaths = 0;
        for point in 0..=POINTS {
            let id = Id::from(point) + 1;
            let mut spec = self.harness.spec();
            prepare(&mut spec);
            let before = if spec.power == Power::On { PowerState::Running } else { PowerState::Off };
            let desired = self.desire(id, &spec);
            self.reach(&desired, before)?;
            change(&mut spec);
            let desired = self.desire(id, &spec);
            deaths += u32::from(self.die_after(point, &desired)?);
            let observed = self.reach(&desired, power).map_err(|reason| format!("dead after {point}: {reason}"))?;
            expect_sound(&observed)?;
        }
        self.expect_deaths(deaths)
    }

    fn expect_deaths(&self, deaths: u32) -> Verdict {
        ensure(deaths >= 1, || "it never died: the harness injects nothing".into())?;
        ensure(deaths <= POINTS, || "it died at the last point, too: the plan is longer than PLAN_MAX".into())
    }
}

fn create(bench: &mut Bench<'_>) -> Verdict {
    let mut deaths = 0;
    for point in 0..=POINTS {
        let spec = bench.harness.spec();
        let desired = bench.desire(Id::from(point) + 1, &spec);
        deaths += u32::from(bench.die_after(point, &desired)?);
        let observed =
            bench.reach(&desired, PowerState::Running).map_err(|reason| format!("dead after {point}: {reason}"))?;
        expect_sound(&observed)?;
    }
    bench.expect_deaths(deaths)
}

fn stop(bench: &mut Bench<'_>) -> Verdict {
    let off = |spec: &mut ServerSpec| {
        spec.power = Power::Off;
        spec.power_epoch += 1;
    };
    bench.at_every_point(|_| {}, off, PowerState::Off)
}

fn rebuild(bench: &mut Bench<'_>) -> Verdict {
    bench.at_every_point(|_| {}, |spec| spec.rebuild_epoch += 1, PowerState::Running)
}

fn resize_and_start(bench: &mut Bench<'_>) -> Verdict {
    let grow = |spec: &mut ServerSpec| {
        spec.disk_gb += 1;
        spec.definition.memory_mb *= 2;
        spec.power = Power::On;
        spec.power_epoch += 1;
    };
    bench.at_every_point(|spec| spec.power = Power::Off, grow, PowerState::Running)
}

fn delete(bench: &mut Bench<'_>) -> Verdict {
    let mut deaths = 0;
    for point in 0..=POINTS {
        let (_, key) = bench.running(Id::from(point) + 1)?;
        let tombstone = Desired::absent(key, bench.next());
        deaths += u32::from(bench.die_after(point, &tombstone)?);
        bench.reach(&tombstone, PowerState::Absent).map_err(|reason| format!("dead after {point}: {reason}"))?;
        let listed = bench.harness.host().list(None, 100).map_err(|error| error.to_string())?;
        ensure(listed.is_empty(), || format!("dead after {point}: left behind {listed:?}"))?;
    }
    bench.expect_deaths(deaths)
}

/// A command that was interrupted has an outcome when it is delivered again, and that outcome is the truth.
fn command(bench: &mut Bench<'_>) -> Verdict {
    for point in 0..3 {
        let (mut spec, key) = bench.running(Id::from(point) + 1)?;
        let command: Command = bench.verb(key, Verb::Shutdown);
        match bench.die_in_command(point, &command)? {
            Outcome::Done => {
                bench.wait(key, "off", |seen| seen.state.power == PowerState::Off)?;
            }
            Outcome::Failed { error } if error.code == HostError::INTERRUPTED => {}
            other => return Err(format!("dead after {point}: {other:?}")),
        }
        // Whatever happened then, it does not happen again.
        spec.power_epoch += 1;
        let on = bench.desire(key.id, &spec);
        bench.reach(&on, PowerState::Running)?;
        bench.outcome(&command)?;
        bench.stays(key, PowerState::Running)?;
        let seen = bench.look(key)?.ok_or("the server is unknown")?;
        expect_power(&seen, PowerState::Running)?;
    }
    Ok(())
}
