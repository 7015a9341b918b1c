//! What the conformance suite cannot see from outside: visible states in order, exact times, cost, convergence.

use wolke_wire::Timestamp;

use super::{GuestEvent, MemoryState, SimHost, SimSettings, SimState};
use crate::command::{Command, Outcome, Verb};
use crate::host::{Delta, Host, Report, latest};
use crate::object::{Desired, HostError, ObjectKey, PowerState};
use crate::policy::{LatencyProfile, OperationKind, Policy};
use crate::sample;

mod commands;
mod convergence;

const KEY: ObjectKey = ObjectKey::server(1);

fn powers(reports: &[Report]) -> Vec<PowerState> {
    let mut powers: Vec<_> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Observed(observed) => Some(observed.state.power),
            Report::Refused { .. } | Report::Command(_) | Report::Usage(_) => None,
        })
        .collect();
    powers.dedup();
    powers
}

#[test]
fn create_is_seen_off_starting_running() {
    let settings = SimSettings::default();
    let mut state = MemoryState::default();
    let delta = Delta::object(Desired::server(1, 1, sample::spec()));
    let reports = SimHost::new(&mut state, &settings).apply(&delta, Timestamp(0)).unwrap();
    assert_eq!(powers(&reports), [PowerState::Off, PowerState::Starting, PowerState::Running]);
    assert_eq!(state.next_due(), Ok(None));
}

#[test]
fn latencies_are_kept_to_the_millisecond() {
    let profile = LatencyProfile::none()
        .with(OperationKind::Create, Policy::After { ms: 1500 })
        .with(OperationKind::Start, Policy::After { ms: 7 });
    let settings = SimSettings { profile, ..SimSettings::default() };
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    let delta = Delta::object(Desired::server(1, 1, sample::spec()));
    assert_eq!(powers(&host.apply(&delta, Timestamp(1)).unwrap()), [PowerState::Creating]);
    let poll = host.poll(Timestamp(1500)).unwrap();
    assert_eq!((poll.reports, poll.next), (vec![], Some(Timestamp(1501))));
    let poll = host.poll(Timestamp(1501)).unwrap();
    assert_eq!(powers(&poll.reports), [PowerState::Off, PowerState::Starting]);
    assert_eq!(poll.next, Some(Timestamp(1508)));
    let poll = host.poll(Timestamp(1508)).unwrap();
    assert_eq!(powers(&poll.reports), [PowerState::Running]);
    assert_eq!(poll.next, None);
}

#[test]
fn a_server_overrides_the_profile_of_its_host() {
    let settings = SimSettings::default();
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    let mut spec = sample::spec();
    let stuck =
        LatencyProfile::none().with(OperationKind::Start, Policy::Stuck).with(OperationKind::Delete, Policy::Stuck);
    spec.simulation = Some(stuck);
    let reports = host.apply(&Delta::object(Desired::server(1, 1, spec)), Timestamp(0)).unwrap();
    assert_eq!(latest(&reports, KEY).unwrap().state.power, PowerState::Starting);
    let poll = host.poll(Timestamp(i64::MAX)).unwrap();
    assert_eq!((poll.reports, poll.next), (vec![], None));
    let reports = host.apply(&Delta::object(Desired::absent(KEY, 2)), Timestamp(0)).unwrap();
    assert_eq!(latest(&reports, KEY).unwrap().state.power, PowerState::Deleting, "the tombstone lost the override");
}

#[test]
fn fail_once_fails_until_tried_again() {
    let profile = LatencyProfile::none()
        .with(OperationKind::Start, Policy::FailOnce { code: "boom".into(), message: "it broke".into() });
    let settings = SimSettings { profile, ..SimSettings::default() };
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    let delta = Delta::object(Desired::server(1, 1, sample::spec()));
    let reports = host.apply(&delta, Timestamp(0)).unwrap();
    let failed = latest(&reports, KEY).unwrap();
    assert_eq!(failed.failure_of(1), Some(&HostError::new("boom", "it broke")));
    assert_eq!(failed.state.power, PowerState::Off);
    assert_eq!(host.poll(Timestamp(9)).unwrap().next, None, "time alone must not try again");
    let reports = host.apply(&delta, Timestamp(9)).unwrap();
    assert!(latest(&reports, KEY).unwrap().has_applied(1));
}

#[test]
fn what_hangs_is_begun_anew_for_a_new_wish() {
    let stuck = LatencyProfile::none().with(OperationKind::Create, Policy::Stuck);
    let stuck = SimSettings { profile: stuck, ..SimSettings::default() };
    let mut state = MemoryState::default();
    let delta = Delta::object(Desired::server(1, 1, sample::spec()));
    SimHost::new(&mut state, &stuck).apply(&delta, Timestamp(0)).unwrap();
    // The policy is lifted: what hangs goes on hanging until somebody asks again.
    let well = SimSettings::default();
    let mut host = SimHost::new(&mut state, &well);
    let reports = host.apply(&delta, Timestamp(1)).unwrap();
    assert_eq!(latest(&reports, KEY).unwrap().state.power, PowerState::Creating);
    let reports = host.apply(&Delta::object(Desired::server(1, 2, sample::spec())), Timestamp(2)).unwrap();
    let observed = latest(&reports, KEY).unwrap();
    assert!(observed.has_applied(2), "{observed:?}");
    assert_eq!(observed.state.power, PowerState::Running);
}

#[test]
fn what_takes_its_time_is_not_begun_anew() {
    let profile = LatencyProfile::none().with(OperationKind::Create, Policy::After { ms: 100 });
    let settings = SimSettings { profile, ..SimSettings::default() };
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    host.apply(&Delta::object(Desired::server(1, 1, sample::spec())), Timestamp(0)).unwrap();
    host.apply(&Delta::object(Desired::server(1, 2, sample::spec())), Timestamp(60)).unwrap();
    let poll = host.poll(Timestamp(100)).unwrap();
    assert_eq!(powers(&poll.reports), [PowerState::Off, PowerState::Starting, PowerState::Running]);
    assert_eq!(latest(&poll.reports, KEY).unwrap().state.disk_epoch, Some(sample::spec().rebuild_epoch));
}

#[test]
fn what_cuts_a_reboot_short_ends_its_command() {
    let profile = LatencyProfile::none().with(OperationKind::Reboot, Policy::Stuck);
    let settings = SimSettings { profile, ..SimSettings::default() };
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    host.apply(&Delta::object(Desired::server(1, 1, sample::spec())), Timestamp(0)).unwrap();
    let reboot = Command { id: 5, key: KEY, verb: Verb::Reboot, issued_at: Timestamp(0), expires_at: None };
    let reports = host.apply(&Delta::command(reboot), Timestamp(0)).unwrap();
    assert!(!reports.iter().any(|report| matches!(report, Report::Command(_))), "{reports:?}");
    let reports = host.guest_event(KEY, GuestEvent::PowersOff, Timestamp(1)).unwrap();
    let ended = reports.iter().any(|report| {
        matches!(report, Report::Command(ended)
            if ended.id == 5 && matches!(&ended.outcome, Outcome::Failed { error } if error.code == HostError::SUPERSEDED))
    });
    assert!(ended, "{reports:?}");
    assert_eq!(powers(&reports), [PowerState::Off]);
}

#[test]
fn a_shutdown_under_way_is_seen_as_stopping() {
    let profile = LatencyProfile::none().with(OperationKind::Shutdown, Policy::After { ms: 10 });
    let settings = SimSettings { profile, ..SimSettings::default() };
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    host.apply(&Delta::object(Desired::server(1, 1, sample::spec())), Timestamp(0)).unwrap();
    let shutdown = Command { id: 5, key: KEY, verb: Verb::Shutdown, issued_at: Timestamp(0), expires_at: None };
    assert_eq!(powers(&host.apply(&Delta::command(shutdown), Timestamp(0)).unwrap()), [PowerState::Stopping]);
    assert_eq!(powers(&host.poll(Timestamp(10)).unwrap().reports), [PowerState::Off]);
}

#[test]
fn one_of_many_touches_one() {
    const MANY: i64 = 20_000;
    let settings = SimSettings::default();
    let mut state = MemoryState::default();
    let mut host = SimHost::new(&mut state, &settings);
    for id in 1..=MANY {
        host.apply(&Delta::object(Desired::server(id, id, sample::spec())), Timestamp(0)).unwrap();
    }
    let before = state.touched();
    let mut host = SimHost::new(&mut state, &settings);
    let mut spec = sample::spec();
    spec.definition.name = "renamed".into();
    host.apply(&Delta::object(Desired::server(77, MANY + 1, spec)), Timestamp(0)).unwrap();
    host.poll(Timestamp(1)).unwrap();
    assert_eq!(state.touched() - before, 2, "one read and one write");
}
