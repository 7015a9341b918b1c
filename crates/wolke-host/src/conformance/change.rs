//! Changes of an object that exists: power, size, name, disk, rebuild, and what guests do by themselves.

use super::{Bench, Case, Verdict, expect_sound};
use crate::object::{HostError, PowerState};
use crate::server::Power;

pub(super) const CASES: &[Case] = &[
    ("power_toggles", power_toggles),
    ("name_changes_while_running", name_changes),
    ("size_and_address_change_while_off", size_and_address_change),
    ("size_changes_while_running", size_changes_while_running),
    ("public_address_is_taken_and_given_while_off", address_taken_and_given),
    ("disk_grows_and_never_shrinks", disk_grows),
    ("rebuild_of_running_runs_again", rebuild_running),
    ("rebuild_to_off_stays_off", rebuild_off),
    ("guest_powers_itself_off", guest_powers_off),
    ("guest_that_died_with_the_machine_starts_again", guest_dies),
    ("running_guests_outlive_the_agent", outlives_agent),
];

fn power_toggles(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, _) = bench.running(1)?;
    for (power, state) in [
        (Power::Off, PowerState::Off),
        (Power::Off, PowerState::Off),
        (Power::On, PowerState::Running),
        (Power::On, PowerState::Running),
        (Power::Off, PowerState::Off),
    ] {
        spec.power = power;
        spec.power_epoch += 1;
        let desired = bench.desire(1, &spec);
        bench.reach(&desired, state)?;
    }
    Ok(())
}

fn name_changes(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.definition.name = "renamed".into();
    let desired = bench.desire(1, &spec);
    let observed = bench.reach(&desired, PowerState::Running)?;
    expect_sound(&observed)?;
    bench.stays(key, PowerState::Running)
}

fn size_and_address_change(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, _) = bench.running(1)?;
    spec.power = Power::Off;
    spec.power_epoch += 1;
    let off = bench.desire(1, &spec);
    bench.reach(&off, PowerState::Off)?;
    spec.definition.memory_mb *= 2;
    if let Some(public) = &mut spec.definition.public {
        public.ipv4 = public.ipv4.map(|address| (u32::from(address) ^ 1).into());
    }
    let changed = bench.desire(1, &spec);
    bench.reach(&changed, PowerState::Off)?;
    spec.power = Power::On;
    spec.power_epoch += 1;
    let on = bench.desire(1, &spec);
    bench.reach(&on, PowerState::Running).and_then(|observed| expect_sound(&observed))
}

fn size_changes_while_running(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.definition.memory_mb *= 2;
    spec.definition.name = "larger".into();
    let changed = bench.desire(1, &spec);
    bench.reach(&changed, PowerState::Running).and_then(|observed| expect_sound(&observed))?;
    bench.stays(key, PowerState::Running)?;
    for (power, state) in [(Power::Off, PowerState::Off), (Power::On, PowerState::Running)] {
        spec.power = power;
        spec.power_epoch += 1;
        let desired = bench.desire(1, &spec);
        bench.reach(&desired, state).and_then(|observed| expect_sound(&observed))?;
    }
    Ok(())
}

fn address_taken_and_given(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, _) = bench.running(1)?;
    let public = spec.definition.public.clone();
    for without in [true, false] {
        spec.power = Power::Off;
        spec.power_epoch += 1;
        let off = bench.desire(1, &spec);
        bench.reach(&off, PowerState::Off)?;
        spec.definition.public = public.clone().filter(|_| !without);
        let changed = bench.desire(1, &spec);
        bench.reach(&changed, PowerState::Off)?;
        spec.power = Power::On;
        spec.power_epoch += 1;
        let on = bench.desire(1, &spec);
        bench.reach(&on, PowerState::Running).and_then(|observed| expect_sound(&observed))?;
    }
    Ok(())
}

fn disk_grows(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.power = Power::Off;
    spec.power_epoch += 1;
    spec.disk_gb += 1;
    let grown = bench.desire(1, &spec);
    bench.reach(&grown, PowerState::Off)?;
    spec.disk_gb -= 1;
    let shrunk = bench.desire(1, &spec);
    bench.fail(&shrunk, HostError::DISK_SHRINK)?;
    bench.stays(key, PowerState::Off)?;
    spec.disk_gb += 1;
    let back = bench.desire(1, &spec);
    bench.reach(&back, PowerState::Off).and_then(|observed| expect_sound(&observed))
}

fn rebuild_running(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.rebuild_epoch += 1;
    let rebuilt = bench.desire(1, &spec);
    bench.reach(&rebuilt, PowerState::Running)?;
    bench.stays(key, PowerState::Running)
}

fn rebuild_off(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    spec.rebuild_epoch += 1;
    spec.power = Power::Off;
    let rebuilt = bench.desire(1, &spec);
    bench.reach(&rebuilt, PowerState::Off)?;
    bench.stays(key, PowerState::Off)
}

fn guest_powers_off(bench: &mut Bench<'_>) -> Verdict {
    let (mut spec, key) = bench.running(1)?;
    bench.harness.guest_powers_off(key);
    bench.wait(key, "off by itself", |seen| seen.state.power == PowerState::Off)?;
    // A change that nobody meant as "on" must not start it, nor must a restart of the agent.
    spec.definition.name = "renamed".into();
    let renamed = bench.desire(1, &spec);
    bench.reach(&renamed, PowerState::Off)?;
    bench.harness.restart();
    bench.reach(&renamed, PowerState::Off)?;
    bench.stays(key, PowerState::Off)?;
    spec.power_epoch += 1;
    let on = bench.desire(1, &spec);
    bench.reach(&on, PowerState::Running).map(drop)
}

fn guest_dies(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    bench.harness.guest_dies(key);
    bench.settle()?;
    bench.wait(key, "running again", |seen| seen.state.power == PowerState::Running)?;
    bench.stays(key, PowerState::Running)
}

fn outlives_agent(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    bench.harness.restart();
    let desired = bench.at(1, bench.generation, &spec);
    bench.reach(&desired, PowerState::Running)?;
    bench.stays(key, PowerState::Running)
}
