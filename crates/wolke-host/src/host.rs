//! The boundary itself: what the control plane may ask of any host, simulated, real or remote.
//!
//! **Invariants that every host keeps** (checked by [`crate::conformance`]): applying is idempotent; a generation older
//! than the newest accepted one is refused; an absent object leaves nothing behind and is not brought back by what was
//! overtaken; a command runs at most once; a host that died between any two operations reaches the desired state when the
//! same delta is applied again. The cursor of "changed since g" belongs to whoever pulls: losing it costs a resync.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wolke_domain::Result;
use wolke_wire::Timestamp;

use crate::command::{Command, CommandReport};
use crate::object::{Desired, HostError, ObjectKey, Observed};
use crate::server::{Architecture, Runtime, ServerSpec};

/// The size of a host, or what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// The family of its processors.
    pub architecture: Architecture,
    /// Virtual CPUs that may be handed out.
    pub cores: u32,
    /// Memory for guests in MiB.
    pub memory_mb: u64,
    /// Room for disks in GB.
    pub disk_gb: u64,
}

impl Capacity {
    /// Whether a host of this size can run such a server at all.
    ///
    /// # Errors
    /// [`HostError::CAPACITY`] when it is too large or of another architecture.
    pub fn admits(&self, spec: &ServerSpec) -> std::result::Result<(), HostError> {
        let definition = &spec.definition;
        if definition.architecture != self.architecture {
            return Err(HostError::new(HostError::CAPACITY, "the host has another architecture"));
        }
        let fits = definition.cores <= self.cores
            && u64::from(definition.memory_mb) <= self.memory_mb
            && u64::from(spec.disk_gb) <= self.disk_gb;
        if fits { Ok(()) } else { Err(HostError::new(HostError::CAPACITY, "the server is larger than the host")) }
    }
}

/// What a host may be able to do beyond running servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Booting the rescue system ([`crate::Rescue`]).
    Rescue,
    /// A disc in the drive.
    Disc,
    /// A screen that can be looked at.
    Console,
}

/// An image that a host has, besides those that snapshots have made there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostImage {
    /// Its name: [`crate::ImageRef::artefact`].
    pub name: String,
    /// What can be made from it.
    pub runtimes: Vec<Runtime>,
    /// The smallest disk that holds it, in GB.
    pub min_disk_gb: u32,
}

/// Which runtime a server gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeChoice {
    /// Server types with shared processors.
    pub shared: Runtime,
    /// Server types with dedicated processors.
    pub dedicated: Runtime,
    /// Server types, by name, for which the operator has decided.
    #[serde(default)]
    pub types: BTreeMap<String, Runtime>,
}

impl RuntimeChoice {
    /// The same for every server.
    #[must_use]
    pub const fn always(runtime: Runtime) -> Self {
        Self { shared: runtime, dedicated: runtime, types: BTreeMap::new() }
    }

    /// The runtime of servers of a type.
    #[must_use]
    pub fn of(&self, server_type: &str, dedicated: bool) -> Runtime {
        let otherwise = if dedicated { self.dedicated } else { self.shared };
        self.types.get(server_type).copied().unwrap_or(otherwise)
    }
}

/// What a host is. The control plane keeps it beside the host's row, so that every process of it can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Which host it is, whatever it is called and wherever it is: drawn once, kept with what it holds. Empty: simulated.
    #[serde(default)]
    pub identity: String,
    /// How it can run servers.
    pub runtimes: Vec<Runtime>,
    /// Which of them a server gets.
    pub choice: RuntimeChoice,
    /// What may be handed out in all, with what the operator overcommits.
    pub capacity: Capacity,
    /// Virtual CPUs of the largest server.
    pub cores_max: u32,
    /// What it can do beyond running servers.
    pub features: BTreeSet<Feature>,
    /// The images that it has; `None`: any.
    pub images: Option<Vec<HostImage>>,
}

/// The acknowledgement that the row of a tombstone is gone: the host may forget the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    /// The object, applied as absent before.
    pub key: ObjectKey,
    /// The tombstone's generation; a newer wish keeps the object.
    pub generation: i64,
}

/// What changed, in any order and with any repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Desired objects; applied first.
    #[serde(default)]
    pub objects: Vec<Desired>,
    /// Commands, run after the objects in this order.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// Tombstones that will not be sent again.
    #[serde(default)]
    pub forget: Vec<Forget>,
}

impl Delta {
    /// A delta of one object.
    #[must_use]
    pub fn object(desired: Desired) -> Self {
        Self { objects: vec![desired], ..Self::default() }
    }

    /// A delta of one command.
    #[must_use]
    pub fn command(command: Command) -> Self {
        Self { commands: vec![command], ..Self::default() }
    }
}

/// A fingerprint of "which objects at which generations", independent of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    count: u64,
    sum: u64,
}

impl Digest {
    /// Adds one object. A generation identifies its content, so the spec needs no hashing.
    pub fn add(&mut self, key: ObjectKey, generation: i64) {
        let kind = key.kind.as_str().bytes().fold(0_u64, |hash, byte| mix(hash ^ u64::from(byte)));
        let hash = mix(mix(kind ^ key.id.cast_unsigned()) ^ generation.cast_unsigned());
        self.count = self.count.wrapping_add(1);
        // A sum, not XOR: an object listed twice must not vanish.
        self.sum = self.sum.wrapping_add(hash);
    }

    /// The fingerprint of a list.
    #[must_use]
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Desired>) -> Self {
        let mut digest = Self::default();
        for object in objects {
            digest.add(object.key, object.generation);
        }
        digest
    }
}

/// The finaliser of SplitMix64: a bijection in which every input bit reaches every output bit.
pub(crate) const fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The whole desired state of a host, for its start and after a mismatch of digests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// The host's generation counter when the list was read: what is newer survives although it is not listed.
    pub as_of: i64,
    /// Every desired object, tombstones included.
    pub objects: Vec<Desired>,
    /// [`Digest::of`] the list, taken where it was read: a list cut short must not delete servers.
    pub digest: Digest,
}

impl Resync {
    /// A resync of these objects.
    #[must_use]
    pub fn new(as_of: i64, objects: Vec<Desired>) -> Self {
        let digest = Digest::of(&objects);
        Self { as_of, objects, digest }
    }

    /// Checks the list against its digest.
    ///
    /// # Errors
    /// `Unavailable` when they differ: the list has to be sent again.
    pub fn verify(&self) -> Result<()> {
        if Digest::of(&self.objects) == self.digest {
            return Ok(());
        }
        Err(wolke_domain::Error::Unavailable { internal: "resync: the list does not match its digest".into() })
    }
}

/// Something found on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// The object whose name it bears.
    pub key: ObjectKey,
    /// The newest generation accepted for it; 0 when the host does not remember one.
    pub generation: i64,
}

/// A fact from a host: the only way in which facts enter the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// The state of an object. Several of one object stand in the order of their happening; the last one counts.
    Observed(Observed),
    /// An offered generation was older than the one that the host has; nothing was done.
    Refused {
        /// The generation that was offered.
        offered: i64,
        /// What the host has.
        has: Observed,
    },
    /// How a command ended.
    Command(CommandReport),
    /// What a server has used: measured, from real hosts only, every now and then while it runs.
    Usage(Usage),
}

/// What a server has used since a point in time that its host remembers: counters that only grow within one `run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Which object.
    pub key: ObjectKey,
    /// World time of the measurement.
    #[serde(with = "crate::millis")]
    pub at: Timestamp,
    /// Which run of the counters: it changes whenever they start from zero again.
    pub run: i64,
    /// Processor time in milliseconds, of all virtual CPUs.
    pub cpu_ms: u64,
    /// Read operations of its disk.
    pub disk_read_ops: u64,
    /// Write operations of its disk.
    pub disk_write_ops: u64,
    /// Bytes read from its disk.
    pub disk_read_bytes: u64,
    /// Bytes written to its disk.
    pub disk_write_bytes: u64,
    /// Bytes that it received over the public interface.
    pub bytes_in: u64,
    /// Bytes that it sent over the public interface.
    pub bytes_out: u64,
    /// Packets that it received there.
    pub packets_in: u64,
    /// Packets that it sent there.
    pub packets_out: u64,
}

/// The newest state of an object among reports.
#[must_use]
pub fn latest(reports: &[Report], key: ObjectKey) -> Option<&Observed> {
    reports.iter().rev().find_map(|report| match report {
        Report::Observed(observed) | Report::Refused { has: observed, .. } if observed.key == key => Some(observed),
        _ => None,
    })
}

/// The answer to [`Host::poll`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// What happened since the last poll.
    pub reports: Vec<Report>,
    /// World time at which the next poll is worth its while; `None` when only a guest or a delta can change anything.
    #[serde(default, with = "crate::millis::option")]
    pub next: Option<Timestamp>,
}

/// A host. Calls are synchronous: a real host keeps its own threads, accepts quickly and reports through
/// [`Host::poll`]; the simulated one runs inside a transaction. `now` is world time.
///
/// An `Err` means that the host could not answer (its memory failed, it died): nothing is known, and the caller repeats.
/// What an object suffers stands in its [`Observed`].
pub trait Host {
    /// What it is.
    fn facts(&self) -> HostFacts;

    /// Accepts what is newer, works on it, runs commands, and reports what is known by then: at least one report per
    /// object and per new command that has ended. An object whose generation has failed is tried again.
    ///
    /// # Errors
    /// When the host cannot answer.
    fn apply(&mut self, delta: &Delta, now: Timestamp) -> Result<Vec<Report>>;

    /// Applies every listed object and removes what is not listed and not newer than the list.
    ///
    /// # Errors
    /// When the host cannot answer, or `Unavailable` when the list does not match its digest (nothing was done).
    fn resync(&mut self, whole: &Resync, now: Timestamp) -> Result<Vec<Report>>;

    /// The fingerprint of what was accepted, to compare with that of the desired rows.
    ///
    /// # Errors
    /// When the host cannot answer.
    fn digest(&mut self) -> Result<Digest>;

    /// What lies on the host after `after` in the order of keys, at most `limit` entries. Remembered tombstones that
    /// have left nothing are not listed.
    ///
    /// # Errors
    /// When the host cannot answer.
    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<Artefact>>;

    /// Looks at one object: what the look brought about, then its state as the last report. Empty when the host knows
    /// nothing of it.
    ///
    /// # Errors
    /// When the host cannot answer.
    fn look(&mut self, key: ObjectKey, now: Timestamp) -> Result<Vec<Report>>;

    /// Reports what time and guests have brought about. A host may bound the reports of one call; `next` is then due.
    ///
    /// # Errors
    /// When the host cannot answer.
    fn poll(&mut self, now: Timestamp) -> Result<Poll>;
}
