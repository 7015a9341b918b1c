//! Snapshots of storage boxes (fact sheet §4.3).

use serde::{Deserialize, Serialize};

use crate::cloud::{Labels, form};
use crate::{Id, Timestamp};

/// What a storage box held at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Its id.
    pub id: Id,
    /// The storage box.
    pub storage_box: Id,
    /// Its name: when it was made.
    pub name: String,
    /// For people.
    pub description: String,
    /// How large it is.
    pub stats: SnapshotStats,
    /// Whether the plan has made it.
    pub is_automatic: bool,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
}

/// How large a snapshot is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotStats {
    /// What nothing else holds: what is free when it goes.
    pub size: i64,
    /// What the storage box holds after a rollback to it.
    pub size_filesystem: i64,
}

/// The request of `POST /storage_boxes/{id}/snapshots`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct CreateSnapshot {
    /// For people.
    #[serde(deserialize_with = "form::null_default")]
    pub description: String,
    /// Its labels.
    #[serde(deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /storage_boxes/{id}/snapshots/{snapshot_id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateSnapshot {
    /// The new description.
    pub description: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}
