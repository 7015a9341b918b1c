//! Snapshots and backups.

use crate::common::{Engine, World, action_status, check_at_rest, every_host, host_objects};
use wolke_control::Simulation;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::image::{BACKUPS_MAX, Image, Status, is_own};
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::{Tx, image, invariant, server as servers};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::Id;
use wolke_wire::cloud::image::{CreateImage, ImageType};

use crate::helpers::{block_on, drive, ensure, request, running, status};

fn slow() -> Simulation {
    with_snapshots(Policy::After { ms: 4_000 })
}

fn with_snapshots(policy: Policy) -> Simulation {
    Simulation { profile: LatencyProfile::none().with(OperationKind::Snapshot, policy), ..Simulation::default() }
}

pub fn rest(world: &World) {
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
}

/// Asks for an image; the ids of image and action.
pub fn begin(world: &World, server: Id, kind: ImageType) -> Result<(Id, Id)> {
    let wanted = CreateImage { kind, labels: [("a".to_owned(), "b".to_owned())].into(), ..CreateImage::default() };
    let shown = block_on(world.control.create_image(&world.caller, server, wanted))?;
    let shown: serde_json::Value = serde_json::from_slice(&shown).map_err(|e| Error::internal(e.to_string()))?;
    let id = |key: &str| shown[key]["id"].as_i64().ok_or_else(|| Error::internal("an answer without an id"));
    Ok((id("image")?, id("action")?))
}

fn found(world: &World, id: Id) -> Option<Image> {
    world.db.read_blocking(move |tx: &mut dyn Tx| Ok(image::by_id(tx, id)?.map(|s| s.value))).unwrap()
}

pub fn backups(world: &World, server: Id) -> Vec<Id> {
    let found = world.db.read_blocking(move |tx: &mut dyn Tx| image::backups(tx, server)).unwrap();
    found.iter().map(|backup| backup.value.id).collect()
}

pub fn check(world: &World) -> Result<()> {
    check_at_rest(&world.db)?;
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))
}

/// Backups are on; the calendar that makes them has trials of its own.
pub fn enable_backups(world: &World, id: Id) {
    use wolke_domain::server::Backup;
    world
        .db
        .write_blocking(Vec::new(), move |tx: &mut dyn Tx| {
            let old = servers::by_id(tx, id)?.ok_or_else(|| Error::internal("no server"))?;
            let mut new = old.value.clone();
            new.details.backup = Some(Backup { window: "22-02".into(), next: wolke_wire::Timestamp(i64::MAX / 2) });
            servers::update(tx, &old, &new)
        })
        .unwrap();
}

fn try_snapshot(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let (world, server) = running(engine, simulation);
    let (id, action) = begin(&world, server, ImageType::Snapshot)?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    check(&world)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let expected = if failed { ActionStatus::Error } else { ActionStatus::Success };
    ensure(action_status(&world.db, world.caller.project, action) == expected, "the action ends")?;
    match found(&world, id) {
        None => ensure(failed, "the image is there")?,
        Some(image) => {
            ensure(!failed, "an image that failed has vanished")?;
            ensure(image.status == Status::Available && image.details.size_mb.is_some(), "it is complete")?;
        }
    }
    Ok((run.steps, run.disturbed))
}

#[test]
fn snapshot() {
    for engine in every_host("snapshot") {
        let steps = try_every_disturbance(|d| try_snapshot(&engine, d, Simulation::default())).unwrap();
        assert!(steps >= 2, "{steps} steps");
        let steps = try_every_disturbance(|d| try_snapshot(&engine, d, slow())).unwrap();
        assert!(steps >= 3, "{steps} steps");
    }
}

/// The eighth backup, with the rotation that follows it.
fn try_backup(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let (world, server) = running(engine, simulation);
    enable_backups(&world, server);
    for _ in 0..BACKUPS_MAX {
        begin(&world, server, ImageType::Backup)?;
    }
    rest(&world);
    let before = backups(&world, server);
    ensure(before.len() == BACKUPS_MAX, "all slots are taken")?;
    let (id, action) = begin(&world, server, ImageType::Backup)?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    check(&world)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let expected = if failed { ActionStatus::Error } else { ActionStatus::Success };
    ensure(action_status(&world.db, world.caller.project, action) == expected, "the action ends")?;
    let after = backups(&world, server);
    if failed {
        ensure(after == before, "what failed has taken nobody's place")?;
    } else {
        ensure(after[..BACKUPS_MAX - 1] == before[1..] && after.last() == Some(&id), "the oldest has made room")?;
    }
    Ok((run.steps, run.disturbed))
}

#[test]
fn backup_and_rotation() {
    for engine in every_host("backup_and_rotation") {
        for simulation in [Simulation::default(), slow()] {
            try_every_disturbance(|d| try_backup(&engine, d, simulation.clone())).unwrap();
        }
    }
}

/// A server that is made from a snapshot, which is deleted as soon as that is possible.
fn try_server_from(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let (world, server) = running(engine, slow());
    let (id, _) = begin(&world, server, ImageType::Snapshot)?;
    rest(&world);
    let body = serde_json::json!({"name": "copy", "server_type": "cpx22", "image": id});
    let wanted = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
    let created = block_on(world.control.create_server(&world.caller, wanted))?;
    ensure(block_on(world.control.delete_image(&world.caller, id)).is_err(), "it is in use")?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    check(&world)?;
    block_on(world.control.delete_image(&world.caller, id))?;
    check(&world)?;
    if status(&world, created.server).is_some() {
        let shown = block_on(world.control.get(&world.caller, wolke_wire::Kind::Server, created.server))?;
        let shown: serde_json::Value = serde_json::from_slice(&shown).map_err(|e| Error::internal(e.to_string()))?;
        ensure(shown["server"]["image"]["deleted"].is_string(), "it is shown as deleted")?;
        block_on(world.control.delete_server(&world.caller, created.server))?;
        rest(&world);
    }
    check(&world)?;
    ensure(host_objects(&world.db) == 1, "only the first machine is left")?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn server_from_a_snapshot() {
    for engine in every_host("server_from_a_snapshot") {
        try_every_disturbance(|d| try_server_from(&engine, d)).unwrap();
    }
}

#[test]
fn delete_of_the_server_is_legal_in_every_step() {
    for kind in [ImageType::Snapshot, ImageType::Backup] {
        for steps_before in 0.. {
            let (world, server) = running(&Engine::Memory, slow());
            enable_backups(&world, server);
            let (id, action) = begin(&world, server, kind).unwrap();
            let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
            for _ in 0..steps_before {
                run.one().unwrap();
                block_on(world.pass(1_500));
            }
            let finished = found(&world, id).is_some_and(|image| image.status == Status::Available);
            block_on(world.control.delete_server(&world.caller, server)).unwrap();
            drive(&world, &mut run).unwrap();
            check(&world).unwrap();
            assert_eq!((status(&world, server), host_objects(&world.db)), (None, 0));
            let ended = action_status(&world.db, world.caller.project, action);
            assert_eq!(ended == ActionStatus::Success, finished, "{kind} after {steps_before} steps");
            let stays = finished && kind == ImageType::Snapshot;
            assert_eq!(found(&world, id).is_some(), stays, "{kind} after {steps_before} steps");
            if finished {
                break;
            }
        }
    }
}

#[test]
fn the_end_of_backups_is_legal_in_every_step() {
    for steps_before in 0..3 {
        let (world, server) = running(&Engine::Memory, slow());
        enable_backups(&world, server);
        let (id, action) = begin(&world, server, ImageType::Backup).unwrap();
        let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
        for _ in 0..steps_before {
            run.one().unwrap();
        }
        block_on(world.control.disable_server_backup(&world.caller, server)).unwrap();
        assert!(backups(&world, server).is_empty(), "at once");
        // Nobody has to wait for the host any more.
        run.until_idle().unwrap();
        check(&world).unwrap();
        assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Error);
        assert_eq!(found(&world, id), None);
    }
}

#[test]
fn a_host_that_does_not_answer_ends_the_action() {
    let (world, server) = running(&Engine::Memory, with_snapshots(Policy::Stuck));
    let (id, action) = begin(&world, server, ImageType::Snapshot).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Running);
    block_on(world.pass(20 * 60 * 1000));
    drive(&world, &mut run).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Error);
    assert_eq!(found(&world, id), None);
    check(&world).unwrap();
}

/// A create that is under way is waited for: the snapshot is of what it has made.
#[test]
fn it_waits_for_its_turn() {
    let world = block_on(crate::common::world(&Engine::Memory, crate::helpers::slow()));
    let created = block_on(world.control.create_server(&world.caller, request("a"))).unwrap();
    let (id, action) = begin(&world, created.server, ImageType::Snapshot).unwrap();
    assert!(is_own(id));
    Drive::new(&world.db, &world.core, Disturbance::None).until_idle().unwrap();
    assert_eq!(found(&world, id).map(|image| image.status), Some(Status::Creating));
    rest(&world);
    assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Success);
    let image = found(&world, id).unwrap();
    assert_eq!((image.details.os_flavor.as_str(), image.details.disk_gb), ("debian", 80));
}
