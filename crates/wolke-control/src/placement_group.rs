//! Placement groups: operations and view. How servers join and leave stands in `server/placement_group.rs`.

use crate::control::{Caller, Control};
use crate::input;
use crate::view::{Json, Shown};
use wolke_domain::{Error, Result, name};
use wolke_store::placement_group::{Details, Member, PlacementGroup};
use wolke_store::{Counter, Race, Tx, limit, placement_group};
use wolke_wire::cloud::placement_group as wire;
use wolke_wire::{ErrorCode, Id, Kind};

/// A placement group as the contract shows it.
pub(crate) fn to_wire(group: &PlacementGroup, members: &[Member]) -> Result<wire::PlacementGroup> {
    let unknown = || Error::internal(format!("unknown type of placement group {}", group.kind));
    Ok(wire::PlacementGroup {
        id: group.id,
        name: group.name.clone(),
        labels: group.details.labels.clone(),
        kind: wire::PlacementGroupType::parse(&group.kind).ok_or_else(unknown)?,
        created: group.created,
        servers: members.iter().map(|member| member.server).collect(),
    })
}

impl Control {
    /// Makes a group without members. There is nothing to wait for, so `action` is null (fact sheet §3.12).
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`.
    pub async fn create_placement_group(&self, caller: &Caller, request: wire::CreatePlacementGroup) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, Some(&request.name), Some(&request.labels)))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let new = PlacementGroup {
                id: tx.next_id(Counter::Kind(Kind::PlacementGroup))?,
                project,
                name: request.name.clone(),
                created: tx.now().whole_second(),
                kind: request.kind.as_str().to_owned(),
                details: Details { v: 1, labels: request.labels.clone() },
            };
            let number = placement_group::insert(tx, &new)?;
            limit::check(tx, project, Kind::PlacementGroup, number)?;
            Ok(Shown::one(Kind::PlacementGroup, new.id).no_action())
        })
        .await
    }

    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_placement_group(
        &self,
        caller: &Caller,
        id: Id,
        update: wire::UpdatePlacementGroup,
    ) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = placement_group::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                placement_group::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::PlacementGroup, id))
        })
        .await
    }

    /// Deletes a group that has no members.
    ///
    /// # Errors
    /// `not_found`; `resource_in_use` while it has members (fact sheet §3.12).
    pub async fn delete_placement_group(&self, caller: &Caller, id: Id) -> Result<()> {
        let project = caller.project;
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let old = placement_group::expect(tx, project, id)?;
                if !placement_group::members(tx, id)?.is_empty() {
                    let message = format!("placement group with ID {id} is still in use");
                    return Err(Error::refused(ErrorCode::ResourceInUse, message));
                }
                placement_group::delete(tx, &old.value)
            })
            .await
    }
}

/// Removes a placement group without members.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = placement_group::expect(tx, project, id)?;
    placement_group::delete(tx, &old.value)
}
