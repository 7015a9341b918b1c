//! Snapshots of storage boxes: operations and view.

use super::content::{Shares, homes};
use super::{done, type_of};
use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::storage_box::share::Mark;
use wolke_domain::storage_box::{self as rules, folder};
use wolke_domain::{Error, Result, label};
use wolke_store::storage_box::StorageBox;
use wolke_store::storage_box_snapshot::{Details, Snapshot};
use wolke_store::{Counter, Race, Stored, Tx, storage_box as boxes, storage_box_snapshot as snapshots};
use wolke_wire::cloud::storage_box::{RollbackSnapshot, snapshot as wire};
use wolke_wire::{Id, IdOrName, Kind};

/// The limit that snapshots by hand have, and what is counted.
const LIMIT: (&str, &str) = ("storage_box_snapshot_limit", "storage box snapshot");

/// A snapshot as the contract shows it.
pub(crate) fn to_wire(snapshot: Snapshot) -> wire::Snapshot {
    wire::Snapshot {
        id: snapshot.id,
        storage_box: snapshot.storage_box,
        name: snapshot.name,
        description: snapshot.details.description,
        stats: wire::SnapshotStats { size: snapshot.size, size_filesystem: snapshot.mark.bytes },
        is_automatic: snapshot.is_automatic,
        labels: snapshot.details.labels,
        created: snapshot.created,
    }
}

fn target(id: Id) -> Target {
    Target::new(Kind::StorageBoxSnapshot, id)
}

/// A name for a snapshot that is made now. Several of one second are told apart by a number.
fn free_name(tx: &mut dyn Tx, all: &Shares) -> String {
    let plain = tx.now().as_name();
    let is_free = |name: &String| all.snapshots().all(|known| known.name != *name);
    let mut names = std::iter::once(plain.clone()).chain((2..).map(|number| format!("{plain}-{number}")));
    names.find(is_free).unwrap_or(plain)
}

/// Takes a snapshot of a storage box as it is now.
pub(super) fn take(tx: &mut dyn Tx, of: &StorageBox, request: wire::CreateSnapshot, is_automatic: bool) -> Result<Id> {
    let all = Shares::of(tx, of.id)?;
    let new = Snapshot {
        id: tx.next_id(Counter::Kind(Kind::StorageBoxSnapshot))?,
        project: of.project,
        storage_box: of.id,
        number: all.snapshots().next_back().map_or(1, |last| last.number + 1),
        name: free_name(tx, &all),
        created: tx.now().whole_second(),
        is_automatic,
        mark: Mark::new(of.size_data),
        // Everything in it is in the storage box, too.
        size: 0,
        details: Details { v: 1, description: request.description, labels: request.labels },
    };
    let folders = boxes::folders(tx, of.id)?;
    snapshots::insert(tx, &new, &folders)?;
    Ok(new.id)
}

/// Deletes the oldest snapshots of the plan beyond those that it keeps; the caller writes the storage box.
pub(super) fn drop_excess(tx: &mut dyn Tx, of: &mut StorageBox, kept: i64) -> Result<()> {
    let mut all = Shares::of(tx, of.id)?;
    let automatic = all.snapshots().filter(|one| one.is_automatic).count();
    let excess = automatic.saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
    for _ in 0..excess {
        let oldest = all.snapshots().position(|one| one.is_automatic);
        if let Some(oldest) = oldest {
            all.remove(tx, oldest)?;
        }
    }
    all.settle(tx, of)
}

fn create(tx: &mut dyn Tx, core: &Core, of: &StorageBox, request: &wire::CreateSnapshot) -> Result<(Id, Started)> {
    let by_hand = snapshots::of_box(tx, of.id)?.iter().filter(|one| !one.value.is_automatic).count();
    let limit = type_of(&core.catalogue(), of)?.snapshot_limit;
    rules::check_limit(LIMIT, i64::try_from(by_hand).unwrap_or(i64::MAX).saturating_add(1), limit)?;
    let id = take(tx, of, request.clone(), false)?;
    Ok((id, done(tx, of, "create_snapshot", Some(target(id)))?))
}

fn position(all: &Shares, asked: &IdOrName) -> Result<usize> {
    let by_id = asked.id().and_then(|id| all.snapshots().position(|one| one.id == id));
    let by_name = || asked.name().and_then(|name| all.snapshots().position(|one| one.name == name));
    by_id.or_else(by_name).ok_or_else(|| match asked.id() {
        Some(id) => Error::not_found(Kind::StorageBoxSnapshot, id),
        None => Error::not_found_named(Kind::StorageBoxSnapshot, &asked.to_string()),
    })
}

fn delete(tx: &mut dyn Tx, old: &Stored<StorageBox>, id: Id) -> Result<Started> {
    let mut all = Shares::of(tx, old.value.id)?;
    let position = position(&all, &IdOrName::Id(id))?;
    all.remove(tx, position)?;
    let mut new = old.value.clone();
    all.settle(tx, &mut new)?;
    if new != old.value {
        boxes::update(tx, old, &new)?;
    }
    done(tx, &new, "delete_snapshot", Some(target(id)))
}

/// Brings data and folders back as they were; newer snapshots go. Further accounts stay, and so do their homes.
fn roll_back(tx: &mut dyn Tx, old: &Stored<StorageBox>, asked: &IdOrName) -> Result<Started> {
    let mut all = Shares::of(tx, old.value.id)?;
    let position = position(&all, asked)?;
    let id = all.snapshots().nth(position).map(|one| one.id);
    let id = id.ok_or_else(|| Error::internal("a snapshot without a place"))?;
    let mut new = old.value.clone();
    all.roll_back(tx, &mut new, position)?;
    all.settle(tx, &mut new)?;
    boxes::update(tx, old, &new)?;
    let folders = folder::with_homes(snapshots::folders(tx, id)?, &homes(tx, new.id)?)?;
    boxes::set_folders(tx, new.id, &folders)?;
    done(tx, &new, "rollback_snapshot", Some(target(id)))
}

fn check_update(description: Option<&str>, labels: Option<&wolke_wire::cloud::Labels>) -> Result<()> {
    let mut wrong: Vec<_> = description.and_then(|text| rules::check_description(text).err()).into_iter().collect();
    wrong.extend(labels.map(label::validate).unwrap_or_default());
    input::refuse(wrong)
}

impl Control {
    /// Takes a snapshot by hand.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`; `resource_limit_exceeded` when the type allows no more.
    pub async fn create_storage_box_snapshot(
        &self,
        caller: &Caller,
        storage_box: Id,
        request: wire::CreateSnapshot,
    ) -> Result<Json> {
        check_update(Some(&request.description), Some(&request.labels))?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let of = boxes::expect(tx, project, storage_box)?.value;
            action::admit(tx, false, project, Target::new(Kind::StorageBox, storage_box), "create_snapshot")?;
            let (id, started) = create(tx, &core, &of, &request)?;
            Ok(Shown::new_in_storage_box(Kind::StorageBoxSnapshot, id, storage_box).action(started.action))
        })
        .await
    }

    /// Changes description and labels of a snapshot.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`.
    pub async fn update_storage_box_snapshot(
        &self,
        caller: &Caller,
        (storage_box, id): (Id, Id),
        update: wire::UpdateSnapshot,
    ) -> Result<Json> {
        check_update(update.description.as_deref(), update.labels.as_ref())?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            boxes::expect(tx, project, storage_box)?;
            let old = snapshots::expect(tx, (project, storage_box), id)?;
            let mut new = old.value.clone();
            input::set(&mut new.details.description, update.description.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                snapshots::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::StorageBoxSnapshot, id))
        })
        .await
    }

    /// Deletes a snapshot.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_storage_box_snapshot(&self, caller: &Caller, (storage_box, id): (Id, Id)) -> Result<Json> {
        self.change_storage_box(caller, storage_box, move |tx, old| delete(tx, old, id)).await
    }

    /// Brings a storage box back to a snapshot.
    ///
    /// # Errors
    /// `not_found`, also for the snapshot.
    pub async fn rollback_storage_box(&self, caller: &Caller, id: Id, request: RollbackSnapshot) -> Result<Json> {
        self.change_storage_box(caller, id, move |tx, old| roll_back(tx, old, &request.snapshot)).await
    }
}
