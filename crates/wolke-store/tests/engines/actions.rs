//! Actions: they end once, and lists of them are filtered, sorted and paged.

use crate::common::Engine;
use crate::sample;
use wolke_domain::action::{Action, Failure, Status, Target};
use wolke_domain::clock::ClockMode;
use wolke_store::list::{ListQuery, page};
use wolke_store::{action, clock};
use wolke_wire::selector::Selector;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Kind, Timestamp};

crate::on_both_engines!(World: end_once, pages);

fn end_once(engine: &Engine) {
    let (project, id) = engine.write(|tx| {
        let project = sample::project(tx)?;
        let target = Target::new(Kind::Server, 5);
        let new = sample::action(tx, project, "start_server", &[target, target])?;
        action::insert(tx, &new)?;
        action::progress(tx, new.id, 40)?;
        action::progress(tx, new.id, 30)?;
        Ok((project, new.id))
    });
    let get = || engine.read(move |tx| action::get(tx, project, id)).unwrap();
    assert_eq!((get().1.progress, get().1.status, get().0), (40, Status::Running, 2));
    assert_eq!(engine.read(action::running), 1);
    engine.write(move |tx| {
        action::end(tx, id, Some(&Failure::action("no room")))?;
        action::end(tx, id, None)
    });
    let (rev, ended) = get();
    assert_eq!((rev, ended.status, ended.progress), (3, Status::Error, 100));
    assert_eq!(ended.failure, Some(Failure::action("no room")));
    assert_eq!(engine.read(action::running), 0);
}

/// Thirty running actions of three commands on four servers.
fn fill(engine: &Engine) -> (Id, Vec<Action>) {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let mut all = Vec::new();
        for n in 0..30 {
            let command = ["create_server", "start_server", "stop_server"][n % 3];
            let new = sample::action(tx, project, command, &[Target::new(Kind::Server, (n % 4) as Id)])?;
            action::insert(tx, &new)?;
            all.push(new);
        }
        Ok((project, all))
    })
}

fn pages(engine: &Engine) {
    let (project, mut all) = fill(engine);
    for (n, old) in all.iter_mut().enumerate().filter(|(n, _)| n % 3 == 0) {
        let (id, failed) = (old.id, n % 2 == 0);
        // They end at two points in time, so that ids must break ties.
        engine.write(move |tx| {
            let real_now = tx.facts().real_now;
            let stopped = clock::get(tx)?.with_mode(real_now, ClockMode::Manual, 1000);
            clock::set(tx, stopped.set(real_now, Timestamp(5_000 + (n % 2) as i64)))
        });
        engine.write(move |tx| action::end(tx, id, failed.then(|| Failure::action("x")).as_ref()));
        *old = engine.read(move |tx| action::get(tx, project, id)).unwrap().1;
    }
    for field in ["id", "command", "status", "progress", "started", "finished"] {
        for direction in [Direction::Ascending, Direction::Descending] {
            for (filters, of) in [(false, None), (true, None), (false, Some(2)), (true, Some(2))] {
                check(engine, project, &all, SortKey { field, direction }, filters, of);
            }
        }
    }
}

fn check(engine: &Engine, project: Id, all: &[Action], key: SortKey, filtered: bool, of: Option<Id>) {
    let keep = |a: &&Action| {
        (!filtered || ["running", "error"].contains(&a.status.as_str()))
            && of.is_none_or(|id| a.resources.contains(&Target::new(Kind::Server, id)))
    };
    let mut model: Vec<&Action> = all.iter().filter(keep).collect();
    // What has not ended comes after what has: it will end later.
    let place = |a: &Action| match key.field {
        "command" => (0, a.command.clone()),
        "status" => (0, a.status.as_str().to_owned()),
        "progress" => (a.progress, String::new()),
        "started" => (a.started.0, String::new()),
        "finished" => (a.finished.map_or(i64::MAX, |t| t.0), String::new()),
        _ => (0, String::new()),
    };
    model.sort_by_key(|a| (place(a), a.id));
    if key.direction == Direction::Descending {
        model.reverse();
    }
    let ids: Vec<Id> = model.iter().map(|a| a.id).collect();
    let mut query = ListQuery {
        kind: Kind::Action,
        project,
        filters: if filtered { vec![("status", vec!["running".into(), "error".into()])] } else { Vec::new() },
        of: of.map(|id| (Kind::Server, Some(id))),
        selector: Selector::default(),
        sort: vec![key],
        offset: 0,
        limit: 4,
    };
    for offset in (0..=ids.len()).step_by(4) {
        query.offset = offset as i64;
        let asked = query.clone();
        let got = engine.read(move |tx| page(tx, &asked));
        let expected: Vec<Id> = ids.iter().skip(offset).take(4).copied().collect();
        assert_eq!(got.total, ids.len() as i64, "{query:?}");
        assert_eq!(got.entries.iter().map(|e| e.0).collect::<Vec<_>>(), expected, "{query:?}");
    }
}
