//! Servers: the plain value and its state machine.
//!
//! ```text
//!              create            start            observed
//!   (none) → Initializing → Off ───────→ Starting ────────→ Running
//!                            ↑  stop / shutdown    Stopping ←──┘
//!                            └───────────────────────┘
//!   any → Deleting → (none)
//! ```

use crate::placement::Need;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_wire::{Id, Timestamp};

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)?) => {
        /// What the contract shows as `status`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Status { $($(#[$doc])* $variant),* }

        impl Status {
            /// Every status.
            pub const ALL: &'static [Status] = &[$(Status::$variant),*];
            /// The contract's word.
            #[must_use] pub const fn as_str(self) -> &'static str { match self { $(Status::$variant => $text),* } }
            /// The inverse of [`Status::as_str`].
            #[must_use] pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Status::$variant),)* _ => None } }
        }
    };
}

statuses! {
    /// Being made; no machine yet.
    Initializing = "initializing",
    /// The machine was told to start.
    Starting = "starting",
    /// The machine runs.
    Running = "running",
    /// The machine was told to stop.
    Stopping = "stopping",
    /// The machine stands still.
    Off = "off",
    /// On its way out.
    Deleting = "deleting",
    /// Getting a new disk image.
    Rebuilding = "rebuilding",
    /// Moving to another host or type.
    Migrating = "migrating",
    /// Its host does not say.
    Unknown = "unknown",
}

impl Status {
    /// Whether the machine's processor turns: what is on its way to off still runs.
    #[must_use]
    pub const fn runs(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }
}

/// The version of [`Details`] that this program writes.
pub const DETAILS_VERSION: u32 = 1;

/// The part of a server that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Server type id.
    pub server_type: Id,
    /// Image id; none once the image is gone.
    pub image: Option<Id>,
    /// Location id.
    pub location: Id,
    /// Data center id.
    pub datacenter: Id,
    /// Disk in GB; smaller than the type's after a change of type without growing the disk.
    pub primary_disk_gb: i64,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// May not be rebuilt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebuild_protected: bool,
    /// A delete was accepted: running work on the server gives up at its next step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doomed: bool,
    /// Public keys (whole lines) given at creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<String>,
    /// User data, sealed with the installation's key, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data_sealed: Option<String>,
    /// The ISO in its drive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso: Option<Id>,
    /// The rescue system that the next boot goes into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<Rescue>,
    /// How often rescue was enabled: tells one from the next.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rescue_epoch: i64,
    /// How often a rebuild was begun: the number of its disk. It only grows, so that a failed one is not mistaken for the next.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rebuild_epoch: i64,
    /// Daily backups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// The move to another host that is under way, or what it has left behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<Moving>,
    /// What its machine takes of its host, noted when the host is told to remove it: a tombstone tells no size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Need>,
    /// The strand that keeps its appointments: the next backup, the end of rescue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Id>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Rescue that is enabled: consumed by the next boot, given up at a point in world time (fact sheet §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescue {
    /// `linux64`.
    #[serde(rename = "type")]
    pub kind: String,
    /// [`Details::rescue_epoch`] when it was enabled.
    pub epoch: i64,
    /// When it is disabled by itself (world time).
    #[serde(with = "millis")]
    pub expires: Timestamp,
}

/// Backups that are enabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// `22-02`: four hours of UTC.
    pub window: String,
    /// When the next one is due (world time).
    #[serde(with = "millis")]
    pub next: Timestamp,
}

/// A machine that changes hosts while it is off. It is made on the new host, [`Server::host`], before the old one is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moving {
    /// The host that it comes from.
    pub from: Id,
    /// The room that it takes there until it is gone.
    pub need: Need,
    /// Whether the old host was told to remove it: until then the move can be given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// Timestamps as milliseconds, as everywhere in the database.
mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wolke_wire::Timestamp;

    pub fn serialize<S: Serializer>(time: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        time.0.serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(d).map(Timestamp)
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project, an RFC 1123 host name.
    pub name: String,
    /// When it was accepted.
    pub created: Timestamp,
    /// Its state.
    pub status: Status,
    /// The host that carries it, once placed.
    pub host: Option<Id>,
    /// The placement group that it is a member of.
    pub placement_group: Option<Id>,
    /// The rest.
    pub details: Details,
}

impl Server {
    /// The snapshot or backup that it was made from; none when that was an image of the catalogue.
    #[must_use]
    pub fn own_image(&self) -> Option<Id> {
        self.details.image.filter(|id| crate::image::is_own(*id))
    }
}

/// The longest user data in bytes (dialects D.1).
pub const USER_DATA_BYTES_MAX: usize = 32 * 1024;
