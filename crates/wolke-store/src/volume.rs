//! Volumes.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::volume::Attachment;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "volume";
    INSERT = "INSERT INTO volumes (id, project, name, created, status, location, server, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, status, location, server, rev, generation, doc FROM volumes WHERE project = $1 AND id = $2";
    OF_SERVER = "SELECT id, project, name, created, status, location, server, rev, generation, doc FROM volumes WHERE server = $1 ORDER BY id";
    IDS_OF_SERVER = "SELECT id FROM volumes WHERE server = $1 ORDER BY id";
    NAME_TAKEN = "SELECT id FROM volumes WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE volumes SET name = $1, status = $2, server = $3, rev = rev + 1, generation = generation + 1, doc = $4 WHERE id = $5 AND generation = $6";
    DELETE = "DELETE FROM volumes WHERE id = $1";
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The contract's word for how far it is.
    pub status: String,
    /// Location id.
    pub location: Id,
    /// The server that has it.
    pub server: Option<Id>,
    /// The rest.
    pub details: Details,
}

/// The part of a volume that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// In GB.
    pub size_gb: i64,
    /// The file system that it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// How it hangs on its server; none when it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn volume(row: &Row) -> Result<Stored<Volume>> {
    Ok(Stored {
        rev: row.int(7)?,
        generation: row.int(8)?,
        value: Volume {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            status: row.text(4)?.to_owned(),
            location: row.int(5)?,
            server: row.opt_int(6)?,
            details: row.json(9)?,
        },
    })
}

/// Inserts a volume with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &Volume) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.status).into(),
        new.location.into(),
        new.server.into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::Volume, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::Volume, new.project, 1)
}

/// A volume of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Volume>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(volume).transpose()
}

/// A volume of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<Volume>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::Volume, id))
}

/// The volumes of a server, in the order of their ids; at most [`wolke_domain::volume::PER_SERVER_MAX`].
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Stored<Volume>>> {
    tx.query(&OF_SERVER, &[server.into()])?.iter().map(volume).collect()
}

/// The ids of a server's volumes, ascending.
///
/// # Errors
/// The engine's failure.
pub fn ids_of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
    tx.query(&IDS_OF_SERVER, &[server.into()])?.iter().map(|row| row.int(0)).collect()
}

/// Writes a changed volume back: everything but where it lives.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Volume>, new: &Volume) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::Volume, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [
        (&new.name).into(),
        (&new.status).into(),
        new.server.into(),
        json_text(&new.details)?,
        new.id.into(),
        old.generation.into(),
    ];
    tx.execute_one(&UPDATE, &params)
}

/// Removes a volume and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Volume) -> Result<()> {
    label::replace(tx, Kind::Volume, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::Volume, old.project, -1).map(|_| ())
}
