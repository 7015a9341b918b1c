//! Rebuilding.

use crate::common::{Engine, World, action_status, check_at_rest, every_host, host_objects, rooms_are_whole};
use wolke_control::Simulation;
use wolke_control::server::PowerVerb;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_host::{LatencyProfile, OperationKind, Policy, SimFaults};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::Id;
use wolke_wire::cloud::server::Rebuild;

use crate::helpers::{block_on, details, drive, ensure, remove, running, slow_actions, spec_of, status};

fn rebuild(image: &str) -> Rebuild {
    serde_json::from_value(serde_json::json!({"image": image, "user_data": "#cloud-config"})).unwrap()
}

fn settle(world: &World) {
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
}

fn power(world: &World, id: Id, verb: PowerVerb) {
    block_on(world.control.power_server(&world.caller, id, verb)).unwrap();
    settle(world);
}

fn try_rebuild(engine: &Engine, disturbance: Disturbance, simulation: Simulation, runs: bool) -> Result<(usize, bool)> {
    let (world, id) = running(engine, simulation);
    if !runs {
        power(&world, id, PowerVerb::Stop);
    }
    let before = details(&world, id);
    let (started, password) = block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13")))?;
    ensure(password.is_some(), "without keys there is a password")?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let ended = action_status(&world.db, world.caller.project, started.action);
    let after = details(&world, id);
    if failed {
        ensure(ended == ActionStatus::Error, "the action shows the failure")?;
        // It goes on: with power, and with the next rebuild.
        power(&world, id, PowerVerb::Start);
        ensure(status(&world, id) == Some(Status::Running), "it can be started")?;
        block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13")))?;
        settle(&world);
        ensure(details(&world, id).image != before.image, "it can be rebuilt again")?;
        ensure(status(&world, id) == Some(Status::Running), "it runs again")?;
    } else {
        ensure(ended == ActionStatus::Success, "the action succeeds")?;
        ensure(status(&world, id) == Some(if runs { Status::Running } else { Status::Off }), "it ends as it began")?;
        ensure(after.image != before.image && after.user_data_sealed.is_some(), "it shows what it is made of")?;
    }
    let spec = spec_of(&world, id);
    ensure(Some(spec.image.id) == details(&world, id).image, "host and server agree on the image")?;
    remove(&world, id)?;
    ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left over")?;
    ensure(rooms_are_whole(&world.db), "the host has its room back")?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn a_server_that_runs() {
    for engine in every_host("rebuild") {
        try_every_disturbance(|d| try_rebuild(&engine, d, Simulation::default(), true)).unwrap();
        let steps = try_every_disturbance(|d| try_rebuild(&engine, d, slow_actions(), true)).unwrap();
        assert!(steps >= 5, "{steps} steps");
    }
}

#[test]
fn a_server_that_is_off() {
    for engine in every_host("rebuild_off") {
        try_every_disturbance(|d| try_rebuild(&engine, d, Simulation::default(), false)).unwrap();
        try_every_disturbance(|d| try_rebuild(&engine, d, slow_actions(), false)).unwrap();
    }
}

#[test]
fn a_host_that_cannot_make_the_disk_leaves_the_old_one() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let before = (details(&world, id).image, spec_of(&world, id).image);
    let faults = SimFaults { disk_full: true, ..SimFaults::default() };
    world.control.set_simulation(Simulation { faults, ..Simulation::default() });
    let (started, _) = block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13"))).unwrap();
    settle(&world);
    assert_eq!(action_status(&world.db, world.caller.project, started.action), ActionStatus::Error);
    assert_eq!((details(&world, id).image, spec_of(&world, id).image), before);
    // The fault is still there: the disk that was not replaced boots.
    power(&world, id, PowerVerb::Start);
    assert_eq!(status(&world, id), Some(Status::Running));
}

#[test]
fn a_host_that_never_answers_ends_in_an_error_and_can_be_asked_again() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let profile = LatencyProfile::none().with(OperationKind::Rebuild, Policy::Stuck);
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    let (started, _) = block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13"))).unwrap();
    Drive::new(&world.db, &world.core, Disturbance::None).until_idle().unwrap();
    assert_eq!(status(&world, id), Some(Status::Rebuilding));
    settle(&world);
    assert_eq!(action_status(&world.db, world.caller.project, started.action), ActionStatus::Error);
    world.control.set_simulation(Simulation::default());
    block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13"))).unwrap();
    settle(&world);
    power(&world, id, PowerVerb::Start);
    assert_eq!(status(&world, id), Some(Status::Running));
}

#[test]
fn a_delete_in_the_middle_leaves_nothing() {
    for steps_before in 0..8 {
        let (world, id) = running(&Engine::Memory, slow_actions());
        block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13"))).unwrap();
        let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
        for _ in 0..steps_before {
            run.one().unwrap();
            block_on(world.pass(1_000));
        }
        block_on(world.control.delete_server(&world.caller, id)).unwrap();
        drive(&world, &mut run).unwrap();
        assert_eq!((status(&world, id), check_at_rest(&world.db).unwrap(), host_objects(&world.db)), (None, 0, 0));
        assert!(rooms_are_whole(&world.db));
    }
}

/// Found by a user: protection holds from its moment on, also against what was accepted before and waits.
#[test]
fn protection_stops_a_rebuild_that_waits_for_its_turn() {
    let (world, id) = running(&Engine::Memory, slow_actions());
    block_on(world.control.power_server(&world.caller, id, PowerVerb::Reboot)).unwrap();
    let (started, _) = block_on(world.control.rebuild_server(&world.caller, id, rebuild("debian-13"))).unwrap();
    let protect = wolke_wire::cloud::server::ChangeServerProtection { delete: Some(true), rebuild: Some(true) };
    block_on(world.control.change_server_protection(&world.caller, id, protect)).unwrap();
    let before = details(&world, id).image;
    settle(&world);
    assert_eq!(action_status(&world.db, world.caller.project, started.action), ActionStatus::Error);
    assert_eq!((details(&world, id).image, status(&world, id)), (before, Some(Status::Running)));
}
