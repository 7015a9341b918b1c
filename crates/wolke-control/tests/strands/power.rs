//! Power.

use crate::common::{Engine, action_status, check_at_rest, every_host};
use wolke_control::server::PowerVerb;
use wolke_control::{Simulation, action::Started};
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_host::{LatencyProfile, OperationKind, Policy, Power};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};

use crate::helpers::{block_on, drive, ensure, rename, running, runs, slow, spec_of, status};

fn try_power(
    engine: &Engine,
    disturbance: Disturbance,
    verb: PowerVerb,
    simulation: &Simulation,
) -> Result<(usize, bool)> {
    let (world, id) = running(engine, simulation.clone());
    let Started { action, .. } = block_on(world.control.power_server(&world.caller, id, verb))?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let expected = match verb {
        PowerVerb::Stop | PowerVerb::Shutdown => Status::Off,
        PowerVerb::Start | PowerVerb::Reboot | PowerVerb::Reset => Status::Running,
    };
    let shown = status(&world, id);
    // A failure may come before or after the machine has changed; it must be shown as it is.
    ensure(failed && shown.is_some() || shown == Some(expected), "the status follows the machine")?;
    let ends_as = if failed { ActionStatus::Error } else { ActionStatus::Success };
    ensure(action_status(&world.db, world.caller.project, action) == ends_as, "the action ends")?;
    check_at_rest(&world.db)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn power() {
    for engine in every_host("power") {
        for verb in [PowerVerb::Start, PowerVerb::Stop, PowerVerb::Reboot, PowerVerb::Reset, PowerVerb::Shutdown] {
            for simulation in [Simulation::default(), slow()] {
                try_every_disturbance(|d| try_power(&engine, d, verb, &simulation))
                    .unwrap_or_else(|e| panic!("{verb:?} on {engine:?}: {e}"));
            }
        }
    }
}

/// Dialects before 2026-05 take the address from a stopped server; what it boots with next must not name it any more.
#[test]
fn a_released_address_leaves_the_machine() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let old = wolke_control::Caller { dialect: wolke_wire::Dialect::D2023_07, ..world.caller };
    let power = |verb| {
        block_on(world.control.power_server(&world.caller, id, verb)).unwrap();
        drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    };
    power(PowerVerb::Stop);
    block_on(world.control.delete_primary_ip(&old, 1)).unwrap();
    power(PowerVerb::Start);
    let spec = world
        .db
        .read_blocking(move |tx: &mut dyn wolke_store::Tx| {
            Ok(wolke_store::host::object(tx, 1, "server", id)?.unwrap().spec)
        })
        .unwrap();
    assert!(spec.contains("\"ipv4\":null") && spec.contains("2001:db8:"), "{spec}");
}

/// A wish that has failed is withdrawn: what a host hears next, of whatever else, must not carry it out unseen.
#[test]
fn what_has_failed_is_not_done_later() {
    let fails = Policy::FailAlways { code: "sim".into(), message: "broken".into() };
    for policy in [fails, Policy::Stuck] {
        for (verb, kind) in [(PowerVerb::Start, OperationKind::Start), (PowerVerb::Stop, OperationKind::Stop)] {
            let (world, id) = running(&Engine::Memory, Simulation::default());
            let settle = || drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
            let starts = verb == PowerVerb::Start;
            if starts {
                block_on(world.control.power_server(&world.caller, id, PowerVerb::Stop)).unwrap();
                settle();
            }
            let (before, wish) = if starts { (Status::Off, Power::Off) } else { (Status::Running, Power::On) };
            let profile = LatencyProfile::none().with(kind, policy.clone());
            world.control.set_simulation(Simulation { profile, ..Simulation::default() });
            let action = block_on(world.control.power_server(&world.caller, id, verb)).unwrap().action;
            settle();
            assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Error);
            assert_eq!((status(&world, id), spec_of(&world, id).power), (Some(before), wish), "{verb:?} {policy:?}");
            world.control.set_simulation(Simulation::default());
            rename(&world, id, "b");
            settle();
            assert_eq!((status(&world, id), runs(&world, id)), (Some(before), !starts), "{verb:?} {policy:?}");
            // Asked for again, it is done.
            block_on(world.control.power_server(&world.caller, id, verb)).unwrap();
            settle();
            assert_eq!(runs(&world, id), starts);
        }
    }
}
