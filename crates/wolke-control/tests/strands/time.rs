//! Clocks and deadlines.

use crate::common::{Engine, action_status, world};
use wolke_control::Simulation;
use wolke_control::clock::Jump;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::clock::ClockMode;
use wolke_domain::server::Status;
use wolke_host::LatencyProfile;
use wolke_strand::testing::{Disturbance, Drive};

use crate::helpers::{block_on, request, slow, status, travel};

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
    block_on(world.control.set_clock_mode(ClockMode::Instant, 1000)).unwrap();
    run.until_idle().unwrap();
    assert_eq!(status(&world, created.server), Some(Status::Running));
}

#[test]
fn world_time_has_an_end() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    assert!(block_on(world.control.advance_clock(i64::MAX)).is_err());
    assert!(block_on(world.control.set_clock(wolke_domain::clock::WORLD_TIME_MAX)).is_err());
    block_on(world.control.advance_clock(86_400_000)).unwrap();
}

/// When actions ended, in milliseconds after the start of the world.
fn ended(world: &crate::common::World, ids: &[wolke_wire::Id]) -> Vec<i64> {
    let (project, ids) = (world.caller.project, ids.to_vec());
    let ends = world.db.read_blocking(move |tx: &mut dyn wolke_store::Tx| {
        ids.iter().map(|id| Ok(wolke_store::action::get(tx, project, *id)?.unwrap().1.finished.unwrap())).collect()
    });
    let ends: Vec<wolke_wire::Timestamp> = ends.unwrap();
    ends.iter().map(|at| at.0 - crate::common::START_MS).collect()
}

#[test]
fn work_under_way_ends_when_it_would_have_ended() {
    for mode in [ClockMode::Wall, ClockMode::Manual, ClockMode::Scaled] {
        let world = block_on(world(&Engine::Memory, slow()));
        block_on(world.control.set_clock_mode(mode, 60_000)).unwrap();
        let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
        let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
        let stops = travel(&world, &mut run, Jump::By(8 * 24 * 60 * 60 * 1000)).unwrap();
        assert_eq!(stops, 3, "the machine is made, the machine has started, the end");
        assert_eq!(status(&world, created.server), Some(Status::Running));
        assert_eq!(ended(&world, &[created.action, created.next_actions[0]]), [3_000, 4_000], "{mode:?}");
        let now = block_on(world.control.clock()).unwrap().now;
        assert_eq!(now.0 - crate::common::START_MS, 8 * 24 * 60 * 60 * 1000);
    }
}

#[test]
fn a_clock_that_runs_during_a_jump_is_not_set_back() {
    let world = block_on(world(&Engine::Memory, slow()));
    block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    let mut journey = block_on(world.control.depart(Jump::By(10_000))).unwrap();
    let mut seen = Vec::new();
    while block_on(world.control.next_stop(&mut journey)).unwrap() {
        seen.push(block_on(world.control.clock()).unwrap().now.0 - crate::common::START_MS);
        world.clock.advance(6_000);
        run.until_idle().unwrap();
    }
    assert_eq!(seen, [3_000, 10_000], "what was due on the way is behind");
}

/// A crash in the middle leaves a clock between start and target, and a new jump goes on from there.
#[test]
fn a_jump_that_is_cut_off_has_gone_as_far_as_it_went() {
    let world = block_on(world(&Engine::Memory, slow()));
    block_on(world.control.set_clock_mode(ClockMode::Manual, 1000)).unwrap();
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    let mut journey = block_on(world.control.depart(Jump::By(60_000))).unwrap();
    assert!(block_on(world.control.next_stop(&mut journey)).unwrap());
    let now = block_on(world.control.clock()).unwrap().now;
    assert_eq!(now.0 - crate::common::START_MS, 3_000);
    travel(&world, &mut run, Jump::By(60_000)).unwrap();
    assert_eq!(ended(&world, &[created.action, created.next_actions[0]]), [3_000, 4_000]);
    let to = Jump::To(wolke_wire::Timestamp(crate::common::START_MS));
    assert!(block_on(world.control.depart(to)).is_err(), "the start lies in the past now");
}
