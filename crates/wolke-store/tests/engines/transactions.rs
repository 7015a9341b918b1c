//! Transactions: what is refused leaves nothing, what failed never commits, time and randomness.

use crate::common::Engine;
use crate::sample;
use std::sync::mpsc;
use std::time::Duration;
use wolke_domain::clock::ClockMode;
use wolke_domain::rng::alphanumeric;
use wolke_domain::{Error, Result};
use wolke_store::migrate::{self, Role};
use wolke_store::{Counter, Db, Scope, Signal, Tx, clock, project};
use wolke_wire::{Kind, Timestamp};

crate::on_both_engines!(World:
    a_refused_write_commits_nothing,
    a_failed_statement_poisons,
    a_panic_rolls_back,
    reads_do_not_write,
    a_read_is_one_snapshot,
    signals_follow_the_commit,
    the_clock_has_modes,
    randomness_has_a_purpose,
    many_ids_at_once,
    a_rehearsal_leaves_what_its_closure_kept,
    a_rehearsal_that_is_refused_commits_nothing,
);

/// Waiting for what must come: long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn refuse<T>() -> Result<T> {
    Err(Error::name_used())
}

fn a_refused_write_commits_nothing(engine: &Engine) {
    engine.write(sample::project);
    let before = engine.db.commits();
    let refused: Result<()> = engine.try_write(|tx| {
        project::insert(tx, "refused")?;
        tx.signal(Signal::TokensChanged);
        refuse()
    });
    assert_eq!(refused, refuse());
    assert_eq!(engine.db.commits(), before);
    assert_eq!(engine.read(|tx| project::by_name(tx, "refused")), None);
    engine.read(project::list);
    assert_eq!(engine.db.commits(), before, "a read commits nothing");
    engine.write(|tx| project::insert(tx, "accepted"));
    assert_eq!(engine.db.commits(), before + 1);
}

fn a_failed_statement_poisons(engine: &Engine) {
    let before = engine.db.commits();
    let outcome = engine.try_write(|tx| {
        project::insert(tx, "poisoned")?;
        let failed = tx.query_composed("SELECT nothing FROM nowhere", &[]);
        assert!(matches!(failed, Err(Error::Internal { .. })), "{failed:?}");
        assert!(project::list(tx).is_err(), "after a failure nothing works any more");
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::Internal { .. })), "the closure's word does not count: {outcome:?}");
    assert_eq!(engine.db.commits(), before);
    assert_eq!(engine.read(project::list), []);
    let read = engine.db.read_blocking(|tx| {
        let _ = tx.query_composed("SELECT nothing FROM nowhere", &[]);
        Ok(())
    });
    assert!(read.is_err());
}

fn a_panic_rolls_back(engine: &Engine) {
    let outcome: Result<()> = engine.try_write(|tx| {
        project::insert(tx, "panic")?;
        panic!("on purpose")
    });
    assert!(matches!(outcome, Err(Error::Internal { .. })), "{outcome:?}");
    assert_eq!(engine.read(project::list), []);
    engine.write(sample::project);
}

fn reads_do_not_write(engine: &Engine) {
    let outcome = engine.db.read_blocking(|tx| migrate::set_meta(tx, "a", "b"));
    assert!(outcome.is_err());
    assert_eq!(engine.read(|tx| migrate::meta(tx, "a")), None);
}

fn a_read_is_one_snapshot(engine: &Engine) {
    let (ask, asked) = mpsc::channel::<()>();
    let (commit, committed) = mpsc::channel::<()>();
    let (before, after) = std::thread::scope(|threads| {
        threads.spawn(move || {
            asked.recv_timeout(PATIENCE).unwrap();
            engine.write(sample::project);
            commit.send(()).unwrap();
        });
        engine.read(move |tx| {
            let before = project::list(tx)?;
            ask.send(()).unwrap();
            committed.recv_timeout(PATIENCE).unwrap();
            Ok((before, project::list(tx)?))
        })
    });
    assert_eq!((before.len(), after.len()), (0, 0), "what was committed meanwhile is not seen");
    assert_eq!(engine.read(project::list).len(), 1);
}

fn signals_follow_the_commit(engine: &Engine) {
    let _: Result<()> = engine.try_write(|tx| {
        tx.signal(Signal::StrandsDue);
        refuse()
    });
    assert_eq!(*engine.signals.lock().unwrap(), []);
    engine.write(|tx| {
        tx.signal(Signal::StrandsDue);
        tx.signal(Signal::StrandClaimed(7, Scope::new()));
        tx.signal(Signal::StrandsDue);
        Ok(())
    });
    assert_eq!(*engine.signals.lock().unwrap(), [Signal::StrandsDue, Signal::StrandClaimed(7, Scope::new())]);
}

fn the_clock_has_modes(engine: &Engine) {
    let facts = || engine.read(|tx| Ok(tx.facts().clone()));
    let start = facts();
    assert_eq!(start.clock.mode, ClockMode::Wall);
    assert_eq!(start.now, start.real_now, "a new world's clock is at the wall");
    let modes =
        [(ClockMode::Manual, 1000), (ClockMode::Scaled, 60_000), (ClockMode::Instant, 1000), (ClockMode::Wall, 1000)];
    for (mode, rate) in modes {
        engine.write(move |tx| {
            let (real_now, old) = (tx.facts().real_now, clock::get(tx)?);
            clock::set(tx, old.with_mode(real_now, mode, rate))
        });
        assert!(engine.signals.lock().unwrap().contains(&Signal::ClockChanged));
        engine.clock.advance(1_000);
        let seen = facts();
        assert_eq!((seen.clock.mode, seen.clock.rate_permille), (mode, rate));
        assert_eq!(seen.now, seen.clock.world_at(seen.real_now));
        let inside = engine.read(|tx| Ok((clock::get(tx)?, tx.facts().clock)));
        assert_eq!(inside.0, inside.1);
    }
    engine.write(|tx| {
        let real_now = tx.facts().real_now;
        let stopped = clock::get(tx)?.with_mode(real_now, ClockMode::Manual, 1000);
        clock::set(tx, stopped.set(real_now, Timestamp(123)))
    });
    engine.clock.advance(1_000);
    assert_eq!(facts().now, Timestamp(123), "only a command moves it");
}

fn randomness_has_a_purpose(engine: &Engine) {
    let draw = |purpose: &'static str| {
        engine.write(move |tx| {
            let text = |tx: &mut dyn Tx| alphanumeric(&mut *tx.random(purpose), 32);
            let (first, again) = (text(tx), text(tx));
            assert_eq!(first, again, "one purpose, one stream");
            assert_ne!(first, alphanumeric(&mut *tx.random("another"), 32));
            Ok(first)
        })
    };
    assert_ne!(draw("token"), draw("token"), "another transaction draws anew");
}

fn many_ids_at_once(engine: &Engine) {
    let ids = engine.write(|tx| {
        let mut all = Vec::new();
        for _ in 0..250 {
            all.push(tx.next_id(Counter::Strand)?);
        }
        let first = tx.next_ids(Counter::Strand, 1_000)?;
        all.extend(first..first + 1_000);
        all.push(tx.next_id(Counter::Project)?);
        Ok(all)
    });
    let strands = &ids[..1_250];
    assert!(strands.is_sorted_by(|a, b| a < b));
    assert_eq!(ids[1_250], 1, "counters are apart");
    let next = engine.write(|tx| tx.next_id(Counter::Strand));
    assert!(next > strands[1_249]);
    assert_eq!(engine.write(|tx| tx.next_id(Counter::Kind(Kind::Server))), 1);
}

/// Members of one group commit: who fails is rolled back alone.
#[test]
fn a_group_loses_only_its_failing_members() {
    let engine = Engine::sqlite(Role::World);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let insert = |name: &'static str, end: fn(&mut dyn Tx) -> Result<()>| {
        let Db::Sqlite(db) = &engine.db else { panic!("not SQLite") };
        db.write(move |tx| project::insert(tx, name).and_then(|made| end(tx).map(|()| made.id)))
    };
    let outcomes = runtime.block_on(async {
        // The first one holds the writer until the others have been submitted, so that all are one group.
        let first = engine.db.write(Scope::new(), move |tx| {
            let _ = released.recv();
            project::insert(tx, "a").map(|made| made.id)
        });
        let poison = |tx: &mut dyn Tx| {
            let _ = tx.query_composed("SELECT nothing FROM nowhere", &[]);
            Ok(())
        };
        tokio::join!(
            first,
            insert("b", |_| Ok(())),
            insert("c", |_| refuse()),
            insert("d", poison),
            insert("b", |_| Ok(())),
            insert("e", |_| Ok(())),
            async move { release.send(()) },
        )
    });
    let (first, b, c, d, again, e, sent) = outcomes;
    assert!(sent.is_ok());
    assert_eq!((first, b, e), (Ok(1), Ok(2), Ok(3)), "ids of failed members are not used up");
    assert_eq!((c, again), (refuse(), refuse()), "a later member sees what an earlier one did");
    assert!(matches!(d, Err(Error::Internal { .. })));
    let names: Vec<_> = engine.read(project::list).into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["a", "b", "e"]);
    assert_eq!(engine.db.commits(), 3);
}

fn a_rehearsal_leaves_what_its_closure_kept(engine: &Engine) {
    let (kept, drawn, next) = engine.write(|tx| {
        project::insert(tx, "before")?;
        let mut seen = None;
        tx.rehearse(&mut |tx| {
            project::insert(tx, "rehearsed")?;
            tx.signal(Signal::OperatorChanged);
            seen = Some((project::by_name(tx, "rehearsed")?.is_some(), tx.next_id(Counter::Kind(Kind::Action))?));
            Ok(())
        })?;
        project::insert(tx, "after")?;
        tx.signal(Signal::TokensChanged);
        let (kept, drawn) = seen.unwrap();
        Ok((kept, drawn, tx.next_id(Counter::Kind(Kind::Action))?))
    });
    assert!(kept, "it was there while it lasted");
    assert!(next > drawn, "an id that was drawn may be named by what stays");
    assert_eq!(engine.read(|tx| project::by_name(tx, "rehearsed")), None);
    for name in ["before", "after"] {
        assert!(engine.read(move |tx| project::by_name(tx, name)).is_some(), "{name}");
    }
    let signals = engine.signals.lock().unwrap().clone();
    assert!(signals.contains(&Signal::TokensChanged) && !signals.contains(&Signal::OperatorChanged), "{signals:?}");
}

fn a_rehearsal_that_is_refused_commits_nothing(engine: &Engine) {
    let before = engine.db.commits();
    let refused: Result<()> = engine.try_write(|tx| {
        project::insert(tx, "before")?;
        tx.rehearse(&mut |tx| {
            project::insert(tx, "rehearsed")?;
            refuse()
        })
    });
    assert_eq!((refused, engine.db.commits()), (refuse(), before));
    let poisoned: Result<()> = engine.try_write(|tx| {
        let _ = tx.rehearse(&mut |tx| tx.query_composed("SELECT nothing FROM nowhere", &[]).map(|_| ()));
        Ok(())
    });
    assert!(poisoned.is_err(), "a failure in it is one of the transaction");
    for name in ["before", "rehearsed"] {
        assert_eq!(engine.read(move |tx| project::by_name(tx, name)), None);
    }
    engine.write(|tx| project::insert(tx, "works"));
}
