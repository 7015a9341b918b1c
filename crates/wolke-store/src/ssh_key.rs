//! SSH keys.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "ssh_key";
    INSERT = "INSERT INTO ssh_keys (id, project, name, created, fingerprint, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, 1, 1, $6) ON CONFLICT DO NOTHING";
    GET = "SELECT id, project, name, created, fingerprint, rev, generation, doc FROM ssh_keys WHERE project = $1 AND id = $2";
    BY_NAME = "SELECT id, project, name, created, fingerprint, rev, generation, doc FROM ssh_keys WHERE project = $1 AND name = $2";
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

fn ssh_key(row: &Row) -> Result<Stored<SshKey>> {
    Ok(Stored {
        rev: row.int(5)?,
        generation: row.int(6)?,
        value: SshKey {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            fingerprint: row.text(4)?.to_owned(),
            details: row.json(7)?,
        },
    })
}

/// Inserts a key with its labels; returns how many the project now has.
///
/// # Errors
/// `uniqueness_error` on `public_key` when the key is there under any name (fact sheet §3.11), else on `name`.
pub fn insert(tx: &mut dyn Tx, new: &SshKey) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.fingerprint).into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        let same_key = tx.query_one(&BY_FINGERPRINT, &[new.project.into(), (&new.fingerprint).into()])?;
        return Err(if same_key.is_some() {
            Error::NotUnique { message: "SSH key not unique".into(), fields: vec!["public_key".into()] }
        } else {
            Error::name_used()
        });
    }
    label::replace(tx, Kind::SshKey, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::SshKey, new.project, 1)
}

/// A key of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<SshKey>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(ssh_key).transpose()
}

/// A key of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<SshKey>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::SshKey, id))
}

/// A key of a project by its name.
///
/// # Errors
/// The engine's failure.
pub fn by_name(tx: &mut dyn Tx, project: Id, name: &str) -> Result<Option<Stored<SshKey>>> {
    tx.query_one(&BY_NAME, &[project.into(), name.into()])?.as_ref().map(ssh_key).transpose()
}

/// Writes a changed key back: its name and labels.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<SshKey>, new: &SshKey) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::SshKey, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [(&new.name).into(), json_text(&new.details)?, new.id.into(), old.generation.into()];
    tx.execute_one(&UPDATE, &params)
}

/// Removes a key and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &SshKey) -> Result<()> {
    label::replace(tx, Kind::SshKey, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::SshKey, old.project, -1).map(|_| ())
}
