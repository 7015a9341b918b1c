//! What all trials share: a request, driving to rest, small looks at the world.

use crate::common::{Engine, World, check_at_rest, world};
use wolke_control::Simulation;
use wolke_control::clock::Jump;
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::server;
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::Id;
use wolke_wire::cloud::server::CreateServer;

pub fn request(name: &str) -> CreateServer {
    let body = serde_json::json!({"name": name, "server_type": "cpx22", "image": "debian-12", "labels": {"a": "b"}});
    serde_json::from_value(body).unwrap()
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn status(world: &World, id: Id) -> Option<Status> {
    world
        .db
        .read_blocking(move |tx: &mut dyn wolke_store::Tx| Ok(server::by_id(tx, id)?.map(|s| s.value.status)))
        .unwrap()
}

pub fn ensure(condition: bool, text: &str) -> Result<()> {
    if condition { Ok(()) } else { Err(Error::internal(text)) }
}

/// Drives until everything is at rest, letting time pass where work waits for it.
pub fn drive(world: &World, drive: &mut Drive<'_, wolke_control::Core>) -> Result<()> {
    for _ in 0..200 {
        drive.until_idle()?;
        world.turn()?;
        drive.until_idle()?;
        if check_at_rest(&world.db).is_ok() {
            return Ok(());
        }
        block_on(world.pass(5_000));
    }
    check_at_rest(&world.db).map(|_| ())
}

/// Takes a jump from event to event and drives what happens on the way; returns how often it stopped.
pub fn travel(world: &World, drive: &mut Drive<'_, wolke_control::Core>, jump: Jump) -> Result<usize> {
    let mut journey = block_on(world.control.depart(jump))?;
    for stops in 0.. {
        drive.until_idle()?;
        if !block_on(world.control.next_stop(&mut journey))? {
            return Ok(stops);
        }
    }
    Err(Error::internal("a jump does not end"))
}

pub fn slow() -> Simulation {
    let after = |ms| Policy::After { ms };
    let profile = LatencyProfile::none()
        .with(OperationKind::Create, after(3_000))
        .with(OperationKind::Start, after(1_000))
        .with(OperationKind::Delete, after(2_000));
    Simulation { profile, ..Simulation::default() }
}

/// A server that runs.
pub fn running(engine: &Engine, simulation: Simulation) -> (World, Id) {
    let world = block_on(world(engine, simulation));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    (world, created.server)
}

/// A pace in which everything that is done to a server takes its time.
pub fn slow_actions() -> Simulation {
    let kinds = [
        OperationKind::Create,
        OperationKind::Rebuild,
        OperationKind::Resize,
        OperationKind::Change,
        OperationKind::Start,
        OperationKind::Stop,
        OperationKind::Delete,
        OperationKind::Reset,
        OperationKind::SetPassword,
    ];
    let slow = |profile: LatencyProfile, kind| profile.with(kind, Policy::After { ms: 1_500 });
    let profile = kinds.into_iter().fold(LatencyProfile::none(), slow);
    Simulation { profile, ..Simulation::default() }
}

/// What a server remembers.
pub fn details(world: &World, id: Id) -> wolke_domain::server::Details {
    let read = move |tx: &mut dyn wolke_store::Tx| Ok(server::by_id(tx, id)?.unwrap().value.details);
    world.db.read_blocking(read).unwrap()
}

/// The last spec that the host of a server was given.
pub fn spec_of(world: &World, id: Id) -> wolke_host::ServerSpec {
    let read = move |tx: &mut dyn wolke_store::Tx| {
        let on = server::by_id(tx, id)?.unwrap().value.host.unwrap();
        Ok(wolke_store::host::object(tx, on, "server", id)?.unwrap().spec)
    };
    let wish: serde_json::Value = serde_json::from_str(&world.db.read_blocking(read).unwrap()).unwrap();
    serde_json::from_value(wish["present"].clone()).unwrap()
}

/// Deletes a server and drives until it is gone.
pub fn remove(world: &World, id: Id) -> Result<()> {
    block_on(world.control.delete_server(&world.caller, id))?;
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
    ensure(status(world, id).is_none(), "the server is gone")
}

/// Gives a server another name: a change that has nothing to do with its power.
pub fn rename(world: &World, id: Id, name: &str) {
    let update = serde_json::from_value(serde_json::json!({"name": name})).unwrap();
    block_on(world.control.update_server(&world.caller, id, update)).unwrap();
}

/// Whether the host of a server has last seen its machine run.
pub fn runs(world: &World, id: Id) -> bool {
    let read = move |tx: &mut dyn wolke_store::Tx| {
        let on = server::by_id(tx, id)?.unwrap().value.host.unwrap();
        Ok(wolke_store::host::object(tx, on, "server", id)?.unwrap().observed.unwrap())
    };
    let observed: wolke_host::Observed = serde_json::from_str(&world.db.read_blocking(read).unwrap()).unwrap();
    observed.state.power == wolke_host::PowerState::Running
}
