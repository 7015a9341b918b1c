//! Two processes on one PostgreSQL, sixteen writers, one pool of addresses: no address twice, no update lost, nobody
//! starved.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "test code: a failure may panic, and which PostgreSQL to use is told by the environment"
)]

mod common;

use common::Engine;
use std::collections::HashSet;
use wolke_domain::Result;
use wolke_store::migrate::{self, Role};
use wolke_store::{Counter, Db, Race, Tx, address, project, resource, volume_space};
use wolke_wire::{Id, Kind};

/// Writers per process.
const WRITERS: usize = 8;
/// What each writer must get done.
const EACH: usize = 20;

/// What a create does to the database: an id, a quota, an address, and a number that everybody changes.
fn create(tx: &mut dyn Tx, project: Id) -> Result<(Id, String, i64)> {
    let id = tx.next_id(Counter::Kind(Kind::PrimaryIp))?;
    resource::count_add(tx, Kind::PrimaryIp, project, 1)?;
    let got = address::allocate(tx, 4, Kind::PrimaryIp, id)?;
    let n: i64 = migrate::meta(tx, "n")?.and_then(|n| n.parse().ok()).unwrap_or(0);
    migrate::set_meta(tx, "n", &(n + 1).to_string())?;
    Ok((id, got.cidr, got.position))
}

fn write_all(db: &Db, project: Id) -> Vec<(Id, String, i64)> {
    let scope = vec![Race::Addresses, Race::Project(project)];
    let mut made = Vec::new();
    for n in 0..EACH {
        let got = db.write_blocking(scope.clone(), move |tx| create(tx, project)).unwrap();
        // Some come back, so that writers race for released addresses too.
        if n % 5 == 4 {
            let id = got.0;
            db.write_blocking(scope.clone(), move |tx| address::release(tx, Kind::PrimaryIp, id)).unwrap();
        } else {
            made.push(got);
        }
    }
    made
}

fn retries(db: &Db) -> u64 {
    match db {
        Db::Postgres(db) => db.retries(),
        Db::Sqlite(_) => 0,
    }
}

#[test]
fn sixteen_writers_in_two_processes() {
    let Some(engine) = Engine::postgres("sixteen_writers_in_two_processes", Role::World) else { return };
    let (other, _) = engine.again().unwrap();
    let total = 2 * WRITERS * EACH;
    let kept = total - total / 5;
    let project = engine.write(move |tx| {
        // The pools hold just what is kept and what is on its way back, so that released addresses must be reused.
        address::ensure_pool(tx, 1, 4, "198.18.0.0/25", 100)?;
        address::ensure_pool(tx, 2, 4, "198.18.1.0/24", (kept + 2 * WRITERS) as i64 - 100)?;
        Ok(project::insert(tx, "default")?.id)
    });
    let made = std::thread::scope(|threads| {
        let writers = (0..2 * WRITERS).map(|n| if n % 2 == 0 { &engine.db } else { &other });
        let running: Vec<_> = writers.map(|db| threads.spawn(move || write_all(db, project))).collect();
        running.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(made.len(), kept, "every writer has done its share");
    let addresses: HashSet<_> = made.iter().map(|(_, cidr, position)| (cidr, position)).collect();
    assert_eq!(addresses.len(), kept, "no address twice");
    assert_eq!(made.iter().map(|m| m.0).collect::<HashSet<_>>().len(), kept, "no id twice");
    assert_eq!(engine.read(address::check_balance), kept as i64);
    assert_eq!(engine.read(move |tx| resource::count(tx, Kind::PrimaryIp, project)), total as i64);
    assert_eq!(engine.read(|tx| migrate::meta(tx, "n")), Some(total.to_string()), "no update is lost");
    let retries = retries(&engine.db) + retries(&other);
    eprintln!("{total} creates by {} writers in two processes: {retries} retries", 2 * WRITERS);
    assert!(retries <= (total / 20) as u64, "the locks before BEGIN keep conflicts away: {retries} retries");
}

/// Volumes of many projects take from one row, and give back: in turn, so that nobody is run again.
#[test]
fn volumes_of_many_projects_share_a_location() {
    /// A location, and what it has left at first.
    const PLACE: (Id, i64) = (1, 1_000);
    let Some(engine) = Engine::postgres("volumes_of_many_projects_share_a_location", Role::World) else { return };
    let projects: Vec<Id> = engine.write(|tx| {
        volume_space::set(tx, PLACE.0, Some(PLACE.1))?;
        (0..WRITERS).map(|n| Ok(project::insert(tx, &format!("p{n}"))?.id)).collect()
    });
    let make = |project: Id| {
        let scope = vec![Race::Project(project), Race::VolumeSpace];
        for _ in 0..EACH {
            let took = engine.db.write_blocking(scope.clone(), move |tx| {
                resource::count_add(tx, Kind::Volume, project, 1)?;
                volume_space::take(tx, PLACE.0, 3)
            });
            assert!(took.unwrap());
            engine.db.write_blocking(scope.clone(), |tx| volume_space::give(tx, PLACE.0, 2)).unwrap();
        }
    };
    std::thread::scope(|threads| projects.iter().for_each(|project| drop(threads.spawn(|| make(*project)))));
    let left = engine.read(volume_space::all)[0].remaining_gb;
    assert_eq!(left, PLACE.1 - (WRITERS * EACH) as i64, "no update is lost");
    let retries = retries(&engine.db);
    assert!(retries <= (WRITERS * EACH / 20) as u64, "the lock before BEGIN keeps conflicts away: {retries} retries");
}
