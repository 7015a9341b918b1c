//! Snapshot plans of storage boxes: appointments that are kept once, whatever happens. And where there are none: beside real
//! hosts.

use crate::common::{Engine, World, check_at_rest, engines, world};
use crate::helpers::{block_on, drive, ensure, travel};
use serde_json::{Value, json};
use wolke_control::Simulation;
use wolke_control::clock::Jump;
use wolke_domain::clock::ClockMode;
use wolke_domain::{Error, Result};
use wolke_store::storage_box_snapshot::Snapshot;
use wolke_store::{Tx, invariant, storage_box, storage_box_snapshot, strand};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::{ErrorCode, Id, Timestamp};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A world with a storage box whose plan keeps so many snapshots.
fn planned(engine: &Engine, kept: i64) -> (World, Id) {
    let world = block_on(world(engine, Simulation::default()));
    let wanted = json!({"name": "b", "storage_box_type": "bx11", "location": "fsn1", "password": "1-secret-PASSW0RD"});
    let shown = block_on(world.control.create_storage_box(&world.caller, parse(wanted))).unwrap();
    let id = serde_json::from_slice::<Value>(&shown).unwrap()["storage_box"]["id"].as_i64().unwrap();
    enable(&world, id, kept);
    (world, id)
}

fn enable(world: &World, id: Id, kept: i64) {
    let plan = json!({"max_snapshots": kept, "minute": 15, "hour": 4});
    block_on(world.control.enable_snapshot_plan(&world.caller, id, parse(plan))).unwrap();
}

fn snapshots(world: &World, id: Id) -> Vec<Snapshot> {
    let found = world.db.read_blocking(move |tx: &mut dyn Tx| storage_box_snapshot::of_box(tx, id)).unwrap();
    found.into_iter().map(|stored| stored.value).collect()
}

fn next_of(world: &World, id: Id) -> Option<Timestamp> {
    let found = world.db.read_blocking(move |tx: &mut dyn Tx| storage_box::of_anybody(tx, id)).unwrap();
    found.unwrap().value.details.plan.map(|plan| plan.next)
}

fn calendars(world: &World) -> usize {
    let all = world.db.read_blocking(|tx: &mut dyn Tx| strand::all(tx)).unwrap();
    all.iter().filter(|strand| strand.kind == "storage_box_calendar").count()
}

fn calm(world: &World) -> Drive<'_, wolke_control::Core> {
    Drive::new(&world.db, &world.core, Disturbance::None)
}

fn try_plan(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let (world, id) = planned(engine, 2);
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    travel(&world, &mut run, Jump::By(DAY_MS))?;
    drive(&world, &mut run)?;
    // A plan that failed to be kept is tried again a minute later.
    travel(&world, &mut calm(&world), Jump::By(120_000))?;
    ensure(snapshots(&world, id).len() == 1, "the appointment is kept once")?;
    travel(&world, &mut calm(&world), Jump::By(3 * DAY_MS))?;
    let days: Vec<i64> = snapshots(&world, id).iter().map(|one| one.created.0.div_euclid(DAY_MS)).collect();
    ensure(days.len() == 2 && days[1] - days[0] == 1, "and every day again; two are kept")?;
    ensure(calendars(&world) == 1, "one calendar")?;
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))?;
    block_on(world.control.delete_storage_box(&world.caller, id))?;
    ensure(calendars(&world) == 0, "the calendar goes with its storage box")?;
    ensure(check_at_rest(&world.db)? == 0, "nothing is left over")?;
    block_on(world.control.delete_project("default", false))?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn an_appointment_is_kept_exactly_once() {
    for engine in engines("a_plan_is_kept_exactly_once") {
        let steps = try_every_disturbance(|d| try_plan(&engine, d)).unwrap();
        assert!(steps >= 2, "{steps} steps");
    }
}

#[test]
fn after_days_of_standstill_one_snapshot_is_made() {
    let (world, id) = planned(&Engine::Memory, 5);
    let first = next_of(&world, id).unwrap();
    world.clock.advance(5 * DAY_MS + 1);
    calm(&world).until_idle().unwrap();
    assert_eq!(snapshots(&world, id).len(), 1);
    let next = next_of(&world, id).unwrap();
    let now = block_on(world.control.clock()).unwrap().now;
    assert_eq!((next.0 - first.0).rem_euclid(DAY_MS), 0, "the time of day stays");
    assert!(next > now && next.0 - now.0 <= DAY_MS);
}

#[test]
fn an_instant_clock_makes_none_early() {
    let (world, id) = planned(&Engine::Memory, 5);
    block_on(world.control.set_clock_mode(ClockMode::Instant, 1000)).unwrap();
    calm(&world).until_idle().unwrap();
    assert_eq!((snapshots(&world, id).len(), calendars(&world)), (0, 1));
}

#[test]
fn a_plan_that_changes_moves_its_calendar() {
    let (world, id) = planned(&Engine::Memory, 5);
    let later = json!({"max_snapshots": 5, "minute": 0, "hour": 23});
    block_on(world.control.enable_snapshot_plan(&world.caller, id, parse(later))).unwrap();
    assert_eq!(calendars(&world), 1);
    let next = next_of(&world, id).unwrap();
    travel(&world, &mut calm(&world), Jump::By(DAY_MS)).unwrap();
    let made: Vec<Timestamp> = snapshots(&world, id).iter().map(|one| one.created).collect();
    assert_eq!(made, [next]);
    block_on(world.control.disable_snapshot_plan(&world.caller, id)).unwrap();
    assert_eq!((calendars(&world), next_of(&world, id)), (0, None));
    travel(&world, &mut calm(&world), Jump::By(2 * DAY_MS)).unwrap();
    assert_eq!(snapshots(&world, id).len(), 1);
    enable(&world, id, 1);
    assert_eq!(calendars(&world), 1);
}

/// Nobody would find a storage box where machines are real: it is refused by name there, and made elsewhere.
#[test]
fn real_locations_have_no_storage_boxes() {
    let world = block_on(world(&Engine::Driven(Box::new(Engine::Memory)), Simulation::default()));
    let make = |location: &str| {
        let wanted =
            json!({"name": "b", "storage_box_type": "bx11", "location": location, "password": "1-secret-PASSW0RD"});
        block_on(world.control.create_storage_box(&world.caller, parse(wanted)))
    };
    let commits = world.db.commits();
    let error: Error = make("fsn1").unwrap_err();
    let message = "a storage box is not supported for servers in location fsn1, which are real";
    assert_eq!((error.code(), error.message()), (ErrorCode::UnsupportedError, message.to_owned()));
    assert_eq!(world.db.commits(), commits, "a refusal commits nothing");
    make("hel1").unwrap();
}
