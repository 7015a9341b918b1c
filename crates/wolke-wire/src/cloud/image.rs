//! Images (fact sheet §3.9).

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageOrigin {
    /// The server's id.
    pub id: Id,
    /// The server's name at that time.
    pub name: String,
}

/// The request of `POST /servers/{id}/actions/create_image`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CreateImage {
    /// `snapshot` or `backup`.
    #[serde(rename = "type", deserialize_with = "snapshot_when_null")]
    pub kind: ImageType,
    /// For people; generated when there is none.
    pub description: Option<String>,
    /// Its labels.
    #[serde(deserialize_with = "form::null_default")]
    pub labels: Labels,
}

impl Default for CreateImage {
    fn default() -> Self {
        Self { kind: ImageType::Snapshot, description: None, labels: Labels::new() }
    }
}

fn snapshot_when_null<'de, D: serde::Deserializer<'de>>(d: D) -> Result<ImageType, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or(ImageType::Snapshot))
}

/// The request of `PUT /images/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateImage {
    /// The new description.
    pub description: Option<String>,
    /// `snapshot`: converts a backup.
    #[serde(rename = "type")]
    pub kind: Option<ImageType>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

#[cfg(test)]
mod tests {
    use super::{CreateImage, ImageType};

    #[test]
    fn least_and_null_requests_take_defaults() {
        let parse = |json| serde_json::from_str::<CreateImage>(json).unwrap();
        assert_eq!(parse("{}"), CreateImage::default());
        assert_eq!(parse(r#"{"type":null,"description":null,"labels":null}"#), CreateImage::default());
        assert_eq!(parse(r#"{"type":"backup"}"#).kind, ImageType::Backup);
    }
}
