//! Passwords through the guest agent: of a guest that runs and answers, at most once, and nothing is left of the hash.

use wolke_wire::Id;

use super::{Bench, Case, Verdict, ensure};
use crate::command::{Outcome, Verb};
use crate::host::Delta;
use crate::object::{Desired, HostError, ObjectKey, PowerState};
use crate::server::{Power, Secret};

pub(super) const CASES: &[Case] = &[
    ("password_while_running", while_running),
    ("password_while_off_fails", while_off),
    ("password_of_an_absent_server_fails", of_absent),
    ("password_without_agent_fails", without_agent),
    ("password_during_a_reboot_loses_neither_answer", during_reboot),
    ("power_off_ends_a_password", ended_by_power_off),
    ("crash_during_password", crash),
];

/// The hash of a password that must not be found in a host's memory.
fn password() -> Verb {
    Verb::SetPassword { hash: Secret("hunter2".into()) }
}

fn expect_done(outcome: &Outcome) -> Verdict {
    ensure(*outcome == Outcome::Done, || format!("expected Done, got {outcome:?}"))
}

fn expect_failure(outcome: &Outcome, codes: &[&str]) -> Verdict {
    let failed = matches!(outcome, Outcome::Failed { error }
        if codes.contains(&error.code.as_str()) && !error.message.is_empty());
    ensure(failed, || format!("expected a failure {codes:?}, got {outcome:?}"))
}

fn while_running(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let command = bench.verb(key, password());
    bench.apply(&Delta::command(command.clone()))?;
    // Memory is looked through for secrets when the agent starts anew, here perhaps with the command under way.
    bench.harness.restart();
    for _ in 0..2 {
        let outcome = bench.outcome(&command)?;
        expect_done(&outcome).or_else(|reason| match bench.harness.keeps_commands() {
            true => Err(reason),
            false => expect_failure(&outcome, &[HostError::INTERRUPTED]),
        })?;
        bench.stays(key, PowerState::Running)?;
    }
    let next = bench.verb(key, password());
    expect_done(&bench.outcome(&next)?)
}

fn while_off(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.power = Power::Off;
    let desired = bench.desire(1, &spec);
    bench.reach(&desired, PowerState::Off)?;
    let command = bench.verb(desired.key, password());
    expect_failure(&bench.outcome(&command)?, &[HostError::GUEST_AGENT])?;
    bench.stays(desired.key, PowerState::Off)?;
    // It is not made up for when the guest runs again.
    spec.power = Power::On;
    spec.power_epoch += 1;
    let on = bench.desire(1, &spec);
    bench.reach(&on, PowerState::Running)?;
    expect_failure(&bench.outcome(&command)?, &[HostError::GUEST_AGENT])
}

fn of_absent(bench: &mut Bench<'_>) -> Verdict {
    let never = bench.verb(ObjectKey::server(1), password());
    expect_failure(&bench.outcome(&never)?, &[HostError::GUEST_AGENT])?;
    let (_, key) = bench.running(2)?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    let gone = bench.verb(key, password());
    expect_failure(&bench.outcome(&gone)?, &[HostError::GUEST_AGENT])
}

fn without_agent(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    bench.harness.set_no_guest_agent(true);
    let command = bench.verb(key, password());
    expect_failure(&bench.outcome(&command)?, &[HostError::GUEST_AGENT])?;
    bench.stays(key, PowerState::Running)?;
    bench.harness.set_no_guest_agent(false);
    expect_failure(&bench.outcome(&command)?, &[HostError::GUEST_AGENT])?;
    let next = bench.verb(key, password());
    expect_done(&bench.outcome(&next)?)
}

/// The reboot goes through in either order; the password is set, or its failure says why.
fn during_reboot(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    for reboot_first in [true, false] {
        let (reboot, password) = (bench.verb(key, Verb::Reboot), bench.verb(key, password()));
        let mut commands = vec![reboot.clone(), password.clone()];
        if !reboot_first {
            commands.reverse();
        }
        bench.apply(&Delta { commands, ..Delta::default() })?;
        expect_done(&bench.outcome(&reboot)?)?;
        let outcome = bench.outcome(&password)?;
        let cut_short = if reboot_first { HostError::GUEST_AGENT } else { HostError::SUPERSEDED };
        expect_done(&outcome).or_else(|_| expect_failure(&outcome, &[cut_short]))?;
        bench.wait(key, "running", |seen| seen.state.power == PowerState::Running)?;
    }
    Ok(())
}

fn ended_by_power_off(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    let command = bench.verb(key, password());
    bench.apply(&Delta::command(command.clone()))?;
    spec.power = Power::Off;
    spec.power_epoch += 1;
    let off = bench.desire(1, &spec);
    bench.reach(&off, PowerState::Off)?;
    let outcome = bench.outcome(&command)?;
    expect_done(&outcome).or_else(|_| expect_failure(&outcome, &[HostError::SUPERSEDED]))
}

fn crash(bench: &mut Bench<'_>) -> Verdict {
    for point in 0..3 {
        let (_, key) = bench.running(Id::from(point) + 1)?;
        let command = bench.verb(key, password());
        let outcome = bench.die_in_command(point, &command)?;
        expect_done(&outcome).or_else(|_| expect_failure(&outcome, &[HostError::INTERRUPTED]))?;
        let again = bench.outcome(&command)?;
        ensure(outcome == again, || format!("dead after {point}: first {outcome:?}, then {again:?}"))?;
        let next = bench.verb(key, password());
        expect_done(&bench.outcome(&next)?)?;
    }
    Ok(())
}
