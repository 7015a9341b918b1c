//! Group commit of the embedded engine when things go wrong: what was answered with an error is not in the database.

use crate::common::Engine;
use std::sync::mpsc;
use std::time::Duration;
use wolke_domain::clock::ClockMode;
use wolke_domain::{Error, Result};
use wolke_store::migrate::Role;
use wolke_store::{Counter, Db, Tx, clock, project};
use wolke_wire::{Id, Timestamp};

/// Waiting for what must come: long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn insert(tx: &mut dyn Tx, name: &str) -> Result<Id> {
    project::insert(tx, name).map(|made| made.id)
}

fn names(engine: &Engine) -> Vec<(Id, String)> {
    engine.read(project::list).into_iter().map(|p| (p.id, p.name)).collect()
}

fn pragma(tx: &mut dyn Tx, text: &str) -> Result<Option<i64>> {
    let rows = tx.query_composed(&format!("PRAGMA {text}"), &[])?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Fails with a full disk, in a way that makes the engine roll the whole transaction back; the next job has room again.
fn fill_the_disk(tx: &mut dyn Tx) -> Result<Id> {
    let pages = pragma(tx, "page_count")?.unwrap_or_default();
    pragma(tx, &format!("max_page_count = {pages}"))?;
    tx.query_composed("INSERT INTO project (id, name, created) VALUES (1000000, hex(zeroblob(4000000)), 1)", &[])?;
    Ok(0)
}

fn make_room(tx: &mut dyn Tx) -> Result<()> {
    pragma(tx, "max_page_count = 1000000").map(drop)
}

/// A write that succeeds, in a transaction whose COMMIT will fail.
fn break_the_commit(tx: &mut dyn Tx, name: &str) -> Result<Id> {
    pragma(tx, "defer_foreign_keys = ON")?;
    tx.query_composed("INSERT INTO strand_lock (kind, resource, position, strand) VALUES ('server', 1, 1, 999)", &[])?;
    insert(tx, name)
}

type Member = Box<dyn Fn(&mut dyn Tx) -> Result<Id> + Send>;

fn member(closure: impl Fn(&mut dyn Tx) -> Result<Id> + Send + 'static) -> Member {
    Box::new(closure)
}

/// Runs the members as one group.
fn group(engine: &Engine, members: Vec<Member>) -> Vec<Result<Id>> {
    let Db::Sqlite(db) = &engine.db else { panic!("not SQLite") };
    let (release, released) = mpsc::channel::<()>();
    // The first one holds the writer until the others have been submitted.
    let hold = member(move |_| released.recv_timeout(PATIENCE).map(|()| 0).map_err(|e| Error::internal(e.to_string())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut waiting: Vec<_> = std::iter::once(hold).chain(members).map(|job| Box::pin(db.write(job))).collect();
        for write in &mut waiting {
            // The first poll submits.
            let submitted = std::future::poll_fn(|context| std::task::Poll::Ready(write.as_mut().poll(context))).await;
            assert!(submitted.is_pending());
        }
        release.send(()).unwrap();
        let mut outcomes = Vec::new();
        for write in waiting.drain(..) {
            outcomes.push(write.await);
        }
        outcomes.split_off(1)
    })
}

#[test]
fn a_transaction_that_the_engine_gave_up_takes_its_members_with_it() {
    let engine = Engine::sqlite(Role::World);
    assert_eq!(engine.write(|tx| insert(tx, "before")), 1);
    let outcomes = group(
        &engine,
        vec![
            member(|tx| insert(tx, "a")),
            member(fill_the_disk),
            member(|tx| make_room(tx).and_then(|()| insert(tx, "b"))),
            member(|_| Err(Error::name_used())),
            member(|tx| insert(tx, "c")),
        ],
    );
    for lost in &outcomes[..2] {
        assert!(matches!(lost, Err(Error::Unavailable { .. })), "{lost:?}");
    }
    assert_eq!(outcomes[2..], [Ok(2), Err(Error::name_used()), Ok(3)], "those behind are a group of their own");
    let expected = [(1, "before"), (2, "b"), (3, "c")].map(|(id, name)| (id, name.to_owned()));
    assert_eq!(names(&engine), expected);
    assert_eq!(engine.db.commits(), 3);
    // The numbers of the lost members are given again, on disk as in memory.
    let (again, _) = engine.again().unwrap();
    let next = again.read_blocking(|tx| {
        let row = tx.query_composed("SELECT next FROM counter WHERE name = 'project'", &[])?;
        let sequence = wolke_store::migrate::meta(tx, "sequence")?;
        Ok((row[0].int(0)?, sequence))
    });
    assert_eq!(next, Ok((4, Some("3".into()))));
    assert_eq!(engine.write(|tx| tx.next_id(Counter::Project)), 4);
}

#[test]
fn a_failed_commit_fails_every_member_and_nothing_else() {
    let engine = Engine::sqlite(Role::World);
    assert_eq!(engine.write(|tx| insert(tx, "before")), 1);
    let members = [member(|tx| insert(tx, "a")), member(|tx| break_the_commit(tx, "b")), member(|tx| insert(tx, "c"))];
    let outcomes = group(&engine, members.into());
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    assert_eq!(names(&engine), [(1, "before".to_owned())]);
    assert_eq!(engine.db.commits(), 1, "what makes the log safe again is no transaction of anybody");
    assert_eq!(engine.write(|tx| insert(tx, "after")), 2, "the ids of the failed members are not used up");
    let sequence = engine.read(|tx| wolke_store::migrate::meta(tx, "sequence")).unwrap();
    assert!(sequence.parse::<i64>().unwrap() > 1 + 3, "{sequence}: the numbers of the refused are not given again");
}

#[test]
fn world_time_is_seen_when_it_is_committed() {
    fn stop_the_clock(tx: &mut dyn Tx) -> Result<Id> {
        let real_now = tx.facts().real_now;
        let stopped = clock::get(tx)?.with_mode(real_now, ClockMode::Manual, 1000);
        clock::set(tx, stopped.set(real_now, Timestamp(5))).map(|()| 0)
    }
    let engine = Engine::sqlite(Role::World);
    let start = engine.read(|tx| Ok(tx.now()));
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel::<()>();
    let look = member(move |tx| {
        ask.send(()).map_err(|e| Error::internal(e.to_string()))?;
        answered.recv_timeout(PATIENCE).map_err(|e| Error::internal(e.to_string()))?;
        assert_eq!(tx.now(), Timestamp(5), "a later member of the group lives in the new time");
        Ok(0)
    });
    let shared = &engine;
    let (outcomes, meanwhile) = std::thread::scope(|threads| {
        let reader = threads.spawn(move || {
            asked.recv_timeout(PATIENCE).unwrap();
            let seen = shared.read(|tx| Ok(tx.now()));
            answer.send(()).unwrap();
            seen
        });
        let members = vec![member(stop_the_clock), look, member(|tx| break_the_commit(tx, "a"))];
        (group(shared, members), reader.join().unwrap())
    });
    assert_eq!(meanwhile, start, "nobody else lives in it before the commit");
    assert!(outcomes.iter().all(|o| outcomes[0].is_err() && *o == outcomes[0]), "the commit failed: {outcomes:?}");
    assert_eq!(engine.read(|tx| Ok(tx.now())), start, "what was not committed did not happen");
    let outcomes = group(&engine, vec![member(stop_the_clock), member(|tx| Ok(tx.now().0))]);
    assert_eq!(outcomes, [Ok(0), Ok(5)]);
    assert_eq!(engine.read(|tx| Ok(tx.now())), Timestamp(5));
}
