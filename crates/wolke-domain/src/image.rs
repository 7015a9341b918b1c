//! Images: those of the catalogue, and the snapshots and backups of a project (fact sheet §3.9).
//!
//! ```text
//!   create_image             complete               converted
//!   (none) ──────→ Creating ─────────→ Available    backup ─────────→ snapshot
//!                     └──→ (none), when it fails
//! ```
//!
//! **Invariant:** a backup is bound to its server, a snapshot to none.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_wire::cloud::Architecture;
use wolke_wire::{Id, Timestamp};

/// Ids of snapshots and backups begin here; those of the catalogue lie below.
pub const OWN_ID_MIN: Id = 1_000_000_000;

/// Backups that are kept of one server; the oldest makes room.
pub const BACKUPS_MAX: usize = 7;

/// The version of [`Details`] that this program writes.
pub const DETAILS_VERSION: u32 = 1;

/// Whether an id is that of a snapshot or backup.
#[must_use]
pub const fn is_own(id: Id) -> bool {
    id >= OWN_ID_MIN
}

/// What made an own image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A user: it stays until it is deleted.
    Snapshot,
    /// The backup of a server: it goes with the server, or with its backups.
    Backup,
}

impl Type {
    /// The contract's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Backup => "backup",
        }
    }

    /// The inverse of [`Type::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Snapshot, Self::Backup].into_iter().find(|t| t.as_str() == text)
    }
}

/// Whether an own image can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not yet.
    Creating,
    /// Yes.
    Available,
}

impl Status {
    /// The contract's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
        }
    }

    /// The inverse of [`Status::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Creating, Self::Available].into_iter().find(|s| s.as_str() == text)
    }
}

/// A snapshot or backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id, [`OWN_ID_MIN`] at least.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// When it was asked for.
    pub created: Timestamp,
    /// What made it.
    pub kind: Type,
    /// Whether it can be used.
    pub status: Status,
    /// The instruction set of what is on it.
    pub architecture: Architecture,
    /// The server that a backup belongs to.
    pub bound_to: Option<Id>,
    /// The rest.
    pub details: Details,
}

/// The part of an own image that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// For people.
    pub description: String,
    /// What it takes, in MiB; none while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mb: Option<u64>,
    /// The disk that it was made of, in GB: the smallest that it fits on.
    pub disk_gb: i64,
    /// The server that it was made from.
    pub from: Id,
    /// That server's name at that time.
    pub from_name: String,
    /// The operating system: that of the image that the server was made from.
    pub os_flavor: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The real host that has its disk; none of one that a simulated host would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Id>,
    /// How the server was run there, in the host's words: the disks of one way are of no use to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Image {
    /// Makes a snapshot of a backup: from now on it goes with nobody.
    pub const fn convert(&mut self) {
        self.kind = Type::Snapshot;
        self.bound_to = None;
    }
}

/// The flavor of an operating system that nobody knows.
pub const UNKNOWN_FLAVOR: &str = "unknown";

/// A size as the contract shows it: GB with two decimals, and never zero.
#[must_use]
pub fn size_gb(size_mb: u64) -> f64 {
    /// MiB of one GB of disk.
    const MB_PER_GB: u64 = 1024;
    let hundredths = (size_mb.saturating_mul(100) / MB_PER_GB).max(1);
    #[allow(clippy::cast_precision_loss, reason = "sizes of disks are far from 2^53")]
    {
        hundredths as f64 / 100.0
    }
}

/// Which backups make room, oldest first: so many that [`BACKUPS_MAX`] stay. `backups` are the complete ones of a server,
/// oldest first, each with whether it is protected; protected ones stay, whatever their number.
#[must_use]
pub fn surplus(backups: &[(Id, bool)]) -> Vec<Id> {
    let free = backups.iter().filter(|(_, is_protected)| !is_protected).map(|(id, _)| *id);
    free.take(backups.len().saturating_sub(BACKUPS_MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::{BACKUPS_MAX, Status, Type, size_gb, surplus};

    #[test]
    fn sizes_have_two_decimals() {
        for (mb, gb) in [(0, 0.01), (1, 0.01), (512, 0.5), (1024, 1.0), (1536, 1.5), (2355, 2.29), (81_920, 80.0)] {
            assert!((size_gb(mb) - gb).abs() < 1e-9, "{mb} MiB are {} GB", size_gb(mb));
        }
    }

    #[test]
    fn the_oldest_unprotected_make_room() {
        let backups = |protected: &[i64], n: i64| -> Vec<(i64, bool)> {
            (1..=n).map(|id| (id, protected.contains(&id))).collect()
        };
        let most = i64::try_from(BACKUPS_MAX).unwrap();
        assert!(surplus(&backups(&[], most)).is_empty());
        assert_eq!(surplus(&backups(&[], most + 1)), [1]);
        assert_eq!(surplus(&backups(&[], most + 3)), [1, 2, 3]);
        assert_eq!(surplus(&backups(&[1, 3], most + 2)), [2, 4]);
        let all: Vec<i64> = (1..=most + 1).collect();
        assert!(surplus(&backups(&all, most + 1)).is_empty());
    }

    #[test]
    fn words_are_the_contracts() {
        for kind in [Type::Snapshot, Type::Backup] {
            assert_eq!(Type::parse(kind.as_str()), Some(kind));
            assert!(wolke_wire::cloud::image::ImageType::parse(kind.as_str()).is_some());
        }
        for status in [Status::Creating, Status::Available] {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            assert!(wolke_wire::cloud::image::ImageStatus::parse(status.as_str()).is_some());
        }
        assert_eq!((Type::parse("system"), Status::parse("")), (None, None));
    }
}
