//! A member that starts beside another one moves first, whatever happens on the way.

use crate::common::{Engine, World, action_status, check_at_rest, engines, host_objects, rooms_are_whole, world};
use crate::helpers::{block_on, drive, ensure, rename, slow, spec_of, status};
use wolke_control::Simulation;
use wolke_control::server::PowerVerb;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::{Tx, action, invariant, server};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::{ErrorCode, Id};

/// Two members of one group on one host: the first runs, the second is off.
struct Pair {
    world: World,
    group: Id,
    runs: Id,
    off: Id,
}

fn rest(world: &World) -> Result<()> {
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None))
}

fn read(world: &World, id: Id) -> Option<Server> {
    world.db.read_blocking(move |tx: &mut dyn Tx| Ok(server::by_id(tx, id)?.map(|s| s.value))).unwrap()
}

fn check(world: &World) -> Result<()> {
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))
}

fn pair(engine: &Engine) -> Result<Pair> {
    let world = block_on(world(engine, Simulation::default()));
    let group = serde_json::from_value(serde_json::json!({"name": "g", "type": "spread"})).unwrap();
    let shown = block_on(world.control.create_placement_group(&world.caller, group))?;
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    let group = shown["placement_group"]["id"].as_i64().unwrap();
    let mut servers = Vec::new();
    for name in ["a", "b"] {
        let body = serde_json::json!({
            "name": name, "server_type": "cpx22", "image": "debian-12", "start_after_create": false
        });
        let made = block_on(world.control.create_server(&world.caller, serde_json::from_value(body).unwrap()))?;
        rest(&world)?;
        block_on(world.control.add_to_placement_group(&world.caller, made.server, group))?;
        servers.push(made.server);
    }
    block_on(world.control.power_server(&world.caller, servers[0], PowerVerb::Start))?;
    rest(&world)?;
    ensure(read(&world, servers[0]).unwrap().host == read(&world, servers[1]).unwrap().host, "they share a host")?;
    Ok(Pair { world, group, runs: servers[0], off: servers[1] })
}

impl Pair {
    fn start(&self) -> Result<Id> {
        block_on(self.world.control.power_server(&self.world.caller, self.off, PowerVerb::Start)).map(|s| s.action)
    }

    fn failure(&self, id: Id) -> ErrorCode {
        let project = self.world.caller.project;
        let read = move |tx: &mut dyn Tx| Ok(action::get(tx, project, id)?.unwrap().1.failure.unwrap().code);
        self.world.db.read_blocking(read).unwrap()
    }

    fn ended(&self, id: Id) -> ActionStatus {
        action_status(&self.world.db, self.world.caller.project, id)
    }

    fn are_apart(&self) -> bool {
        read(&self.world, self.runs).unwrap().host != read(&self.world, self.off).unwrap().host
    }

    /// Deletes both; then nothing may be left on any host.
    fn end(&self) -> Result<()> {
        for id in [self.runs, self.off] {
            if read(&self.world, id).is_some() {
                block_on(self.world.control.delete_server(&self.world.caller, id))?;
            }
        }
        rest(&self.world)?;
        ensure(check_at_rest(&self.world.db)? == 0 && host_objects(&self.world.db) == 0, "nothing is left over")?;
        ensure(rooms_are_whole(&self.world.db), "every host has its room back")?;
        block_on(self.world.control.delete_placement_group(&self.world.caller, self.group))
    }
}

fn try_move(engine: &Engine, disturbance: Disturbance, simulation: &Simulation) -> Result<(usize, bool)> {
    let pair = pair(engine)?;
    pair.world.control.set_simulation(simulation.clone());
    let action = pair.start()?;
    let mut run = Drive::new(&pair.world.db, &pair.world.core, disturbance);
    drive(&pair.world, &mut run)?;
    check(&pair.world)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    ensure(read(&pair.world, pair.off).unwrap().details.moving.is_none(), "no move is left half done")?;
    ensure(host_objects(&pair.world.db) == 2, "each has one machine")?;
    if failed {
        ensure(pair.ended(action) == ActionStatus::Error, "the action fails")?;
        ensure(matches!(status(&pair.world, pair.off), Some(Status::Off | Status::Running)), "shown as it is")?;
        ensure(pair.are_apart() || status(&pair.world, pair.off) == Some(Status::Off), "it runs apart or not at all")?;
        let again = pair.start()?;
        rest(&pair.world)?;
        ensure(pair.ended(again) == ActionStatus::Success, "a second start succeeds")?;
    } else {
        ensure(pair.ended(action) == ActionStatus::Success, "the action succeeds")?;
    }
    ensure(pair.are_apart() && status(&pair.world, pair.off) == Some(Status::Running), "it runs on another host")?;
    pair.end()?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn a_start_that_moves() {
    for engine in engines("a_start_that_moves") {
        for simulation in [Simulation::default(), slow()] {
            try_every_disturbance(|d| try_move(&engine, d, &simulation))
                .unwrap_or_else(|e| panic!("{simulation:?} on {engine:?}: {e}"));
        }
    }
}

#[test]
fn delete_is_legal_in_every_step_of_a_move() {
    for steps_before in 0.. {
        let pair = pair(&Engine::Memory).unwrap();
        pair.world.control.set_simulation(slow());
        let action = pair.start().unwrap();
        let mut run = Drive::new(&pair.world.db, &pair.world.core, Disturbance::None);
        for _ in 0..steps_before {
            run.one().unwrap();
            block_on(pair.world.pass(500));
        }
        let finished = pair.ended(action) != ActionStatus::Running;
        block_on(pair.world.control.delete_server(&pair.world.caller, pair.off)).unwrap();
        drive(&pair.world, &mut run).unwrap();
        assert!(status(&pair.world, pair.off).is_none(), "after {steps_before} steps");
        check(&pair.world).unwrap();
        pair.end().unwrap();
        if finished {
            break;
        }
    }
}

fn with(kind: OperationKind, policy: Policy) -> Simulation {
    Simulation { profile: LatencyProfile::none().with(kind, policy), ..Simulation::default() }
}

/// Carries on until the world is at rest or the action has ended for another reason; what a stuck host leaves is allowed.
fn until_ended(pair: &Pair, action: Id) -> Result<()> {
    let mut run = Drive::new(&pair.world.db, &pair.world.core, Disturbance::None);
    for _ in 0..100 {
        run.until_idle()?;
        check(&pair.world)?;
        if pair.ended(action) != ActionStatus::Running {
            return Ok(());
        }
        block_on(pair.world.pass(60_000));
    }
    Err(Error::internal("the action does not end"))
}

#[test]
fn a_new_host_that_makes_nothing_leaves_the_server_where_it_was() {
    let fails = Policy::FailAlways { code: "sim".into(), message: "broken".into() };
    for policy in [Policy::Stuck, fails] {
        let pair = pair(&Engine::Memory).unwrap();
        let before = read(&pair.world, pair.off).unwrap();
        pair.world.control.set_simulation(with(OperationKind::Create, policy));
        let action = pair.start().unwrap();
        until_ended(&pair, action).unwrap();
        assert_eq!(pair.ended(action), ActionStatus::Error);
        let after = read(&pair.world, pair.off).unwrap();
        assert_eq!((after.host, after.status, after.details), (before.host, Status::Off, before.details));
        pair.world.control.set_simulation(Simulation::default());
        let again = pair.start().unwrap();
        rest(&pair.world).unwrap();
        assert_eq!((pair.ended(again), pair.are_apart()), (ActionStatus::Success, true));
        pair.end().unwrap();
    }
}

/// What is changed while a machine moves outlives the move: a rescue system that was withdrawn, too.
#[test]
fn what_is_changed_during_a_move_that_is_taken_back_stays_changed() {
    let pair = pair(&Engine::Memory).unwrap();
    let (world, id) = (&pair.world, pair.off);
    let before = read(world, id).unwrap();
    let rescue = serde_json::from_value(serde_json::json!({})).unwrap();
    block_on(world.control.enable_server_rescue(&world.caller, id, rescue)).unwrap();
    world.control.set_simulation(with(OperationKind::Create, Policy::Stuck));
    let action = pair.start().unwrap();
    Drive::new(&world.db, &world.core, Disturbance::None).until_idle().unwrap();
    assert!(read(world, id).unwrap().details.moving.is_some_and(|moving| !moving.left));
    rename(world, id, "c");
    let iso = serde_json::from_value(serde_json::json!({"iso": 8637})).unwrap();
    block_on(world.control.attach_iso(&world.caller, id, iso)).unwrap();
    block_on(world.control.disable_server_rescue(&world.caller, id)).unwrap();
    until_ended(&pair, action).unwrap();
    assert_eq!((pair.ended(action), read(world, id).unwrap().host), (ActionStatus::Error, before.host));
    let spec = spec_of(world, id);
    assert_eq!((spec.definition.name.as_str(), spec.iso.map(|iso| iso.id), spec.rescue), ("c", Some(8637), None));
    pair.end().unwrap();
}

/// Starts a move whose old host keeps the machine: the action fails, and what is left over is remembered.
fn left_behind(policy: Policy) -> Pair {
    let pair = pair(&Engine::Memory).unwrap();
    pair.world.control.set_simulation(with(OperationKind::Delete, policy));
    let action = pair.start().unwrap();
    until_ended(&pair, action).unwrap();
    assert_eq!(pair.ended(action), ActionStatus::Error);
    let left = read(&pair.world, pair.off).unwrap();
    assert_eq!((left.status, left.details.moving.map(|moving| moving.left)), (Status::Off, Some(true)));
    assert!(pair.are_apart(), "the machine is on its new host");
    assert_eq!(host_objects(&pair.world.db), 3, "and on its old one");
    pair.world.control.set_simulation(Simulation::default());
    pair
}

#[test]
fn an_old_host_that_fails_to_let_go_is_asked_again() {
    let fails = || Policy::FailAlways { code: "sim".into(), message: "broken".into() };
    let pair = left_behind(fails());
    let again = pair.start().unwrap();
    rest(&pair.world).unwrap();
    assert_eq!(pair.ended(again), ActionStatus::Success);
    assert_eq!(host_objects(&pair.world.db), 2, "what was left is gone");
    pair.end().unwrap();
    // The delete asks, too.
    left_behind(fails()).end().unwrap();
}

#[test]
fn an_old_host_that_hangs_is_not_forgotten() {
    let pair = left_behind(Policy::Stuck);
    let again = pair.start().unwrap();
    until_ended(&pair, again).unwrap();
    assert_eq!((pair.ended(again), pair.failure(again)), (ActionStatus::Error, ErrorCode::Timeout));
    let delete = block_on(pair.world.control.delete_server(&pair.world.caller, pair.off)).unwrap().action;
    until_ended(&pair, delete).unwrap();
    assert_eq!(pair.ended(delete), ActionStatus::Error);
    assert_eq!(status(&pair.world, pair.off), Some(Status::Deleting), "it stays until the host lets go");
}

#[test]
fn without_another_host_the_start_fails_and_nothing_changes() {
    let pair = pair(&Engine::Memory).unwrap();
    let before = read(&pair.world, pair.off).unwrap();
    pair.world.control.set_simulation(Simulation { hosts_per_location: 1, ..Simulation::default() });
    let action = pair.start().unwrap();
    rest(&pair.world).unwrap();
    assert_eq!((pair.ended(action), pair.failure(action)), (ActionStatus::Error, ErrorCode::PlacementError));
    assert_eq!(read(&pair.world, pair.off).unwrap(), before);
    pair.end().unwrap();
}
