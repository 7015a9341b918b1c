//! Changing the type.

use crate::common::{
    Engine, World, action_status, check_at_rest, check_rooms, engines, every_host, host_objects, rooms_are_whole,
};
use wolke_control::Simulation;
use wolke_control::server::PowerVerb;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::placement::{Need, SIMULATED_HOST};
use wolke_domain::server::Status;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::{Race, Tx, host, server};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::cloud::server::ChangeServerType;
use wolke_wire::{ErrorCode, Id, IdOrName};

use crate::helpers::{block_on, details, drive, ensure, remove, rename, running, runs, slow_actions, spec_of, status};

fn to(server_type: &str, upgrade_disk: bool) -> ChangeServerType {
    serde_json::from_value(serde_json::json!({"server_type": server_type, "upgrade_disk": upgrade_disk})).unwrap()
}

fn settle(world: &World) {
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
}

/// A server that is off, of type cpx22: 4 GB of memory, 80 GB of disk.
fn off(engine: &Engine, simulation: Simulation) -> (World, Id) {
    let (world, id) = running(engine, simulation);
    block_on(world.control.power_server(&world.caller, id, PowerVerb::Stop)).unwrap();
    settle(&world);
    (world, id)
}

fn change(world: &World, id: Id, request: ChangeServerType) -> ActionStatus {
    let started = block_on(world.control.change_server_type(&world.caller, id, request)).unwrap();
    settle(world);
    action_status(&world.db, world.caller.project, started.action)
}

fn host_of(world: &World, id: Id) -> Option<Id> {
    world.db.read_blocking(move |tx: &mut dyn Tx| Ok(server::by_id(tx, id)?.unwrap().value.host)).unwrap()
}

/// Takes memory of the host (negative: gives it back), as other servers would.
fn crowd(world: &World, on: Id, memory_mb: i64) {
    let need = Need { memory_mb, ..Need::none() };
    world.db.write_blocking(vec![Race::Location(1)], move |tx| host::take(tx, on, &need).map(|_| ())).unwrap();
}

/// All memory but one GB beside the server's own four.
const CROWD_MB: i64 = SIMULATED_HOST.memory_mb - 5 * 1024;

/// What the host has left must be what the server shows.
fn ensure_accounts(world: &World, id: Id, crowd_mb: i64) -> Result<()> {
    let (on, details, spec) = (host_of(world, id).unwrap(), details(world, id), spec_of(world, id));
    let (_, room) = world.db.read_blocking(move |tx: &mut dyn Tx| host::room(tx, on))?;
    ensure(i64::from(spec.disk_gb) == details.primary_disk_gb, "host and server agree on the disk")?;
    let taken = SIMULATED_HOST.memory_mb - crowd_mb - room.memory_mb;
    ensure(taken == i64::from(spec.definition.memory_mb), "memory is accounted for")?;
    ensure(SIMULATED_HOST.cores - room.cores == i64::from(spec.definition.cores), "cores are accounted for")?;
    ensure(SIMULATED_HOST.disk_gb - room.disk_gb == details.primary_disk_gb, "the disk is accounted for")
}

/// `crowded`: the host has no room for the new size, so that the machine has to move.
fn try_change(
    engine: &Engine,
    disturbance: Disturbance,
    simulation: Simulation,
    crowded: bool,
) -> Result<(usize, bool)> {
    let (world, id) = off(engine, simulation);
    let (old, first) = (details(&world, id), host_of(&world, id).unwrap());
    let crowd_mb = if crowded { CROWD_MB } else { 0 };
    crowd(&world, first, crowd_mb);
    limit(&world, id, "cpx22", 5);
    limit(&world, id, "cpx32", 5);
    let started = block_on(world.control.change_server_type(&world.caller, id, to("cpx32", true)))?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let ended = action_status(&world.db, world.caller.project, started.action);
    let (new, on) = (details(&world, id), host_of(&world, id).unwrap());
    ensure(new.moving.is_none(), "no move is left over")?;
    ensure_accounts(&world, id, if on == first { crowd_mb } else { 0 })?;
    if failed {
        ensure(ended == ActionStatus::Error, "the action shows the failure")?;
        let kept = new.server_type == old.server_type;
        ensure(!kept || on == first, "what is not changed has not moved")?;
        block_on(world.control.power_server(&world.caller, id, PowerVerb::Start))?;
        settle(&world);
    } else {
        ensure(ended == ActionStatus::Success, "the action succeeds")?;
        ensure(new.server_type != old.server_type && new.primary_disk_gb == 160, "it has the new size")?;
        ensure((on == first) != crowded, "it stays where there is room")?;
    }
    ensure(status(&world, id) == Some(Status::Running), "it runs")?;
    remove(&world, id)?;
    crowd(&world, first, -crowd_mb);
    ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left over")?;
    ensure(rooms_are_whole(&world.db), "the hosts have their room back")?;
    let stock = (left(&world, "cpx22"), left(&world, "cpx32"));
    ensure(stock == (Some(6), Some(5)), &format!("what was taken is given back once: {stock:?}"))?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn where_there_is_room() {
    for engine in every_host("change_type") {
        try_every_disturbance(|d| try_change(&engine, d, Simulation::default(), false)).unwrap();
        let steps = try_every_disturbance(|d| try_change(&engine, d, slow_actions(), false)).unwrap();
        assert!(steps >= 5, "{steps} steps");
    }
}

#[test]
fn on_another_host() {
    for engine in engines("change_type_moves") {
        try_every_disturbance(|d| try_change(&engine, d, Simulation::default(), true)).unwrap();
        try_every_disturbance(|d| try_change(&engine, d, slow_actions(), true)).unwrap();
    }
}

#[test]
fn a_disk_that_was_kept_leads_back_and_one_that_has_grown_does_not() {
    let (world, id) = off(&Engine::Memory, Simulation::default());
    let stop = || {
        block_on(world.control.power_server(&world.caller, id, PowerVerb::Stop)).unwrap();
        settle(&world);
    };
    for (server_type, upgrade) in [("cpx32", false), ("cpx22", false), ("cpx32", true)] {
        assert_eq!(change(&world, id, to(server_type, upgrade)), ActionStatus::Success, "{server_type}");
        ensure_accounts(&world, id, 0).unwrap();
        stop();
    }
    let refused = block_on(world.control.change_server_type(&world.caller, id, to("cpx22", false))).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidServerType, "{refused}");
}

#[test]
fn a_disk_that_cannot_grow_leaves_everything_as_it_was() {
    let (world, id) = off(&Engine::Memory, Simulation::default());
    let before = (details(&world, id), spec_of(&world, id).disk_gb);
    let failing = Policy::FailAlways { code: "disk_full".into(), message: "no room".into() };
    let profile = LatencyProfile::none().with(OperationKind::Resize, failing);
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    assert_eq!(change(&world, id, to("cpx32", true)), ActionStatus::Error);
    assert_eq!((details(&world, id), spec_of(&world, id).disk_gb), before);
    assert_eq!(status(&world, id), Some(Status::Off));
    ensure_accounts(&world, id, 0).unwrap();
}

#[test]
fn without_a_host_for_it_it_stays_off_and_as_it_was() {
    let (world, id) = off(&Engine::Memory, Simulation { hosts_per_location: 1, ..Simulation::default() });
    crowd(&world, host_of(&world, id).unwrap(), CROWD_MB);
    let before = details(&world, id);
    assert_eq!(change(&world, id, to("cpx32", true)), ActionStatus::Error);
    assert_eq!((details(&world, id), status(&world, id)), (before, Some(Status::Off)));
    ensure_accounts(&world, id, CROWD_MB).unwrap();
}

#[test]
fn a_machine_that_does_not_start_keeps_its_new_size() {
    let (world, id) = off(&Engine::Memory, Simulation::default());
    let profile = LatencyProfile::none().with(OperationKind::Start, Policy::Stuck);
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    assert_eq!(change(&world, id, to("cpx32", true)), ActionStatus::Error);
    assert_eq!((details(&world, id).primary_disk_gb, status(&world, id)), (160, Some(Status::Off)));
    // It stays off, whatever else the host hears of it, until somebody asks again.
    world.control.set_simulation(Simulation::default());
    rename(&world, id, "b");
    settle(&world);
    assert!(!runs(&world, id));
    block_on(world.control.power_server(&world.caller, id, PowerVerb::Start)).unwrap();
    settle(&world);
    assert_eq!(status(&world, id), Some(Status::Running));
}

fn left(world: &World, server_type: &str) -> Option<i64> {
    let stock = block_on(world.control.list_stock()).unwrap();
    stock.iter().find(|stock| stock.server_type == server_type).and_then(|stock| stock.left)
}

fn limit(world: &World, id: Id, server_type: &str, left: i64) {
    let location = IdOrName::Id(details(world, id).location);
    block_on(world.control.set_stock(&server_type.into(), &location, Some(left))).unwrap();
}

#[test]
fn of_two_that_want_the_last_one_the_loser_stays_as_it_was() {
    for simulation in [Simulation::default(), slow_actions()] {
        let (world, first) = off(&Engine::Memory, simulation);
        let body =
            serde_json::json!({"name": "b", "server_type": "cpx22", "image": "debian-12", "start_after_create": false});
        let made = block_on(world.control.create_server(&world.caller, serde_json::from_value(body).unwrap())).unwrap();
        settle(&world);
        limit(&world, first, "cpx22", 0);
        limit(&world, first, "cpx32", 1);
        let before = details(&world, made.server);
        let change =
            |id| block_on(world.control.change_server_type(&world.caller, id, to("cpx32", true))).unwrap().action;
        let actions = [change(first), change(made.server)];
        settle(&world);
        let ended = actions.map(|action| action_status(&world.db, world.caller.project, action));
        assert_eq!(ended, [ActionStatus::Success, ActionStatus::Error]);
        assert_eq!((details(&world, made.server), spec_of(&world, made.server).disk_gb), (before, 80));
        assert_eq!((left(&world, "cpx22"), left(&world, "cpx32")), (Some(1), Some(0)));
        world.db.read_blocking(|tx: &mut dyn Tx| check_rooms(tx)).unwrap();
    }
}

#[test]
fn a_delete_in_the_middle_leaves_nothing() {
    for crowded in [false, true] {
        for steps_before in 0..12 {
            let (world, id) = off(&Engine::Memory, slow_actions());
            let (first, crowd_mb) = (host_of(&world, id).unwrap(), if crowded { CROWD_MB } else { 0 });
            crowd(&world, first, crowd_mb);
            block_on(world.control.change_server_type(&world.caller, id, to("cpx32", true))).unwrap();
            let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
            for _ in 0..steps_before {
                run.one().unwrap();
                block_on(world.pass(700));
            }
            block_on(world.control.delete_server(&world.caller, id)).unwrap();
            drive(&world, &mut run).unwrap();
            crowd(&world, first, -crowd_mb);
            assert_eq!((status(&world, id), check_at_rest(&world.db).unwrap(), host_objects(&world.db)), (None, 0, 0));
            assert!(rooms_are_whole(&world.db), "crowded {crowded}, after {steps_before} steps");
        }
    }
}
