//! Certificates, their sealed keys, and who uses them.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::certificate::{Managed, USERS_SHOWN_MAX};
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "certificate";
    INSERT = "INSERT INTO certificates (id, project, name, created, type, not_after, issuing, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, type, rev, generation, doc FROM certificates WHERE project = $1 AND id = $2";
    BY_ID = "SELECT id, project, name, created, type, rev, generation, doc FROM certificates WHERE id = $1";
    NAME_TAKEN = "SELECT id FROM certificates WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE certificates SET name = $1, not_after = $2, issuing = $3, rev = rev + 1, generation = generation + 1, doc = $4
        WHERE id = $5 AND generation = $6";
    DELETE = "DELETE FROM certificates WHERE id = $1";
    KEY_PUT = "INSERT INTO certificate_keys (certificate, sealed) VALUES ($1, $2) ON CONFLICT (certificate) DO UPDATE SET sealed = excluded.sealed";
    KEY_GET = "SELECT sealed FROM certificate_keys WHERE certificate = $1";
    KEY_DELETE = "DELETE FROM certificate_keys WHERE certificate = $1";
    USERS = "SELECT load_balancer FROM load_balancer_certificates WHERE certificate = $1 ORDER BY load_balancer LIMIT $2";
}

/// A certificate, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The contract's word for where it comes from.
    pub kind: String,
    /// The rest.
    pub details: Details,
}

/// The part of a certificate that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// The domains that it is for.
    pub domain_names: Vec<String>,
    /// What there is of it; none of a managed one that was not issued yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Issued>,
    /// How a managed one is doing; none of an uploaded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<Managed>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// An X.509 certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// In PEM, with its chain.
    pub chain: String,
    /// As the contract shows it.
    pub fingerprint: String,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

impl Certificate {
    fn not_after(&self) -> Option<i64> {
        self.details.issued.as_ref().map(|issued| issued.not_after.0)
    }

    fn is_issuing(&self) -> bool {
        self.details.managed.as_ref().is_some_and(Managed::is_pending)
    }
}

fn certificate(row: &Row) -> Result<Stored<Certificate>> {
    Ok(Stored {
        rev: row.int(5)?,
        generation: row.int(6)?,
        value: Certificate {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            kind: row.text(4)?.to_owned(),
            details: row.json(7)?,
        },
    })
}

/// Inserts a certificate with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &Certificate) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.kind).into(),
        new.not_after().into(),
        new.is_issuing().into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::Certificate, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::Certificate, new.project, 1)
}

/// A certificate of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Certificate>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(certificate).transpose()
}

/// A certificate of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<Certificate>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::Certificate, id))
}

/// A certificate, whosever it is: for the work on it.
///
/// # Errors
/// The engine's failure.
pub fn by_id(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<Certificate>>> {
    tx.query_one(&BY_ID, &[id.into()])?.as_ref().map(certificate).transpose()
}

/// Writes a changed certificate back.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Certificate>, new: &Certificate) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::Certificate, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [
        (&new.name).into(),
        new.not_after().into(),
        new.is_issuing().into(),
        json_text(&new.details)?,
        new.id.into(),
        old.generation.into(),
    ];
    tx.execute_one(&UPDATE, &params)
}

/// Removes a certificate with its key and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Certificate) -> Result<()> {
    label::replace(tx, Kind::Certificate, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute(&KEY_DELETE, &[old.id.into()])?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::Certificate, old.project, -1).map(|_| ())
}

/// Keeps the sealed key of a certificate in place of the one before.
///
/// # Errors
/// The engine's failure.
pub fn put_key(tx: &mut dyn Tx, id: Id, sealed: &str) -> Result<()> {
    tx.execute_one(&KEY_PUT, &[id.into(), sealed.into()])
}

/// The sealed key of a certificate: for whoever terminates TLS with it.
///
/// # Errors
/// The engine's failure.
pub fn key(tx: &mut dyn Tx, id: Id) -> Result<Option<String>> {
    tx.query_one(&KEY_GET, &[id.into()])?.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// The load balancers that use a certificate, by id; not more than [`USERS_SHOWN_MAX`].
///
/// # Errors
/// The engine's failure.
pub fn users(tx: &mut dyn Tx, id: Id) -> Result<Vec<Id>> {
    tx.query(&USERS, &[id.into(), USERS_SHOWN_MAX.into()])?.iter().map(|row| row.int(0)).collect()
}
