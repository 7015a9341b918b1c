//! Zones and their sets: names, counts of records, labels, what is left when they go.

use crate::common::{Counting, Engine};
use crate::sample;
use std::collections::BTreeMap;
use wolke_domain::zone::{Record, Spec, defaults};
use wolke_store::list::{ListQuery, page};
use wolke_store::rrset::{self, Rrset};
use wolke_store::zone::{self, Details, Zone};
use wolke_store::{Counter, Tx, invariant, label, project, resource};
use wolke_wire::cloud::rrset::RrsetType;
use wolke_wire::selector::Selector;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{ErrorCode, Id, IdOrName, Kind, Timestamp};

crate::on_both_engines!(World: zones_and_sets, lists_of_sets, statements_do_not_grow_with_a_zone, sets_with_the_same_labels);

fn made(tx: &mut dyn Tx, project: Id, name: &str) -> Zone {
    let details = Details {
        v: 1,
        ttl: 3600,
        nameservers: Vec::new(),
        delegation: None,
        registrar: "other".into(),
        delete_protected: false,
        labels: sample::labels(&[("a", "b")]),
    };
    let (id, mode) = (tx.next_id(Counter::Kind(Kind::Zone)).unwrap(), "primary".to_owned());
    Zone { id, project, name: name.into(), created: Timestamp(5), mode, record_count: 0, details }
}

fn set(name: &str, kind: RrsetType, values: &[&str]) -> (Spec, BTreeMap<String, String>) {
    let records = values.iter().copied().map(Record::new).collect();
    (Spec { name: name.into(), kind, ttl: None, records }, sample::labels(&[("name", name)]))
}

/// A zone with its defaults and two sets more.
fn fill(tx: &mut dyn Tx, project: Id, name: &str) -> Zone {
    let zone = made(tx, project, name);
    zone::insert(tx, &zone).unwrap();
    let mut sets: Vec<_> = defaults(1).into_iter().map(|spec| (spec, BTreeMap::new())).collect();
    sets.push(set("www", RrsetType::A, &["192.0.2.1", "192.0.2.2"]));
    sets.push(set("www", RrsetType::Aaaa, &["2001:db8::1"]));
    let (ids, all) = rrset::insert(tx, &zone, sets).unwrap();
    assert_eq!((ids.len(), all.sets), (4, 4));
    zone
}

fn count(tx: &mut dyn Tx, zone: &Zone) -> i64 {
    zone::get(tx, zone.project, zone.id).unwrap().unwrap().value.record_count
}

fn zones_and_sets(engine: &Engine) {
    engine.write(|tx| {
        let (project, other) = (sample::project(tx)?, project::insert(tx, "other")?.id);
        let zone = fill(tx, project, "example.com");
        assert_eq!(count(tx, &zone), 7);
        let again = made(tx, project, "example.com");
        assert_eq!(zone::insert(tx, &again).unwrap_err().code(), ErrorCode::UniquenessError);
        fill(tx, other, "example.com");

        // By id, by name, by an id that is text; nobody else's.
        for asked in [IdOrName::Id(zone.id), "example.com".into(), IdOrName::Name(zone.id.to_string())] {
            assert_eq!(zone::expect(tx, project, &asked)?.value.id, zone.id);
        }
        for asked in [IdOrName::Id(zone.id), "example.org".into()] {
            assert_eq!(zone::expect(tx, other, &asked).unwrap_err().code(), ErrorCode::NotFound);
        }

        let old = zone::expect(tx, project, &"example.com".into())?;
        let mut new = old.value.clone();
        (new.details.ttl, new.details.labels) = (60, sample::labels(&[("c", "d")]));
        zone::update(tx, &old, &new)?;
        let seen = zone::of_anybody(tx, zone.id)?.unwrap();
        assert_eq!((seen.value.details, seen.value.record_count), (new.details, 7));
        assert!(zone::update(tx, &old, &old.value).is_err(), "a lost update");
        Ok(())
    });
}

fn lists_of_sets(engine: &Engine) {
    let zone = engine.write(|tx| {
        let project = sample::project(tx)?;
        fill(tx, project, "example.org");
        Ok(fill(tx, project, "example.com"))
    });
    let (project, id) = (zone.project, zone.id);
    engine.write(move |tx| {
        let zone = zone::get(tx, project, id)?.unwrap().value;
        let found = rrset::find(tx, id, "www", RrsetType::A)?.unwrap();
        assert_eq!(rrset::get(tx, project, found.value.id)?.unwrap(), found);
        assert!(rrset::get(tx, project + 1, found.value.id)?.is_none());
        assert_eq!(rrset::types(tx, id, "www")?, [RrsetType::A, RrsetType::Aaaa]);
        let paths =
            |sets: Vec<wolke_store::Stored<Rrset>>| sets.iter().map(|set| set.value.spec.key()).collect::<Vec<_>>();
        assert_eq!(paths(rrset::of_zone(tx, id)?), ["@/NS", "@/SOA", "www/A", "www/AAAA"]);

        let ask = |tx: &mut dyn Tx,
                   filters: Vec<(&'static str, Vec<wolke_store::value::Value>)>,
                   selector: &str,
                   direction| {
            let mut all = vec![("zone", vec![id.into()])];
            all.extend(filters);
            let selector = Selector::parse(selector).unwrap();
            let sort = vec![SortKey { field: "path", direction }];
            let query =
                ListQuery { kind: Kind::Rrset, project, filters: all, of: None, selector, sort, offset: 0, limit: 25 };
            let page = page(tx, &query).unwrap();
            let name = |(id, _): &(Id, i64)| rrset::get(tx, project, *id).unwrap().unwrap().value.spec.key();
            (page.total, page.entries.iter().map(name).collect::<Vec<_>>())
        };
        let up = Direction::Ascending;
        assert_eq!(
            ask(tx, vec![], "", up),
            (4, vec!["@/NS".into(), "@/SOA".into(), "www/A".into(), "www/AAAA".into()])
        );
        assert_eq!(ask(tx, vec![("name", vec!["www".into()])], "", Direction::Descending).1, ["www/AAAA", "www/A"]);
        assert_eq!(ask(tx, vec![("type", vec!["SOA".into(), "A".into()])], "", up).1, ["@/SOA", "www/A"]);
        assert_eq!(ask(tx, vec![], "name=www", up).0, 2);
        assert_eq!(ask(tx, vec![], "name!=www", up).1, ["@/NS", "@/SOA"]);

        let mut new = found.value.clone();
        new.spec.records.push(Record { value: "192.0.2.3".into(), comment: "more".into() });
        (new.spec.ttl, new.is_protected) = (Some(60), true);
        let grown = rrset::update(tx, &found, &new)?.unwrap();
        assert_eq!(rrset::get(tx, project, new.id)?.unwrap().value, new);
        let stored = rrset::get(tx, project, new.id)?.unwrap();
        let shrunk = Rrset { spec: found.value.spec.clone(), ..new.clone() };
        assert_eq!(rrset::update(tx, &stored, &shrunk)?, None, "only growth is told");
        let stored = rrset::get(tx, project, new.id)?.unwrap();
        assert_eq!(rrset::update(tx, &stored, &new)?, Some(grown));
        invariant::check(tx)?;
        assert_eq!(count(tx, &zone), 8);
        assert!(rrset::any_protected(tx, id)?);
        let twice = rrset::insert(tx, &zone, vec![set("www", RrsetType::A, &["192.0.2.1"])]);
        assert_eq!(twice.unwrap_err().code(), ErrorCode::UniquenessError);

        rrset::delete(tx, &new)?;
        assert_eq!((count(tx, &zone), rrset::any_protected(tx, id)?), (5, false));
        invariant::check(tx)?;
        rrset::delete_all(tx, &zone)?;
        assert_eq!((count(tx, &zone), rrset::of_zone(tx, id)?), (0, vec![]));
        zone::delete(tx, &zone)?;
        assert_eq!(resource::count(tx, Kind::Zone, project)?, 1);
        // Nothing is left of them, and the other zone has what it had.
        invariant::check(tx)
    });
}

/// What every zone has, and sets with some labels each: one that all have, one that some have, and others of their own.
fn labelled(sets: usize, labels: usize) -> Vec<(Spec, BTreeMap<String, String>)> {
    let one = |number: usize| {
        let (spec, _) = set(&format!("n{number}"), RrsetType::A, &["192.0.2.1"]);
        let own = (2..labels).map(|label| (format!("l{label}"), format!("v{number}")));
        let all = [("all".to_owned(), "same".to_owned()), ("some".to_owned(), format!("{}", number % 3))];
        (spec, all.into_iter().chain(own).collect())
    };
    defaults(1).into_iter().map(|spec| (spec, BTreeMap::new())).chain((0..sets).map(one)).collect()
}

/// How many statements the making and the end of a zone with such sets take.
fn statements_for(engine: &Engine, sets: usize, labels: usize) -> (usize, usize) {
    engine.write(move |tx| {
        let project = match project::by_name(tx, "default")? {
            Some(known) => known.id,
            None => sample::project(tx)?,
        };
        let zone = made(tx, project, "example.com");
        zone::insert(tx, &zone)?;
        let mut tx = Counting { tx, statements: 0 };
        let (_, all) = rrset::insert(&mut tx, &zone, labelled(sets, labels))?;
        assert_eq!(all.sets, sets as i64 + 2);
        let made = std::mem::take(&mut tx.statements);
        invariant::check(tx.tx)?;
        tx.statements = 0;
        rrset::delete_all(&mut tx, &zone)?;
        let gone = tx.statements;
        assert_eq!(count(tx.tx, &zone), 0);
        zone::delete(tx.tx, &zone)?;
        invariant::check(tx.tx)?;
        for table in ["label", "label_count", "label_key_count"] {
            let left = tx.tx.query_composed(&format!("SELECT count(*) FROM {table} WHERE kind = 'rrset'"), &[])?;
            assert_eq!(left[0].int(0)?, 0, "{table}");
        }
        Ok((made, gone))
    })
}

fn statements_do_not_grow_with_a_zone(engine: &Engine) {
    let (made, gone) = statements_for(engine, 1, 2);
    let (made_large, gone_large) = statements_for(engine, 1_200, 20);
    eprintln!("1 set with 2 labels: {made} statements, {gone} for its end; 1,200 with 20: {made_large}, {gone_large}");
    assert_eq!(gone, gone_large);
    // 25,200 rows, at 512 a statement.
    assert!(made_large < 80, "{made_large}");
    assert!(gone < 10, "{gone}");
}

/// What other zones of the project, and other projects, have of the same labels stays counted.
fn sets_with_the_same_labels(engine: &Engine) {
    engine.write(|tx| {
        let (project, other) = (sample::project(tx)?, project::insert(tx, "other")?.id);
        let mut zones = Vec::new();
        for (project, name) in [(project, "example.com"), (project, "example.org"), (other, "example.com")] {
            let zone = made(tx, project, name);
            zone::insert(tx, &zone)?;
            rrset::insert(tx, &zone, labelled(7, 3))?;
            zones.push(zone);
        }
        let counted = |tx: &mut dyn Tx, project| -> (i64, i64, i64) {
            let pair = |tx: &mut dyn Tx, key, value| label::count_pair(tx, Kind::Rrset, project, key, value).unwrap();
            (pair(tx, "all", "same"), pair(tx, "some", "0"), label::count_key(tx, Kind::Rrset, project, "l2").unwrap())
        };
        assert_eq!((counted(tx, project), counted(tx, other)), ((14, 6, 14), (7, 3, 7)));
        rrset::delete_all(tx, &zones[0])?;
        assert_eq!((counted(tx, project), counted(tx, other)), ((7, 3, 7), (7, 3, 7)));
        // Once more: there is nothing left to take.
        rrset::delete_all(tx, &zones[0])?;
        assert_eq!(counted(tx, project), (7, 3, 7));
        zone::delete(tx, &zones[0])?;
        assert_eq!(rrset::of_zone(tx, zones[1].id)?.len(), 9);
        invariant::check(tx)?;
        rrset::delete_all(tx, &zones[1])?;
        zone::delete(tx, &zones[1])?;
        assert_eq!(counted(tx, project), (0, 0, 0));
        invariant::check(tx)
    });
}
