//! Sets of DNS records: a row each. What they add to their zone's `record_count`, `rrset_count` and `bytes` is kept by whoever
//! writes them here, and returned, so that nobody counts sets to know whether there may be another one.

use crate::bulk::Bulk;
use crate::label;
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use crate::value::{Row, Value, json_text};
use crate::zone::{self, Share, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use wolke_domain::zone::{Spec, Volume, key};
use wolke_domain::{Error, Result};
use wolke_wire::cloud::rrset::RrsetType;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "rrset";
    GET = "SELECT id, project, zone, name, type, created, protected, records, rev, generation, doc FROM rrsets WHERE id = $1 AND project = $2";
    BY_PATH = "SELECT id, project, zone, name, type, created, protected, records, rev, generation, doc FROM rrsets WHERE zone = $1 AND path = $2";
    OF_ZONE = "SELECT id, project, zone, name, type, created, protected, records, rev, generation, doc FROM rrsets WHERE zone = $1 ORDER BY path";
    TYPES = "SELECT type FROM rrsets WHERE zone = $1 AND name = $2 ORDER BY type";
    PROTECTED = "SELECT id FROM rrsets WHERE zone = $1 AND protected = 1 LIMIT 1";
    UPDATE = "UPDATE rrsets SET protected = $1, size = $2, records = $3, rev = rev + 1, generation = generation + 1, doc = $4
        WHERE id = $5 AND generation = $6";
    DELETE = "DELETE FROM rrsets WHERE id = $1";
    DELETE_ALL = "DELETE FROM rrsets WHERE zone = $1";
}

/// Many sets, as far as their paths are free.
pub(crate) static INSERT: LazyLock<Bulk> = LazyLock::new(|| {
    let head = "INSERT INTO rrsets (id, project, zone, path, name, type, created, protected, size, records, doc, rev, generation) VALUES ";
    let row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1)";
    Bulk::new("rrset::INSERT", head, row, " ON CONFLICT (zone, path) DO NOTHING")
});

/// A set of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset {
    /// Its id inside the house; the contract knows it by zone, name and type.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Its zone.
    pub zone: Id,
    /// When it was made.
    pub created: Timestamp,
    /// May not be changed.
    pub is_protected: bool,
    /// What of it is DNS.
    pub spec: Spec,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// The part of a set that nothing searches.
#[derive(Serialize, Deserialize)]
struct Details {
    /// The document's version.
    v: u32,
    /// None where the zone's holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

fn details(set: &Rrset) -> Details {
    Details { v: 1, ttl: set.spec.ttl, labels: set.labels.clone() }
}

fn size(set: &Rrset) -> i64 {
    i64::try_from(set.spec.records.len()).unwrap_or(i64::MAX)
}

/// Where the labels of a set belong.
const fn place(set: &Rrset) -> (Kind, Id, Option<Id>) {
    (Kind::Rrset, set.project, Some(set.zone))
}

/// The bytes of a set: of its path, its records and its document.
fn bytes(texts: [&Value; 3]) -> i64 {
    let length = |text: &Value| match text {
        Value::Text(text) => i64::try_from(text.len()).unwrap_or(i64::MAX),
        _ => 0,
    };
    texts.into_iter().map(length).sum()
}

/// What a set is to its zone.
fn share(set: &Rrset) -> Result<Share> {
    let texts = [&set.spec.key().into(), &json_text(&set.spec.records)?, &json_text(&details(set))?];
    Ok(Share { records: size(set), sets: 1, bytes: bytes(texts) })
}

fn kind(text: &str) -> Result<RrsetType> {
    RrsetType::parse(text).ok_or_else(|| Error::internal(format!("unknown type of RRSet {text}")))
}

fn rrset(row: &Row) -> Result<Stored<Rrset>> {
    let Details { ttl, labels, .. } = row.json(10)?;
    let spec = Spec { name: row.text(3)?.to_owned(), kind: kind(row.text(4)?)?, ttl, records: row.json(7)? };
    Ok(Stored {
        rev: row.int(8)?,
        generation: row.int(9)?,
        value: Rrset {
            id: row.int(0)?,
            project: row.int(1)?,
            zone: row.int(2)?,
            created: row.time(5)?,
            is_protected: row.flag(6)?,
            spec,
            labels,
        },
    })
}

/// Inserts new sets into a zone, each with its labels, in statements of many rows; returns the ids, and how much all sets of the
/// zone are now.
///
/// # Errors
/// `RRSet already exists`.
pub fn insert(tx: &mut dyn Tx, zone: &Zone, new: Vec<(Spec, BTreeMap<String, String>)>) -> Result<(Vec<Id>, Volume)> {
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let first = tx.next_ids(Counter::Kind(Kind::Rrset), count)?;
    let created = tx.now().whole_second();
    let (mut rows, mut labelled, mut all) = (Vec::new(), Vec::with_capacity(new.len()), Share::default());
    for (id, (spec, labels)) in (first..).zip(new) {
        let set = Rrset { id, project: zone.project, zone: zone.id, created, is_protected: false, spec, labels };
        let (row, Share { records, sets, bytes }) = row(&set)?;
        all = Share { records: all.records + records, sets: all.sets + sets, bytes: all.bytes + bytes };
        rows.extend(row);
        labelled.push((id, set.labels));
    }
    if INSERT.insert(tx, &rows)? < labelled.len() as u64 {
        return Err(Error::rrset_exists());
    }
    label::add_of_children(tx, (Kind::Rrset, zone.project, zone.id), &labelled)?;
    Ok((labelled.into_iter().map(|(id, _)| id).collect(), zone::count(tx, zone.id, all)?))
}

/// The parameters of [`INSERT`], and what the set adds to its zone.
fn row(set: &Rrset) -> Result<([Value; 11], Share)> {
    let params = [
        set.id.into(),
        set.project.into(),
        set.zone.into(),
        set.spec.key().into(),
        (&set.spec.name).into(),
        set.spec.kind.as_str().into(),
        set.created.into(),
        set.is_protected.into(),
        size(set).into(),
        json_text(&set.spec.records)?,
        json_text(&details(set))?,
    ];
    let share = Share { records: size(set), sets: 1, bytes: bytes([&params[3], &params[9], &params[10]]) };
    Ok((params, share))
}

/// A set by its id inside the house.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Rrset>>> {
    tx.query_one(&GET, &[id.into(), project.into()])?.as_ref().map(rrset).transpose()
}

/// A set of a zone.
///
/// # Errors
/// The engine's failure.
pub fn find(tx: &mut dyn Tx, zone: Id, name: &str, kind: RrsetType) -> Result<Option<Stored<Rrset>>> {
    tx.query_one(&BY_PATH, &[zone.into(), key(name, kind).into()])?.as_ref().map(rrset).transpose()
}

/// All sets of a zone, by `NAME/TYPE`.
///
/// # Errors
/// The engine's failure.
pub fn of_zone(tx: &mut dyn Tx, zone: Id) -> Result<Vec<Stored<Rrset>>> {
    tx.query(&OF_ZONE, &[zone.into()])?.iter().map(rrset).collect()
}

/// The types that a zone has at a name.
///
/// # Errors
/// The engine's failure.
pub fn types(tx: &mut dyn Tx, zone: Id, name: &str) -> Result<Vec<RrsetType>> {
    tx.query(&TYPES, &[zone.into(), name.into()])?.iter().map(|row| kind(row.text(0)?)).collect()
}

/// Whether any set of a zone is protected.
///
/// # Errors
/// The engine's failure.
pub fn any_protected(tx: &mut dyn Tx, zone: Id) -> Result<bool> {
    Ok(tx.query_one(&PROTECTED, &[zone.into()])?.is_some())
}

/// Writes a changed set back, and counts it anew; returns how much all sets of the zone are now, where that is more.
///
/// # Errors
/// Internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Rrset>, new: &Rrset) -> Result<Option<Volume>> {
    label::replace_in(tx, place(new), new.id, &old.value.labels, &new.labels)?;
    let params = [
        new.is_protected.into(),
        size(new).into(),
        json_text(&new.spec.records)?,
        json_text(&details(new))?,
        new.id.into(),
        old.generation.into(),
    ];
    tx.execute_one(&UPDATE, &params)?;
    let (was, is) = (share(&old.value)?, share(new)?);
    if was == is {
        return Ok(None);
    }
    let by = Share { records: is.records - was.records, sets: 0, bytes: is.bytes - was.bytes };
    let all = zone::count(tx, new.zone, by)?;
    Ok((by.bytes > 0).then_some(all))
}

/// Removes a set with its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Rrset) -> Result<()> {
    label::replace_in(tx, place(old), old.id, &old.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    let Share { records, sets, bytes } = share(old)?;
    zone::count(tx, old.zone, Share { records: -records, sets: -sets, bytes: -bytes }).map(|_| ())
}

/// Removes all sets of a zone of a project with their labels: the same few statements, whatever the zone holds.
///
/// # Errors
/// The engine's failure.
pub fn delete_all(tx: &mut dyn Tx, zone: &Zone) -> Result<()> {
    label::drop_of_children(tx, (Kind::Rrset, zone.project, zone.id))?;
    match tx.execute(&DELETE_ALL, &[zone.id.into()])? {
        0 => Ok(()),
        _ => zone::emptied(tx, zone.id),
    }
}
