//! Creating servers.

use crate::common::{Engine, action_status, check_at_rest, every_host, host_objects, rooms_are_whole, world};
use wolke_control::Simulation;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::server;
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};

use crate::helpers::{block_on, drive, ensure, request, slow, status};

fn try_create(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let world = block_on(world(engine, simulation));
    let created = block_on(world.control.create_server(&world.caller, request("a")))?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    let in_use = check_at_rest(&world.db)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let (actions, exists) = (
        [created.action, created.next_actions[0]].map(|id| action_status(&world.db, world.caller.project, id)),
        status(&world, created.server),
    );
    if failed {
        ensure(actions[1] == ActionStatus::Error, "the action shows the failure")?;
        if actions[0] == ActionStatus::Success {
            // Only the start has failed: the server that was reported as made stays, and can be deleted.
            ensure(matches!(exists, Some(Status::Off | Status::Running | Status::Unknown)), "the server stays")?;
            block_on(world.control.delete_server(&world.caller, created.server))?;
            drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
        } else {
            ensure(exists.is_none(), "a failed create leaves no server")?;
        }
        ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left behind")?;
        ensure(rooms_are_whole(&world.db), "the host has its room back")?;
    } else {
        ensure(exists == Some(Status::Running), "the server runs")?;
        ensure(in_use == 2 && host_objects(&world.db) == 1, "it has its addresses and its machine")?;
        ensure(actions == [ActionStatus::Success; 2], "both actions succeed")?;
    }
    Ok((run.steps, run.disturbed))
}

#[test]
fn create() {
    for engine in every_host("create") {
        let steps = try_every_disturbance(|d| try_create(&engine, d, Simulation::default())).unwrap();
        assert!(steps >= 1, "{steps} steps");
    }
}

#[test]
fn create_on_a_slow_host() {
    for engine in every_host("create_on_a_slow_host") {
        let steps = try_every_disturbance(|d| try_create(&engine, d, slow())).unwrap();
        assert!(steps >= 3, "{steps} steps");
    }
}

/// Found by the simulator: a repeated step must know what its first run has asked of the host.
#[test]
fn a_repeated_placement_still_waits_for_the_machine() {
    let profile = LatencyProfile::none().with(OperationKind::Create, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    Drive::new(&world.db, &world.core, Disturbance::RepeatEverything).until_idle().unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, created.action), ActionStatus::Running);
}

#[test]
fn a_server_without_any_interface_is_made_and_does_not_start() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let body = serde_json::json!({"name": "a", "server_type": "cpx22", "image": "debian-12",
        "public_net": {"enable_ipv4": false, "enable_ipv6": false}});
    let request = serde_json::from_value(body).unwrap();
    let created = block_on(world.control.create_server(&world.caller, request)).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    let ended = |id| action_status(&world.db, world.caller.project, id);
    assert_eq!((ended(created.action), ended(created.next_actions[0])), (ActionStatus::Success, ActionStatus::Error));
    assert_eq!(status(&world, created.server), Some(Status::Off));
}

#[test]
fn a_start_that_hangs_leaves_the_server_that_was_made() {
    let profile = LatencyProfile::none().with(OperationKind::Start, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    drive(&world, &mut run).unwrap();
    let ended = |id| action_status(&world.db, world.caller.project, id);
    assert_eq!((ended(created.action), ended(created.next_actions[0])), (ActionStatus::Success, ActionStatus::Error));
    assert_eq!(status(&world, created.server), Some(Status::Off));
    let password = created.root_password.as_ref().unwrap().expose();
    assert!(!format!("{created:?}").contains(password), "it is not printed");
    // The start is off: another change of the machine does not begin it anew.
    world.control.set_simulation(Simulation::default());
    crate::helpers::rename(&world, created.server, "b");
    drive(&world, &mut run).unwrap();
    assert!(!crate::helpers::runs(&world, created.server));
}

#[test]
fn a_create_that_fails_at_once_is_still_answered() {
    let faults = wolke_host::SimFaults { disk_full: true, ..Default::default() };
    let world = block_on(world(&Engine::Memory, Simulation { faults, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    assert_eq!(status(&world, created.server), None);
    let shown = block_on(world.control.show_created(&world.caller, created)).unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!((&shown["server"]["name"], &shown["action"]["status"]), (&"a".into(), &"error".into()));
    assert_eq!(shown["server"]["public_net"]["ipv4"]["ip"], "198.18.0.1");
}

#[test]
fn a_taken_default_name_does_not_block_creates() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let body = serde_json::json!({"name": "primary_ip-2", "type": "ipv4", "location": "fsn1"});
    block_on(world.control.create_primary_ip(&world.caller, serde_json::from_value(body).unwrap())).unwrap();
    for name in ["a", "b"] {
        block_on(world.control.create_server(&world.caller, request(name))).unwrap();
    }
}

#[test]
fn a_stuck_host_ends_in_an_error_and_gives_everything_back() {
    let profile = LatencyProfile::none().with(OperationKind::Create, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, created.action), ActionStatus::Running);
    block_on(world.pass(20 * 60 * 1000));
    drive(&world, &mut run).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, created.action), ActionStatus::Error);
    assert_eq!((check_at_rest(&world.db).unwrap(), host_objects(&world.db)), (0, 0));
}

/// Found by a user: what the catalogue shows as in stock may have been sold since.
#[test]
fn a_server_that_may_be_anywhere_goes_where_there_is_one_left() {
    use wolke_wire::IdOrName;
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let (kind, fsn1) = (IdOrName::from("cpx22"), IdOrName::from("fsn1"));
    block_on(world.control.set_stock(&kind, &fsn1, Some(1))).unwrap();
    // Sold behind the back of this process.
    let races = vec![wolke_store::Race::Addresses];
    world.db.write_blocking(races, |tx| wolke_store::operator::take_stock(tx, 109, 1).map(|_| ())).unwrap();
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let placed = world.db.read_blocking(move |tx| Ok(server::by_id(tx, created.server)?.unwrap().value)).unwrap();
    assert_eq!(placed.details.location, 2);
}
