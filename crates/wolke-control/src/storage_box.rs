//! Storage boxes: operations and view. Making one: `storage_box/create.rs`; what it holds: `storage_box/content.rs`; snapshots,
//! their plan and further accounts: the files of these names.
//!
//! There is no machine behind a storage box: what is done to one is done in the request's transaction, so its status is always
//! `active` (decision 0016).
//!
//! **Invariant:** passwords are sealed at rest, opened only to be compared, and stand in no answer.

mod content;
mod create;
mod plan;
mod snapshot;
mod subaccount;

use crate::action::{self, Started};
use crate::calendar;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
pub use content::{Content, Filled};
pub(crate) use plan::PROGRAM;
pub(crate) use snapshot::to_wire as snapshot_to_wire;
use std::sync::Arc;
pub(crate) use subaccount::to_wire as subaccount_to_wire;
pub use subaccount::{Attempted, Login};
use wolke_domain::action::Target;
use wolke_domain::catalogue::{Catalogue, StorageBoxType};
use wolke_domain::name::resource_name;
use wolke_domain::storage_box::{self as rules, Holding, password};
use wolke_domain::{Error, Result};
use wolke_store::storage_box::StorageBox;
use wolke_store::{
    Race, Stored, Tx, storage_box as boxes, storage_box_snapshot as snapshots, storage_box_subaccount as subaccounts,
};
use wolke_wire::cloud::storage_box as wire;
use wolke_wire::cloud::{ChangeDeleteProtection, DeleteProtection, Embed, Secret};
use wolke_wire::{Id, Kind};

/// The purpose under which passwords are sealed.
const SEAL: &str = "storage_box_password";

/// What real locations cannot have yet.
const WHAT: &str = "a storage box";

/// A storage box as the contract shows it.
pub(crate) fn to_wire(storage_box: &StorageBox) -> wire::StorageBox {
    let details = &storage_box.details;
    let username = rules::username(storage_box.id);
    wire::StorageBox {
        id: storage_box.id,
        server: Some(rules::server(&username)),
        username: Some(username),
        status: wire::StorageBoxStatus::Active,
        name: storage_box.name.clone(),
        storage_box_type: Embed(Kind::StorageBoxType, details.kind),
        location: Embed(Kind::Location, details.location),
        access_settings: details.access,
        system: Some(details.system.clone()),
        stats: wire::Stats {
            size: storage_box.size,
            size_data: storage_box.size_data,
            size_snapshots: storage_box.size - storage_box.size_data,
        },
        labels: details.labels.clone(),
        protection: DeleteProtection { delete: details.delete_protected },
        snapshot_plan: details.plan.map(|plan| plan.wish),
        created: storage_box.created,
    }
}

/// The type of a storage box, which may be gone from the catalogue.
fn type_of<'a>(catalogue: &'a Catalogue, storage_box: &StorageBox) -> Result<&'a StorageBoxType> {
    let missing = || Error::internal(format!("no storage box type {}", storage_box.details.kind));
    catalogue.storage_box_type_by_id(storage_box.details.kind).ok_or_else(missing)
}

fn seal(tx: &mut dyn Tx, core: &Core, password: &Secret) -> Result<String> {
    core.sealer.seal(&mut *tx.random("storage_box_seal"), SEAL, password.expose())
}

fn check_password(request: &wire::ResetPassword) -> Result<()> {
    input::refuse(password::check("password", request.password.expose()).err().into_iter().collect())
}

/// An action on a storage box, and on something of it, that is done.
fn done(tx: &mut dyn Tx, of: &StorageBox, command: &str, also: Option<Target>) -> Result<Started> {
    let targets = [Target::new(Kind::StorageBox, of.id)].into_iter().chain(also).collect();
    action::done(tx, of.project, command, targets)
}

/// Makes a storage box another size, if everything of it fits.
fn change_type(tx: &mut dyn Tx, core: &Core, old: &Stored<StorageBox>, request: &wire::ChangeType) -> Result<Started> {
    let (catalogue, asked) = (core.catalogue(), &request.storage_box_type);
    let missing = || Error::not_found_named(Kind::StorageBoxType, &asked.to_string());
    let wanted = catalogue.storage_box_type(asked).ok_or_else(missing)?;
    let mut new = old.value.clone();
    if !wanted.is_orderable_in(new.details.location, tx.now()) {
        let location = crate::real::location_name(&catalogue, new.details.location);
        return Err(rules::not_available(&wanted.name, &location));
    }
    let all = snapshots::of_box(tx, new.id)?;
    let count = |automatic: bool| {
        let some = all.iter().filter(|one| one.value.is_automatic == automatic).count();
        i64::try_from(some).unwrap_or(i64::MAX)
    };
    let has = Holding {
        size: new.size,
        snapshots: count(false),
        automatic_snapshots: count(true),
        max_snapshots: new.details.plan.map(|plan| plan.wish.max_snapshots),
        subaccounts: subaccounts::count(tx, new.id)?,
    };
    rules::check_change_type(new.details.kind, wanted, &has)?;
    new.details.kind = wanted.id;
    boxes::update(tx, old, &new)?;
    done(tx, &new, "change_type", None)
}

/// Deletes a storage box for its owner.
fn delete(tx: &mut dyn Tx, old: &StorageBox) -> Result<Started> {
    if old.details.delete_protected {
        return Err(Error::delete_protected(Kind::StorageBox));
    }
    remove_with_all(tx, old)?;
    done(tx, old, "delete", None)
}

/// Removes a storage box with its project, whatever protects it.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = boxes::expect(tx, project, id)?.value;
    remove_with_all(tx, &old)
}

/// Removes a storage box with everything in it.
fn remove_with_all(tx: &mut dyn Tx, old: &StorageBox) -> Result<()> {
    snapshots::delete_all(tx, old.project, old.id)?;
    subaccounts::delete_all(tx, old.project, old.id)?;
    calendar::forget(tx, old.details.calendar)?;
    boxes::delete(tx, old)
}

impl Control {
    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_storage_box(&self, caller: &Caller, id: Id, update: wire::UpdateStorageBox) -> Result<Json> {
        input::refuse(input::wrong(resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = boxes::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                boxes::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::StorageBox, id))
        })
        .await
    }

    /// Deletes a storage box with its data, snapshots and further accounts.
    ///
    /// # Errors
    /// `not_found`, `protected`.
    pub async fn delete_storage_box(&self, caller: &Caller, id: Id) -> Result<Json> {
        self.change_storage_box(caller, id, |tx, old| delete(tx, &old.value)).await
    }

    /// Switches delete protection; what is absent from the request stays.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_storage_box_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: ChangeDeleteProtection,
    ) -> Result<Json> {
        self.change_storage_box(caller, id, move |tx, old| {
            let mut new = old.value.clone();
            input::set(&mut new.details.delete_protected, change.delete.as_ref());
            if new != old.value {
                boxes::update(tx, old, &new)?;
            }
            done(tx, &new, "change_protection", None)
        })
        .await
    }

    /// Makes a storage box larger or smaller.
    ///
    /// # Errors
    /// `not_found`, also for the type; `invalid_input` for a type that it has, or that it does not fit in;
    /// `resource_unavailable` for one that is not to be had there.
    pub async fn change_storage_box_type(&self, caller: &Caller, id: Id, request: wire::ChangeType) -> Result<Json> {
        let core = Arc::clone(&self.core);
        self.change_storage_box(caller, id, move |tx, old| change_type(tx, &core, old, &request)).await
    }

    /// Gives the first account another password.
    ///
    /// # Errors
    /// `invalid_input` for one that the policy does not allow, `not_found`.
    pub async fn reset_storage_box_password(
        &self,
        caller: &Caller,
        id: Id,
        request: wire::ResetPassword,
    ) -> Result<Json> {
        check_password(&request)?;
        let core = Arc::clone(&self.core);
        self.change_storage_box(caller, id, move |tx, old| {
            let mut new = old.value.clone();
            new.details.password = seal(tx, &core, &request.password)?;
            boxes::update(tx, old, &new)?;
            done(tx, &new, "reset_password", None)
        })
        .await
    }

    /// Changes how the first account can be used; what is absent from the request stays.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn update_storage_box_access_settings(
        &self,
        caller: &Caller,
        id: Id,
        change: wire::ChangeAccessSettings,
    ) -> Result<Json> {
        self.change_storage_box(caller, id, move |tx, old| {
            let mut new = old.value.clone();
            new.details.access = change.over(new.details.access);
            if new != old.value {
                boxes::update(tx, old, &new)?;
            }
            done(tx, &new, "update_access_settings", None)
        })
        .await
    }

    /// Does something to a storage box and shows the action that says so.
    async fn change_storage_box<F>(&self, caller: &Caller, id: Id, change: F) -> Result<Json>
    where
        F: Fn(&mut dyn Tx, &Stored<StorageBox>) -> Result<Started> + Send + Sync + 'static,
    {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = boxes::expect(tx, project, id)?;
                change(tx, &old)
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// A snapshot or further account of a storage box.
    ///
    /// # Errors
    /// `not_found` for either.
    pub async fn get_of_storage_box(&self, caller: &Caller, (kind, id): (Kind, Id), storage_box: Id) -> Result<Json> {
        let project = caller.project;
        self.db
            .read(move |tx| {
                boxes::expect(tx, project, storage_box)?;
                if kind == Kind::StorageBoxSnapshot {
                    snapshots::expect(tx, (project, storage_box), id).map(|_| ())
                } else {
                    subaccounts::expect(tx, (project, storage_box), id).map(|_| ())
                }
            })
            .await?;
        self.get(caller, kind, id).await
    }

    /// Checks that a storage box is the caller's, before what it has is listed.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn check_storage_box(&self, caller: &Caller, id: Id) -> Result<()> {
        let project = caller.project;
        self.db.read(move |tx| boxes::expect(tx, project, id).map(|_| ())).await
    }
}
