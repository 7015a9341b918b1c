//! DNS zones. Their sets of records stand in `rrset.rs`.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::zone::Volume;
use wolke_domain::zone::delegation::Delegation;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, IdOrName, Kind, Timestamp};

statements! { "zone";
    INSERT = "INSERT INTO zones (id, project, name, created, mode, record_count, rrset_count, bytes, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 1, 1, $7) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, mode, record_count, rev, generation, doc FROM zones WHERE project = $1 AND id = $2";
    BY_NAME = "SELECT id, project, name, created, mode, record_count, rev, generation, doc FROM zones WHERE project = $1 AND name = $2";
    OF_ANYBODY = "SELECT id, project, name, created, mode, record_count, rev, generation, doc FROM zones WHERE id = $1";
    UPDATE = "UPDATE zones SET rev = rev + 1, generation = generation + 1, doc = $1 WHERE id = $2 AND generation = $3";
    COUNT = "UPDATE zones SET record_count = record_count + $1, rrset_count = rrset_count + $2, bytes = bytes + $3, rev = rev + 1
        WHERE id = $4 RETURNING rrset_count, bytes";
    DELETE = "DELETE FROM zones WHERE id = $1";
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project, and never changed.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// `primary` or `secondary`.
    pub mode: String,
    /// How many records its sets have together.
    pub record_count: i64,
    /// The rest.
    pub details: Details,
}

/// The part of a zone that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// The TTL of sets that have none, in seconds.
    pub ttl: i64,
    /// Where a secondary zone is transferred from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<Nameserver>,
    /// What the parent zone said, once it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegation>,
    /// Who the domain is registered with.
    pub registrar: String,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A nameserver that a secondary zone is transferred from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nameserver {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: i64,
    /// How transfers are signed, and the sealed key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsig: Option<(String, String)>,
}

fn zone(row: &Row) -> Result<Stored<Zone>> {
    Ok(Stored {
        rev: row.int(6)?,
        generation: row.int(7)?,
        value: Zone {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            mode: row.text(4)?.to_owned(),
            record_count: row.int(5)?,
            details: row.json(8)?,
        },
    })
}

/// Inserts a zone with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &Zone) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.mode).into(),
        new.record_count.into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::Zone, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::Zone, new.project, 1)
}

/// A zone of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Zone>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(zone).transpose()
}

/// The zone that a path names, by its id or by its name; it must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, asked: &IdOrName) -> Result<Stored<Zone>> {
    if let Some(id) = asked.id()
        && let Some(found) = get(tx, project, id)?
    {
        return Ok(found);
    }
    if let Some(name) = asked.name()
        && let Some(found) = by_name(tx, project, name)?
    {
        return Ok(found);
    }
    Err(match asked.id() {
        Some(id) => Error::not_found(Kind::Zone, id),
        None => Error::not_found_named(Kind::Zone, &asked.to_string()),
    })
}

/// A zone of a project by its name.
///
/// # Errors
/// The engine's failure.
pub fn by_name(tx: &mut dyn Tx, project: Id, name: &str) -> Result<Option<Stored<Zone>>> {
    tx.query_one(&BY_NAME, &[project.into(), name.into()])?.as_ref().map(zone).transpose()
}

/// A zone, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<Zone>>> {
    tx.query_one(&OF_ANYBODY, &[id.into()])?.as_ref().map(zone).transpose()
}

/// Writes the changed details of a zone back.
///
/// # Errors
/// Internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Zone>, new: &Zone) -> Result<()> {
    label::replace(tx, Kind::Zone, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [json_text(&new.details)?, new.id.into(), old.generation.into()];
    tx.execute_one(&UPDATE, &params)
}

/// What sets add to a zone, or take from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Share {
    pub records: i64,
    pub sets: i64,
    pub bytes: i64,
}

/// Counts what a zone's sets have become; returns how much they are together.
///
/// # Errors
/// The engine's failure.
pub(crate) fn count(tx: &mut dyn Tx, id: Id, by: Share) -> Result<Volume> {
    let params = [by.records.into(), by.sets.into(), by.bytes.into(), id.into()];
    let row = tx.query_one(&COUNT, &params)?.ok_or_else(|| Error::internal(format!("zone {id} is gone")))?;
    Ok(Volume { sets: row.int(0)?, bytes: row.int(1)? })
}

/// Removes a zone without sets, and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Zone) -> Result<()> {
    label::replace(tx, Kind::Zone, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::Zone, old.project, -1).map(|_| ())
}
