//! Images: operations on snapshots and backups, and their view. Images of the catalogue belong to nobody who could change them.

mod list;
mod source;

use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::hosts;
use crate::input;
use crate::view::{Json, Shown};
pub use list::ImageFilter;
pub(crate) use source::{Source, find, source_of};
use wolke_domain::action::Target;
use wolke_domain::image::{Image, Status, Type, is_own, size_gb};
use wolke_domain::{Error, FieldError, Result, name};
use wolke_store::{Race, Stored, Tx, image, limit, resource, strand};
use wolke_wire::cloud::image as wire;
use wolke_wire::cloud::{ChangeDeleteProtection, DeleteProtection, Labels};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

/// A snapshot or backup as the contract shows it; `deleted` while servers still show it.
pub(crate) fn to_wire(image: &Image, deleted: Option<Timestamp>) -> wire::Image {
    let details = &image.details;
    wire::Image {
        id: image.id,
        kind: match image.kind {
            Type::Snapshot => wire::ImageType::Snapshot,
            Type::Backup => wire::ImageType::Backup,
        },
        status: match image.status {
            Status::Creating => wire::ImageStatus::Creating,
            Status::Available => wire::ImageStatus::Available,
        },
        name: None,
        description: details.description.clone(),
        image_size: details.size_mb.map(size_gb),
        #[allow(clippy::cast_precision_loss, reason = "disks are far smaller than 2^53 GB")]
        disk_size: details.disk_gb as f64,
        created: image.created,
        created_from: Some(wire::ImageOrigin { id: details.from, name: details.from_name.clone() }),
        bound_to: image.bound_to,
        os_flavor: details.os_flavor.clone(),
        os_version: details.os_version.clone(),
        rapid_deploy: false,
        protection: DeleteProtection { delete: details.delete_protected },
        deprecated: None,
        deprecation: None,
        deleted,
        labels: details.labels.clone(),
        architecture: image.architecture,
    }
}

/// Deletes an image. The real host that has its disk lets go of that as soon as no server stands on it.
pub(crate) fn delete(tx: &mut dyn Tx, old: &Stored<Image>) -> Result<()> {
    image::delete(tx, old)?;
    old.value.details.host.map_or(Ok(()), |on| hosts::drop_image(tx, on, old.value.id))
}

/// Deletes a backup that is not asked for by itself. Work that still makes it gives up at its next step.
fn remove(tx: &mut dyn Tx, old: &Stored<Image>) -> Result<()> {
    delete(tx, old)?;
    match strand::holder(tx, Kind::Image, old.value.id)? {
        Some(working) => strand::wake(tx, working),
        None => Ok(()),
    }
}

/// Deletes the backups of a server, those that are being made included: they go with the server, and at once when its backups
/// are disabled (dialects D.1). Servers that are being made or rebuilt from one of them go on, and show it (decision 0006).
pub(crate) fn delete_backups_of(tx: &mut dyn Tx, server: Id) -> Result<()> {
    image::backups(tx, server)?.iter().try_for_each(|backup| remove(tx, backup))
}

/// Makes room after a new backup of a server: the oldest go, so that [`wolke_domain::image::BACKUPS_MAX`] stay.
pub(crate) fn rotate_backups_of(tx: &mut dyn Tx, server: Id) -> Result<()> {
    let mut backups = image::backups(tx, server)?;
    backups.retain(|backup| backup.value.status == Status::Available);
    let known: Vec<(Id, bool)> = backups.iter().map(|b| (b.value.id, b.value.details.delete_protected)).collect();
    let surplus = wolke_domain::image::surplus(&known);
    backups.iter().filter(|b| surplus.contains(&b.value.id)).try_for_each(|backup| remove(tx, backup))
}

/// What can be said of a description and of labels without looking anything up.
pub(crate) fn check_texts(description: Option<&str>, labels: Option<&Labels>) -> Result<()> {
    let mut fields: Vec<FieldError> =
        description.and_then(|text| name::check_description(text).err()).into_iter().collect();
    fields.extend(labels.map(wolke_domain::label::validate).unwrap_or_default());
    input::refuse(fields)
}

impl Control {
    /// Changes description and labels, and makes a snapshot of a backup.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`; `resource_limit_exceeded` for one snapshot too many; `unsupported_error` for images of the
    /// catalogue.
    pub async fn update_image(&self, caller: &Caller, id: Id, update: wire::UpdateImage) -> Result<Json> {
        check_texts(update.description.as_deref(), update.labels.as_ref())?;
        if update.kind.is_some_and(|kind| kind != wire::ImageType::Snapshot) {
            return Err(Error::invalid("type", "can only be changed to snapshot"));
        }
        self.check_own(id, "only snapshots and backups can be changed")?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = image::expect(tx, project, id)?;
            let mut new = old.value.clone();
            if let Some(description) = &update.description {
                new.details.description.clone_from(description);
            }
            if let Some(labels) = &update.labels {
                new.details.labels.clone_from(labels);
            }
            if update.kind.is_some() {
                new.convert();
            }
            if new != old.value {
                image::update(tx, &old, &new)?;
            }
            if new.kind != old.value.kind {
                let all = resource::count(tx, Kind::Image, project)?;
                limit::check(tx, project, Kind::Image, all)?;
            }
            Ok(Shown::one(Kind::Image, id))
        })
        .await
    }

    /// Deletes a snapshot or backup. Servers that were made from it go on showing it.
    ///
    /// # Errors
    /// `not_found`; `protected`; `locked` while it is being made, or a server is being made from it (decision 0006);
    /// `unsupported_error` for images of the catalogue.
    pub async fn delete_image(&self, caller: &Caller, id: Id) -> Result<()> {
        self.check_own(id, "only snapshots and backups can be deleted")?;
        let project = caller.project;
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let old = image::expect(tx, project, id)?;
                if old.value.details.delete_protected {
                    let message = format!("{} deletion is protected", old.value.kind.as_str());
                    return Err(Error::refused(ErrorCode::Protected, message));
                }
                if strand::holder(tx, Kind::Image, id)?.is_some() || image::is_in_use(tx, id)? {
                    return Err(Error::locked(Kind::Image));
                }
                delete(tx, &old)
            })
            .await
    }

    /// Switches the delete protection of a snapshot. One that is being made cannot be protected yet: should it fail, it
    /// vanishes, and a protection that was acknowledged would not have held.
    ///
    /// # Errors
    /// `not_found`; `unsupported_error` for anything but a snapshot; `locked` while it is being made.
    pub async fn change_image_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: ChangeDeleteProtection,
    ) -> Result<Json> {
        const REASON: &str = "only snapshots can be protected";
        self.check_own(id, REASON)?;
        let project = caller.project;
        let started: Started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = image::expect(tx, project, id)?;
                if old.value.kind != Type::Snapshot {
                    return Err(Error::refused(ErrorCode::UnsupportedError, REASON));
                }
                if old.value.status == Status::Creating {
                    return Err(Error::locked(Kind::Image));
                }
                let mut new = old.value.clone();
                new.details.delete_protected = change.delete.unwrap_or(new.details.delete_protected);
                if new != old.value {
                    image::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_protection", vec![Target::new(Kind::Image, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Refuses what nobody can do with an image of the catalogue.
    fn check_own(&self, id: Id, reason: &str) -> Result<()> {
        if is_own(id) {
            return Ok(());
        }
        match self.core.catalogue().image_by_id(id) {
            Some(_) => Err(Error::refused(ErrorCode::UnsupportedError, reason)),
            None => Err(Error::not_found(Kind::Image, id)),
        }
    }
}

/// Removes a snapshot or backup with its project; false while somebody works on it or a server is made from it.
pub(crate) fn end(tx: &mut dyn Tx, project: Id, id: Id) -> Result<bool> {
    let old = image::expect(tx, project, id)?;
    if strand::holder(tx, Kind::Image, id)?.is_some() || image::is_in_use(tx, id)? {
        return Ok(false);
    }
    delete(tx, &old).map(|()| true)
}
