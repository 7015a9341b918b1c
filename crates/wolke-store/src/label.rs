//! Labels: one row per pair for selectors, and a count per pair and per key for totals.
//!
//! **Invariant:** labels of what goes with a parent (a set of records with its zone, a snapshot with its storage box) name that
//! parent, so that they can go all at once.

use crate::bulk::Bulk;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use wolke_domain::Result;
use wolke_wire::{Id, Kind};

statements! { "label";
    INSERT = "INSERT INTO label (kind, project, key, value, id, parent) VALUES ($1, $2, $3, $4, $5, $6)";
    DELETE = "DELETE FROM label WHERE kind = $1 AND project = $2 AND key = $3 AND id = $4";
    COUNT_ADD = "INSERT INTO label_count (kind, project, key, value, n) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (kind, project, key, value) DO UPDATE SET n = label_count.n + excluded.n";
    COUNT_DROP = "DELETE FROM label_count WHERE kind = $1 AND project = $2 AND key = $3 AND value = $4 AND n = 0";
    COUNT_PAIR = "SELECT n FROM label_count WHERE kind = $1 AND project = $2 AND key = $3 AND value = $4";
    KEY_ADD = "INSERT INTO label_key_count (kind, project, key, n) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, project, key) DO UPDATE SET n = label_key_count.n + excluded.n";
    KEY_DROP = "DELETE FROM label_key_count WHERE kind = $1 AND project = $2 AND key = $3 AND n = 0";
    COUNT_KEY = "SELECT n FROM label_key_count WHERE kind = $1 AND project = $2 AND key = $3";
    /// Of all children of a parent: a statement each, however many labels they have.
    CHILDREN_COUNT_TAKE = "INSERT INTO label_count (kind, project, key, value, n)
        SELECT kind, project, key, value, -count(*) FROM label WHERE kind = $1 AND parent = $2 GROUP BY kind, project, key, value
        ON CONFLICT (kind, project, key, value) DO UPDATE SET n = label_count.n + excluded.n";
    CHILDREN_KEY_TAKE = "INSERT INTO label_key_count (kind, project, key, n)
        SELECT kind, project, key, -count(*) FROM label WHERE kind = $1 AND parent = $2 GROUP BY kind, project, key
        ON CONFLICT (kind, project, key) DO UPDATE SET n = label_key_count.n + excluded.n";
    CHILDREN_DELETE = "DELETE FROM label WHERE kind = $1 AND parent = $2";
    COUNT_DROP_ALL = "DELETE FROM label_count WHERE kind = $1 AND project = $2 AND n = 0";
    KEY_DROP_ALL = "DELETE FROM label_key_count WHERE kind = $1 AND project = $2 AND n = 0";
    /// Of new children of a parent.
    CHILDREN_COUNT_ADD = "INSERT INTO label_count (kind, project, key, value, n)
        SELECT kind, project, key, value, count(*) FROM label WHERE kind = $1 AND parent = $2 AND id >= $3 AND id <= $4
        GROUP BY kind, project, key, value ON CONFLICT (kind, project, key, value) DO UPDATE SET n = label_count.n + excluded.n";
    CHILDREN_KEY_ADD = "INSERT INTO label_key_count (kind, project, key, n)
        SELECT kind, project, key, count(*) FROM label WHERE kind = $1 AND parent = $2 AND id >= $3 AND id <= $4
        GROUP BY kind, project, key ON CONFLICT (kind, project, key) DO UPDATE SET n = label_key_count.n + excluded.n";
}

/// Labels of many children.
pub(crate) static INSERT_MANY: LazyLock<Bulk> = LazyLock::new(|| {
    let head = "INSERT INTO label (kind, project, key, value, id, parent) VALUES ";
    Bulk::new("label::INSERT_MANY", head, "(?, ?, ?, ?, ?, ?)", "")
});

type Labels = BTreeMap<String, String>;

/// Brings the index from `old` to `new` labels of one resource.
///
/// # Errors
/// The engine's failure.
pub fn replace(tx: &mut dyn Tx, kind: Kind, project: Id, id: Id, old: &Labels, new: &Labels) -> Result<()> {
    replace_in(tx, (kind, project, None), id, old, new)
}

/// As [`replace`], for a kind, a project, and the parent with which the resource goes, if there is one.
///
/// # Errors
/// The engine's failure.
pub(crate) fn replace_in(
    tx: &mut dyn Tx,
    (kind, project, parent): (Kind, Id, Option<Id>),
    id: Id,
    old: &Labels,
    new: &Labels,
) -> Result<()> {
    let name = kind.singular();
    for (key, value) in old.iter().filter(|(key, value)| new.get(*key) != Some(value)) {
        tx.execute(&DELETE, &[name.into(), project.into(), key.into(), id.into()])?;
        count_pair_add(tx, kind, project, (key, value), -1)?;
        tx.execute(&COUNT_DROP, &[name.into(), project.into(), key.into(), value.into()])?;
        if !new.contains_key(key) {
            tx.execute(&KEY_ADD, &[name.into(), project.into(), key.into(), (-1).into()])?;
            tx.execute(&KEY_DROP, &[name.into(), project.into(), key.into()])?;
        }
    }
    for (key, value) in new.iter().filter(|(key, value)| old.get(*key) != Some(value)) {
        tx.execute(&INSERT, &[name.into(), project.into(), key.into(), value.into(), id.into(), parent.into()])?;
        count_pair_add(tx, kind, project, (key, value), 1)?;
        if !old.contains_key(key) {
            tx.execute(&KEY_ADD, &[name.into(), project.into(), key.into(), 1.into()])?;
        }
    }
    Ok(())
}

fn count_pair_add(tx: &mut dyn Tx, kind: Kind, project: Id, (key, value): (&str, &str), by: i64) -> Result<()> {
    let params = [kind.singular().into(), project.into(), key.into(), value.into(), by.into()];
    tx.execute(&COUNT_ADD, &params).map(|_| ())
}

/// Indexes the labels of new children of a parent, in the order of their ids.
///
/// # Errors
/// The engine's failure.
pub(crate) fn add_of_children(
    tx: &mut dyn Tx,
    (kind, project, parent): (Kind, Id, Id),
    children: &[(Id, Labels)],
) -> Result<()> {
    let name = kind.singular();
    let row = |id: Id, key: &String, value: &String| -> [Value; 6] {
        [name.into(), project.into(), key.into(), value.into(), id.into(), parent.into()]
    };
    let all = children.iter().flat_map(|(id, labels)| labels.iter().flat_map(move |(key, value)| row(*id, key, value)));
    let rows: Vec<Value> = all.collect();
    if let (Some((first, _)), Some((last, _)), false) = (children.first(), children.last(), rows.is_empty()) {
        INSERT_MANY.insert(tx, &rows)?;
        for stmt in [&CHILDREN_COUNT_ADD, &CHILDREN_KEY_ADD] {
            tx.execute(stmt, &[name.into(), parent.into(), (*first).into(), (*last).into()])?;
        }
    }
    Ok(())
}

/// Takes the labels of all children of a parent out of the index: the same few statements, however many they are.
///
/// # Errors
/// The engine's failure.
pub(crate) fn drop_of_children(tx: &mut dyn Tx, (kind, project, parent): (Kind, Id, Id)) -> Result<()> {
    let name = kind.singular();
    for stmt in [&CHILDREN_COUNT_TAKE, &CHILDREN_KEY_TAKE, &CHILDREN_DELETE] {
        tx.execute(stmt, &[name.into(), parent.into()])?;
    }
    for stmt in [&COUNT_DROP_ALL, &KEY_DROP_ALL] {
        tx.execute(stmt, &[name.into(), project.into()])?;
    }
    Ok(())
}

/// How many resources carry the pair.
///
/// # Errors
/// The engine's failure.
pub fn count_pair(tx: &mut dyn Tx, kind: Kind, project: Id, key: &str, value: &str) -> Result<i64> {
    let params = [kind.singular().into(), project.into(), key.into(), value.into()];
    tx.query_one(&COUNT_PAIR, &params)?.map_or(Ok(0), |r| r.int(0))
}

/// How many resources carry the key.
///
/// # Errors
/// The engine's failure.
pub fn count_key(tx: &mut dyn Tx, kind: Kind, project: Id, key: &str) -> Result<i64> {
    let params = [kind.singular().into(), project.into(), key.into()];
    tx.query_one(&COUNT_KEY, &params)?.map_or(Ok(0), |r| r.int(0))
}
