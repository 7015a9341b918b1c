//! A driven host works for one database: its own, by the identity that its directory keeps.

use crate::common::driven::{Machine, REAL_LOCATION};
use crate::common::{Engine, World, world};
use std::sync::Arc;
use wolke_control::Simulation;
use wolke_control::driver::{Claim, Driver, check};
use wolke_domain::server::Status;
use wolke_host::ObjectKey;
use wolke_store::driven::{self, RealHost};
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::Id;

use crate::helpers::{block_on, drive, running, status};

/// A location that is not the first.
const ELSEWHERE: Id = 2;

fn memory() -> Engine {
    Engine::Driven(Box::new(Engine::Memory))
}

fn rows(world: &World) -> Vec<RealHost> {
    world.db.read_blocking(|tx: &mut dyn wolke_store::Tx| driven::all(tx)).unwrap()
}

fn driver(world: &World, machine: &Machine, location: Id, name: &str) -> Driver {
    machine.driver_as(&world.db, world.clock.clone(), location, name)
}

/// The refusal of a host that nothing was told.
fn refusal(world: &World, machine: &Machine, location: Id, name: &str) -> String {
    let (rows_before, resyncs, holds) = (rows(world), machine.resyncs(), machine.holds());
    let refused = driver(world, machine, location, name).turn().unwrap_err().to_string();
    assert_eq!((rows(world), machine.resyncs(), machine.holds()), (rows_before, resyncs, holds), "{refused}");
    refused
}

#[test]
fn a_host_with_another_name_is_the_same() {
    let (world, id) = running(&memory(), Simulation::default());
    let before = rows(&world);
    world.kill_driver();
    driver(&world, world.machine(), REAL_LOCATION, "crate").turn().unwrap();
    let after = rows(&world);
    assert_eq!((after.len(), after[0].id, after[0].name.as_str()), (1, before[0].id, "crate"));
    assert_eq!(after[0].identity, before[0].identity);
    assert_eq!((world.machine().holds(), status(&world, id)), (vec![ObjectKey::server(id)], Some(Status::Running)));
}

#[test]
fn a_host_stays_in_its_location() {
    let (world, _) = running(&memory(), Simulation::default());
    world.kill_driver();
    let refused = refusal(&world, world.machine(), ELSEWHERE, "box");
    assert!(
        refused.contains("the servers in DIR are in location fsn1 and cannot move to nbg1: set linux_location to fsn1"),
        "{refused}"
    );
}

/// The directory of one installation, the database of another.
#[test]
fn servers_of_another_database_are_left_alone() {
    let (old, id) = running(&memory(), Simulation::default());
    let new = block_on(world(&Engine::Memory, Simulation::default()));
    old.kill_driver();
    let refused = refusal(&new, old.machine(), REAL_LOCATION, "box");
    assert!(refused.contains("the servers in DIR belong to another installation or database"), "{refused}");
    assert_eq!(old.machine().holds(), [ObjectKey::server(id)]);
    // Asked before the directory is opened, it is the same.
    let identity = rows(&old)[0].identity.clone();
    let claim = |holds| {
        let (name, identity) = ("box".to_owned(), identity.clone());
        Claim { location: REAL_LOCATION, name, identity, holds, place: "DIR".into() }
    };
    assert_eq!(check(&new.db, &new.core, claim(true)).unwrap_err().to_string(), refused);
    check(&new.db, &new.core, claim(false)).unwrap();
    check(&old.db, &old.core, claim(true)).unwrap();
    assert!(rows(&new).is_empty());
    // A directory that holds nothing begins anew.
    let empty = Machine::new(Arc::clone(&new.core));
    driver(&new, &empty, REAL_LOCATION, "box").turn().unwrap();
    assert_eq!((rows(&new).len(), empty.resyncs()), (1, 1));
}

#[test]
fn a_directory_that_is_not_mounted_is_noticed() {
    let (world, id) = running(&memory(), Simulation::default());
    let before = rows(&world);
    let empty = Machine::new(Arc::clone(&world.core));
    let refused = refusal(&world, &empty, REAL_LOCATION, "box");
    assert!(
        refused.contains("DIR holds nothing of host box, which has 1 server: is its file system mounted?"),
        "{refused}"
    );
    // Before the first use of a directory it has no identity.
    let claim = Claim {
        location: REAL_LOCATION,
        name: "box".into(),
        identity: String::new(),
        holds: false,
        place: "DIR".into(),
    };
    assert_eq!(check(&world.db, &world.core, claim).unwrap_err().to_string(), refused);
    // Of a host that has nothing, nothing is missed; but one that is driven now is another.
    block_on(world.control.delete_server(&world.caller, id)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    world.turn().unwrap();
    let refused = refusal(&world, &empty, REAL_LOCATION, "box");
    assert!(refused.contains("location fsn1 has another host that is called box: set linux_name"), "{refused}");
    world.driven.as_ref().unwrap().driver.lock().unwrap().as_ref().unwrap().part().unwrap();
    world.kill_driver();
    driver(&world, &empty, REAL_LOCATION, "box").turn().unwrap();
    let after = rows(&world);
    assert_eq!((after.len(), after[0].id), (1, before[0].id));
    assert_ne!(after[0].identity, before[0].identity);
}
