//! SSH keys.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "ssh_key";
    INSERT = "INSERT INTO ssh_keys (id, project, name, created, fingerprint, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, 1, 1, $6) ON CONFLICT DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, fingerprint FROM ssh_keys WHERE project = $1 AND id = $2";
    BY_NAME = "SELECT id, project, name, created, rev, generation, doc, fingerprint FROM ssh_keys WHERE project = $1 AND name = $2";
    BY_FINGERPRINT = "SELECT id FROM ssh_keys WHERE project = $1 AND fingerprint = $2";
    NAME_TAKEN = "SELECT id FROM ssh_keys WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE ssh_keys SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2 WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM ssh_keys WHERE id = $1";
}

/// An SSH key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// MD5 of the key, colon-separated; unique in the project, so it stands for "the same key".
    pub fingerprint: String,
    /// The rest.
    pub details: Details,
}

/// The part of an SSH key that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// The line as it was sent.
    pub public_key: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Named for SshKey {
    common!(Kind::SshKey);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details, fingerprint: row.text(OWN)?.to_owned() })
    }

    fn columns(&self) -> Vec<Value> {
        vec![(&self.fingerprint).into()]
    }
}

named::functions!(SshKey: get, expect, update, delete);

/// Inserts a key with its labels; returns how many the project now has.
///
/// # Errors
/// `uniqueness_error` on `public_key` when the key is there under any name (fact sheet §3.11), else on `name`.
pub fn insert(tx: &mut dyn Tx, new: &SshKey) -> Result<i64> {
    let made = named::insert(tx, new);
    if matches!(made, Err(Error::NotUnique { .. }))
        && tx.query_one(&BY_FINGERPRINT, &[new.project.into(), (&new.fingerprint).into()])?.is_some()
    {
        return Err(Error::NotUnique { message: "SSH key not unique".into(), fields: vec!["public_key".into()] });
    }
    made
}

/// A key of a project by its name.
///
/// # Errors
/// The engine's failure.
pub fn by_name(tx: &mut dyn Tx, project: Id, name: &str) -> Result<Option<Stored<SshKey>>> {
    named::one(tx, &BY_NAME, &[project.into(), name.into()])
}
