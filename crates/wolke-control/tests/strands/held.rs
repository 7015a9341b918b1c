//! Actions that are done and shown running: whatever disturbs the strand that ends them, each ends once, in its time, and what
//! they are about is unlocked. Those that fail have left nothing.

use crate::common::{Engine, World, check_at_rest, engines, world};
use crate::helpers::{block_on, drive, ensure, travel};
use serde_json::{Value, json};
use wolke_control::clock::Jump;
use wolke_control::{Caller, Simulation};
use wolke_domain::Result;
use wolke_domain::action::{Action, Status};
use wolke_domain::fault::{Fault, When};
use wolke_host::{LatencyProfile, Policy, Work};
use wolke_store::{Tx, action, invariant, strand, volume};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::cloud::volume::ResizeVolume;
use wolke_wire::{ErrorCode, Id};

const MESSAGE: &str = "the cable was pulled";

fn slow() -> Simulation {
    let names = ["create_volume", "resize_volume", "change_protection"];
    let profile = names.into_iter().fold(LatencyProfile::none(), |profile, name| {
        profile.with(Work::action(name).unwrap(), Policy::After { ms: 4_000 })
    });
    Simulation { profile, ..Simulation::default() }
}

fn id_of(shown: &[u8], member: &str) -> Id {
    serde_json::from_slice::<Value>(shown).unwrap()[member]["id"].as_i64().unwrap()
}

fn seen(world: &World, id: Id) -> Action {
    let project = world.caller.project;
    world.db.read_blocking(move |tx: &mut dyn Tx| Ok(action::get(tx, project, id)?.unwrap().1)).unwrap()
}

fn size(world: &World, id: Id) -> i64 {
    let project = world.caller.project;
    let read = move |tx: &mut dyn Tx| Ok(volume::expect(tx, project, id)?.value.details.size_gb);
    world.db.read_blocking(read).unwrap()
}

/// A new volume, and its action.
fn make(world: &World) -> Result<(Id, Id)> {
    let wanted = json!({"name": "data", "size": 10, "location": "fsn1"});
    let shown = block_on(world.control.create_volume(&world.caller, serde_json::from_value(wanted).unwrap()))?;
    Ok((id_of(&shown, "volume"), id_of(&shown, "action")))
}

/// A resize that is accepted and fails; its action.
fn fail_to_resize(world: &World, id: Id) -> Result<Id> {
    let fault = Fault {
        operation: "volume_resize".into(),
        code: ErrorCode::ActionFailed,
        message: Some(MESSAGE.into()),
        calls: Some(1),
        permille: None,
        seed: 0,
        when: When::During,
    };
    block_on(world.control.create_fault(fault))?;
    let caller = Caller { operation: "volume_resize", ..world.caller };
    let resize: ResizeVolume = serde_json::from_value(json!({"size": 20})).unwrap();
    let shown = block_on(world.control.resize_volume(&caller, id, resize))?;
    ensure(block_on(world.control.list_faults())?.is_empty(), "it is counted")?;
    Ok(id_of(&shown, "action"))
}

fn try_held(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let world = block_on(world(engine, slow()));
    let (volume, create) = make(&world)?;
    let resize = fail_to_resize(&world, volume)?;
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))?;
    ensure(size(&world, volume) == 10, "what fails leaves nothing")?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    run.until_idle()?;
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))?;
    drive(&world, &mut run)?;
    let (created, resized) = (seen(&world, create), seen(&world, resize));
    if matches!(disturbance, Disturbance::FailAt(_)) {
        ensure(created.status != Status::Running && resized.status == Status::Error, "each ends")?;
    } else {
        ensure(created.status == Status::Success && created.failure.is_none(), "as it was done")?;
        let failure = resized.failure.ok_or_else(|| wolke_domain::Error::internal("it did not fail"))?;
        ensure((failure.code, &*failure.message) == (ErrorCode::ActionFailed, MESSAGE), "as the operator says")?;
        let took = |action: &Action| action.finished.map(|end| end.0 - action.started.0).unwrap_or_default();
        ensure(took(&created) >= 4_000, "not before its time")?;
    }
    ensure(size(&world, volume) == 10, "what fails leaves nothing")?;
    block_on(world.control.delete_volume(&world.caller, volume))?;
    check_at_rest(&world.db)?;
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn whatever_happens_a_held_action_ends() {
    for engine in engines("whatever_happens_a_held_action_ends") {
        let steps = try_every_disturbance(|d| try_held(&engine, d)).unwrap();
        assert!(steps >= 4, "{steps} steps");
    }
}

/// A jump stops where an action ends, and moves its progress on the way.
#[test]
fn time_that_jumps_ends_actions_when_they_would_have() {
    for engine in engines("time_that_jumps_ends_actions_when_they_would_have") {
        let world = block_on(world(&engine, slow()));
        block_on(world.control.set_clock_mode(wolke_domain::clock::ClockMode::Manual, 1000)).unwrap();
        let begun = world.now();
        let (volume, create) = make(&world).unwrap();
        let protect = serde_json::from_value(json!({"delete": true})).unwrap();
        let shown = block_on(world.control.change_volume_protection(&world.caller, volume, protect)).unwrap();
        let protect = id_of(&shown, "action");
        let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
        travel(&world, &mut run, Jump::By(3_000)).unwrap();
        assert_eq!((seen(&world, create).progress, seen(&world, protect).progress), (75, 0), "one after the other");
        let stops = travel(&world, &mut run, Jump::By(3_600_000)).unwrap();
        assert!((5..=8).contains(&stops), "{stops}");
        let ends = [create, protect].map(|id| seen(&world, id).finished.unwrap().0 - begun.whole_second().0);
        assert_eq!(ends, [4_000, 8_000], "each when it would have ended");
        check_at_rest(&world.db).unwrap();
    }
}

/// Nothing is written for actions that take no time, and no strand is begun.
#[test]
fn without_a_profile_there_is_no_strand() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let before = world.db.commits();
    let (_, create) = make(&world).unwrap();
    assert_eq!((seen(&world, create).status, world.db.commits()), (Status::Success, before + 1));
    let strands = world.db.read_blocking(|tx: &mut dyn Tx| strand::all(tx)).unwrap();
    assert!(strands.is_empty());
    let rev = move |tx: &mut dyn Tx| Ok(action::get(tx, 1, create)?.map(|(rev, _)| rev));
    assert_eq!(world.db.read_blocking(rev).unwrap(), Some(1), "inserted and never written again");
}
