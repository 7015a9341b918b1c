//! Certificates, their sealed keys, and who uses them.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::certificate::{Managed, USERS_SHOWN_MAX};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "certificate";
    INSERT = "INSERT INTO certificates (id, project, name, created, type, not_after, issuing, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, type FROM certificates WHERE project = $1 AND id = $2";
    BY_ID = "SELECT id, project, name, created, rev, generation, doc, type FROM certificates WHERE id = $1";
    NAME_TAKEN = "SELECT id FROM certificates WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE certificates SET name = $1, not_after = $2, issuing = $3, rev = rev + 1, generation = generation + 1, doc = $4
        WHERE id = $5 AND generation = $6";
    DELETE = "DELETE FROM certificates WHERE id = $1";
    KEY_PUT = "INSERT INTO certificate_keys (certificate, sealed) VALUES ($1, $2) ON CONFLICT (certificate) DO UPDATE SET sealed = excluded.sealed";
    KEY_GET = "SELECT sealed FROM certificate_keys WHERE certificate = $1";
    KEY_DELETE = "DELETE FROM certificate_keys WHERE certificate = $1";
    ALL_USERS = "SELECT load_balancer FROM load_balancer_certificates WHERE certificate = $1 ORDER BY load_balancer";
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

impl Named for Certificate {
    common!(Kind::Certificate);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details, kind: row.text(OWN)?.to_owned() })
    }

    fn columns(&self) -> Vec<Value> {
        vec![(&self.kind).into(), self.not_after().into(), self.is_issuing().into()]
    }

    fn changing(&self) -> Vec<Value> {
        vec![(&self.name).into(), self.not_after().into(), self.is_issuing().into()]
    }
}

named::functions!(Certificate: insert, get, expect, update);

/// A certificate, whosever it is: for the work on it.
///
/// # Errors
/// The engine's failure.
pub fn by_id(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<Certificate>>> {
    named::one(tx, &BY_ID, &[id.into()])
}

/// Removes a certificate with its key and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Certificate) -> Result<()> {
    tx.execute(&KEY_DELETE, &[old.id.into()])?;
    named::delete(tx, old)
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

/// All load balancers that use a certificate, by id: of one project, which has a limit.
///
/// # Errors
/// The engine's failure.
pub fn all_users(tx: &mut dyn Tx, id: Id) -> Result<Vec<Id>> {
    tx.query(&ALL_USERS, &[id.into()])?.iter().map(|row| row.int(0)).collect()
}

/// The load balancers that use a certificate, by id; not more than [`USERS_SHOWN_MAX`].
///
/// # Errors
/// The engine's failure.
pub fn users(tx: &mut dyn Tx, id: Id) -> Result<Vec<Id>> {
    tx.query(&USERS, &[id.into(), USERS_SHOWN_MAX.into()])?.iter().map(|row| row.int(0)).collect()
}
