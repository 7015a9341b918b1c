//! Storage boxes, their snapshots and further accounts: names, labels, orders, what is left when they go.

use crate::common::{Counting, Engine};
use crate::sample;
use wolke_domain::storage_box::folder::Folders;
use wolke_domain::storage_box::share::Mark;
use wolke_store::list::{ListQuery, page};
use wolke_store::storage_box::{self as boxes, Details, StorageBox};
use wolke_store::storage_box_snapshot::{self as snapshots, Snapshot};
use wolke_store::storage_box_subaccount::{self as subaccounts, Subaccount};
use wolke_store::value::Value;
use wolke_store::{Counter, Tx, invariant, project, resource};
use wolke_wire::cloud::storage_box::AccessSettings;
use wolke_wire::selector::Selector;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

crate::on_both_engines!(World: storage_boxes, snapshots_and_subaccounts, orders_and_filters, children_go_at_once);

fn made(tx: &mut dyn Tx, project: Id, name: &str, size: i64) -> StorageBox {
    let details = Details {
        v: 1,
        kind: 1333,
        location: 1,
        system: "FSN1-BX1".into(),
        access: AccessSettings::default(),
        password: "sealed".into(),
        ssh_keys: Vec::new(),
        plan: None,
        calendar: None,
        numbers: 0,
        delete_protected: false,
        labels: sample::labels(&[("a", "b")]),
    };
    let id = tx.next_id(Counter::Kind(Kind::StorageBox)).unwrap();
    let new = StorageBox { id, project, name: name.into(), created: Timestamp(5), size, size_data: size, details };
    boxes::insert(tx, &new).unwrap();
    new
}

fn snapshot(tx: &mut dyn Tx, of: &StorageBox, name: &str, is_automatic: bool) -> Snapshot {
    let details = snapshots::Details { v: 1, description: "d".into(), labels: sample::labels(&[("name", name)]) };
    let id = tx.next_id(Counter::Kind(Kind::StorageBoxSnapshot)).unwrap();
    let new = Snapshot {
        id,
        project: of.project,
        storage_box: of.id,
        number: id,
        name: name.into(),
        created: Timestamp(7),
        is_automatic,
        mark: Mark::new(of.size_data),
        size: 0,
        details,
    };
    snapshots::insert(tx, &new, &Folders::from([name.to_owned()])).unwrap();
    new
}

fn subaccount(tx: &mut dyn Tx, of: &StorageBox, number: i64, name: &str) -> Subaccount {
    let details = subaccounts::Details {
        v: 1,
        home: "a/b".into(),
        access: wolke_wire::cloud::storage_box::subaccount::SubaccountAccessSettings::default(),
        password: "sealed".into(),
        description: String::new(),
        labels: sample::labels(&[("name", name)]),
    };
    Subaccount {
        id: tx.next_id(Counter::Kind(Kind::StorageBoxSubaccount)).unwrap(),
        project: of.project,
        storage_box: of.id,
        number,
        name: name.into(),
        username: format!("u1-sub{number}"),
        created: Timestamp(9),
        details,
    }
}

fn storage_boxes(engine: &Engine) {
    engine.write(|tx| {
        let (project, other) = (sample::project(tx)?, project::insert(tx, "other")?.id);
        let first = made(tx, project, "a", 10);
        let second = made(tx, project, "b", 0);
        made(tx, other, "a", 0);
        assert_eq!(resource::count(tx, Kind::StorageBox, project)?, 2);
        let again = StorageBox { id: 99, ..first.clone() };
        assert_eq!(boxes::insert(tx, &again).unwrap_err().code(), ErrorCode::UniquenessError);
        assert_eq!(boxes::expect(tx, other, first.id).unwrap_err().code(), ErrorCode::NotFound);

        let old = boxes::expect(tx, project, second.id)?;
        let taken = StorageBox { name: "a".into(), ..old.value.clone() };
        assert_eq!(boxes::update(tx, &old, &taken).unwrap_err().code(), ErrorCode::UniquenessError);
        let mut new = old.value.clone();
        (new.name, new.size, new.size_data, new.details.numbers) = ("c".into(), 7, 7, 3);
        boxes::update(tx, &old, &new)?;
        let seen = boxes::of_anybody(tx, second.id)?.unwrap();
        assert_eq!((&seen.value, seen.rev), (&new, old.rev + 1));
        assert!(boxes::update(tx, &old, &new).is_err(), "a lost update");

        assert_eq!(boxes::folders(tx, second.id)?, Folders::new());
        let folders = Folders::from(["a".to_owned(), "a/b".to_owned()]);
        boxes::set_folders(tx, second.id, &folders)?;
        assert_eq!((boxes::folders(tx, second.id)?, boxes::folders(tx, first.id)?), (folders, Folders::new()));
        resource::touch(tx, Kind::StorageBox, second.id)?;
        let touched = boxes::expect(tx, project, second.id)?;
        assert_eq!(touched.rev, seen.rev + 1);
        boxes::delete(tx, &touched.value)?;
        assert!(!resource::exists(tx, Kind::StorageBox, second.id)?);
        invariant::check(tx)
    });
}

fn snapshots_and_subaccounts(engine: &Engine) {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let (first, second) = (made(tx, project, "a", 10), made(tx, project, "b", 10));
        let (old, new) = (snapshot(tx, &first, "s1", false), snapshot(tx, &first, "s2", true));
        snapshot(tx, &second, "s1", false);
        let all: Vec<Snapshot> = snapshots::of_box(tx, first.id)?.into_iter().map(|stored| stored.value).collect();
        assert_eq!(all, [old.clone(), new.clone()]);
        assert_eq!(snapshots::names(tx, first.id)?, ["s1", "s2"]);
        assert_eq!(snapshots::folders_named(tx, first.id, "s2")?, Some(Folders::from(["s2".to_owned()])));
        assert_eq!(snapshots::folders_named(tx, first.id, "s3")?, None);
        assert_eq!(snapshots::expect(tx, (project, second.id), old.id).unwrap_err().code(), ErrorCode::NotFound);
        let stored = snapshots::expect(tx, (project, first.id), old.id)?;
        let mut changed = stored.value.clone();
        (changed.mark.kept, changed.size, changed.details.description) = (4, 6, "e".into());
        snapshots::update(tx, &stored, &changed)?;
        assert_eq!(snapshots::get(tx, project, old.id)?.unwrap().value, changed);
        snapshots::delete(tx, &changed)?;
        assert!(!resource::exists(tx, Kind::StorageBoxSnapshot, old.id)?);

        let (one, two) = (subaccount(tx, &first, 1, "x"), subaccount(tx, &first, 2, "y"));
        assert_eq!((subaccounts::insert(tx, &one)?, subaccounts::insert(tx, &two)?), (1, 2));
        let again = subaccount(tx, &first, 3, "x");
        assert_eq!(subaccounts::insert(tx, &again).unwrap_err().code(), ErrorCode::UniquenessError);
        let stored = subaccounts::numbered(tx, first.id, 2)?.unwrap();
        let taken = Subaccount { name: "x".into(), ..two.clone() };
        assert_eq!(subaccounts::update(tx, &stored, &taken).unwrap_err().code(), ErrorCode::UniquenessError);
        let renamed = Subaccount { name: "z".into(), ..two };
        subaccounts::update(tx, &stored, &renamed)?;
        assert_eq!(subaccounts::of_box(tx, first.id)?[1].value, renamed);
        subaccounts::delete(tx, &one)?;
        assert_eq!((subaccounts::count(tx, first.id)?, subaccounts::numbered(tx, first.id, 1)?), (1, None));
        invariant::check(tx)
    });
}

fn ids(
    tx: &mut dyn Tx,
    kind: Kind,
    project: Id,
    sort: &'static str,
    filters: Vec<(&'static str, Vec<Value>)>,
) -> Vec<Id> {
    let query = ListQuery {
        kind,
        project,
        filters,
        of: None,
        selector: Selector::default(),
        sort: vec![SortKey { field: sort, direction: Direction::Descending }],
        offset: 0,
        limit: 50,
    };
    page(tx, &query).unwrap().entries.into_iter().map(|(id, _)| id).collect()
}

fn orders_and_filters(engine: &Engine) {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let (small, large) = (made(tx, project, "a", 3), made(tx, project, "b", 9));
        for sort in ["size", "size_data", "name"] {
            assert_eq!(ids(tx, Kind::StorageBox, project, sort, Vec::new()), [large.id, small.id]);
        }
        let (by_hand, by_plan) = (snapshot(tx, &small, "s1", false), snapshot(tx, &small, "s2", true));
        snapshot(tx, &large, "s1", true);
        let of = || ("storage_box", vec![Value::from(small.id)]);
        let kind = Kind::StorageBoxSnapshot;
        assert_eq!(ids(tx, kind, project, "created", vec![of()]), [by_plan.id, by_hand.id]);
        assert_eq!(ids(tx, kind, project, "name", vec![of(), ("automatic", vec![true.into()])]), [by_plan.id]);
        assert_eq!(ids(tx, kind, project, "id", vec![of(), ("name", vec!["s1".into()])]), [by_hand.id]);
        let account = subaccount(tx, &small, 1, "x");
        subaccounts::insert(tx, &account)?;
        let kind = Kind::StorageBoxSubaccount;
        assert_eq!(ids(tx, kind, project, "id", vec![of(), ("username", vec!["u1-sub1".into()])]), [account.id]);
        assert!(ids(tx, kind, project, "id", vec![of(), ("name", vec!["y".into()])]).is_empty());
        Ok(())
    });
}

/// How many statements the end of all snapshots and further accounts takes; those of another storage box stay.
fn statements_for(engine: &Engine, children: i64) -> usize {
    engine.write(move |tx| {
        let project = project::insert(tx, &format!("with {children}"))?.id;
        let (gone, stays) = (made(tx, project, "gone", 0), made(tx, project, "stays", 0));
        for of in [&gone, &stays] {
            for number in 0..children {
                snapshot(tx, of, &format!("s{number}"), false);
                let new = subaccount(tx, of, number, &format!("n{number}"));
                subaccounts::insert(tx, &new)?;
            }
        }
        let mut tx = Counting { tx, statements: 0 };
        snapshots::delete_all(&mut tx, project, gone.id)?;
        subaccounts::delete_all(&mut tx, project, gone.id)?;
        assert!(snapshots::of_box(tx.tx, gone.id)?.is_empty() && subaccounts::of_box(tx.tx, gone.id)?.is_empty());
        assert_eq!(snapshots::of_box(tx.tx, stays.id)?.len() as i64, children);
        assert_eq!(subaccounts::of_box(tx.tx, stays.id)?.len() as i64, children);
        boxes::delete(tx.tx, &gone)?;
        invariant::check(tx.tx)?;
        Ok(tx.statements)
    })
}

fn children_go_at_once(engine: &Engine) {
    let (few, many) = (statements_for(engine, 1), statements_for(engine, 60));
    assert_eq!(few, many);
    assert!(many <= 12, "{many}");
}
