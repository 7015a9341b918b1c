//! Clocks and deadlines.

use crate::common::{Engine, action_status, world};
use wolke_control::Simulation;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_host::LatencyProfile;
use wolke_strand::testing::{Disturbance, Drive};

use crate::helpers::{block_on, request, slow, status};

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
fn world_time_has_an_end() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    assert!(block_on(world.control.advance_clock(i64::MAX)).is_err());
    assert!(block_on(world.control.set_clock(wolke_domain::clock::WORLD_TIME_MAX)).is_err());
    block_on(world.control.advance_clock(86_400_000)).unwrap();
}
