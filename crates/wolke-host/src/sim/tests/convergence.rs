//! Convergence: whatever is delivered in whatever order, with deaths, guests and commands in between, the newest wish is
//! reached, and every command ends.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wolke_wire::Timestamp;

use crate::command::{Command, Verb};
use crate::host::{Delta, Host, Report};
use crate::object::{Desired, ObjectKey};
use crate::plan::{Current, Guest};
use crate::policy::LatencyProfile;
use crate::sample;
use crate::server::{ImageRef, Power, Rescue, ServerSpec};
use crate::sim::{GuestEvent, MemoryState, SimHost, SimSettings, SimState};

/// What may happen on the way.
#[derive(Clone, Debug)]
enum Event {
    /// This generation of this server is delivered, for whatever time.
    Deliver(usize),
    /// World time passes and the host is polled.
    Wait(u16),
    /// The host dies at this operation of the next delivery.
    DieAt(u32),
    /// The guest switches itself off.
    GuestOff(i64),
    /// The guests' machine loses power.
    PowerFailure(i64),
    /// A command for this server.
    Command(i64, Verb),
}

/// Desired objects of three servers, generation after generation.
fn history() -> impl Strategy<Value = Vec<Desired>> {
    let change = (1_i64..=3, any::<bool>(), any::<bool>(), 1_u32..=4, 0_u8..6);
    prop::collection::vec(change, 1..14).prop_map(|changes| {
        let mut gone = [false; 4];
        let mut rebuilds = 0;
        let mut history = Vec::new();
        for (generation, (id, on, rebuild, gigabytes, dice)) in (1_i64..).zip(changes) {
            let slot = usize::try_from(id).unwrap();
            // Ids are never used again: after a tombstone there are only tombstones.
            gone[slot] |= dice == 0;
            if gone[slot] {
                history.push(Desired::absent(ObjectKey::server(id), generation));
                continue;
            }
            rebuilds += i64::from(rebuild);
            let mut spec: ServerSpec = sample::spec();
            spec.power = if on { Power::On } else { Power::Off };
            spec.power_epoch = generation;
            spec.rebuild_epoch = rebuilds;
            spec.definition.memory_mb = gigabytes * 1024;
            spec.disk_gb = 10 + u32::try_from(generation).unwrap();
            spec.iso = (dice == 1).then(|| ImageRef { id: 7, name: "netinst".into(), own: false });
            let (kind, ssh_keys) = ("linux64".into(), vec![]);
            spec.rescue = (dice > 3).then_some(Rescue { epoch: generation, kind, ssh_keys, root_password_hash: None });
            history.push(Desired::server(id, generation, spec));
        }
        history
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => any::<prop::sample::Index>().prop_map(|index| Event::Deliver(index.index(14))),
        3 => (0_u16..20_000).prop_map(Event::Wait),
        2 => (0_u32..5).prop_map(Event::DieAt),
        1 => (1_i64..=3).prop_map(Event::GuestOff),
        1 => (1_i64..=3).prop_map(Event::PowerFailure),
        4 => (1_i64..=3, verb()).prop_map(|(id, verb)| Event::Command(id, verb)),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    let password = Verb::SetPassword { hash: crate::server::Secret("hunter2".into()) };
    prop::sample::select(vec![Verb::Reset, Verb::Reboot, Verb::Shutdown, Verb::Snapshot { image: 9 }, password])
}

/// What depends on the way, not on where it leads: a boot that has been.
fn without_boots(current: Current) -> Current {
    Current { booted: None, rescue_epoch: 0, ..current }
}

/// A guest has been booted from something exactly while it runs, and a rescue epoch is consumed at most once.
fn check_boots(before: Option<Current>, now: Option<Current>) -> Result<(), TestCaseError> {
    let Some(now) = now else { return Ok(()) };
    prop_assert_eq!(now.booted.is_some(), now.guest == Guest::Running, "{:?}", now);
    let consumed = before.map_or(0, |before| before.rescue_epoch);
    prop_assert!(now.rescue_epoch >= consumed || now.is_absent(), "{} after {consumed}", now.rescue_epoch);
    Ok(())
}

/// The newest desired object of each server.
fn newest(history: &[Desired]) -> Vec<Desired> {
    let newest: BTreeMap<_, _> = history.iter().map(|desired| (desired.key, desired)).collect();
    newest.into_values().cloned().collect()
}

/// Delivers the objects and lets time pass until nothing is due.
fn settle(state: &mut MemoryState, settings: &SimSettings, objects: Vec<Desired>, now: Timestamp) -> Timestamp {
    let mut host = SimHost::new(state, settings);
    host.apply(&Delta { objects, ..Delta::default() }, now).unwrap();
    let mut now = now;
    for _ in 0..1000 {
        let Some(next) = host.poll(now).unwrap().next else { return now };
        now = now.max(next);
    }
    panic!("the host is never done");
}

proptest! {
    #[test]
    fn any_delivery_converges(
        history in history(),
        events in prop::collection::vec(event(), 0..40),
        seed in any::<u64>(),
        realistic in any::<bool>(),
    ) {
        let profile = if realistic { LatencyProfile::realistic() } else { LatencyProfile::none() };
        let mut settings = SimSettings { profile, seed, ..SimSettings::default() };
        let mut state = MemoryState::default();
        let mut now = Timestamp(0);
        let mut accepted = BTreeMap::new();
        let mut commands = Vec::new();
        for event in events {
            let keys = (1..=3).map(ObjectKey::server);
            let before: Vec<_> = keys.map(|key| (key, state.get(key).unwrap().map(|object| object.current))).collect();
            let mut host = SimHost::new(&mut state, &settings);
            match event {
                Event::Deliver(index) => {
                    let desired = &history[index % history.len()];
                    let died = host.apply(&Delta::object(desired.clone()), now).is_err();
                    let seen = accepted.entry(desired.key).or_insert(0);
                    *seen = desired.generation.max(*seen);
                    let has = state.get(desired.key).unwrap().map_or(0, |object| object.accepted());
                    prop_assert!(has == *seen, "accepted {has} instead of {seen}, died: {died}");
                    settings.crash_after = None;
                }
                Event::Wait(ms) => {
                    now = now.plus_ms(i64::from(ms));
                    drop(host.poll(now));
                    settings.crash_after = None;
                }
                Event::DieAt(operation) => settings.crash_after = Some(operation),
                Event::GuestOff(id) => drop(host.guest_event(ObjectKey::server(id), GuestEvent::PowersOff, now)),
                Event::PowerFailure(id) => drop(host.guest_event(ObjectKey::server(id), GuestEvent::HostDies, now)),
                // What is not known to the host at all is answered and not remembered; the suite has cases for that.
                Event::Command(id, _) if before.iter().any(|(key, seen)| key.id == id && seen.is_none()) => {}
                Event::Command(id, verb) => {
                    let (command, key) = (1 + i64::try_from(commands.len()).unwrap(), ObjectKey::server(id));
                    let command = Command { id: command, key, verb, issued_at: now, expires_at: None };
                    drop(host.apply(&Delta::command(command.clone()), now));
                    commands.push(command);
                    settings.crash_after = None;
                }
            }
            for (key, before) in before {
                check_boots(before, state.get(key).unwrap().map(|object| object.current))?;
            }
        }
        settings.crash_after = None;
        // A guest that was told to shut down goes off, wished for or not: let it.
        let now = settle(&mut state, &settings, vec![], now);
        // A guest that went off after its newest wish was fulfilled rightly stays off: wish once more.
        let mut wishes = newest(&history);
        for (generation, desired) in (100_i64..).zip(&mut wishes) {
            desired.generation = generation;
            if let crate::object::Wish::Present(crate::object::Spec::Server(spec)) = &mut desired.wish {
                spec.power_epoch = generation;
            }
        }
        settle(&mut state, &settings, wishes.clone(), now);
        let mut straight = MemoryState::default();
        settle(&mut straight, &settings, wishes.clone(), now);
        for desired in wishes {
            let reached = state.get(desired.key).unwrap().map(|object| without_boots(object.current));
            let expected = straight.get(desired.key).unwrap().map(|object| without_boots(object.current));
            prop_assert_eq!(reached, expected);
        }
        // Nothing is left under way, and every command has an end that does not change.
        for command in commands {
            let mut told = || {
                let reports = SimHost::new(&mut state, &settings).apply(&Delta::command(command.clone()), now).unwrap();
                reports.into_iter().find(|report| matches!(report, Report::Command(report) if report.id == command.id))
            };
            let first = told();
            prop_assert!(first.is_some(), "{command:?} never ended");
            prop_assert_eq!(told(), first);
            let memory = serde_json::to_string(&state.get(command.key).unwrap()).unwrap();
            prop_assert!(!memory.contains("hunter2"), "{memory}");
        }
    }
}
