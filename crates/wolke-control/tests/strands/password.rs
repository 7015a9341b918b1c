//! Resetting the root password.

use crate::common::{Engine, action_status, check_at_rest, every_host};
use wolke_control::Simulation;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_host::SimFaults;
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};

use crate::helpers::{block_on, drive, ensure, running, slow_actions, status};

fn try_reset(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let (world, id) = running(engine, simulation);
    let (started, password) = block_on(world.control.reset_server_password(&world.caller, id))?;
    // Neither the password nor its hash can be read anywhere; the dump is of the embedded engine.
    if matches!(engine, Engine::Memory) {
        let dump = world.db.read_blocking(|tx: &mut dyn wolke_store::Tx| wolke_store::dump(tx))?;
        ensure(!dump.contains(password.expose()) && !dump.contains("$6$"), "the password is nowhere")?;
    }
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let expected = if failed { ActionStatus::Error } else { ActionStatus::Success };
    ensure(action_status(&world.db, world.caller.project, started.action) == expected, "the action ends")?;
    ensure(status(&world, id) == Some(Status::Running), "the server runs on")?;
    check_at_rest(&world.db)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn reset() {
    for engine in every_host("reset_password") {
        try_every_disturbance(|d| try_reset(&engine, d, Simulation::default())).unwrap();
        let steps = try_every_disturbance(|d| try_reset(&engine, d, slow_actions())).unwrap();
        assert!(steps >= 3, "{steps} steps");
    }
}

#[test]
fn without_a_guest_agent_the_action_fails() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let faults = SimFaults { no_guest_agent: true, ..SimFaults::default() };
    world.control.set_simulation(Simulation { faults, ..Simulation::default() });
    let (started, _) = block_on(world.control.reset_server_password(&world.caller, id)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, started.action), ActionStatus::Error);
    assert_eq!(status(&world, id), Some(Status::Running));
}
