//! What only the shared engine does: conflicts, lost connections, signals between processes, several opening at once.

use crate::common::{Engine, Place, open_schema, schema_place};
use crate::sample;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;
use wolke_domain::Result;
use wolke_store::migrate::{self, Role};
use wolke_store::postgres::PostgresDb;
use wolke_store::{Counter, Db, Race, Scope, Signal, Tx, project};
use wolke_wire::{Kind, Timestamp};

/// Waiting for a level that must come: long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn postgres(db: &Db) -> &PostgresDb {
    match db {
        Db::Postgres(db) => db,
        Db::Sqlite(_) => panic!("not PostgreSQL"),
    }
}

/// Waits until a signal was received.
fn wait_for(engine: &Engine, signal: &Signal) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !engine.signals.lock().unwrap().contains(signal) {
        assert!(std::time::Instant::now() < deadline, "{signal:?} was not heard");
        std::thread::yield_now();
    }
}

fn count_up(tx: &mut dyn Tx, meet: &dyn Fn()) -> Result<()> {
    let old = migrate::meta(tx, "n")?.and_then(|n| n.parse().ok()).unwrap_or(0_i64);
    meet();
    migrate::set_meta(tx, "n", &(old + 1).to_string())
}

#[test]
fn a_conflict_runs_the_closure_again() {
    let Some(engine) = Engine::postgres("a_conflict_runs_the_closure_again", Role::World) else { return };
    engine.write(|tx| migrate::set_meta(tx, "n", "0"));
    let barrier = Arc::new(Barrier::new(2));
    std::thread::scope(|threads| {
        for _ in 0..2 {
            let (barrier, met) = (Arc::clone(&barrier), AtomicBool::new(false));
            let db = &engine.db;
            threads.spawn(move || {
                // Both have read before either writes; only the first runs meet.
                let meet = move || {
                    if !met.swap(true, Ordering::SeqCst) {
                        barrier.wait();
                    }
                };
                db.write_blocking(Scope::new(), move |tx| count_up(tx, &meet)).unwrap();
            });
        }
    });
    assert_eq!(engine.read(|tx| migrate::meta(tx, "n")).as_deref(), Some("2"), "no update is lost");
    assert!(postgres(&engine.db).retries() >= 1);
    assert_eq!(engine.db.commits(), 3, "a closure that ran twice committed once");
}

#[test]
fn a_lock_before_begin_avoids_conflicts() {
    let Some(engine) = Engine::postgres("a_lock_before_begin_avoids_conflicts", Role::World) else { return };
    let (other, _) = engine.again().unwrap();
    std::thread::scope(|threads| {
        for db in [&engine.db, &other, &engine.db, &other] {
            threads.spawn(move || {
                for _ in 0..25 {
                    let scope = vec![Race::Project(1), Race::Addresses, Race::Project(1)];
                    db.write_blocking(scope, |tx| count_up(tx, &|| ())).unwrap();
                }
            });
        }
    });
    assert_eq!(engine.read(|tx| migrate::meta(tx, "n")).as_deref(), Some("100"));
    assert_eq!(postgres(&engine.db).retries() + postgres(&other).retries(), 0);
}

#[test]
fn a_waiting_write_keeps_no_read_out() {
    let Some(engine) = Engine::postgres("a_waiting_write_keeps_no_read_out", Role::World) else { return };
    let (release, released) = mpsc::channel::<()>();
    std::thread::scope(|threads| {
        let db = &engine.db;
        let (started, has_started) = mpsc::channel();
        threads.spawn(move || {
            db.write_blocking(vec![Race::Addresses], move |_| {
                let _ = started.send(());
                let _ = released.recv_timeout(PATIENCE);
                Ok(())
            })
        });
        has_started.recv_timeout(PATIENCE).unwrap();
        // More than there are connections.
        for _ in 0..10 {
            threads.spawn(|| db.write_blocking(vec![Race::Addresses], |_| Ok(())).unwrap());
        }
        for _ in 0..10 {
            assert_eq!(engine.read(project::list), []);
        }
        release.send(()).unwrap();
    });
    assert_eq!(engine.db.commits(), 11);
}

#[test]
fn a_lost_connection_is_replaced() {
    let Some(place) = schema_place("a_lost_connection_is_replaced") else { return };
    let Place::Schema(url, schema) = &place else { panic!("not a schema") };
    let separator = if url.contains('?') { '&' } else { '?' };
    // The name by which this test finds its own sessions.
    let named = format!("{url}{separator}application_name={schema}");
    let engine = Engine::at(Place::Schema(named, schema.clone()), Role::World);
    engine.write(sample::project);
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    for n in 0..3 {
        assert!(!client.query(sql, &[schema]).unwrap().is_empty());
        engine.write(move |tx| project::insert(tx, &format!("after-{n}")));
        assert_eq!(engine.read(project::list).len(), n + 2);
    }
    // In mid-transaction, before COMMIT: nothing was committed, so it is simply done again.
    let first = AtomicBool::new(true);
    let (killer, name) = (std::sync::Mutex::new(client), schema.clone());
    engine.write(move |tx| {
        project::insert(tx, "twice")?;
        if first.swap(false, Ordering::SeqCst) {
            killer.lock().unwrap().query(sql, &[&name]).unwrap();
        }
        project::list(tx)
    });
    assert_eq!(engine.read(project::list).len(), 5);
    // The listener has lost its connection, too; after the gap it passes everything on.
    wait_for(&engine, &Signal::TokensChanged);
}

#[test]
fn a_connection_lost_at_commit_leaves_the_outcome_open() {
    let Some(engine) = Engine::postgres("a_connection_lost_at_commit", Role::World) else { return };
    let Place::Schema(url, _) = &engine.place else { panic!("not a schema") };
    let killer = std::sync::Mutex::new(postgres::Client::connect(url, postgres::NoTls).unwrap());
    let runs = Arc::new(AtomicU32::new(0));
    let (counted, before) = (Arc::clone(&runs), engine.db.commits());
    let outcome = engine.try_write(move |tx| {
        project::insert(tx, "open")?;
        // Counted here, because a first run may end above for want of leased ids.
        counted.fetch_add(1, Ordering::SeqCst);
        // The last thing before COMMIT: its own session dies.
        let own = tx.query_composed("SELECT CAST(pg_backend_pid() AS BIGINT)", &[])?[0].int(0)?;
        killer.lock().unwrap().query("SELECT pg_terminate_backend($1)", &[&(own as i32)]).unwrap();
        Ok(())
    });
    assert!(matches!(outcome, Err(wolke_domain::Error::Unavailable { .. })), "{outcome:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1, "what may have been committed is not done twice");
    assert_eq!(engine.db.commits(), before);
    engine.write(sample::project);
}

#[test]
fn signals_travel_between_processes() {
    let Some(engine) = Engine::postgres("signals_travel_between_processes", Role::World) else { return };
    let Place::Schema(url, schema) = &engine.place else { panic!("not a schema") };
    let (heard, hears) = mpsc::channel();
    let heard = std::sync::Mutex::new(heard);
    let on_commit = Arc::new(move |signals: &[Signal]| {
        let _ = heard.lock().unwrap().send(signals.to_vec());
    });
    let other = open_schema((url, schema), Role::World, &engine.clock, on_commit).unwrap();
    engine.write(|tx| {
        tx.signal(Signal::StrandClaimed(1, Scope::new()));
        tx.signal(Signal::TokensChanged);
        tx.signal(Signal::StrandsDue);
        Ok(())
    });
    let received = hears.recv_timeout(PATIENCE).unwrap();
    assert_eq!(received, [Signal::StrandsDue, Signal::TokensChanged], "a claim concerns its own process only");
    // The sender hears the other one, and of its own signals only what it was told when it committed.
    other
        .write_blocking(Scope::new(), |tx| {
            tx.signal(Signal::ClockChanged);
            Ok(())
        })
        .unwrap();
    wait_for(&engine, &Signal::ClockChanged);
    assert_eq!(engine.signals.lock().unwrap().len(), 4);
}

#[test]
fn ids_of_two_processes_are_apart() {
    let Some(engine) = Engine::postgres("ids_of_two_processes_are_apart", Role::World) else { return };
    let (other, _) = engine.again().unwrap();
    let mut seen = HashSet::new();
    for n in 0..300 {
        let db = if n % 3 == 0 { &other } else { &engine.db };
        let counter = Counter::Kind(Kind::Server);
        assert!(seen.insert(db.write_blocking(Scope::new(), move |tx| tx.next_id(counter)).unwrap()));
    }
    assert!(seen.iter().all(|id| *id <= 500), "ids stay dense");
}

#[test]
fn a_process_knows_whether_it_is_alone() {
    let Some(engine) = Engine::postgres("a_process_knows_whether_it_is_alone", Role::World) else { return };
    assert!(engine.db.found_alone());
    let (second, _) = engine.again().unwrap();
    assert!(!second.found_alone());
    drop(second);
    let (third, _) = engine.again().unwrap();
    assert!(!third.found_alone(), "the first is still there");
    drop(third);
    let Engine { db, place, clock, .. } = engine;
    drop(db);
    let Place::Schema(url, schema) = &place else { panic!("not a schema") };
    let again = open_schema((url, schema), Role::World, &clock, Arc::new(|_: &[Signal]| ())).unwrap();
    assert!(again.found_alone(), "nobody is left");
}

#[test]
fn several_may_open_a_new_world_at_once() {
    let Some(place) = schema_place("several_may_open_a_new_world_at_once") else { return };
    let Place::Schema(url, schema) = &place else { panic!("not a schema") };
    let clock = crate::common::TestClock::new();
    std::thread::scope(|threads| {
        let open = || open_schema((url, schema), Role::World, &clock, Arc::new(|_: &[Signal]| ())).unwrap();
        let opened: Vec<_> = (0..4).map(|_| threads.spawn(open)).collect();
        for db in opened {
            let db = db.join().unwrap();
            let now = db.read_blocking(|tx| Ok((tx.facts().real_now, migrate::meta(tx, "seed")?))).unwrap();
            assert_eq!(now.1.as_deref(), Some("seed"));
            // The clock of this test stands in 2023; transactions take the database's.
            assert!(now.0 > Timestamp(1_750_000_000_000), "{now:?}");
        }
    });
}

#[test]
fn what_cannot_be_reached_is_unavailable() {
    // Nothing listens on port 1.
    let target = ("postgres://wolke@127.0.0.1:1/none", "wolke_test_none");
    let opened = open_schema(target, Role::World, &crate::common::TestClock::new(), Arc::new(|_: &[Signal]| ()));
    assert!(matches!(opened.err(), Some(wolke_domain::Error::Unavailable { .. })));
}

#[test]
fn a_turn_among_processes_ends_with_its_value() {
    let Some(place) = schema_place("a_turn_among_processes_ends_with_its_value") else { return };
    let Place::Schema(url, schema) = &place else { return };
    let clock = crate::common::TestClock::new();
    let open = || open_schema((url, schema), Role::World, &clock, Arc::new(|_: &[Signal]| ())).unwrap();
    let (one, other) = (open(), open());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let wait = |db: &PostgresDb, at_most| runtime.block_on(db.hold(Race::Jump, at_most)).unwrap();
    let turn = wait(&one, PATIENCE).unwrap();
    let moment = std::time::Duration::from_millis(1);
    assert!(wait(&other, moment).is_none() && wait(&one, moment).is_none(), "it is taken");
    // Who waits gets it as soon as it is free.
    let waiting = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(other.hold(Race::Jump, PATIENCE)).unwrap().is_some()
    });
    drop(turn);
    assert!(waiting.join().unwrap(), "the turn does not end");
    drop(one);
}
