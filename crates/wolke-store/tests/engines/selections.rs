//! Label selectors that stay live: who is selected follows servers as they come, are relabelled and go.

use crate::common::Engine;
use crate::sample;
use std::collections::BTreeMap;
use wolke_domain::firewall::{SELECTED_MAX, check_selected};
use wolke_domain::{Error, label};
use wolke_store::{Tx, project, selection, server};
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind};

crate::on_both_engines!(World: members_follow_labels, both_ends_are_touched, owners_let_go, a_project_has_so_many, a_crowd);

const FIREWALL: (Kind, Id) = (Kind::Firewall, 7);
const SELECTORS: [&str; 6] = ["env=prod", "env!=prod", "env", "!env", "tier in (a, b),env", "tier notin (a)"];
const LABELS: [&[(&str, &str)]; 5] =
    [&[], &[("env", "prod")], &[("env", "dev"), ("tier", "a")], &[("tier", "b")], &[("env", "prod"), ("tier", "b")]];

fn relabel(tx: &mut dyn Tx, project: Id, id: Id, pairs: &[(&str, &str)]) -> wolke_domain::Result<()> {
    let old = server::expect(tx, project, id)?;
    let mut new = old.value.clone();
    new.details.labels = sample::labels(pairs);
    server::update(tx, &old, &new)
}

fn members_follow_labels(engine: &Engine) {
    let project = engine.write(sample::project);
    // Half of the selectors are there before the servers, half come when they are there.
    let add = |selectors: &'static [&'static str]| {
        engine.write(move |tx| {
            selectors.iter().try_for_each(|text| selection::add(tx, project, FIREWALL, text).map(drop))
        });
    };
    let check = |labels: &BTreeMap<Id, usize>, known: usize| {
        let found = engine.read(|tx| selection::of_owner(tx, FIREWALL));
        assert_eq!(found.len(), known);
        let matched: usize = found.iter().map(|one| one.servers.len()).sum();
        assert_eq!(engine.read(|tx| selection::matched(tx, FIREWALL)), matched as i64);
        for one in found {
            let selector = Selector::parse(&one.selector).unwrap();
            let matching =
                labels.iter().filter(|(_, index)| label::matches(&selector, &sample::labels(LABELS[**index])));
            let matching: Vec<Id> = matching.map(|(id, _)| *id).collect();
            assert_eq!(one.servers, matching, "{}: {labels:?}", one.selector);
        }
    };
    add(&SELECTORS[..3]);
    let mut labels = BTreeMap::new();
    for (index, pairs) in LABELS.iter().enumerate() {
        let id = engine.write(move |tx| {
            let new = sample::server(tx, project, &format!("s{index}"), pairs)?;
            server::insert(tx, &new)?;
            Ok(new.id)
        });
        labels.insert(id, index);
    }
    check(&labels, 3);
    add(&SELECTORS[3..]);
    check(&labels, SELECTORS.len());
    for step in 1..LABELS.len() {
        for (id, index) in &mut labels {
            *index = (*index + step) % LABELS.len();
            let (id, pairs) = (*id, LABELS[*index]);
            engine.write(move |tx| relabel(tx, project, id, pairs));
        }
        check(&labels, SELECTORS.len());
    }
    while let Some((id, _)) = labels.pop_first() {
        engine.write(move |tx| {
            let old = server::expect(tx, project, id)?;
            server::delete(tx, &old.value)
        });
        check(&labels, SELECTORS.len());
    }
}

fn both_ends_are_touched(engine: &Engine) {
    let (project, one, other) = engine.write(|tx| {
        let project = sample::project(tx)?;
        let one = sample::server(tx, project, "one", &[("env", "prod")])?;
        let other = sample::server(tx, project, "other", &[])?;
        server::insert(tx, &one)?;
        server::insert(tx, &other)?;
        Ok((project, one.id, other.id))
    });
    let rev = |id: Id| engine.read(move |tx| server::rev(tx, project, id)).unwrap();
    let before = (rev(one), rev(other));
    let matched = engine.write(move |tx| selection::add(tx, project, FIREWALL, "env=prod"));
    assert_eq!(matched, [one]);
    assert_eq!((rev(one), rev(other)), (before.0 + 1, before.1), "who is not selected is left alone");
    let by = engine.read(move |tx| selection::of_server(tx, one));
    assert_eq!(
        by.iter().map(|by| (by.kind, by.owner, by.selector.as_str())).collect::<Vec<_>>(),
        [(FIREWALL.0, 7, "env=prod")]
    );
    assert_eq!(engine.read(move |tx| selection::of_server(tx, other)), []);
    assert_eq!(engine.write(|tx| selection::remove(tx, FIREWALL, "env=prod")), Some(vec![one]));
    assert_eq!(engine.write(|tx| selection::remove(tx, FIREWALL, "env=prod")), None);
    assert_eq!((rev(one), rev(other)), (before.0 + 2, before.1));
}

fn owners_let_go(engine: &Engine) {
    let project = engine.write(|tx| {
        let project = sample::project(tx)?;
        let new = sample::server(tx, project, "one", &[("a", "b")])?;
        server::insert(tx, &new)?;
        for owner in [FIREWALL, (Kind::LoadBalancer, 7)] {
            selection::add(tx, project, owner, "a")?;
            selection::add(tx, project, owner, "a=b")?;
        }
        Ok(project)
    });
    assert!(engine.read(|tx| selection::has(tx, FIREWALL, "a")));
    engine.write(|tx| selection::forget(tx, FIREWALL));
    assert_eq!(engine.read(|tx| selection::of_owner(tx, FIREWALL)), []);
    let kept = engine.read(|tx| selection::of_owner(tx, (Kind::LoadBalancer, 7)));
    assert_eq!(kept.iter().map(|one| one.servers.len()).collect::<Vec<_>>(), [1, 1], "another owner's stay");
    // What belongs to another project is not selected.
    let stranger = engine.write(move |tx| {
        let other = wolke_store::project::insert(tx, "other")?.id;
        assert_ne!(other, project);
        let new = sample::server(tx, other, "two", &[("a", "b")])?;
        server::insert(tx, &new)?;
        Ok(new.id)
    });
    assert_eq!(engine.read(move |tx| selection::of_server(tx, stranger)), []);
}

fn a_project_has_so_many(engine: &Engine) {
    let project = engine.write(sample::project);
    engine.write(move |tx| {
        for number in 0..selection::PER_PROJECT_MAX {
            selection::add(tx, project, (Kind::LoadBalancer, 1 + number % 7), &format!("n={number}"))?;
        }
        Ok(())
    });
    let more = move |tx: &mut dyn Tx| selection::add(tx, project, FIREWALL, "a");
    assert_eq!(engine.try_write(more), Err(Error::too_many_selectors(selection::PER_PROJECT_MAX)));
    engine.write(|tx| selection::remove(tx, (Kind::LoadBalancer, 1), "n=0"));
    assert_eq!(engine.write(more), [] as [Id; 0]);
    assert_eq!(engine.read(|tx| selection::count_of_owner(tx, (Kind::LoadBalancer, 2))), 143);
}

/// So many servers with `env=prod`, as rows: how they come to be is not what is looked at.
fn crowd(tx: &mut dyn Tx, project: Id, first: Id, many: i64) {
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {})",
        first + many - 1
    );
    for insert in [
        format!(
            "{numbers} INSERT INTO servers (id, project, name, created, status, host, rev, generation, doc)
            SELECT i, {project}, 's' || i, 5, 'off', NULL, 1, 1, '{{}}' FROM n RETURNING id"
        ),
        format!(
            "{numbers} INSERT INTO label (kind, project, key, value, id) SELECT 'server', {project}, 'env', 'prod', i FROM n RETURNING id"
        ),
        format!(
            "INSERT INTO label_count (kind, project, key, value, n) VALUES ('server', {project}, 'env', 'prod', {many}) RETURNING n"
        ),
        format!(
            "INSERT INTO label_key_count (kind, project, key, n) VALUES ('server', {project}, 'env', {many}) RETURNING n"
        ),
    ] {
        tx.query_composed(&insert, &[]).unwrap();
    }
}

/// A selector matches so many servers when it comes, and those of a firewall so many together, also when servers come later.
fn a_crowd(engine: &Engine) {
    let (project, other) = engine.write(|tx| {
        let (project, other) = (sample::project(tx)?, project::insert(tx, "other")?.id);
        crowd(tx, project, 1_000_000, selection::SERVERS_MAX);
        crowd(tx, other, 2_000_000, selection::SERVERS_MAX + 1);
        Ok((project, other))
    });
    let add = move |project: Id| {
        move |tx: &mut dyn Tx| selection::add(tx, project, FIREWALL, "env=prod").map(|all| all.len())
    };
    assert_eq!(engine.try_write(add(other)), Err(Error::too_many_selected("env=prod", selection::SERVERS_MAX)));
    assert_eq!(engine.read(|tx| selection::matched(tx, FIREWALL)), 0, "what is refused leaves nothing");
    assert_eq!(engine.write(add(project)) as i64, SELECTED_MAX);

    let insert = move |tx: &mut dyn Tx| {
        let new = sample::server(tx, project, "late", &[("env", "prod")])?;
        server::insert(tx, &new).map(|_| ())
    };
    assert_eq!(engine.try_write(insert), check_selected(SELECTED_MAX + 1));
    let plain = engine.write(move |tx| {
        let new = sample::server(tx, project, "plain", &[])?;
        server::insert(tx, &new)?;
        Ok(new.id)
    });
    let join = move |tx: &mut dyn Tx| relabel(tx, project, plain, &[("env", "prod")]);
    assert_eq!(engine.try_write(join), check_selected(SELECTED_MAX + 1));
    engine.write(move |tx| relabel(tx, project, plain, &[("env", "dev")]));
    // A load balancer uses those for which it has room: more may join.
    engine.write(move |tx| {
        selection::remove(tx, FIREWALL, "env=prod")?;
        selection::add(tx, project, (Kind::LoadBalancer, 7), "env=prod")
    });
    engine.write(insert);
    engine.write(join);
    assert_eq!(engine.read(|tx| selection::matched(tx, (Kind::LoadBalancer, 7))), SELECTED_MAX + 2);
}
