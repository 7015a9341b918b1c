//! Snapshots, passwords and boots in exact times and codes, where the conformance suite allows a host several answers.

use wolke_wire::{Id, Timestamp};

use super::{KEY, powers};
use crate::command::{Command, Outcome, Verb};
use crate::host::{Delta, Host, Report, latest};
use crate::object::{Desired, HostError, PowerState};
use crate::policy::{LatencyProfile, OperationKind, Policy};
use crate::sample;
use crate::server::{Boot, Power, Rescue, Secret, ServerSpec};
use crate::sim::{GuestEvent, MemoryState, SimHost, SimObject, SimSettings, SimState};

fn settings(policies: &[(OperationKind, Policy)]) -> SimSettings {
    let profile = LatencyProfile(policies.iter().map(|(kind, policy)| ((*kind).into(), policy.clone())).collect());
    SimSettings { profile, ..SimSettings::default() }
}

/// A host with one server that runs.
fn running<'a>(state: &'a mut MemoryState, settings: &'a SimSettings) -> SimHost<'a, &'a mut MemoryState> {
    let mut host = SimHost::new(state, settings);
    host.apply(&Delta::object(Desired::server(1, 1, sample::spec())), Timestamp(0)).unwrap();
    host
}

fn command(id: Id, verb: Verb) -> Delta {
    Delta::command(Command { id, key: KEY, verb, issued_at: Timestamp(0), expires_at: None })
}

fn snapshot(id: Id) -> Delta {
    command(id, Verb::Snapshot { image: 100 + id })
}

fn password(id: Id) -> Delta {
    command(id, Verb::SetPassword { hash: Secret("$6$hunter2".into()) })
}

fn changed(generation: i64, change: impl FnOnce(&mut ServerSpec)) -> Delta {
    let mut spec = sample::spec();
    change(&mut spec);
    Delta::object(Desired::server(1, generation, spec))
}

fn outcome(reports: &[Report], id: Id) -> Option<Outcome> {
    reports.iter().find_map(|report| match report {
        Report::Command(report) if report.id == id => Some(report.outcome.clone()),
        _ => None,
    })
}

fn failure(reports: &[Report], id: Id) -> Option<String> {
    match outcome(reports, id) {
        Some(Outcome::Failed { error }) => Some(error.code),
        _ => None,
    }
}

const fn after(ms: u32) -> Policy {
    Policy::After { ms }
}

#[test]
fn a_snapshot_takes_its_time_and_no_power() {
    let settings = settings(&[(OperationKind::Snapshot, after(50)), (OperationKind::Reboot, after(80))]);
    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    assert_eq!(host.apply(&command(5, Verb::Reboot), Timestamp(0)).unwrap(), []);
    assert_eq!(host.apply(&snapshot(6), Timestamp(10)).unwrap(), []);
    let poll = host.poll(Timestamp(59)).unwrap();
    assert_eq!((poll.reports, poll.next), (vec![], Some(Timestamp(60))));
    let poll = host.poll(Timestamp(60)).unwrap();
    let Some(Outcome::Snapshotted { size_mb }) = outcome(&poll.reports, 6) else { panic!("{:?}", poll.reports) };
    assert!((307..=2048).contains(&size_mb), "3 to 20 % of 10 GB: {size_mb}");
    assert_eq!((powers(&poll.reports), poll.next), (vec![], Some(Timestamp(80))));
    assert_eq!(outcome(&host.poll(Timestamp(80)).unwrap().reports, 5), Some(Outcome::Done));
}

#[test]
fn what_ends_the_disk_ends_the_snapshot() {
    let settings = settings(&[
        (OperationKind::Snapshot, Policy::Stuck),
        (OperationKind::Rebuild, Policy::Stuck),
        (OperationKind::Delete, Policy::Stuck),
    ]);
    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    host.apply(&snapshot(5), Timestamp(0)).unwrap();
    let reports = host.apply(&changed(2, |spec| spec.rebuild_epoch = 1), Timestamp(0)).unwrap();
    assert_eq!(failure(&reports, 5).as_deref(), Some(HostError::SUPERSEDED));
    let reports = host.apply(&snapshot(6), Timestamp(0)).unwrap();
    assert_eq!(failure(&reports, 6).as_deref(), Some(HostError::NO_DISK), "while the disk is made anew");
    let reports = host.apply(&Delta::object(Desired::absent(KEY, 3)), Timestamp(0)).unwrap();
    assert_eq!(latest(&reports, KEY).unwrap().state.power, PowerState::Deleting);
    let reports = host.apply(&snapshot(7), Timestamp(0)).unwrap();
    assert_eq!(failure(&reports, 7).as_deref(), Some(HostError::NO_DISK), "while the server is deleted");

    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    host.apply(&snapshot(5), Timestamp(0)).unwrap();
    let reports = host.apply(&Delta::object(Desired::absent(KEY, 2)), Timestamp(0)).unwrap();
    assert_eq!(failure(&reports, 5).as_deref(), Some(HostError::SUPERSEDED));
}

#[test]
fn a_rebuild_that_cannot_begin_leaves_the_snapshot_alone() {
    let mut settings = settings(&[(OperationKind::Snapshot, after(50))]);
    settings.faults.missing_images.insert(404);
    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    host.apply(&snapshot(5), Timestamp(0)).unwrap();
    let rebuild = changed(2, |spec| {
        spec.rebuild_epoch = 1;
        spec.image.id = 404;
    });
    let reports = host.apply(&rebuild, Timestamp(1)).unwrap();
    assert_eq!(latest(&reports, KEY).unwrap().failure_of(2).unwrap().code, HostError::IMAGE_MISSING);
    let reports = host.poll(Timestamp(50)).unwrap().reports;
    assert!(matches!(outcome(&reports, 5), Some(Outcome::Snapshotted { .. })), "{reports:?}");
}

#[test]
fn a_power_failure_interrupts_a_snapshot_of_a_machine_that_is_off() {
    let settings = settings(&[(OperationKind::Snapshot, after(50))]);
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    host.apply(&changed(1, |spec| spec.power = Power::Off), Timestamp(0)).unwrap();
    host.apply(&snapshot(5), Timestamp(0)).unwrap();
    host.guest_event(KEY, GuestEvent::HostDies, Timestamp(1)).unwrap();
    assert_eq!(host.poll(Timestamp(99)).unwrap().reports, []);
    let reports = host.apply(&snapshot(5), Timestamp(99)).unwrap();
    assert_eq!(failure(&reports, 5).as_deref(), Some(HostError::INTERRUPTED));
    let seen = host.look(KEY, Timestamp(99)).unwrap();
    assert_eq!(latest(&seen, KEY).unwrap().state.power, PowerState::Off, "it was off and stays off");
}

#[test]
fn policies_reach_snapshots_and_passwords() {
    let once = Policy::FailOnce { code: "boom".into(), message: "it broke".into() };
    let settings = settings(&[(OperationKind::Snapshot, once.clone()), (OperationKind::SetPassword, once)]);
    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    for delta in [snapshot, password] {
        assert_eq!(failure(&host.apply(&delta(5), Timestamp(0)).unwrap(), 5).as_deref(), Some("boom"));
        assert!(failure(&host.apply(&delta(6), Timestamp(0)).unwrap(), 6).is_none());
        // The next kind needs ids of its own.
        host = running(&mut state, &settings);
        host.apply(&Delta::object(Desired::absent(KEY, 2)), Timestamp(0)).unwrap();
        host.apply(
            &Delta { forget: vec![crate::Forget { key: KEY, generation: 2 }], ..Delta::default() },
            Timestamp(0),
        )
        .unwrap();
        host = running(&mut state, &settings);
    }
}

#[test]
fn a_password_needs_an_agent_that_stays() {
    let settings = settings(&[(OperationKind::SetPassword, after(50)), (OperationKind::Reboot, after(50))]);
    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    host.apply(&password(5), Timestamp(0)).unwrap();
    let reports = host.apply(&command(6, Verb::Reboot), Timestamp(1)).unwrap();
    assert_eq!(failure(&reports, 5).as_deref(), Some(HostError::SUPERSEDED), "the agent goes with the guest");
    let reports = host.apply(&password(7), Timestamp(2)).unwrap();
    assert_eq!(failure(&reports, 7).as_deref(), Some(HostError::GUEST_AGENT), "and answers when it is back");
    assert_eq!(outcome(&host.poll(Timestamp(51)).unwrap().reports, 6), Some(Outcome::Done));
    assert_eq!(host.apply(&password(8), Timestamp(60)).unwrap(), []);
    assert_eq!(outcome(&host.poll(Timestamp(110)).unwrap().reports, 8), Some(Outcome::Done));
    let memory = serde_json::to_string(&state.get(KEY).unwrap().unwrap()).unwrap();
    assert!(!memory.contains("hunter2"), "{memory}");
}

#[test]
fn a_rebuild_is_seen() {
    let settings = SimSettings::default();
    let mut state = MemoryState::default();
    let mut host = running(&mut state, &settings);
    let reports = host.apply(&changed(2, |spec| spec.rebuild_epoch = 1), Timestamp(0)).unwrap();
    use PowerState::{Off, Rebuilding, Running, Starting, Stopping};
    assert_eq!(powers(&reports), [Stopping, Off, Rebuilding, Off, Starting, Running]);
}

#[test]
fn size_is_in_place_before_the_start() {
    let settings = settings(&[
        (OperationKind::Resize, after(10)),
        (OperationKind::Change, after(10)),
        (OperationKind::Start, after(10)),
    ]);
    let mut state = MemoryState::default();
    SimHost::new(&mut state, &settings).apply(&changed(1, |spec| spec.power = Power::Off), Timestamp(0)).unwrap();
    let larger = changed(2, |spec| {
        (spec.definition.cores, spec.definition.memory_mb, spec.disk_gb) = (4, 8192, 80);
        spec.power_epoch = 1;
    });
    SimHost::new(&mut state, &settings).apply(&larger, Timestamp(0)).unwrap();
    let mut seen = |at: i64| {
        let mut host = SimHost::new(&mut state, &settings);
        let power = latest(&host.look(KEY, Timestamp(at)).unwrap(), KEY).unwrap().state.power;
        let current = state.get(KEY).unwrap().unwrap().current;
        (power, current.disk.unwrap().size_gb, current.definition.unwrap().cores)
    };
    assert_eq!(seen(9), (PowerState::Off, 10, 1));
    assert_eq!(seen(10), (PowerState::Off, 80, 1));
    assert_eq!(seen(20), (PowerState::Starting, 80, 4));
    assert_eq!(seen(30), (PowerState::Running, 80, 4));
}

#[test]
fn a_start_that_is_cut_short_consumes_no_rescue() {
    let settings = settings(&[(OperationKind::Start, after(10))]);
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    let armed = changed(1, |spec| {
        let (kind, ssh_keys) = ("linux64".into(), vec![]);
        spec.rescue = Some(Rescue { epoch: 3, kind, ssh_keys, root_password_hash: Some(Secret("hunter2".into())) });
    });
    let starting = host.apply(&armed, Timestamp(0)).unwrap();
    let starting = &latest(&starting, KEY).unwrap().state;
    assert_eq!((starting.power, starting.booted, starting.rescue_epoch), (PowerState::Starting, None, 0));
    host.guest_event(KEY, GuestEvent::HostDies, Timestamp(5)).unwrap();
    let reports = host.poll(Timestamp(15)).unwrap().reports;
    let up = &latest(&reports, KEY).unwrap().state;
    assert_eq!((up.power, up.booted, up.rescue_epoch), (PowerState::Running, Some(Boot::Rescue), 3));
    let memory = serde_json::to_string(&state.get(KEY).unwrap().unwrap()).unwrap();
    assert!(!memory.contains("hunter2"), "{memory}");
}

/// The memory of a host that knew neither boots nor lanes: it is read, and what was under way goes on.
#[test]
fn an_older_memory_is_read() {
    let settings = settings(&[(OperationKind::Reboot, after(10))]);
    let mut state = MemoryState::default();
    running(&mut state, &settings).apply(&command(5, Verb::Reboot), Timestamp(0)).unwrap();
    let mut memory = serde_json::to_value(state.get(KEY).unwrap().unwrap()).unwrap();
    assert!(memory["current"].as_object_mut().unwrap().remove("booted").is_some());
    let known: Vec<&String> = memory.as_object().unwrap().keys().collect();
    assert!(!known.iter().any(|key| key.ends_with("_work")), "lanes that are empty take no room: {known:?}");
    assert_eq!(memory["work"]["verb"], "reboot");
    let object: SimObject = serde_json::from_value(memory).unwrap();
    let mut state = MemoryState::default();
    state.put(&object).unwrap();
    let mut host = SimHost::new(&mut state, &settings);
    let seen = host.look(KEY, Timestamp(1)).unwrap();
    assert_eq!(latest(&seen, KEY).unwrap().state.booted, Some(Boot::Disk));
    assert_eq!(outcome(&host.poll(Timestamp(10)).unwrap().reports, 5), Some(Outcome::Done));
}
