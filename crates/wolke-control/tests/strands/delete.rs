//! Deleting servers.

use crate::common::{
    Engine, action_status, check_at_rest, check_rooms, every_host, host_objects, rooms_are_whole, world,
};
use wolke_control::Simulation;
use wolke_control::server::PowerVerb;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::placement::Need;
use wolke_domain::server::Status;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::{Race, Tx, floating_ip, host, invariant, server};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::cloud::floating_ip::AssignFloatingIp;

use crate::helpers::{block_on, drive, ensure, request, running, slow, status};

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

#[test]
fn delete() {
    for engine in every_host("delete") {
        try_every_disturbance(|d| try_delete(&engine, d, Simulation::default())).unwrap();
        try_every_disturbance(|d| try_delete(&engine, d, slow())).unwrap();
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
    // The host is well again: a further delete does not wait for what hangs.
    world.control.set_simulation(Simulation::default());
    block_on(world.control.delete_server(&world.caller, id)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!((status(&world, id), host_objects(&world.db)), (None, 0));
    assert!(rooms_are_whole(&world.db));
}

/// The catalogue may have been another one when the server was made: what goes back to the host is what its spec says.
#[test]
fn the_room_that_was_taken_is_given_back() {
    let (world, id) = running(&Engine::Memory, slow());
    let larger = Need { cores: 1, memory_mb: 1024, disk_gb: 0 };
    let enlarge = move |tx: &mut dyn Tx| {
        let on = server::by_id(tx, id)?.unwrap().value.host.unwrap();
        let mut object = host::object(tx, on, "server", id)?.unwrap();
        object.generation = host::take(tx, on, &larger)?;
        let mut wish: serde_json::Value = serde_json::from_str(&object.spec).unwrap();
        for (field, more) in [("cores", larger.cores), ("memory_mb", larger.memory_mb)] {
            wish["present"][field] = (wish["present"][field].as_i64().unwrap() + more).into();
        }
        object.spec = wish.to_string();
        host::desire(tx, on, "server", id, &object)
    };
    world.db.write_blocking(vec![Race::Location(1)], enlarge).unwrap();
    let add_up = || world.db.read_blocking(|tx: &mut dyn Tx| check_rooms(tx)).unwrap();
    add_up();
    block_on(world.control.delete_server(&world.caller, id)).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    assert_eq!(status(&world, id), Some(Status::Deleting));
    add_up();
    drive(&world, &mut run).unwrap();
    assert!(status(&world, id).is_none() && rooms_are_whole(&world.db));
}

#[test]
fn floating_ips_stay() {
    let body = serde_json::json!({"type": "ipv4", "home_location": "fsn1"});
    for engine in every_host("floating_ips_stay") {
        let simulated = !matches!(engine, Engine::Driven(_));
        try_every_disturbance(|disturbance| {
            let (world, id) = running(&engine, Simulation::default());
            let caller = &world.caller;
            block_on(world.control.create_floating_ip(caller, serde_json::from_value(body.clone()).unwrap()))?;
            let assign = block_on(world.control.assign_floating_ip(caller, 1, AssignFloatingIp { server: Some(id) }));
            ensure(assign.is_ok() == simulated, "only simulated servers can have one")?;
            block_on(world.control.delete_server(caller, id))?;
            let mut run = Drive::new(&world.db, &world.core, disturbance);
            drive(&world, &mut run)?;
            if status(&world, id).is_some() {
                crate::helpers::remove(&world, id)?;
            }
            let project = caller.project;
            let left = world.db.read_blocking(move |tx: &mut dyn Tx| {
                invariant::check(tx)?;
                floating_ip::expect(tx, project, 1)
            })?;
            ensure(left.value.server.is_none(), "it is free")?;
            ensure(check_at_rest(&world.db)? == 1, "it keeps its address, and nothing else is left over")?;
            Ok((run.steps, run.disturbed))
        })
        .unwrap();
    }
}

#[test]
fn a_host_that_cannot_remove_is_not_waited_for() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let profile = LatencyProfile::none()
        .with(OperationKind::Delete, Policy::FailOnce { code: "disk".into(), message: "read error".into() });
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    let before = world.now();
    let started = block_on(world.control.delete_server(&world.caller, id)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, started.action), ActionStatus::Error);
    assert!(world.now().0 - before.0 < 60_000, "it fails when the host has said so");
    assert_eq!(status(&world, id), Some(Status::Deleting));
    let again = block_on(world.control.delete_server(&world.caller, id)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, again.action), ActionStatus::Success);
    assert_eq!(status(&world, id), None);
}
