//! What all trials share: a request, driving to rest, small looks at the world.

use crate::common::{Engine, World, check_at_rest, world};
use wolke_control::Simulation;
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
        if check_at_rest(&world.db).is_ok() {
            return Ok(());
        }
        block_on(world.pass(5_000));
    }
    check_at_rest(&world.db).map(|_| ())
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
