//! Desired and observed objects: the two documents that cross the boundary between control plane and host.
//!
//! **Invariant:** a generation identifies the content of a desired object: the same key and generation always carry
//! the same wish. Generations come from one counter per host, so they are comparable between objects of a host.

use std::fmt;

use serde::{Deserialize, Serialize};
use wolke_wire::{Id, Kind, Timestamp};

use crate::server::{Boot, ServerSpec};

/// The kinds of objects that a host holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A virtual machine or system container.
    Server,
    /// What a snapshot has made of a machine's disk: an artefact that is kept until it is wished away.
    Image,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: &'static [ObjectKind] = &[ObjectKind::Server, ObjectKind::Image];

    /// The text form, also what is stored in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => Kind::Server.singular(),
            Self::Image => Kind::Image.singular(),
        }
    }

    /// The inverse of [`ObjectKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// Which object: its kind and the id of the resource that it realises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// The kind.
    pub kind: ObjectKind,
    /// The resource's id.
    pub id: Id,
}

impl ObjectKey {
    /// The server with this id.
    #[must_use]
    pub const fn server(id: Id) -> Self {
        Self { kind: ObjectKind::Server, id }
    }

    /// The image with this id.
    #[must_use]
    pub const fn image(id: Id) -> Self {
        Self { kind: ObjectKind::Image, id }
    }

    /// The inverse of its `Display`: how a host recognises what it finds on the machine (`server-42`).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, id) = name.rsplit_once('-')?;
        let key = Self { kind: ObjectKind::parse(kind)?, id: id.parse().ok().filter(|id| *id > 0)? };
        // `server-007` is somebody else's artefact: every key has one name.
        (key.to_string() == name).then_some(key)
    }
}

impl fmt::Display for ObjectKey {
    /// The name from which every artefact of the object is derived: `server-42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.as_str(), self.id)
    }
}

/// What an object that shall exist looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Spec {
    /// A server.
    Server(Box<ServerSpec>),
    /// An image that a snapshot makes: whatever the host has of it is kept. The wish makes nothing; the command
    /// [`crate::Verb::Snapshot`] does. Its tombstone removes the artefact as soon as no disk stands on it any more.
    Image,
    /// A kind that this program is too old to know. A host answers it with [`HostError::UNSUPPORTED_SPEC`].
    #[serde(other)]
    Unknown,
}

impl Spec {
    /// The same without what must not rest in a host's memory: user data and password hashes.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        match self {
            Self::Server(spec) => Self::Server(Box::new(spec.without_secrets())),
            Self::Image => Self::Image,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether an object shall exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// It shall exist and look like this.
    Present(Spec),
    /// The tombstone: it shall leave no trace, whether or not it was ever created.
    Absent,
}

/// One desired object at one generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Which object.
    pub key: ObjectKey,
    /// Positive; grows with every change.
    pub generation: i64,
    /// What is wished for.
    pub wish: Wish,
}

impl Desired {
    /// A server that shall exist.
    #[must_use]
    pub fn server(id: Id, generation: i64, spec: ServerSpec) -> Self {
        Self { key: ObjectKey::server(id), generation, wish: Wish::Present(Spec::Server(Box::new(spec))) }
    }

    /// An image that shall be kept.
    #[must_use]
    pub const fn image(id: Id, generation: i64) -> Self {
        Self { key: ObjectKey::image(id), generation, wish: Wish::Present(Spec::Image) }
    }

    /// A tombstone.
    #[must_use]
    pub const fn absent(key: ObjectKey, generation: i64) -> Self {
        Self { key, generation, wish: Wish::Absent }
    }

    /// Whether this is a tombstone.
    #[must_use]
    pub const fn is_tombstone(&self) -> bool {
        matches!(self.wish, Wish::Absent)
    }

    /// The spec of a server that shall exist.
    #[must_use]
    pub fn server_spec(&self) -> Option<&ServerSpec> {
        match &self.wish {
            Wish::Present(Spec::Server(spec)) => Some(spec),
            Wish::Present(Spec::Image | Spec::Unknown) | Wish::Absent => None,
        }
    }

    /// The same without user data and password hashes.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let wish = match &self.wish {
            Wish::Present(spec) => Wish::Present(spec.without_secrets()),
            Wish::Absent => Wish::Absent,
        };
        Self { key: self.key, generation: self.generation, wish }
    }
}

/// What a host sees of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerState {
    /// Nothing of it is on the host.
    Absent,
    /// Its first disk is being made.
    Creating,
    /// Its disk is being made anew.
    Rebuilding,
    /// Complete and not running.
    Off,
    /// On its way to running.
    Starting,
    /// Running.
    Running,
    /// On its way to off.
    Stopping,
    /// On its way to absent.
    Deleting,
}

/// Why a host could not do what was asked. The code is for programs, the message for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostError {
    /// One of the constants below, or what a policy injects.
    pub code: String,
    /// One sentence, lower case, no full stop.
    pub message: String,
}

impl HostError {
    /// The image is not on the host and cannot be fetched.
    pub const IMAGE_MISSING: &'static str = "image_missing";
    /// No room left for a disk.
    pub const DISK_FULL: &'static str = "disk_full";
    /// A disk never shrinks.
    pub const DISK_SHRINK: &'static str = "disk_shrink";
    /// The machine is larger than the host or of another architecture.
    pub const CAPACITY: &'static str = "capacity";
    /// The spec is newer than the host or of an unknown kind.
    pub const UNSUPPORTED_SPEC: &'static str = "unsupported_spec";
    /// A command died half way; whether it had its effect is not known.
    pub const INTERRUPTED: &'static str = "interrupted";
    /// A later command, or a change of the machine, took the place of this one.
    pub const SUPERSEDED: &'static str = "superseded";
    /// The guest does not run, or no guest agent answers in it.
    pub const GUEST_AGENT: &'static str = "guest_agent";
    /// There is no disk, or it is being removed or made anew.
    pub const NO_DISK: &'static str = "no_disk";
    /// The host cannot do this at all, whatever is tried: another runtime, a boot source that it does not have.
    pub const UNSUPPORTED: &'static str = "unsupported";
    /// A program of the host that does the work (QEMU, LXC, `ip`, `nft`) failed or did not answer in time.
    pub const ENGINE: &'static str = "engine";

    /// An error from its parts.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.code)
    }
}

/// The visible state of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedState {
    /// Power and existence.
    pub power: PowerState,
    /// Why the newest accepted generation is not reached and will not be without help. It is retried when the same
    /// generation is applied again, or superseded by a newer one.
    pub error: Option<HostError>,
    /// From what the running guest was booted; `None` while it does not run.
    #[serde(default)]
    pub booted: Option<Boot>,
    /// The newest epoch of [`crate::server::Rescue`] that a boot has consumed; 0 for none.
    #[serde(default)]
    pub rescue_epoch: i64,
    /// The rebuild epoch for which its disk was made; `None` without a disk. It tells whether a rebuild that has failed has
    /// cost the old disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_epoch: Option<i64>,
}

/// What a host observed of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Which object.
    pub key: ObjectKey,
    /// The newest generation that is fully applied; 0 when none is.
    pub generation: i64,
    /// The newest generation that was accepted; larger than `generation` while work goes on or has failed.
    pub accepted: i64,
    /// What there is.
    pub state: ObservedState,
    /// World time of the observation.
    #[serde(with = "crate::millis")]
    pub at: Timestamp,
}

impl Observed {
    /// Whether this generation (or a newer one) is fully applied.
    #[must_use]
    pub const fn has_applied(&self, generation: i64) -> bool {
        self.generation >= generation
    }

    /// The error with which this generation failed.
    #[must_use]
    pub fn failure_of(&self, generation: i64) -> Option<&HostError> {
        self.state.error.as_ref().filter(|_| self.accepted >= generation && self.generation < generation)
    }
}
