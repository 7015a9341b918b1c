//! Strands: queues of locks, wake-ups, leases and fences.

use crate::common::{Engine, Place};
use wolke_domain::Error;
use wolke_domain::action::Target;
use wolke_domain::clock::ClockMode;
use wolke_store::strand::{self, CLAIM_MAX, LEASE_MS, NEVER, NewStrand, QUEUE_MAX, RETRY_AHEAD_MS_MAX, Strand};
use wolke_store::{Race, Signal, clock};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

crate::on_both_engines!(World:
    first_come_first_served,
    needs_the_head_of_all_queues,
    a_full_queue_refuses,
    a_wake_in_mid_step_survives,
    sleeps_until_world_time,
    is_born_asleep_moved_and_dismissed,
    an_old_lease_changes_nothing,
    an_expired_lease_is_claimed_again,
    a_clock_that_is_set_back_stalls_nothing,
    claims_are_bounded,
);

/// No strand.
const NONE: [Id; 0] = [];

fn new(resources: &[Id]) -> NewStrand {
    NewStrand {
        kind: "test",
        project: 1,
        scope: vec![Race::Project(1), Race::Addresses],
        step: "first",
        frame: "{}".into(),
        action: Some(3),
        locks: resources.iter().map(|id| Target::new(Kind::Server, *id)).collect(),
        always: false,
    }
}

fn insert(engine: &Engine, resources: &'static [Id]) -> Id {
    engine.write(move |tx| strand::insert(tx, &new(resources)))
}

fn get(engine: &Engine, id: Id) -> Strand {
    engine.read(move |tx| strand::get(tx, id)).unwrap()
}

fn claim(engine: &Engine) -> Vec<Id> {
    engine.write(strand::claim).iter().map(|s| s.id).collect()
}

fn end(engine: &Engine, id: Id) -> Option<Vec<Target>> {
    let claimed = get(engine, id);
    engine.write(move |tx| strand::end(tx, &claimed))
}

/// Stops the world's clock and sets it.
fn set_world(engine: &Engine, at: i64) {
    engine.write(move |tx| {
        let real_now = tx.facts().real_now;
        let stopped = clock::get(tx)?.with_mode(real_now, ClockMode::Manual, 1000);
        clock::set(tx, stopped.set(real_now, Timestamp(at)))
    });
}

/// Lets every lease run out.
fn expire_leases(engine: &Engine) {
    pass(engine, LEASE_MS + 1);
}

/// Moves real time, also back. The database's own clock cannot be moved, so there the leases are.
fn pass(engine: &Engine, milliseconds: i64) {
    engine.clock.advance(milliseconds);
    if let Place::Schema(url, schema) = &engine.place {
        let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
        let sql = format!("UPDATE \"{schema}\".strand SET retry_at = retry_at - ({milliseconds}) WHERE retry_at > 0");
        client.batch_execute(&sql).unwrap();
    }
}

fn first_come_first_served(engine: &Engine) {
    let first = insert(engine, &[1]);
    let signals = engine.signals.lock().unwrap().clone();
    assert!(signals.iter().any(|s| matches!(s, Signal::StrandClaimed(id, _) if *id == first)), "{signals:?}");
    let (second, third) = (insert(engine, &[1]), insert(engine, &[1]));
    let born = get(engine, first);
    assert_eq!((born.lease, born.tries, born.deadline), (1, 0, NEVER), "born claimed");
    assert_eq!((born.scope, born.action), (vec![Race::Project(1), Race::Addresses], Some(3)));
    assert_eq!(claim(engine), NONE, "one works, the others wait for their turn");
    assert_eq!(engine.read(|tx| strand::holder(tx, Kind::Server, 1)), Some(first));
    for (ended, next) in [(first, Some(second)), (second, Some(third)), (third, None)] {
        assert_eq!(end(engine, ended), Some(vec![Target::new(Kind::Server, 1)]));
        assert_eq!(claim(engine), Vec::from_iter(next));
        assert_eq!(engine.read(|tx| strand::holder(tx, Kind::Server, 1)), next);
    }
    assert_eq!(engine.read(strand::locks), []);
}

fn needs_the_head_of_all_queues(engine: &Engine) {
    let (one, two) = (insert(engine, &[1]), insert(engine, &[2]));
    let both = insert(engine, &[2, 1]);
    let after = insert(engine, &[2]);
    end(engine, one);
    assert!(engine.read(move |tx| strand::is_blocked(tx, both)));
    assert_eq!(claim(engine), NONE, "its other resource is still taken");
    end(engine, two);
    assert_eq!(claim(engine), [both]);
    assert!(engine.read(move |tx| strand::is_blocked(tx, after)));
    assert_eq!(end(engine, both).map(|unlocked| unlocked.len()), Some(2));
    assert_eq!(claim(engine), [after]);
}

fn a_full_queue_refuses(engine: &Engine) {
    for _ in 0..QUEUE_MAX {
        insert(engine, &[1]);
    }
    let refused = engine.try_write(|tx| strand::insert(tx, &new(&[2, 1])));
    assert!(matches!(refused, Err(Error::Refused { code: ErrorCode::Locked, .. })), "{refused:?}");
    assert_eq!(engine.read(|tx| strand::holder(tx, Kind::Server, 2)), None, "a refused strand holds nothing");
}

fn a_wake_in_mid_step_survives(engine: &Engine) {
    set_world(engine, 1_000);
    let id = insert(engine, &[1]);
    let claimed = get(engine, id);
    engine.write(move |tx| strand::wake(tx, id));
    let napping = claimed.clone();
    assert!(engine.write(move |tx| strand::sleep(tx, &napping, NEVER)));
    assert_eq!(claim(engine), [id], "the wake came before the nap");
    let claimed = get(engine, id);
    assert!(engine.write(move |tx| strand::sleep(tx, &claimed, NEVER)));
    assert_eq!(claim(engine), NONE, "nobody woke it this time");
    engine.write(move |tx| strand::wake(tx, id));
    assert_eq!(claim(engine), [id]);
}

fn sleeps_until_world_time(engine: &Engine) {
    set_world(engine, 1_000);
    let id = insert(engine, &[1]);
    let mut napping = get(engine, id);
    (napping.step, napping.frame) = ("second".into(), "{\"n\":1}".into());
    assert!(engine.write(move |tx| strand::sleep(tx, &napping, Timestamp(2_000))));
    assert_eq!(engine.read(strand::next_due).0, Some(Timestamp(2_000)));
    set_world(engine, 1_999);
    assert_eq!(claim(engine), NONE);
    set_world(engine, 2_000);
    assert_eq!(claim(engine), [id]);
    let mut claimed = get(engine, id);
    assert_eq!((claimed.step.as_str(), claimed.frame.as_str(), claimed.tries), ("second", "{\"n\":1}", 0));
    claimed.deadline = Timestamp(9_000);
    assert!(engine.write(move |tx| strand::sleep(tx, &claimed, NEVER)));
    assert_eq!(engine.read(strand::next_due), (None, None), "never is no point in time");
    assert_eq!(engine.read(strand::all)[0].deadline, Timestamp(9_000));
}

fn is_born_asleep_moved_and_dismissed(engine: &Engine) {
    set_world(engine, 1_000);
    let refused = engine.try_write(|tx| strand::insert_asleep(tx, &new(&[1]), Timestamp(5_000)));
    assert!(refused.is_err(), "who sleeps holds no lock");
    let id = engine.write(|tx| strand::insert_asleep(tx, &new(&[]), Timestamp(5_000)));
    assert!(!engine.read(strand::is_any_ready));
    assert!(engine.write(move |tx| strand::reschedule(tx, id, Timestamp(3_000))));
    assert_eq!((claim(engine), engine.read(strand::next_due).0), (Vec::new(), Some(Timestamp(3_000))));
    set_world(engine, 3_000);
    assert!(engine.read(strand::is_any_ready));
    assert_eq!(claim(engine), [id]);
    assert!(engine.read(strand::is_any_ready), "what is claimed is not at rest");
    // Moved while its step runs: it looks again before it sleeps.
    let napping = get(engine, id);
    engine.write(move |tx| strand::reschedule(tx, id, Timestamp(9_000)));
    assert!(engine.write(move |tx| strand::sleep(tx, &napping, Timestamp(7_000))));
    assert_eq!(claim(engine), [id]);
    engine.write(move |tx| strand::dismiss(tx, id));
    let napping = get(engine, id);
    assert!(engine.write(move |tx| strand::sleep(tx, &napping, NEVER)), "what runs has to end itself");
    engine.write(move |tx| strand::dismiss(tx, id));
    assert!(engine.read(strand::all).is_empty() && !engine.write(move |tx| strand::reschedule(tx, id, Timestamp(0))));
}

fn an_old_lease_changes_nothing(engine: &Engine) {
    let id = insert(engine, &[1]);
    let old = get(engine, id);
    expire_leases(engine);
    assert_eq!(claim(engine), [id]);
    let current = get(engine, id);
    assert_eq!((current.lease, current.tries), (2, 0), "a claim is no failure");
    let stale = old.clone();
    assert!(!engine.write(move |tx| strand::sleep(tx, &stale, Timestamp(0))));
    let stale = old.clone();
    engine.write(move |tx| strand::back_off(tx, &stale, Timestamp(0), 1));
    let refused = engine.try_write(move |tx| match strand::end(tx, &old)? {
        Some(unlocked) => Ok(unlocked),
        None => Err(Error::Unavailable { internal: "lease lost".into() }),
    });
    assert!(refused.is_err());
    assert_eq!(get(engine, id), current);
    assert_eq!(engine.read(|tx| strand::holder(tx, Kind::Server, 1)), Some(id), "still locked");
    assert_eq!(claim(engine), NONE, "the lease of the other worker holds");
}

fn an_expired_lease_is_claimed_again(engine: &Engine) {
    let id = insert(engine, &[1]);
    assert_eq!(claim(engine), NONE);
    assert!(engine.read(strand::next_due).1.is_some(), "the retry is known");
    expire_leases(engine);
    assert_eq!(claim(engine), [id]);
    assert_eq!(claim(engine), NONE, "the claim holds");
    let claimed = get(engine, id);
    engine.write(move |tx| strand::back_off(tx, &claimed, Timestamp(1), 1));
    assert_eq!(claim(engine), [id], "backed off until a time that is past");
    assert_eq!(get(engine, id).tries, 1, "the failure was counted");
    assert!(engine.read(strand::any_leased));
    assert_eq!(engine.write(strand::free_leases), 1);
    assert!(!engine.read(strand::any_leased));
    assert_eq!(claim(engine), [id]);
}

fn a_clock_that_is_set_back_stalls_nothing(engine: &Engine) {
    const HOUR_MS: i64 = 3_600_000;
    // World time stands still: it does not follow the wall clock back, and how it would is not the matter here.
    set_world(engine, 1_000);
    let id = insert(engine, &[1]);
    pass(engine, -500);
    assert_eq!(claim(engine), NONE, "a lease holds through what is set right all the time");
    pass(engine, -HOUR_MS);
    let (real_now, retry) = engine.read(|tx| Ok((tx.facts().real_now, strand::next_due(tx)?.1)));
    assert!(retry.unwrap() <= real_now.plus_ms(RETRY_AHEAD_MS_MAX), "{retry:?} is no time to sleep until");
    assert!(engine.read(strand::is_due));
    assert_eq!(claim(engine), [id], "its lease ends in an hour: that is none");
    assert_eq!(claim(engine), NONE, "the new one holds");
    let claimed = get(engine, id);
    engine.write(move |tx| {
        let far = tx.facts().real_now.plus_ms(HOUR_MS);
        strand::back_off(tx, &claimed, far, 1)
    });
    assert!(!engine.read(strand::is_due), "no backoff is longer than is believed");
    pass(engine, -HOUR_MS);
    assert_eq!(claim(engine), [id], "as with a lease");
}

fn claims_are_bounded(engine: &Engine) {
    engine.write(|tx| {
        for resource in 0..=CLAIM_MAX as Id {
            let mut unlocked = new(&[]);
            unlocked.locks = vec![Target::new(Kind::Server, resource)];
            strand::insert(tx, &unlocked)?;
        }
        strand::free_leases(tx)
    });
    let claimed = claim(engine);
    assert_eq!(claimed.len(), CLAIM_MAX);
    assert!(claimed.is_sorted());
    assert_eq!(claim(engine).len(), 1);
    assert_eq!(claim(engine), NONE);
}
