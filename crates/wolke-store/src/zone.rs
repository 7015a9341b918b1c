//! DNS zones. Their sets of records stand in `rrset.rs`.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::zone::Volume;
use wolke_domain::zone::delegation::Delegation;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, IdOrName, Kind, Timestamp};

statements! { "zone";
    INSERT = "INSERT INTO zones (id, project, name, created, mode, record_count, rrset_count, bytes, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 1, 1, $7) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, mode, record_count FROM zones WHERE project = $1 AND id = $2";
    BY_NAME = "SELECT id, project, name, created, rev, generation, doc, mode, record_count FROM zones WHERE project = $1 AND name = $2";
    OF_ANYBODY = "SELECT id, project, name, created, rev, generation, doc, mode, record_count FROM zones WHERE id = $1";
    UPDATE = "UPDATE zones SET rev = rev + 1, generation = generation + 1, doc = $1 WHERE id = $2 AND generation = $3";
    COUNT = "UPDATE zones SET record_count = record_count + $1, rrset_count = rrset_count + $2, bytes = bytes + $3, rev = rev + 1
        WHERE id = $4 RETURNING rrset_count, bytes";
    EMPTIED = "UPDATE zones SET record_count = 0, rrset_count = 0, bytes = 0, rev = rev + 1 WHERE id = $1";
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

impl Named for Zone {
    common!(Kind::Zone, keeps name);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self {
            id,
            project,
            name,
            created,
            details,
            mode: row.text(OWN)?.to_owned(),
            record_count: row.int(OWN + 1)?,
        })
    }

    fn columns(&self) -> Vec<Value> {
        vec![(&self.mode).into(), self.record_count.into()]
    }

    fn changing(&self) -> Vec<Value> {
        Vec::new()
    }
}

named::functions!(Zone: insert, get, update, delete);

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
    named::one(tx, &BY_NAME, &[project.into(), name.into()])
}

/// A zone, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<Zone>>> {
    named::one(tx, &OF_ANYBODY, &[id.into()])
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

/// Counts that a zone has no sets any more.
///
/// # Errors
/// The engine's failure.
pub(crate) fn emptied(tx: &mut dyn Tx, id: Id) -> Result<()> {
    tx.execute_one(&EMPTIED, &[id.into()])
}
