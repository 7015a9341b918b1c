//! Actions: they end once, and lists of them are filtered, sorted and paged.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Result;
use wolke_domain::action::{Action, Failure, Status, Target};
use wolke_domain::clock::ClockMode;
use wolke_store::list::{ListQuery, page};
use wolke_store::{Counter, Tx, action, clock, invariant, server};
use wolke_wire::selector::Selector;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Kind, Timestamp};

crate::on_both_engines!(World: end_once, pages, a_resource_keeps_its_newest, what_worked_on_what_is_gone_goes);

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

/// Thirty running actions of three commands on four servers, some on two of them and on an address.
fn fill(engine: &Engine) -> (Id, Vec<Action>) {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let mut all = Vec::new();
        for n in 0..30 {
            let command = ["create_server", "start_server", "stop_server"][n % 3];
            let mut on = vec![Target::new(Kind::Server, (n % 4) as Id)];
            if n % 5 == 0 {
                on.extend([Target::new(Kind::PrimaryIp, 2), Target::new(Kind::Server, ((n + 1) % 4) as Id)]);
            }
            let new = sample::action(tx, project, command, &on)?;
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
            let key = SortKey { field, direction };
            for statuses in
                [&[][..], &["running"], &["error"], &["success"], &["running", "error"], &["error", "success"]]
            {
                let ids = [all[3].id, all[6].id, all[7].id];
                let servers = Some((Kind::Server, None));
                for of in [None, servers, Some((Kind::PrimaryIp, None)), Some((Kind::Server, Some(2)))] {
                    check(engine, project, &all, &Ask { key, statuses, of, ids: &[] });
                }
                check(engine, project, &all, &Ask { key, statuses, of: servers, ids: &ids });
            }
        }
    }
}

/// What a list of actions is asked for.
#[derive(Debug)]
struct Ask<'a> {
    key: SortKey,
    statuses: &'a [&'static str],
    of: Option<(Kind, Option<Id>)>,
    ids: &'a [Id],
}

fn check(engine: &Engine, project: Id, all: &[Action], ask: &Ask<'_>) {
    let Ask { key, statuses, of, ids } = *ask;
    let is_of = |a: &Action, kind: Kind, id: Option<Id>| {
        a.resources.iter().any(|target| target.kind == kind && id.is_none_or(|id| id == target.id))
    };
    let keep = |a: &&Action| {
        (statuses.is_empty() || statuses.contains(&a.status.as_str()))
            && (ids.is_empty() || ids.contains(&a.id))
            && of.is_none_or(|(kind, id)| is_of(a, kind, id))
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
    let found: Vec<Id> = model.iter().map(|a| a.id).collect();
    let mut query = ListQuery {
        kind: Kind::Action,
        project,
        filters: Vec::new(),
        of,
        selector: Selector::default(),
        sort: vec![key],
        offset: 0,
        limit: 4,
    };
    if !statuses.is_empty() {
        query.filters.push(("status", statuses.iter().map(|status| (*status).into()).collect()));
    }
    if !ids.is_empty() {
        query.filters.push(("id", ids.iter().map(|id| (*id).into()).collect()));
    }
    for offset in (0..=found.len()).step_by(4) {
        query.offset = offset as i64;
        let asked = query.clone();
        let got = engine.read(move |tx| page(tx, &asked));
        let expected: Vec<Id> = found.iter().skip(offset).take(4).copied().collect();
        assert_eq!(got.total, found.len() as i64, "{query:?}");
        assert_eq!(got.entries.iter().map(|e| e.0).collect::<Vec<_>>(), expected, "{query:?}");
    }
}

/// Ids of the actions of a resource of a project, newest first.
fn listed(engine: &Engine, project: Id, of: Option<(Kind, Option<Id>)>) -> Vec<Id> {
    let query = ListQuery {
        kind: Kind::Action,
        project,
        filters: Vec::new(),
        of,
        selector: Selector::default(),
        sort: vec![SortKey { field: "id", direction: Direction::Descending }],
        offset: 0,
        limit: 10_000,
    };
    engine.read(move |tx| {
        let page = page(tx, &query)?;
        assert_eq!(page.total, page.entries.len() as i64);
        Ok(page.entries.into_iter().map(|entry| entry.0).collect())
    })
}

/// Begins an action and ends it, unless it shall run on.
fn act(tx: &mut dyn Tx, project: Id, on: &[Target], ends: bool) -> Result<Id> {
    let new = sample::action(tx, project, "reboot_server", on)?;
    action::insert(tx, &new)?;
    if ends {
        action::end(tx, new.id, None)?;
    }
    Ok(new.id)
}

fn a_resource_keeps_its_newest(engine: &Engine) {
    let (busy, calm) = (Target::new(Kind::Server, 1), Target::new(Kind::PrimaryIp, 2));
    let (project, running, of_both) = engine.write(move |tx| {
        let project = sample::project(tx)?;
        let running = act(tx, project, &[busy], false)?;
        let of_both = act(tx, project, &[busy, calm], true)?;
        let kept = act(tx, project, &[calm], true)?;
        assert!(of_both < kept);
        Ok((project, running, of_both))
    });
    engine.write(move |tx| (2..action::PER_RESOURCE_MAX).try_for_each(|_| act(tx, project, &[busy], true).map(|_| ())));
    assert_eq!(listed(engine, project, Some((busy.kind, Some(1)))).len() as i64, action::PER_RESOURCE_MAX);
    assert_eq!(listed(engine, project, Some((calm.kind, None))).len(), 2, "nothing has gone yet");

    let newest = engine.write(move |tx| act(tx, project, &[busy], true).and_then(|_| act(tx, project, &[busy], true)));
    let left = listed(engine, project, Some((busy.kind, None)));
    assert_eq!(left.len() as i64, action::PER_RESOURCE_MAX + 1);
    assert_eq!((left[0], left[left.len() - 1]), (newest, running), "what runs stays, however old");
    assert!(!left.contains(&of_both) && engine.read(move |tx| action::get(tx, project, of_both)).is_none());
    assert_eq!(listed(engine, project, Some((calm.kind, None))).len(), 1, "it has gone from its other resource, too");
    assert_eq!(listed(engine, project, None).len(), left.len() + 1);
    // The servers of this test exist in name only, so only what counts actions can be asked.
    engine.read(invariant::check_history);
}

fn what_worked_on_what_is_gone_goes(engine: &Engine) {
    let (project, server, here, gone, both) = engine.write(move |tx| {
        let project = sample::project(tx)?;
        let server = sample::server(tx, project, "s", &[])?;
        server::insert(tx, &server)?;
        let (server, nobody) = (Target::new(Kind::Server, server.id), Target::new(Kind::Server, 9_999));
        let here = act(tx, project, &[server], true)?;
        let gone = [act(tx, project, &[nobody], true)?, act(tx, project, &[nobody], true)?];
        let both = act(tx, project, &[server, nobody], true)?;
        let running = act(tx, project, &[nobody], false)?;
        Ok((project, server.id, [here, running], gone, both))
    });
    let insert = move |tx: &mut dyn Tx| {
        // As many as it takes for one of them to look at the old ones.
        (0..100).try_for_each(|_| act(tx, project, &[Target::new(Kind::PrimaryIp, 9_998)], true).map(|_| ()))
    };
    engine.write(insert);
    assert_eq!(listed(engine, project, None).len(), 105, "nothing is old enough");
    engine.write(|tx| tx.next_ids(Counter::Kind(Kind::Action), action::KEPT_MIN).map(|_| ()));
    // PostgreSQL first gives out the rest of the block that this process holds.
    engine.write(|tx| (0..100).try_for_each(|_| tx.next_id(Counter::Kind(Kind::Action)).map(|_| ())));
    engine.write(insert);
    let left = listed(engine, project, None);
    assert!(gone.iter().all(|id| !left.contains(id)), "{left:?}");
    assert!(here.iter().chain([&both]).all(|id| left.contains(id)), "{left:?}");
    // Round and round: what is gone later is found, too.
    engine.write(move |tx| {
        let old = server::expect(tx, project, server)?.value;
        server::delete(tx, &old)
    });
    engine.write(insert);
    engine.write(insert);
    let left = listed(engine, project, None);
    assert!(!left.contains(&here[0]) && !left.contains(&both) && left.contains(&here[1]), "{left:?}");
    assert_eq!(listed(engine, project, Some((Kind::Server, None))), [here[1]]);
    engine.read(invariant::check_history);
}
