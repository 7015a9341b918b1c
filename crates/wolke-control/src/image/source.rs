//! What servers are made from: an image of the catalogue, by id or name, or an own one, by id only.

use wolke_domain::catalogue::Catalogue;
use wolke_domain::image::{Status, is_own};
use wolke_domain::{Error, Result};
use wolke_host::ImageRef;
use wolke_store::{Tx, image};
use wolke_wire::cloud::Architecture;
use wolke_wire::{ErrorCode, Id, IdOrName, Kind};

/// An image, as far as whoever makes a disk from it has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its id.
    pub id: Id,
    /// For messages: its name; of a snapshot or backup, which has none, the description.
    pub label: String,
    /// The instruction set.
    pub architecture: Architecture,
    /// The smallest disk that it fits on, in GB.
    pub disk_gb: i64,
    /// The operating system.
    pub os_flavor: String,
    /// Its version.
    pub os_version: Option<String>,
}

impl Source {
    /// As hosts know it.
    pub(crate) fn reference(&self) -> ImageRef {
        ImageRef { id: self.id, name: self.label.clone(), own: is_own(self.id) }
    }

    /// Whether it fits on a disk of this size in GB.
    ///
    /// # Errors
    /// `invalid_input` on `image`.
    pub(crate) fn check_fits(&self, disk_gb: i64) -> Result<()> {
        if self.disk_gb <= disk_gb {
            return Ok(());
        }
        let message = format!("needs a disk of at least {} GB; this one has {disk_gb} GB", self.disk_gb);
        Err(Error::invalid("image", message))
    }
}

/// The image that a request names, if a disk can be made from it for this architecture. Whether it fits on the disk is asked
/// with [`Source::check_fits`]. What takes up its work later has to find it again by id: it may have been deleted meanwhile.
///
/// # Errors
/// `not_found`; `invalid_input` on `image` for another architecture; `resource_unavailable` when it is not complete, or gone.
pub(crate) fn find(
    tx: &mut dyn Tx,
    catalogue: &Catalogue,
    project: Id,
    asked: &IdOrName,
    architecture: Architecture,
) -> Result<Source> {
    let (found, is_usable) = match asked.id().filter(|id| is_own(*id)) {
        Some(id) => own(tx, project, id)?,
        None => None,
    }
    .or_else(|| of_catalogue(tx, catalogue, asked, architecture))
    .ok_or_else(|| Error::not_found_named(Kind::Image, &asked.to_string()))?;
    if found.architecture != architecture {
        return Err(Error::invalid("image", "its architecture differs from the server type's"));
    }
    if !is_usable {
        return Err(Error::refused(ErrorCode::ResourceUnavailable, format!("image {} is unavailable", found.label)));
    }
    Ok(found)
}

fn of_catalogue(
    tx: &mut dyn Tx,
    catalogue: &Catalogue,
    asked: &IdOrName,
    architecture: Architecture,
) -> Option<(Source, bool)> {
    let now = tx.now();
    catalogue.image_for(asked, architecture).map(|image| (catalogued(image), image.is_usable(now)))
}

fn own(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<(Source, bool)>> {
    let found = image::get(tx, project, id)?;
    Ok(found.map(|stored| (owned(&stored.value), stored.value.status == Status::Available)))
}

/// The image that a server shows, whatever has become of it since; none when it has left the catalogue.
///
/// # Errors
/// The engine's failure.
pub(crate) fn source_of(tx: &mut dyn Tx, catalogue: &Catalogue, project: Id, id: Id) -> Result<Option<Source>> {
    if is_own(id) {
        return Ok(image::shown(tx, project, id)?.map(|(image, _)| owned(&image)));
    }
    Ok(catalogue.image_by_id(id).map(catalogued))
}

fn owned(image: &wolke_domain::image::Image) -> Source {
    let details = &image.details;
    Source {
        id: image.id,
        label: details.description.clone(),
        architecture: image.architecture,
        disk_gb: details.disk_gb,
        os_flavor: details.os_flavor.clone(),
        os_version: details.os_version.clone(),
    }
}

fn catalogued(image: &wolke_domain::catalogue::Image) -> Source {
    Source {
        id: image.id,
        label: image.name.clone(),
        architecture: image.architecture,
        disk_gb: i64::from(image.disk_size),
        os_flavor: image.os_flavor.clone(),
        os_version: Some(image.os_version.clone()),
    }
}
