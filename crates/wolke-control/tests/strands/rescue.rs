//! The rescue system: consumed by a boot of any sort, given up after an hour.

use crate::common::{Engine, World, check_at_rest, engines};
use wolke_control::Simulation;
use wolke_control::server::PowerVerb;
use wolke_domain::Result;
use wolke_host::{Boot, Observed};
use wolke_store::{Tx, host, server};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::Id;

use crate::helpers::{block_on, details, drive, ensure, running, slow_actions, spec_of};

fn enable(world: &World, id: Id) -> String {
    let request = serde_json::from_value(serde_json::json!({})).unwrap();
    block_on(world.control.enable_server_rescue(&world.caller, id, request)).unwrap().1.expose().to_owned()
}

fn booted(world: &World, id: Id) -> Option<Boot> {
    let read = move |tx: &mut dyn Tx| {
        let on = server::by_id(tx, id)?.unwrap().value.host.unwrap();
        Ok(host::object(tx, on, "server", id)?.unwrap().observed.unwrap())
    };
    let observed: Observed = serde_json::from_str(&world.db.read_blocking(read).unwrap()).unwrap();
    observed.state.booted
}

/// The ways to boot a machine that runs.
const BOOTS: [&[PowerVerb]; 3] = [&[PowerVerb::Reset], &[PowerVerb::Reboot], &[PowerVerb::Stop, PowerVerb::Start]];

fn try_boot(
    engine: &Engine,
    disturbance: Disturbance,
    simulation: &Simulation,
    verbs: &[PowerVerb],
) -> Result<(usize, bool)> {
    let (world, id) = running(engine, simulation.clone());
    enable(&world, id);
    ensure(
        details(&world, id).rescue.is_some() && booted(&world, id) == Some(Boot::Disk),
        "nothing reboots by itself",
    )?;
    for verb in verbs {
        block_on(world.control.power_server(&world.caller, id, *verb))?;
    }
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    // The calendar keeps the world from being at rest while rescue is enabled.
    for _ in 0..20 {
        run.until_idle()?;
        block_on(world.pass(2_000));
    }
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let details = details(&world, id);
    if booted(&world, id) == Some(Boot::Rescue) {
        ensure(details.rescue.is_none() && details.calendar.is_none(), "the boot has consumed it")?;
        ensure(spec_of(&world, id).rescue.is_none(), "the host keeps no password")?;
        block_on(world.control.power_server(&world.caller, id, PowerVerb::Reset))?;
        drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
        ensure(booted(&world, id) == Some(Boot::Disk), "the boot after it is a normal one")?;
        check_at_rest(&world.db)?;
    } else {
        ensure(failed && details.rescue.is_some(), "a boot leads into it")?;
    }
    Ok((run.steps, run.disturbed))
}

#[test]
fn any_boot_consumes_it() {
    for engine in engines("rescue") {
        for verbs in BOOTS {
            for simulation in [Simulation::default(), slow_actions()] {
                try_every_disturbance(|d| try_boot(&engine, d, &simulation, verbs))
                    .unwrap_or_else(|e| panic!("{verbs:?} on {engine:?}: {e}"));
            }
        }
    }
}

#[test]
fn the_start_of_a_rebuild_is_a_boot() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    enable(&world, id);
    let request = serde_json::from_value(serde_json::json!({"image": "debian-13"})).unwrap();
    block_on(world.control.rebuild_server(&world.caller, id, request)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!((booted(&world, id), details(&world, id).rescue), (Some(Boot::Rescue), None));
}

#[test]
fn after_an_hour_it_is_given_up() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    enable(&world, id);
    block_on(world.pass(59 * 60 * 1000));
    run.until_idle().unwrap();
    assert!(details(&world, id).rescue.is_some());
    block_on(world.pass(2 * 60 * 1000));
    run.until_idle().unwrap();
    assert!(details(&world, id).rescue.is_none() && spec_of(&world, id).rescue.is_none());
    block_on(world.control.power_server(&world.caller, id, PowerVerb::Reset)).unwrap();
    drive(&world, &mut run).unwrap();
    assert_eq!(booted(&world, id), Some(Boot::Disk));
}

#[test]
fn enabled_again_it_begins_anew() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let first = enable(&world, id);
    block_on(world.pass(30 * 60 * 1000));
    assert_ne!(enable(&world, id), first);
    block_on(world.pass(40 * 60 * 1000));
    Drive::new(&world.db, &world.core, Disturbance::None).until_idle().unwrap();
    assert!(details(&world, id).rescue.is_some(), "its hour has begun anew");
    block_on(world.control.disable_server_rescue(&world.caller, id)).unwrap();
    assert!(details(&world, id).rescue.is_none() && spec_of(&world, id).rescue.is_none());
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
}

#[test]
fn its_password_rests_nowhere() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let request = serde_json::from_value(serde_json::json!({})).unwrap();
    let answer = block_on(world.control.enable_server_rescue(&world.caller, id, request)).unwrap();
    let dump = world.db.read_blocking(|tx: &mut dyn Tx| wolke_store::dump(tx)).unwrap();
    assert!(!dump.contains(answer.1.expose()) && !dump.contains("$6$"), "neither it nor its hash");
    assert!(!format!("{answer:?}").contains(answer.1.expose()));
}
