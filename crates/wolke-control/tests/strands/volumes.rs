//! Servers that come and go with volumes: whatever disturbs that, no volume is lost, and none stays with a server that is gone.

use crate::common::{Engine, World, check_at_rest, engines, host_objects, world};
use crate::helpers::{block_on, drive, ensure, request, slow, status};
use wolke_control::Simulation;
use wolke_domain::Result;
use wolke_store::{Tx, invariant, volume};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::Id;

/// Makes a volume beside which servers stand.
fn make(world: &World, name: &str) -> Result<Id> {
    let body = serde_json::json!({"name": name, "size": 10, "location": "fsn1", "format": "xfs"});
    let shown = block_on(world.control.create_volume(&world.caller, serde_json::from_value(body).unwrap()))?;
    Ok(serde_json::from_slice::<serde_json::Value>(&shown).unwrap()["volume"]["id"].as_i64().unwrap())
}

/// Who has it.
fn owner(world: &World, id: Id) -> Result<Option<Id>> {
    let project = world.caller.project;
    world.db.read_blocking(move |tx: &mut dyn Tx| {
        invariant::check(tx)?;
        Ok(volume::expect(tx, project, id)?.value.server)
    })
}

fn try_life(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let world = block_on(world(engine, simulation));
    let (data, more) = (make(&world, "data")?, make(&world, "more")?);
    let mut wanted = request("a");
    wanted.volumes = vec![data, more];
    let created = block_on(world.control.create_server(&world.caller, wanted))?;
    ensure(created.next_actions.len() == 3, "two attachments and the start")?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let there = status(&world, created.server).map(|_| created.server);
    ensure(owner(&world, data)? == there && owner(&world, more)? == there, "a failed create gives them back")?;
    if there.is_some() {
        block_on(world.control.delete_server(&world.caller, created.server))?;
        drive(&world, &mut run)?;
        if status(&world, created.server).is_some() {
            // The disturbance has stopped the delete; the next one goes through.
            ensure(owner(&world, data)? == there, "what is still there keeps its volumes")?;
            block_on(world.control.delete_server(&world.caller, created.server))?;
            drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
        }
        ensure(owner(&world, data)?.is_none() && owner(&world, more)?.is_none(), "a delete lets them go")?;
    }
    for id in [data, more] {
        block_on(world.control.delete_volume(&world.caller, id))?;
    }
    ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left behind")?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn a_server_with_volumes() {
    for engine in engines("a_server_with_volumes") {
        let steps = try_every_disturbance(|d| try_life(&engine, d, Simulation::default())).unwrap();
        assert!(steps >= 2, "{steps} steps");
    }
}

#[test]
fn a_server_with_volumes_on_a_slow_host() {
    for engine in engines("a_server_with_volumes_on_a_slow_host") {
        let steps = try_every_disturbance(|d| try_life(&engine, d, slow())).unwrap();
        assert!(steps >= 4, "{steps} steps");
    }
}

/// A real host cannot be given volumes yet: it is said, and nothing is changed.
#[test]
fn real_servers_have_no_volumes() {
    let engine = Engine::Driven(Box::new(Engine::Memory));
    let world = block_on(world(&engine, Simulation::default()));
    let refused = |answer: Result<Vec<u8>>| {
        let error = answer.unwrap_err();
        assert_eq!(error.code(), wolke_wire::ErrorCode::UnsupportedError, "{error}");
    };
    let body = serde_json::json!({"name": "data", "size": 10, "location": "fsn1"});
    let wanted = || serde_json::from_value(body.clone()).unwrap();
    refused(block_on(world.control.create_volume(&world.caller, wanted())));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    let on_server = serde_json::json!({"name": "data", "size": 10, "server": created.server});
    let on_server = serde_json::from_value(on_server).unwrap();
    refused(block_on(world.control.create_volume(&world.caller, on_server)));
    let elsewhere = serde_json::json!({"name": "data", "size": 10, "location": "nbg1"});
    block_on(world.control.create_volume(&world.caller, serde_json::from_value(elsewhere).unwrap())).unwrap();
}
