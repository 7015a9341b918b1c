//! Further accounts of storage boxes.

use crate::label;
use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::cloud::storage_box::subaccount::SubaccountAccessSettings;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "storage_box_subaccount";
    INSERT = "INSERT INTO storage_box_subaccounts (id, project, name, created, storage_box, number, username, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (storage_box, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, storage_box, number, username FROM storage_box_subaccounts
        WHERE project = $1 AND id = $2";
    OF_BOX = "SELECT id, project, name, created, rev, generation, doc, storage_box, number, username FROM storage_box_subaccounts
        WHERE storage_box = $1 ORDER BY id";
    BY_NUMBER = "SELECT id, project, name, created, rev, generation, doc, storage_box, number, username FROM storage_box_subaccounts
        WHERE storage_box = $1 AND number = $2";
    COUNT = "SELECT count(*) FROM storage_box_subaccounts WHERE storage_box = $1";
    NAME_TAKEN = "SELECT id FROM storage_box_subaccounts WHERE storage_box = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE storage_box_subaccounts SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2
        WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM storage_box_subaccounts WHERE id = $1";
    DELETE_ALL = "DELETE FROM storage_box_subaccounts WHERE storage_box = $1";
}

/// A further account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subaccount {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Its storage box.
    pub storage_box: Id,
    /// The end of its user name.
    pub number: i64,
    /// Unique in the storage box.
    pub name: String,
    /// The name to log in with.
    pub username: String,
    /// When it was made.
    pub created: Timestamp,
    /// The rest.
    pub details: Details,
}

/// The part of a further account that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// The folder that it sees, as it was asked for.
    pub home: String,
    /// How it can be used.
    pub access: SubaccountAccessSettings,
    /// Its sealed password.
    pub password: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Named for Subaccount {
    common!(Kind::StorageBoxSubaccount);

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
            username: row.text(OWN + 2)?.to_owned(),
        })
    }

    fn parent(&self) -> Option<Id> {
        Some(self.storage_box)
    }

    fn columns(&self) -> Vec<Value> {
        vec![self.storage_box.into(), self.number.into(), (&self.username).into()]
    }

    fn scope(&self) -> Id {
        self.storage_box
    }
}

named::functions!(Subaccount: get, update);

/// Inserts an account with its labels; returns how many the storage box now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &Subaccount) -> Result<i64> {
    named::add(tx, new, Vec::new())?;
    count(tx, new.storage_box)
}

/// Whether an account of a storage box has a name.
///
/// # Errors
/// The engine's failure.
pub fn is_name_taken(tx: &mut dyn Tx, storage_box: Id, name: &str) -> Result<bool> {
    Ok(tx.query_one(&NAME_TAKEN, &[storage_box.into(), name.into(), 0.into()])?.is_some())
}

/// How many a storage box has.
///
/// # Errors
/// The engine's failure.
pub fn count(tx: &mut dyn Tx, storage_box: Id) -> Result<i64> {
    tx.query_one(&COUNT, &[storage_box.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// An account of a storage box of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, (project, storage_box): (Id, Id), id: Id) -> Result<Stored<Subaccount>> {
    let found = get(tx, project, id)?.filter(|found| found.value.storage_box == storage_box);
    found.ok_or_else(|| Error::not_found(Kind::StorageBoxSubaccount, id))
}

/// The accounts of a storage box, by id; at most [`wolke_domain::storage_box::SUBACCOUNTS_MAX`].
///
/// # Errors
/// The engine's failure.
pub fn of_box(tx: &mut dyn Tx, storage_box: Id) -> Result<Vec<Stored<Subaccount>>> {
    named::all(tx, &OF_BOX, &[storage_box.into()])
}

/// The account of a storage box whose user name ends in a number.
///
/// # Errors
/// The engine's failure.
pub fn numbered(tx: &mut dyn Tx, storage_box: Id, number: i64) -> Result<Option<Stored<Subaccount>>> {
    named::one(tx, &BY_NUMBER, &[storage_box.into(), number.into()])
}

/// Removes an account and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Subaccount) -> Result<()> {
    named::remove(tx, old)
}

/// Removes all further accounts of a storage box of a project with their labels: the same few statements, however many they are.
///
/// # Errors
/// The engine's failure.
pub fn delete_all(tx: &mut dyn Tx, project: Id, storage_box: Id) -> Result<()> {
    label::drop_of_children(tx, (Kind::StorageBoxSubaccount, project, storage_box))?;
    tx.execute(&DELETE_ALL, &[storage_box.into()]).map(|_| ())
}
