//! Labels: one row per pair for selectors, and a count per pair and per key for totals.

use crate::stmt::statements;
use crate::tx::Tx;
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_wire::{Id, Kind};

statements! { "label";
    INSERT = "INSERT INTO label (kind, project, key, value, id) VALUES ($1, $2, $3, $4, $5)";
    DELETE = "DELETE FROM label WHERE kind = $1 AND project = $2 AND key = $3 AND id = $4";
    COUNT_ADD = "INSERT INTO label_count (kind, project, key, value, n) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (kind, project, key, value) DO UPDATE SET n = label_count.n + excluded.n";
    COUNT_DROP = "DELETE FROM label_count WHERE kind = $1 AND project = $2 AND key = $3 AND value = $4 AND n = 0";
    COUNT_PAIR = "SELECT n FROM label_count WHERE kind = $1 AND project = $2 AND key = $3 AND value = $4";
    KEY_ADD = "INSERT INTO label_key_count (kind, project, key, n) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, project, key) DO UPDATE SET n = label_key_count.n + excluded.n";
    KEY_DROP = "DELETE FROM label_key_count WHERE kind = $1 AND project = $2 AND key = $3 AND n = 0";
    COUNT_KEY = "SELECT n FROM label_key_count WHERE kind = $1 AND project = $2 AND key = $3";
}

type Labels = BTreeMap<String, String>;

/// Brings the index from `old` to `new` labels of one resource.
///
/// # Errors
/// The engine's failure.
pub fn replace(tx: &mut dyn Tx, kind: Kind, project: Id, id: Id, old: &Labels, new: &Labels) -> Result<()> {
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
        tx.execute(&INSERT, &[name.into(), project.into(), key.into(), value.into(), id.into()])?;
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
