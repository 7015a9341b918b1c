//! Snapshots of storage boxes.

use crate::label;
use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::storage_box::folder::Folders;
use wolke_domain::storage_box::share::Mark;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "storage_box_snapshot";
    INSERT = "INSERT INTO storage_box_snapshots (id, project, name, created, storage_box, number, automatic, bytes, kept, size, folders, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, 1, $12)";
    GET = "SELECT id, project, name, created, rev, generation, doc, storage_box, number, automatic, bytes, kept, size FROM storage_box_snapshots
        WHERE project = $1 AND id = $2";
    OF_BOX = "SELECT id, project, name, created, rev, generation, doc, storage_box, number, automatic, bytes, kept, size FROM storage_box_snapshots
        WHERE storage_box = $1 ORDER BY number";
    FOLDERS = "SELECT folders FROM storage_box_snapshots WHERE id = $1";
    BY_NAME = "SELECT folders FROM storage_box_snapshots WHERE storage_box = $1 AND name = $2";
    NAMES = "SELECT name FROM storage_box_snapshots WHERE storage_box = $1 ORDER BY name";
    UPDATE = "UPDATE storage_box_snapshots SET kept = $1, size = $2, rev = rev + 1, generation = generation + 1, doc = $3
        WHERE id = $4 AND generation = $5";
    DELETE = "DELETE FROM storage_box_snapshots WHERE id = $1";
    DELETE_ALL = "DELETE FROM storage_box_snapshots WHERE storage_box = $1";
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Its storage box.
    pub storage_box: Id,
    /// Its place in the order in which they were made: ids of several processes interleave.
    pub number: i64,
    /// Unique in the storage box.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether the plan has made it.
    pub is_automatic: bool,
    /// How much it holds.
    pub mark: Mark,
    /// How many bytes it alone holds.
    pub size: i64,
    /// The rest.
    pub details: Details,
}

/// The part of a snapshot that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Named for Snapshot {
    common!(Kind::StorageBoxSnapshot, keeps name);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self {
            id,
            project,
            name,
            created,
            details,
            storage_box: row.int(OWN)?,
            number: row.int(OWN + 1)?,
            is_automatic: row.flag(OWN + 2)?,
            mark: Mark { bytes: row.int(OWN + 3)?, kept: row.int(OWN + 4)? },
            size: row.int(OWN + 5)?,
        })
    }

    fn parent(&self) -> Option<Id> {
        Some(self.storage_box)
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            self.storage_box.into(),
            self.number.into(),
            self.is_automatic.into(),
            self.mark.bytes.into(),
            self.mark.kept.into(),
            self.size.into(),
        ]
    }

    fn changing(&self) -> Vec<Value> {
        vec![self.mark.kept.into(), self.size.into()]
    }
}

named::functions!(Snapshot: get, update);

/// Inserts a snapshot with these folders, and its labels.
///
/// # Errors
/// The engine's failure, also for a name that is taken.
pub fn insert(tx: &mut dyn Tx, new: &Snapshot, folders: &Folders) -> Result<()> {
    named::add(tx, new, vec![json_text(folders)?])
}

/// A snapshot of a storage box of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, (project, storage_box): (Id, Id), id: Id) -> Result<Stored<Snapshot>> {
    let found = get(tx, project, id)?.filter(|found| found.value.storage_box == storage_box);
    found.ok_or_else(|| Error::not_found(Kind::StorageBoxSnapshot, id))
}

/// The snapshots of a storage box, in the order in which they were made; at most twice
/// [`wolke_domain::storage_box::SNAPSHOTS_MAX`].
///
/// # Errors
/// The engine's failure.
pub fn of_box(tx: &mut dyn Tx, storage_box: Id) -> Result<Vec<Stored<Snapshot>>> {
    named::all(tx, &OF_BOX, &[storage_box.into()])
}

/// The names of the snapshots of a storage box, in order.
///
/// # Errors
/// The engine's failure.
pub fn names(tx: &mut dyn Tx, storage_box: Id) -> Result<Vec<String>> {
    tx.query(&NAMES, &[storage_box.into()])?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// The folders of a snapshot.
///
/// # Errors
/// The engine's failure.
pub fn folders(tx: &mut dyn Tx, id: Id) -> Result<Folders> {
    tx.query_one(&FOLDERS, &[id.into()])?.map_or_else(|| Ok(Folders::new()), |row| row.json(0))
}

/// The folders of the snapshot of a storage box that has a name; none when there is no such snapshot.
///
/// # Errors
/// The engine's failure.
pub fn folders_named(tx: &mut dyn Tx, storage_box: Id, name: &str) -> Result<Option<Folders>> {
    tx.query_one(&BY_NAME, &[storage_box.into(), name.into()])?.map(|row| row.json(0)).transpose()
}

/// Removes a snapshot and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Snapshot) -> Result<()> {
    named::remove(tx, old)
}

/// Removes all snapshots of a storage box of a project with their labels: the same few statements, however many they are.
///
/// # Errors
/// The engine's failure.
pub fn delete_all(tx: &mut dyn Tx, project: Id, storage_box: Id) -> Result<()> {
    label::drop_of_children(tx, (Kind::StorageBoxSnapshot, project, storage_box))?;
    tx.execute(&DELETE_ALL, &[storage_box.into()]).map(|_| ())
}
