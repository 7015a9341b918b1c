//! Making a storage box.

use super::{WHAT, done, seal};
use crate::action::Started;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::view::{Json, Shown};
use crate::{input, real};
use std::sync::Arc;
use wolke_domain::name::resource_name;
use wolke_domain::storage_box::{self as rules, password};
use wolke_domain::{Error, Result};
use wolke_store::storage_box::{self as boxes, Details, StorageBox};
use wolke_store::{Counter, Race, Tx, limit};
use wolke_wire::cloud::storage_box::{AccessSettings, CreateStorageBox};
use wolke_wire::{Id, Kind};

/// What can be said of a request without looking anything up; gives its public keys.
fn check(request: &CreateStorageBox) -> Result<Vec<String>> {
    let mut wrong = input::wrong(resource_name, Some(&request.name), Some(&request.labels));
    wrong.extend(password::check("password", request.password.expose()).err());
    let (keys, faults) = rules::public_keys(&request.ssh_keys);
    wrong.extend(faults);
    input::refuse(wrong)?;
    Ok(keys)
}

fn create(
    tx: &mut dyn Tx,
    core: &Core,
    project: Id,
    (request, keys): (&CreateStorageBox, &[String]),
) -> Result<(Id, Started)> {
    let (catalogue, asked) = (core.catalogue(), &request.storage_box_type);
    let missing = || Error::not_found_named(Kind::StorageBoxType, &asked.to_string());
    let kind = catalogue.storage_box_type(asked).ok_or_else(missing)?;
    let missing = || Error::not_found_named(Kind::Location, &request.location.to_string());
    let location = catalogue.location(&request.location).ok_or_else(missing)?;
    if !kind.is_orderable_in(location.id, tx.now()) {
        return Err(rules::not_available(&kind.name, &location.name));
    }
    real::check_location(core, location.id, WHAT)?;
    let id = tx.next_id(Counter::Kind(Kind::StorageBox))?;
    let details = Details {
        v: 1,
        kind: kind.id,
        location: location.id,
        system: rules::system(&location.name, id),
        access: request.access_settings.over(AccessSettings::default()),
        password: seal(tx, core, &request.password)?,
        ssh_keys: keys.to_vec(),
        plan: None,
        calendar: None,
        numbers: 0,
        delete_protected: false,
        labels: request.labels.clone(),
    };
    let created = tx.now().whole_second();
    let new = StorageBox { id, project, name: request.name.clone(), created, size: 0, size_data: 0, details };
    let number = boxes::insert(tx, &new)?;
    limit::check(tx, project, Kind::StorageBox, number)?;
    Ok((id, done(tx, &new, "create", None)?))
}

impl Control {
    /// Makes a storage box.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` for type and location; `resource_unavailable` for a type that is not to be had there;
    /// `uniqueness_error`, `resource_limit_exceeded`; `unsupported_error` in a real location.
    pub async fn create_storage_box(&self, caller: &Caller, request: CreateStorageBox) -> Result<Json> {
        let keys = check(&request)?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let (id, started) = create(tx, &core, project, (&request, &keys))?;
            Ok(Shown::one(Kind::StorageBox, id).action(started.action))
        })
        .await
    }
}
