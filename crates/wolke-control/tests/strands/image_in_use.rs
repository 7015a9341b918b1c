//! Images that go, or shall go, while a server is rebuilt from them; and rebuilds that fail half way.

use crate::common::{Engine, World, action_status, engines, world};
use wolke_control::Simulation;
use wolke_control::operator::LimitView;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::image::BACKUPS_MAX;
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, OperationKind, Policy, SimFaults};
use wolke_store::{Tx, host, invariant, server as servers};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::cloud::ChangeDeleteProtection;
use wolke_wire::cloud::image::{ImageType, UpdateImage};
use wolke_wire::{ErrorCode, Id, Kind};

use crate::helpers::{block_on, details, drive, ensure, remove, request, running, spec_of, status};
use crate::images::{backups, begin, check, enable_backups, rest};

fn paced(kind: OperationKind, policy: Policy) -> Simulation {
    Simulation { profile: LatencyProfile::none().with(kind, policy), ..Simulation::default() }
}

/// The disk is made anew in its own time; everything else takes none.
fn slow() -> Simulation {
    paced(OperationKind::Rebuild, Policy::After { ms: 4_000 })
}

fn calm(world: &World) -> Drive<'_, wolke_control::Core> {
    Drive::new(&world.db, &world.core, Disturbance::None)
}

/// What holds at any time, also while work is under way.
fn holds(world: &World) -> Result<()> {
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))
}

fn snapshot(world: &World, server: Id) -> Result<Id> {
    let (id, _) = begin(world, server, ImageType::Snapshot)?;
    rest(world);
    Ok(id)
}

/// Accepts a rebuild; its action.
fn rebuild(world: &World, server: Id, image: Id) -> Result<Id> {
    let wanted = serde_json::from_value(serde_json::json!({"image": image}));
    let wanted = wanted.map_err(|e| Error::internal(e.to_string()))?;
    block_on(world.control.rebuild_server(&world.caller, server, wanted)).map(|(started, _)| started.action)
}

fn delete(world: &World, image: Id) -> Result<()> {
    block_on(world.control.delete_image(&world.caller, image))
}

fn code(answer: Result<()>) -> Option<ErrorCode> {
    answer.err().map(|error| error.code())
}

/// What a server shows of its image: the id, and whether it is deleted.
fn shown(world: &World, server: Id) -> Result<(Option<Id>, bool)> {
    let shown = block_on(world.control.get(&world.caller, Kind::Server, server))?;
    let shown: serde_json::Value = serde_json::from_slice(&shown).map_err(|e| Error::internal(e.to_string()))?;
    let image = &shown["server"]["image"];
    Ok((image["id"].as_i64(), image["deleted"].is_string()))
}

/// From which image the disk was made that the simulated host has.
fn disk_of(world: &World, server: Id) -> Option<Id> {
    let read = move |tx: &mut dyn Tx| {
        let on = servers::by_id(tx, server)?.unwrap().value.host.unwrap();
        Ok(host::object(tx, on, "server", server)?.unwrap().sim)
    };
    let sim: serde_json::Value = serde_json::from_str(&world.db.read_blocking(read).unwrap().unwrap()).unwrap();
    sim["current"]["disk"]["image"].as_i64()
}

/// A second server, at rest.
fn second(world: &World) -> Id {
    let created = block_on(world.control.create_server(&world.caller, request("b"))).unwrap();
    rest(world);
    created.server
}

/// From one snapshot to the next, and somebody deletes both as soon as that is possible.
fn try_delete(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let (world, id) = running(engine, slow());
    let (old, new) = (snapshot(&world, id)?, snapshot(&world, id)?);
    rebuild(&world, id, old)?;
    rest(&world);
    let action = rebuild(&world, id, new)?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    run.until_idle()?;
    if status(&world, id) == Some(Status::Rebuilding) {
        ensure(code(delete(&world, new)) == Some(ErrorCode::Locked), "a disk is made from it")?;
        ensure(shown(&world, id)? == (Some(old), false), "until then the old one is shown")?;
        delete(&world, old)?;
        ensure(shown(&world, id)? == (Some(old), true), "which nobody needs any more")?;
    }
    holds(&world)?;
    drive(&world, &mut run)?;
    check(&world)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let expected = if failed { ActionStatus::Error } else { ActionStatus::Success };
    ensure(action_status(&world.db, world.caller.project, action) == expected, "the action ends")?;
    delete(&world, new)?;
    check(&world)?;
    let image = shown(&world, id)?.0;
    ensure(image == disk_of(&world, id) && image == Some(spec_of(&world, id).image.id), "it shows what it has")?;
    remove(&world, id)?;
    check(&world)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn deletes_during_a_rebuild() {
    for engine in engines("deletes_during_a_rebuild") {
        let steps = try_every_disturbance(|d| try_delete(&engine, d)).unwrap();
        assert!(steps >= 3, "{steps} steps");
    }
}

/// What deletes a backup by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Backups are disabled.
    Disabled,
    /// A newer one takes its place.
    Rotated,
    /// Its server goes.
    Deleted,
}

/// Another server is rebuilt from a backup that goes meanwhile. `fails`: the rebuild never ends.
fn try_backup(engine: &Engine, end: End, fails: bool) -> Result<()> {
    let (world, id) = running(engine, slow());
    let other = second(&world);
    enable_backups(&world, id);
    for _ in 0..BACKUPS_MAX {
        begin(&world, id, ImageType::Backup)?;
    }
    rest(&world);
    let oldest = backups(&world, id)[0];
    let before = details(&world, other).image;
    if fails {
        world.control.set_simulation(paced(OperationKind::Rebuild, Policy::Stuck));
    }
    let action = rebuild(&world, other, oldest)?;
    let mut run = calm(&world);
    run.until_idle()?;
    ensure(status(&world, other) == Some(Status::Rebuilding), "it is under way")?;
    match end {
        End::Disabled => block_on(world.control.disable_server_backup(&world.caller, id)).map(|_| ())?,
        End::Rotated => begin(&world, id, ImageType::Backup).map(|_| ())?,
        End::Deleted => block_on(world.control.delete_server(&world.caller, id)).map(|_| ())?,
    }
    run.until_idle()?;
    ensure(!backups(&world, id).contains(&oldest), "it is gone from lists")?;
    holds(&world)?;
    drive(&world, &mut run)?;
    check(&world)?;
    let ended = action_status(&world.db, world.caller.project, action);
    if fails {
        ensure(ended == ActionStatus::Error, "the action fails")?;
        ensure(shown(&world, other)? == (before, false), "the old image is shown")?;
    } else {
        ensure(ended == ActionStatus::Success, "the rebuild goes on")?;
        ensure(shown(&world, other)? == (Some(oldest), true), "it is shown as deleted")?;
    }
    remove(&world, other)?;
    check(&world)
}

#[test]
fn backups_that_go_during_a_rebuild() {
    for engine in engines("backups_that_go_during_a_rebuild") {
        for end in [End::Disabled, End::Rotated, End::Deleted] {
            for fails in [false, true] {
                try_backup(&engine, end, fails).unwrap_or_else(|e| panic!("{end:?}, fails: {fails}: {e}"));
            }
        }
    }
}

/// Its own backups are disabled while a server is rebuilt from one of them.
#[test]
fn the_own_backups_of_a_server_that_is_rebuilt() {
    let (world, id) = running(&Engine::Memory, slow());
    enable_backups(&world, id);
    let (backup, _) = begin(&world, id, ImageType::Backup).unwrap();
    rest(&world);
    rebuild(&world, id, backup).unwrap();
    let mut run = calm(&world);
    run.until_idle().unwrap();
    block_on(world.control.disable_server_backup(&world.caller, id)).unwrap();
    holds(&world).unwrap();
    drive(&world, &mut run).unwrap();
    check(&world).unwrap();
    assert_eq!(shown(&world, id).unwrap(), (Some(backup), true));
    // Deleted as it is, nothing can be made from it any more.
    assert!(rebuild(&world, id, backup).is_err());
}

/// One that is deleted while the rebuild waits for its turn fails it, before the host is told anything.
#[test]
fn a_rebuild_that_waits_does_not_find_its_image_any_more() {
    let (world, id) = running(&Engine::Memory, slow());
    let old = details(&world, id).image;
    let image = snapshot(&world, id).unwrap();
    let waiting = rebuild(&world, id, image).unwrap();
    // Nothing has begun yet.
    delete(&world, image).unwrap();
    holds(&world).unwrap();
    rest(&world);
    check(&world).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, waiting), ActionStatus::Error);
    assert_eq!((shown(&world, id).unwrap(), disk_of(&world, id)), ((old, false), old));
    assert_eq!(status(&world, id), Some(Status::Running), "nobody has touched it");
}

/// The disk is new and what follows fails: the old disk is gone, whatever is wished for.
#[test]
fn a_failure_after_the_disk_shows_the_image_of_the_disk() {
    let broken = |always: bool| {
        let (code, message) = ("define".to_owned(), "it cannot be defined".to_owned());
        if always { Policy::FailAlways { code, message } } else { Policy::FailOnce { code, message } }
    };
    for always in [true, false] {
        let (world, id) = running(&Engine::Memory, Simulation::default());
        let old = details(&world, id).image;
        let new = snapshot(&world, id).unwrap();
        world.control.set_simulation(paced(OperationKind::Change, broken(always)));
        let action = rebuild(&world, id, new).unwrap();
        rest(&world);
        check(&world).unwrap();
        assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Error);
        assert_eq!((disk_of(&world, id), details(&world, id).image), (Some(new), Some(new)));
        assert_eq!(spec_of(&world, id).image.id, new);
        assert_eq!(status(&world, id), Some(if always { Status::Off } else { Status::Running }), "as it is");
        // It goes on from there: with power, and back to the old image.
        world.control.set_simulation(Simulation::default());
        let start = wolke_control::server::PowerVerb::Start;
        block_on(world.control.power_server(&world.caller, id, start)).unwrap();
        rest(&world);
        assert_eq!((status(&world, id), disk_of(&world, id)), (Some(Status::Running), Some(new)));
        rebuild(&world, id, old.unwrap()).unwrap();
        rest(&world);
        assert_eq!((disk_of(&world, id), details(&world, id).image), (old, old));
    }
}

#[test]
fn a_failure_before_the_disk_lets_the_image_go() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    let old = details(&world, id).image;
    let new = snapshot(&world, id).unwrap();
    let faults = SimFaults { disk_full: true, ..SimFaults::default() };
    world.control.set_simulation(Simulation { faults, ..Simulation::default() });
    rebuild(&world, id, new).unwrap();
    rest(&world);
    check(&world).unwrap();
    assert_eq!((disk_of(&world, id), details(&world, id).image), (old, old));
    delete(&world, new).unwrap();
    check(&world).unwrap();
}

#[test]
fn what_is_being_made_cannot_be_protected_yet() {
    let (world, id) = running(&Engine::Memory, paced(OperationKind::Snapshot, Policy::After { ms: 4_000 }));
    let (image, _) = begin(&world, id, ImageType::Snapshot).unwrap();
    let protect = || {
        let change = ChangeDeleteProtection { delete: Some(true) };
        block_on(world.control.change_image_protection(&world.caller, image, change)).map(|_| ())
    };
    assert_eq!(code(protect()), Some(ErrorCode::Locked));
    rest(&world);
    protect().unwrap();
    assert_eq!(code(delete(&world, image)), Some(ErrorCode::Protected));
    check(&world).unwrap();
}

/// Backups do not count and are never refused; one that becomes a snapshot counts.
#[test]
fn the_limit_of_snapshots_counts_no_backups() {
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    let limited =
        |to| block_on(world.control.set_project_limits("default", vec![("snapshot".into(), Some(to))])).unwrap();
    let used = |limits: Vec<LimitView>| limits.iter().find(|limit| limit.name == "snapshot_limit").unwrap().used;
    assert_eq!(used(limited(2)), 0);
    let server = second(&world);
    enable_backups(&world, server);
    let backup = || {
        let (backup, _) = begin(&world, server, ImageType::Backup).unwrap();
        rest(&world);
        backup
    };
    let convert = |backup| {
        let update = UpdateImage { kind: Some(ImageType::Snapshot), ..UpdateImage::default() };
        code(block_on(world.control.update_image(&world.caller, backup, update)).map(|_| ()))
    };
    let (one, two, _three) = (backup(), backup(), backup());
    snapshot(&world, server).unwrap();
    assert_eq!(used(limited(2)), 1);
    assert_eq!(convert(one), None);
    let refused = || code(begin(&world, server, ImageType::Snapshot).map(|_| ()));
    assert_eq!(refused(), Some(ErrorCode::ResourceLimitExceeded));
    assert_eq!(convert(two), Some(ErrorCode::ResourceLimitExceeded));
    assert_eq!(convert(one), None, "it is one already");
    backup();
    check(&world).unwrap();
    delete(&world, one).unwrap();
    assert_eq!(convert(two), None);
    assert_eq!(used(limited(3)), 2);
    check(&world).unwrap();
}
