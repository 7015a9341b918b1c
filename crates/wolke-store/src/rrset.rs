//! Sets of DNS records: a row each. What they add to their zone's `record_count`, `rrset_count` and `bytes` is kept by whoever
//! writes them here, and returned, so that nobody counts sets to know whether there may be another one.

use crate::label;
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use crate::value::{Row, Value, json_text};
use crate::zone::{self, Share, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::zone::{Spec, Volume, key};
use wolke_domain::{Error, Result};
use wolke_wire::cloud::rrset::RrsetType;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "rrset";
    INSERT = "INSERT INTO rrsets (id, project, zone, path, name, type, created, protected, size, records, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 1, $11) ON CONFLICT (zone, path) DO NOTHING";
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

/// What a set is to its zone: its bytes are those of its path, its records and its document.
fn share(set: &Rrset) -> Result<Share> {
    let length = |text: &Value| match text {
        Value::Text(text) => i64::try_from(text.len()).unwrap_or(i64::MAX),
        _ => 0,
    };
    let stored = length(&json_text(&set.spec.records)?) + length(&json_text(&details(set))?);
    Ok(Share { records: size(set), sets: 1, bytes: stored + length(&set.spec.key().into()) })
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

/// Inserts new sets into a zone, each with its labels; returns the ids, and how much all sets of the zone are now.
///
/// # Errors
/// `RRSet already exists`.
pub fn insert(tx: &mut dyn Tx, zone: &Zone, new: Vec<(Spec, BTreeMap<String, String>)>) -> Result<(Vec<Id>, Volume)> {
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let first = tx.next_ids(Counter::Kind(Kind::Rrset), count)?;
    let (mut ids, mut all) = (Vec::with_capacity(new.len()), Share::default());
    for (id, (spec, labels)) in (first..).zip(new) {
        let created = tx.now().whole_second();
        let set = Rrset { id, project: zone.project, zone: zone.id, created, is_protected: false, spec, labels };
        insert_row(tx, &set)?;
        let Share { records, sets, bytes } = share(&set)?;
        all = Share { records: all.records + records, sets: all.sets + sets, bytes: all.bytes + bytes };
        ids.push(id);
    }
    Ok((ids, zone::count(tx, zone.id, all)?))
}

fn insert_row(tx: &mut dyn Tx, set: &Rrset) -> Result<()> {
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
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::rrset_exists());
    }
    label::replace(tx, Kind::Rrset, set.project, set.id, &BTreeMap::new(), &set.labels)
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
    label::replace(tx, Kind::Rrset, new.project, new.id, &old.value.labels, &new.labels)?;
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
    label::replace(tx, Kind::Rrset, old.project, old.id, &old.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    let Share { records, sets, bytes } = share(old)?;
    zone::count(tx, old.zone, Share { records: -records, sets: -sets, bytes: -bytes }).map(|_| ())
}

/// Removes all sets of a zone with their labels. What it reads is bounded by what a zone may hold.
///
/// # Errors
/// The engine's failure.
pub fn delete_all(tx: &mut dyn Tx, zone: Id) -> Result<()> {
    let mut gone = Share::default();
    for Stored { value: old, .. } in of_zone(tx, zone)? {
        label::replace(tx, Kind::Rrset, old.project, old.id, &old.labels, &BTreeMap::new())?;
        let Share { records, sets, bytes } = share(&old)?;
        gone = Share { records: gone.records - records, sets: gone.sets - sets, bytes: gone.bytes - bytes };
    }
    tx.execute(&DELETE_ALL, &[zone.into()])?;
    if gone == Share::default() { Ok(()) } else { zone::count(tx, zone, gone).map(|_| ()) }
}
