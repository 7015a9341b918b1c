//! Every program survives crashes before and after every step, the repetition of every step, and a failure at every step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

mod common;

use common::{Engine, World, action_status, check_at_rest, engines, host_objects, rooms_are_whole, world};
use wolke_control::server::PowerVerb;
use wolke_control::{Simulation, action::Started};
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::server;
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::Id;
use wolke_wire::cloud::server::CreateServer;

fn request(name: &str) -> CreateServer {
    let body = serde_json::json!({"name": name, "server_type": "cpx22", "image": "debian-12", "labels": {"a": "b"}});
    serde_json::from_value(body).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn status(world: &World, id: Id) -> Option<Status> {
    world
        .db
        .read_blocking(move |tx: &mut dyn wolke_store::Tx| Ok(server::by_id(tx, id)?.map(|s| s.value.status)))
        .unwrap()
}

fn ensure(condition: bool, text: &str) -> Result<()> {
    if condition { Ok(()) } else { Err(Error::internal(text)) }
}

/// Drives until everything is at rest, letting time pass where work waits for it.
fn drive(world: &World, drive: &mut Drive<'_, wolke_control::Core>) -> Result<()> {
    for _ in 0..200 {
        drive.until_idle()?;
        if check_at_rest(&world.db).is_ok() {
            return Ok(());
        }
        block_on(world.pass(5_000));
    }
    check_at_rest(&world.db).map(|_| ())
}

fn slow() -> Simulation {
    let after = |ms| Policy::After { ms };
    let profile = LatencyProfile::none()
        .with(OperationKind::Create, after(3_000))
        .with(OperationKind::Start, after(1_000))
        .with(OperationKind::Delete, after(2_000));
    Simulation { profile, ..Simulation::default() }
}

fn try_create(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let world = block_on(world(engine, simulation));
    let created = block_on(world.control.create_server(&world.caller, request("a")))?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let in_use = check_at_rest(&world.db)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let (actions, exists) = (
        [created.action, created.next_actions[0]].map(|id| action_status(&world.db, world.caller.project, id)),
        status(&world, created.server),
    );
    if failed {
        ensure(actions[1] == ActionStatus::Error, "the action shows the failure")?;
        if actions[0] == ActionStatus::Success {
            // Only the start has failed: the server that was reported as made stays, and can be deleted.
            ensure(matches!(exists, Some(Status::Off | Status::Running | Status::Unknown)), "the server stays")?;
            block_on(world.control.delete_server(&world.caller, created.server))?;
            drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
        } else {
            ensure(exists.is_none(), "a failed create leaves no server")?;
        }
        ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left behind")?;
        ensure(rooms_are_whole(&world.db), "the host has its room back")?;
    } else {
        ensure(exists == Some(Status::Running), "the server runs")?;
        ensure(in_use == 2 && host_objects(&world.db) == 1, "it has its addresses and its machine")?;
        ensure(actions == [ActionStatus::Success; 2], "both actions succeed")?;
    }
    Ok((run.steps, run.disturbed))
}

#[test]
fn create() {
    for engine in engines("create") {
        let steps = try_every_disturbance(|d| try_create(&engine, d, Simulation::default())).unwrap();
        assert!(steps >= 1, "{steps} steps");
    }
}

#[test]
fn create_on_a_slow_host() {
    for engine in engines("create_on_a_slow_host") {
        let steps = try_every_disturbance(|d| try_create(&engine, d, slow())).unwrap();
        assert!(steps >= 3, "{steps} steps");
    }
}

/// A server that runs.
fn running(engine: &Engine, simulation: Simulation) -> (World, Id) {
    let world = block_on(world(engine, simulation));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    (world, created.server)
}

fn try_delete(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let (world, id) = running(engine, simulation);
    let started = block_on(world.control.delete_server(&world.caller, id))?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    if failed && status(&world, id).is_some() {
        // What could not be removed can be deleted again, and nothing else can be done with it.
        ensure(block_on(world.control.power_server(&world.caller, id, PowerVerb::Start)).is_err(), "it is doomed")?;
        block_on(world.control.delete_server(&world.caller, id))?;
        drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
    }
    ensure(status(&world, id).is_none(), "the server is gone")?;
    ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left over")?;
    ensure(rooms_are_whole(&world.db), "the host has its room back")?;
    let expected = if failed { ActionStatus::Error } else { ActionStatus::Success };
    ensure(action_status(&world.db, world.caller.project, started.action) == expected, "the action ends")?;
    Ok((run.steps, run.disturbed))
}

/// Found by the simulator: a repeated step must know what its first run has asked of the host.
#[test]
fn a_repeated_placement_still_waits_for_the_machine() {
    let profile = LatencyProfile::none().with(OperationKind::Create, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    Drive::new(&world.db, &world.core, Disturbance::RepeatEverything).until_idle().unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, created.action), ActionStatus::Running);
}

#[test]
fn delete() {
    for engine in engines("delete") {
        try_every_disturbance(|d| try_delete(&engine, d, Simulation::default())).unwrap();
        try_every_disturbance(|d| try_delete(&engine, d, slow())).unwrap();
    }
}

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
    for engine in engines("power") {
        for verb in [PowerVerb::Start, PowerVerb::Stop, PowerVerb::Reboot, PowerVerb::Reset, PowerVerb::Shutdown] {
            for simulation in [Simulation::default(), slow()] {
                try_every_disturbance(|d| try_power(&engine, d, verb, &simulation))
                    .unwrap_or_else(|e| panic!("{verb:?} on {engine:?}: {e}"));
            }
        }
    }
}

#[test]
fn delete_is_legal_in_every_step_of_a_create() {
    for steps_before in 0.. {
        let world = block_on(world(&Engine::Memory, slow()));
        let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
        let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
        let mut finished = false;
        for _ in 0..steps_before {
            finished = !run.one().unwrap() && check_at_rest(&world.db).is_ok();
            block_on(world.pass(500));
        }
        block_on(world.control.delete_server(&world.caller, created.server)).unwrap();
        drive(&world, &mut run).unwrap();
        assert!(status(&world, created.server).is_none());
        assert_eq!((check_at_rest(&world.db).unwrap(), host_objects(&world.db)), (0, 0));
        if finished {
            break;
        }
    }
}

#[test]
fn a_host_that_does_not_let_go_ends_the_delete_with_an_error() {
    let profile = LatencyProfile::none().with(OperationKind::Delete, Policy::Stuck);
    let (world, id) = running(&Engine::Memory, Simulation { profile, ..Simulation::default() });
    let started = block_on(world.control.delete_server(&world.caller, id)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, started.action), ActionStatus::Error);
    assert_eq!(status(&world, id), Some(Status::Deleting));
}

#[test]
fn time_that_jumps_past_a_deadline_fails_nothing_that_is_ready() {
    let world = block_on(world(&Engine::Memory, slow()));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    for _ in 0..3 {
        block_on(world.pass(24 * 60 * 60 * 1000));
        run.until_idle().unwrap();
    }
    assert_eq!(status(&world, created.server), Some(Status::Running));
    assert_eq!(action_status(&world.db, world.caller.project, created.next_actions[0]), ActionStatus::Success);
}

/// Phases follow each other: after a jump the next one has not begun yet, and begins its wait then.
#[test]
fn time_that_jumps_between_two_phases_fails_nothing() {
    let simulation = Simulation { profile: LatencyProfile::realistic(), ..Simulation::default() };
    let world = block_on(world(&Engine::Memory, simulation));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    for _ in 0..12 {
        run.until_idle().unwrap();
        block_on(world.pass(8 * 24 * 60 * 60 * 1000));
    }
    assert_eq!(status(&world, created.server), Some(Status::Running));
}

#[test]
fn an_instant_clock_lets_go_of_work_under_way() {
    let world = block_on(world(&Engine::Memory, slow()));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    assert_eq!(status(&world, created.server), Some(Status::Initializing));
    block_on(world.control.set_clock_mode(wolke_domain::clock::ClockMode::Instant, 1000)).unwrap();
    run.until_idle().unwrap();
    assert_eq!(status(&world, created.server), Some(Status::Running));
}

#[test]
fn a_server_without_any_interface_is_made_and_does_not_start() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let body = serde_json::json!({"name": "a", "server_type": "cpx22", "image": "debian-12",
        "public_net": {"enable_ipv4": false, "enable_ipv6": false}});
    let request = serde_json::from_value(body).unwrap();
    let created = block_on(world.control.create_server(&world.caller, request)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    let ended = |id| action_status(&world.db, world.caller.project, id);
    assert_eq!((ended(created.action), ended(created.next_actions[0])), (ActionStatus::Success, ActionStatus::Error));
    assert_eq!(status(&world, created.server), Some(Status::Off));
}

#[test]
fn a_start_that_hangs_leaves_the_server_that_was_made() {
    let profile = LatencyProfile::none().with(OperationKind::Start, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    drive(&world, &mut run).unwrap();
    let ended = |id| action_status(&world.db, world.caller.project, id);
    assert_eq!((ended(created.action), ended(created.next_actions[0])), (ActionStatus::Success, ActionStatus::Error));
    assert_eq!(status(&world, created.server), Some(Status::Unknown));
}

#[test]
fn a_create_that_fails_at_once_is_still_answered() {
    let faults = wolke_host::SimFaults { disk_full: true, ..Default::default() };
    let world = block_on(world(&Engine::Memory, Simulation { faults, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!(status(&world, created.server), None);
    let shown = block_on(world.control.show_created(&world.caller, created)).unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!((&shown["server"]["name"], &shown["action"]["status"]), (&"a".into(), &"error".into()));
    assert_eq!(shown["server"]["public_net"]["ipv4"]["ip"], "198.18.0.1");
}

#[test]
fn a_taken_default_name_does_not_block_creates() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let body = serde_json::json!({"name": "primary_ip-2", "type": "ipv4", "location": "fsn1"});
    block_on(world.control.create_primary_ip(&world.caller, serde_json::from_value(body).unwrap())).unwrap();
    for name in ["a", "b"] {
        block_on(world.control.create_server(&world.caller, request(name))).unwrap();
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

#[test]
fn world_time_has_an_end() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    assert!(block_on(world.control.advance_clock(i64::MAX)).is_err());
    assert!(block_on(world.control.set_clock(wolke_domain::clock::WORLD_TIME_MAX)).is_err());
    block_on(world.control.advance_clock(86_400_000)).unwrap();
}

#[test]
fn a_stuck_host_ends_in_an_error_and_gives_everything_back() {
    let profile = LatencyProfile::none().with(OperationKind::Create, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, created.action), ActionStatus::Running);
    block_on(world.pass(20 * 60 * 1000));
    drive(&world, &mut run).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, created.action), ActionStatus::Error);
    assert_eq!((check_at_rest(&world.db).unwrap(), host_objects(&world.db)), (0, 0));
}
