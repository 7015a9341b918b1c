//! Volumes.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::volume::Attachment;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "volume";
    INSERT = "INSERT INTO volumes (id, project, name, created, status, location, server, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, status, location, server FROM volumes WHERE project = $1 AND id = $2";
    OF_SERVER = "SELECT id, project, name, created, rev, generation, doc, status, location, server FROM volumes WHERE server = $1 ORDER BY id";
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

impl Named for Volume {
    common!(Kind::Volume);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self {
            id,
            project,
            name,
            created,
            details,
            status: row.text(OWN)?.to_owned(),
            location: row.int(OWN + 1)?,
            server: row.opt_int(OWN + 2)?,
        })
    }

    fn columns(&self) -> Vec<Value> {
        vec![(&self.status).into(), self.location.into(), self.server.into()]
    }

    fn changing(&self) -> Vec<Value> {
        vec![(&self.name).into(), (&self.status).into(), self.server.into()]
    }
}

named::functions!(Volume: insert, get, expect, update, delete);

/// The volumes of a server, in the order of their ids; at most [`wolke_domain::volume::PER_SERVER_MAX`].
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Stored<Volume>>> {
    named::all(tx, &OF_SERVER, &[server.into()])
}

/// The ids of a server's volumes, ascending.
///
/// # Errors
/// The engine's failure.
pub fn ids_of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
    tx.query(&IDS_OF_SERVER, &[server.into()])?.iter().map(|row| row.int(0)).collect()
}
