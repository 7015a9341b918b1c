//! Commands: at most once, with an outcome, and never instead of the desired state.

use super::{Bench, Case, Verdict, ensure};
use crate::command::{Command, CommandReport, Outcome, Verb};
use crate::host::{Delta, Report};
use crate::object::{ObjectKey, PowerState};
use crate::server::Power;

pub(super) const CASES: &[Case] = &[
    ("shutdown_ends_off", shutdown),
    ("ignored_shutdown_stays_running_and_can_be_stopped", ignored_shutdown),
    ("reset_and_reboot_end_running", reset_and_reboot),
    ("command_delivered_twice_runs_once", delivered_twice),
    ("command_on_a_stopped_machine_is_ignored", on_stopped),
    ("expired_command_is_not_run", expired),
];

impl Bench<'_> {
    pub(super) fn verb(&mut self, key: ObjectKey, verb: Verb) -> Command {
        Command { id: self.next_command(), key, verb, issued_at: self.harness.now(), expires_at: None }
    }

    /// Delivers a command and waits for its outcome.
    pub(super) fn outcome(&mut self, command: &Command) -> Result<Outcome, String> {
        let mut reports = self.apply(&Delta::command(command.clone()))?;
        let patience = self.patience();
        loop {
            if let Some(report) = find(&reports, command) {
                return Ok(report.outcome.clone());
            }
            if self.harness.now() >= patience {
                return Err(format!("{command:?} never ended"));
            }
            reports = self.step()?;
        }
    }
}

fn find<'a>(reports: &'a [Report], command: &Command) -> Option<&'a CommandReport> {
    reports.iter().find_map(|report| match report {
        Report::Command(report) if report.id == command.id && report.key == command.key => Some(report),
        _ => None,
    })
}

fn expect(outcome: &Outcome, expected: &Outcome) -> Verdict {
    ensure(outcome == expected, || format!("expected {expected:?}, got {outcome:?}"))
}

fn shutdown(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let command = bench.verb(key, Verb::Shutdown);
    expect(&bench.outcome(&command)?, &Outcome::Done)?;
    bench.wait(key, "off", |seen| seen.state.power == PowerState::Off)?;
    bench.stays(key, PowerState::Off)
}

fn ignored_shutdown(bench: &mut Bench<'_>) -> Verdict {
    bench.harness.set_ignores_shutdown(true);
    let (mut spec, key) = bench.running(1)?;
    let command = bench.verb(key, Verb::Shutdown);
    expect(&bench.outcome(&command)?, &Outcome::Done)?;
    bench.stays(key, PowerState::Running)?;
    spec.power = Power::Off;
    spec.power_epoch += 1;
    let off = bench.desire(1, &spec);
    bench.reach(&off, PowerState::Off).map(drop)
}

fn reset_and_reboot(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    for verb in [Verb::Reset, Verb::Reboot] {
        let command = bench.verb(key, verb);
        expect(&bench.outcome(&command)?, &Outcome::Done)?;
        bench.wait(key, "running", |seen| seen.state.power == PowerState::Running)?;
    }
    Ok(())
}

fn delivered_twice(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    let command = bench.verb(key, Verb::Shutdown);
    expect(&bench.outcome(&command)?, &Outcome::Done)?;
    bench.wait(key, "off", |seen| seen.state.power == PowerState::Off)?;
    spec.power_epoch += 1;
    let on = bench.desire(1, &spec);
    bench.reach(&on, PowerState::Running)?;
    for restart in [false, true] {
        if restart {
            bench.harness.restart();
        }
        expect(&bench.outcome(&command)?, &Outcome::Done)?;
        bench.stays(key, PowerState::Running)?;
    }
    let both = bench.verb(key, Verb::Shutdown);
    bench.apply(&Delta { commands: vec![both.clone(), both], ..Delta::default() })?;
    bench.wait(key, "off", |seen| seen.state.power == PowerState::Off).map(drop)
}

fn on_stopped(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.power = Power::Off;
    let desired = bench.desire(1, &spec);
    bench.reach(&desired, PowerState::Off)?;
    for verb in [Verb::Reset, Verb::Reboot, Verb::Shutdown] {
        let command = bench.verb(desired.key, verb);
        expect(&bench.outcome(&command)?, &Outcome::Ignored)?;
    }
    bench.stays(desired.key, PowerState::Off)
}

fn expired(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let mut command = bench.verb(key, Verb::Shutdown);
    command.expires_at = Some(bench.harness.now());
    expect(&bench.outcome(&command)?, &Outcome::Expired)?;
    bench.stays(key, PowerState::Running)
}
