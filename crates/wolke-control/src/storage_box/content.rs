//! What a storage box holds: bytes, of which only its snapshots hold some, and folders. Clients see both; who puts them there is
//! the operator, in place of the programs that would write to a real one.

use super::type_of;
use crate::control::{Caller, Control};
use crate::view::Json;
use std::sync::Arc;
use wolke_domain::storage_box::BYTES_MAX;
use wolke_domain::storage_box::folder::{self, Folders, Home, SNAPSHOTS, Tree};
use wolke_domain::storage_box::share::{self, Mark};
use wolke_domain::{Error, FieldError, Result};
use wolke_store::storage_box::StorageBox;
use wolke_store::storage_box_snapshot::Snapshot;
use wolke_store::storage_box_subaccount::Subaccount;
use wolke_store::{
    Race, Stored, Tx, storage_box as boxes, storage_box_snapshot as snapshots, storage_box_subaccount as subaccounts,
};
use wolke_wire::{Id, Kind};

/// The snapshots of a storage box while they change.
pub(super) struct Shares {
    rows: Vec<Stored<Snapshot>>,
    marks: Vec<Mark>,
}

impl Shares {
    /// As they stand.
    pub(super) fn of(tx: &mut dyn Tx, storage_box: Id) -> Result<Self> {
        let rows = snapshots::of_box(tx, storage_box)?;
        let marks = rows.iter().map(|row| row.value.mark).collect();
        Ok(Self { rows, marks })
    }

    /// The snapshots, in the order in which they were made.
    pub(super) fn snapshots(&self) -> impl DoubleEndedIterator<Item = &Snapshot> + ExactSizeIterator {
        self.rows.iter().map(|row| &row.value)
    }

    /// Deletes the snapshot at a position.
    pub(super) fn remove(&mut self, tx: &mut dyn Tx, position: usize) -> Result<Snapshot> {
        let gone = self.rows.remove(position).value;
        share::remove(&mut self.marks, position);
        snapshots::delete(tx, &gone)?;
        Ok(gone)
    }

    /// Takes the storage box back to the snapshot at a position, and deletes later ones.
    pub(super) fn roll_back(&mut self, tx: &mut dyn Tx, of: &mut StorageBox, position: usize) -> Result<()> {
        for later in self.rows.drain(position + 1..) {
            snapshots::delete(tx, &later.value)?;
        }
        of.size_data = share::roll_back(&mut self.marks, position);
        Ok(())
    }

    /// Writes what has become of the snapshots, and how large the storage box is, which the caller writes.
    pub(super) fn settle(self, tx: &mut dyn Tx, of: &mut StorageBox) -> Result<()> {
        let sizes = share::sizes(&self.marks);
        of.size = of.size_data + share::held(&self.marks);
        for ((row, mark), size) in self.rows.iter().zip(self.marks).zip(sizes) {
            let new = Snapshot { mark, size, ..row.value.clone() };
            if new != row.value {
                snapshots::update(tx, row, &new)?;
            }
        }
        Ok(())
    }
}

/// The home directories of all further accounts, by the user name.
pub(super) fn homes(tx: &mut dyn Tx, storage_box: Id) -> Result<Vec<Home>> {
    let home = |account: Stored<Subaccount>| {
        let folder = folder::home_directory(&account.value.details.home);
        let (_, folder) = folder.map_err(|_| Error::internal("a home directory that cannot be one"))?;
        Ok(Home { username: account.value.username, folder })
    };
    subaccounts::of_box(tx, storage_box)?.into_iter().map(home).collect()
}

/// What a storage box shall hold; what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Bytes of data.
    pub bytes: Option<i64>,
    /// How many of the bytes that stay are written anew: snapshots keep the old ones.
    pub rewritten: Option<i64>,
    /// The folders, without those that home directories of further accounts make.
    pub folders: Option<Vec<String>>,
    /// Folders that go, with those below them; not together with `folders`.
    pub removed: Vec<String>,
}

/// What a storage box holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Bytes of data.
    pub size_data: i64,
    /// Bytes that only snapshots hold.
    pub size_snapshots: i64,
    /// All its folders.
    pub folders: Vec<String>,
}

fn check(content: &Content) -> Result<Option<Folders>> {
    let numbers = [("bytes", content.bytes), ("rewritten", content.rewritten)];
    let wrong = numbers.into_iter().filter(|(_, number)| number.is_some_and(|n| !(0..=BYTES_MAX).contains(&n)));
    let wrong = wrong.map(|(name, _)| FieldError::new(name, format!("must be between 0 and {BYTES_MAX}")));
    let mut wrong: Vec<_> = wrong.collect();
    if content.folders.is_some() && !content.removed.is_empty() {
        wrong.push(FieldError::new("removed", "is not possible together with folders"));
    }
    crate::input::refuse(wrong)?;
    content.folders.as_deref().map(folder::all).transpose()
}

/// Removes folders with those below them. A folder in which a further account is at home stays as long as the account.
fn remove_folders(tx: &mut dyn Tx, id: Id, removed: &[String]) -> Result<()> {
    let mut folders = boxes::folders(tx, id)?;
    let homes = homes(tx, id)?;
    let mut wrong = Vec::new();
    for (position, path) in removed.iter().enumerate() {
        let field = format!("removed[{position}]");
        if let Err(fault) = folder::remove(&mut folders, &homes, path) {
            wrong.push(FieldError::new(field, fault));
        }
    }
    crate::input::refuse(wrong)?;
    boxes::set_folders(tx, id, &folders)
}

/// Lets bytes come and go.
fn fill(tx: &mut dyn Tx, old: &Stored<StorageBox>, size: i64, content: &Content) -> Result<StorageBox> {
    let mut new = old.value.clone();
    let (before, after) = (new.size_data, content.bytes.unwrap_or(new.size_data));
    let (stay, rewritten) = (before.min(after), content.rewritten.unwrap_or(0));
    if rewritten > stay {
        return Err(Error::invalid("rewritten", format!("must not be more than the {stay} bytes that stay")));
    }
    let mut shares = Shares::of(tx, new.id)?;
    share::fall_to(&mut shares.marks, stay - rewritten);
    new.size_data = after;
    shares.settle(tx, &mut new)?;
    if new.size > size && new.size > old.value.size {
        let message = format!("do not fit: with what snapshots hold, {} bytes of {size} would be used", new.size);
        return Err(Error::invalid("bytes", message));
    }
    if new != old.value {
        boxes::update(tx, old, &new)?;
    }
    Ok(new)
}

impl Control {
    /// Tells what a storage box holds; nothing in the request only looks.
    ///
    /// # Errors
    /// `not_found`; `invalid_input`, also for more than the storage box has room for; `resource_limit_exceeded` for too many
    /// folders.
    pub async fn fill_storage_box(&self, id: Id, content: Content) -> Result<Filled> {
        let folders = check(&content)?;
        let missing = move || Error::not_found(Kind::StorageBox, id);
        let project = self.db.read(move |tx| boxes::of_anybody(tx, id)).await?.ok_or_else(missing)?.value.project;
        let core = Arc::clone(&self.core);
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let old = boxes::of_anybody(tx, id)?.ok_or_else(missing)?;
                let size = type_of(&core.catalogue(), &old.value)?.size;
                let new = fill(tx, &old, size, &content)?;
                if let Some(folders) = &folders {
                    let folders = folder::with_homes(folders.clone(), &homes(tx, id)?)?;
                    boxes::set_folders(tx, id, &folders)?;
                }
                if !content.removed.is_empty() {
                    remove_folders(tx, id, &content.removed)?;
                }
                let folders = boxes::folders(tx, id)?.into_iter().collect();
                let size_snapshots = new.size - new.size_data;
                Ok(Filled { id, name: new.name, size_data: new.size_data, size_snapshots, folders })
            })
            .await
    }

    /// The folders of a storage box directly below a path, as `{"folders": […]}`. Those of its snapshots are below
    /// [`SNAPSHOTS`], where the access settings let them be seen.
    ///
    /// # Errors
    /// `not_found`, also for the path; `invalid_input` on `path`.
    pub async fn list_storage_box_folders(&self, caller: &Caller, id: Id, path: &str) -> Result<Json> {
        let asked = folder::normal(path).map_err(|fault| Error::invalid("path", fault))?;
        let project = caller.project;
        let found = self
            .db
            .read(move |tx| {
                let storage_box = boxes::expect(tx, project, id)?.value;
                let folders = boxes::folders(tx, id)?;
                let snapshots = if storage_box.details.access.zfs_enabled { Some(seen(tx, id, &asked)?) } else { None };
                let tree = Tree { folders: &folders, snapshots: snapshots.as_deref() };
                tree.below(&asked).ok_or_else(|| Error::folder_not_found(&asked))
            })
            .await?;
        serde_json::to_vec(&serde_json::json!({ "folders": found }))
            .map_err(|e| Error::internal(format!("rendering folders: {e}")))
    }
}

/// The snapshots by name, with the folders of the one that a path leads into.
fn seen(tx: &mut dyn Tx, storage_box: Id, path: &str) -> Result<Vec<(String, Folders)>> {
    let inside = path.strip_prefix(SNAPSHOTS).and_then(|rest| rest.strip_prefix('/'));
    let into = inside.and_then(|rest| rest.split('/').next());
    let mut all = Vec::new();
    for name in snapshots::names(tx, storage_box)? {
        let folders = match into {
            Some(into) if into == name => snapshots::folders_named(tx, storage_box, &name)?.unwrap_or_default(),
            _ => Folders::new(),
        };
        all.push((name, folders));
    }
    Ok(all)
}
