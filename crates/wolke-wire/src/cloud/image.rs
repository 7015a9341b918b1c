//! Images (fact sheet §3.9).

use serde::Serialize;

use super::{Architecture, DeleteProtection, Deprecation, Labels, form};
use crate::{Id, Timestamp};

text_enum! {
    /// Where an image comes from.
    ImageType {
        /// Provided with the service.
        System = "system",
        /// Provided with the service, with an application in it.
        App = "app",
        /// Made by a user.
        Snapshot = "snapshot",
        /// Made by the backup of a server.
        Backup = "backup",
    }
}

text_enum! {
    /// Whether an image can be used.
    ImageStatus {
        /// Yes.
        Available = "available",
        /// Not yet.
        Creating = "creating",
        /// No more.
        Unavailable = "unavailable",
    }
}

/// A disk image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Image {
    /// Its id.
    pub id: Id,
    /// Where it comes from.
    #[serde(rename = "type")]
    pub kind: ImageType,
    /// Whether it can be used.
    pub status: ImageStatus,
    /// Its name; null for snapshots and backups.
    pub name: Option<String>,
    /// For people: `Ubuntu 24.04`.
    pub description: String,
    /// Its size in GB; null while creating and for system images.
    #[serde(serialize_with = "form::number_or_null")]
    pub image_size: Option<f64>,
    /// The smallest disk that it fits on, in GB.
    #[serde(serialize_with = "form::number")]
    pub disk_size: f64,
    /// When it was made.
    pub created: Timestamp,
    /// From which server.
    pub created_from: Option<ImageOrigin>,
    /// The server that a backup belongs to.
    pub bound_to: Option<Id>,
    /// `ubuntu`, `debian`, …
    pub os_flavor: String,
    /// `24.04`.
    pub os_version: Option<String>,
    /// Whether servers start quickly from it.
    pub rapid_deploy: bool,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// Legacy: `deprecation.announced`.
    pub deprecated: Option<Timestamp>,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
    /// When it was deleted, while servers still show it.
    pub deleted: Option<Timestamp>,
    /// Its labels.
    pub labels: Labels,
    /// The instruction set.
    pub architecture: Architecture,
}

/// The server that an image was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ImageOrigin {
    /// The server's id.
    pub id: Id,
    /// The server's name at that time.
    pub name: String,
}
