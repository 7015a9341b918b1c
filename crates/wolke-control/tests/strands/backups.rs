//! Appointments: daily backups and the end of the rescue system.

use crate::common::{Engine, World, check_at_rest, engines, host_objects};
use crate::helpers::{block_on, drive, ensure, running, slow, travel};
use wolke_control::clock::Jump;
use wolke_control::{Filter, ListRequest, Simulation};
use wolke_domain::Result;
use wolke_domain::clock::ClockMode;
use wolke_domain::image::Image;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::{Tx, image, invariant, server, strand};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::cloud::server::EnableServerBackup;
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind, Timestamp};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn enable(world: &World, id: Id, window: Option<&str>) {
    let request = EnableServerBackup { backup_window: window.map(str::to_owned) };
    block_on(world.control.enable_server_backup(&world.caller, id, request)).unwrap();
}

fn next_of(world: &World, id: Id) -> Option<Timestamp> {
    let found = world.db.read_blocking(move |tx: &mut dyn Tx| server::by_id(tx, id));
    found.unwrap().unwrap().value.details.backup.map(|backup| backup.next)
}

/// The backups of a server, oldest first.
fn backups(world: &World, id: Id) -> Vec<Image> {
    let found = world.db.read_blocking(move |tx: &mut dyn Tx| image::backups(tx, id)).unwrap();
    let mut images: Vec<Image> = found.into_iter().map(|stored| stored.value).collect();
    images.sort_by_key(|image| image.id);
    images
}

/// How many attempts there were to make an image, and how many have failed.
fn attempts(world: &World, id: Id) -> (usize, usize) {
    let request = ListRequest {
        kind: Kind::Action,
        of: Some((Kind::Server, Some(id))),
        filters: Vec::<Filter>::new(),
        selector: Selector::default(),
        sort: Vec::new(),
        page: Page { page: 1, per_page: 50 },
    };
    let list = block_on(world.control.list(&world.caller, request)).unwrap();
    let text = format!("[{}]", String::from_utf8_lossy(&list.entries));
    let actions: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let made: Vec<_> = actions.iter().filter(|action| action["command"] == "create_image").collect();
    (made.len(), made.iter().filter(|action| action["status"] == "error").count())
}

fn calendars(world: &World) -> usize {
    let all = world.db.read_blocking(|tx: &mut dyn Tx| strand::all(tx)).unwrap();
    all.iter().filter(|strand| strand.kind == "server_calendar").count()
}

fn calm(world: &World) -> Drive<'_, wolke_control::Core> {
    Drive::new(&world.db, &world.core, Disturbance::None)
}

fn try_backup(engine: &Engine, disturbance: Disturbance, simulation: &Simulation) -> Result<(usize, bool)> {
    let (world, id) = running(engine, simulation.clone());
    enable(&world, id, Some("02-06"));
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    travel(&world, &mut run, Jump::By(DAY_MS))?;
    drive(&world, &mut run)?;
    let failed = matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed;
    let (made, wrong) = attempts(&world, id);
    ensure(made == 1 && (wrong == 0 || failed), "the appointment is kept once")?;
    ensure(backups(&world, id).len() == 1 - wrong, "there is a backup, or an action that shows why not")?;
    travel(&world, &mut calm(&world), Jump::By(DAY_MS))?;
    drive(&world, &mut calm(&world))?;
    ensure(attempts(&world, id) == (2, wrong) && backups(&world, id).len() == 2 - wrong, "and the next day again")?;
    ensure(calendars(&world) == 1, "one calendar")?;
    world.db.read_blocking(|tx: &mut dyn Tx| invariant::check(tx))?;
    block_on(world.control.delete_server(&world.caller, id))?;
    drive(&world, &mut calm(&world))?;
    ensure(calendars(&world) == 0, "the calendar goes with its server")?;
    ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left over")?;
    block_on(world.control.delete_project("default", false))?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn an_appointment_is_kept_exactly_once() {
    let pace = slow();
    let snapshots = pace.profile.with(OperationKind::Snapshot, Policy::After { ms: 20_000 });
    let waiting = Simulation { profile: snapshots, ..Simulation::default() };
    for engine in engines("an_appointment_is_kept_exactly_once") {
        let steps = try_every_disturbance(|d| try_backup(&engine, d, &waiting)).unwrap();
        assert!(steps >= 4, "{steps} steps");
    }
    try_every_disturbance(|d| try_backup(&Engine::Memory, d, &Simulation::default())).unwrap();
}

#[test]
fn eight_days_make_eight_backups_of_which_seven_stay() {
    for engine in engines("eight_days") {
        let (world, id) = running(&engine, Simulation::default());
        enable(&world, id, Some("22-02"));
        let first = next_of(&world, id).unwrap();
        travel(&world, &mut calm(&world), Jump::By(8 * DAY_MS)).unwrap();
        let made: Vec<Timestamp> = backups(&world, id).iter().map(|image| image.created).collect();
        let slots: Vec<Timestamp> = (1..8).map(|day| first.plus_ms(day * DAY_MS)).collect();
        assert_eq!(made, slots, "each has its own time, and the oldest has gone");
        assert_eq!(attempts(&world, id), (8, 0));
        block_on(world.control.disable_server_backup(&world.caller, id)).unwrap();
        assert_eq!((backups(&world, id).len(), next_of(&world, id), calendars(&world)), (0, None, 0));
        check_at_rest(&world.db).unwrap();
    }
}

#[test]
fn after_days_of_standstill_one_backup_is_made() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    enable(&world, id, None);
    let first = next_of(&world, id).unwrap();
    world.clock.advance(5 * DAY_MS + 1);
    calm(&world).until_idle().unwrap();
    assert_eq!(attempts(&world, id), (1, 0));
    let next = next_of(&world, id).unwrap();
    assert_eq!((next.0 - first.0).rem_euclid(DAY_MS), 0, "the slot stays");
    let now = block_on(world.control.clock()).unwrap().now;
    assert!(next > now && next.0 - now.0 <= DAY_MS);
}

#[test]
fn an_instant_clock_makes_no_backup_early() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    enable(&world, id, None);
    let next = next_of(&world, id);
    block_on(world.control.set_clock_mode(ClockMode::Instant, 1000)).unwrap();
    calm(&world).until_idle().unwrap();
    assert_eq!((attempts(&world, id), next_of(&world, id), calendars(&world)), ((0, 0), next, 1));
    travel(&world, &mut calm(&world), Jump::By(DAY_MS)).unwrap();
    assert_eq!(attempts(&world, id), (1, 0));
}

#[test]
fn windows_move_only_when_another_is_asked_for() {
    let (world, id) = running(&Engine::Memory, Simulation::default());
    enable(&world, id, Some("10-14"));
    let first = next_of(&world, id);
    for same in [None, Some("10-14")] {
        enable(&world, id, same);
        assert_eq!(next_of(&world, id), first);
    }
    enable(&world, id, Some("18-22"));
    let moved = next_of(&world, id).unwrap();
    assert!((18..22).contains(&(moved.0.rem_euclid(DAY_MS) / 3_600_000)), "{moved}");
    assert_eq!(calendars(&world), 1);
    travel(&world, &mut calm(&world), Jump::To(moved)).unwrap();
    assert_eq!(attempts(&world, id), (1, 0), "the old slot is forgotten");
}

#[test]
fn a_backup_waits_for_its_turn_and_one_that_fails_is_shown() {
    let profile = LatencyProfile::none()
        .with(OperationKind::Stop, Policy::After { ms: 600_000 })
        .with(OperationKind::Snapshot, Policy::FailOnce { code: "disk".into(), message: "read error".into() });
    let (world, id) = running(&Engine::Memory, Simulation { profile, ..Simulation::default() });
    enable(&world, id, None);
    let due = next_of(&world, id).unwrap();
    travel(&world, &mut calm(&world), Jump::To(due.plus_ms(-1_000))).unwrap();
    block_on(world.control.power_server(&world.caller, id, wolke_control::server::PowerVerb::Stop)).unwrap();
    travel(&world, &mut calm(&world), Jump::By(60_000)).unwrap();
    assert_eq!((attempts(&world, id), backups(&world, id).len()), ((1, 0), 1), "it waits");
    travel(&world, &mut calm(&world), Jump::By(3_600_000)).unwrap();
    assert_eq!((attempts(&world, id), backups(&world, id).len()), ((1, 1), 0), "it has failed");
    travel(&world, &mut calm(&world), Jump::By(DAY_MS)).unwrap();
    assert_eq!((attempts(&world, id), backups(&world, id).len()), ((2, 1), 1), "the next day brings the next one");
}

#[test]
fn a_server_on_its_way_out_gets_no_backup() {
    let profile = LatencyProfile::none().with(OperationKind::Delete, Policy::Stuck);
    let (world, id) = running(&Engine::Memory, Simulation { profile, ..Simulation::default() });
    enable(&world, id, None);
    block_on(world.control.delete_server(&world.caller, id)).unwrap();
    world.clock.advance(DAY_MS);
    drive(&world, &mut calm(&world)).unwrap();
    assert_eq!((attempts(&world, id), calendars(&world)), ((0, 0), 1));
    world.control.set_simulation(Simulation::default());
    let refused = block_on(world.control.disable_server_backup(&world.caller, id));
    assert!(refused.is_err(), "it can only be deleted");
}

/// What the host of a server has been told last.
fn wish_of(world: &World, id: Id) -> String {
    let object = world.db.read_blocking(move |tx: &mut dyn Tx| wolke_store::host::object(tx, 1, "server", id));
    object.unwrap().unwrap().spec
}

fn try_rescue(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let (world, id) = running(engine, Simulation::default());
    // Real time passes on a shared engine; the minute before the hour is not to be missed.
    block_on(world.control.set_clock_mode(ClockMode::Manual, 1000))?;
    let request = serde_json::from_value(serde_json::json!({"type": "linux64"})).unwrap();
    block_on(world.control.enable_server_rescue(&world.caller, id, request))?;
    let rescue = |world: &World| {
        let found = world.db.read_blocking(move |tx: &mut dyn Tx| server::by_id(tx, id));
        found.map(|found| found.is_some_and(|server| server.value.details.rescue.is_some()))
    };
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    travel(&world, &mut run, Jump::By(60 * 60_000 - 1))?;
    ensure(rescue(&world)? && calendars(&world) == 1, "rescue waits for a boot")?;
    ensure(wish_of(&world, id).contains("\"rescue\":{"), "and so does the wish on the host")?;
    travel(&world, &mut run, Jump::By(1))?;
    // What failed is tried again a minute later.
    travel(&world, &mut run, Jump::By(60_000))?;
    ensure(!rescue(&world)?, "after an hour it is given up")?;
    ensure(!wish_of(&world, id).contains("\"rescue\":{"), "the host has lost the wish")?;
    ensure(calendars(&world) == 0, "without an appointment there is no calendar")?;
    check_at_rest(&world.db)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn rescue_expires_after_an_hour() {
    for engine in engines("rescue_expires_after_an_hour") {
        try_every_disturbance(|d| try_rescue(&engine, d)).unwrap();
    }
}
