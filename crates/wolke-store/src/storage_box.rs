//! Storage boxes. Their snapshots and further accounts stand in `storage_box_snapshot.rs` and `storage_box_subaccount.rs`.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::storage_box::folder::Folders;
use wolke_domain::storage_box::plan::Plan;
use wolke_wire::cloud::storage_box::AccessSettings;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "storage_box";
    INSERT = "INSERT INTO storage_boxes (id, project, name, created, size, size_data, folders, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, '[]', 1, 1, $7) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, size, size_data FROM storage_boxes WHERE project = $1 AND id = $2";
    OF_ANYBODY = "SELECT id, project, name, created, rev, generation, doc, size, size_data FROM storage_boxes WHERE id = $1";
    NAME_TAKEN = "SELECT id FROM storage_boxes WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE storage_boxes SET name = $1, size = $2, size_data = $3, rev = rev + 1, generation = generation + 1, doc = $4
        WHERE id = $5 AND generation = $6";
    FOLDERS = "SELECT folders FROM storage_boxes WHERE id = $1";
    SET_FOLDERS = "UPDATE storage_boxes SET folders = $1, generation = generation + 1 WHERE id = $2";
    DELETE = "DELETE FROM storage_boxes WHERE id = $1";
}

/// A storage box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageBox {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Bytes of data and of what only its snapshots hold.
    pub size: i64,
    /// Bytes of data.
    pub size_data: i64,
    /// The rest.
    pub details: Details,
}

/// The part of a storage box that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Storage box type id.
    pub kind: Id,
    /// Location id.
    pub location: Id,
    /// The system that it is on.
    pub system: String,
    /// How the first account can be used.
    pub access: AccessSettings,
    /// The sealed password of the first account.
    pub password: String,
    /// Public keys that open the first account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<String>,
    /// When snapshots are made by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The strand that waits for the next appointment of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Id>,
    /// How many further accounts it has ever had: their numbers are not given again.
    #[serde(default)]
    pub numbers: i64,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Named for StorageBox {
    common!(Kind::StorageBox);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details, size: row.int(OWN)?, size_data: row.int(OWN + 1)? })
    }

    fn columns(&self) -> Vec<Value> {
        vec![self.size.into(), self.size_data.into()]
    }

    fn changing(&self) -> Vec<Value> {
        vec![(&self.name).into(), self.size.into(), self.size_data.into()]
    }
}

named::functions!(StorageBox: insert, get, expect, update, delete);

/// A storage box, whosever it is: for the operator, and for its own calendar.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<StorageBox>>> {
    named::one(tx, &OF_ANYBODY, &[id.into()])
}

/// The folders of a storage box.
///
/// # Errors
/// The engine's failure.
pub fn folders(tx: &mut dyn Tx, id: Id) -> Result<Folders> {
    tx.query_one(&FOLDERS, &[id.into()])?.map_or_else(|| Ok(Folders::new()), |row| row.json(0))
}

/// Replaces the folders of a storage box, which shows none of them. To be called after [`update`], which it would outdate.
///
/// # Errors
/// The engine's failure.
pub fn set_folders(tx: &mut dyn Tx, id: Id, folders: &Folders) -> Result<()> {
    tx.execute_one(&SET_FOLDERS, &[json_text(folders)?, id.into()])
}
