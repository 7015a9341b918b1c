//! Hosts, what they should hold, and what they reported. Specs and observations are opaque documents here.

use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use crate::value::Row;
use wolke_domain::placement::{GROUP_MEMBERS_MAX, Need, Room};
use wolke_domain::{Error, Result};
use wolke_wire::Id;

/// How many hosts placement looks at: more than other members of a group can take, so that one of them is left to choose.
pub const CANDIDATES_MAX: usize = 16;
/// Changes of a host's desired state that are read at once.
pub const CHANGES_PAGE: usize = 256;
const _: () = assert!(CANDIDATES_MAX > GROUP_MEMBERS_MAX);

statements! { "host";
    INSERT = "INSERT INTO host (id, location, kind, generation, free_cores, free_memory_mb, free_disk_gb) VALUES ($1, $2, $3, 0, $4, $5, $6)";
    CANDIDATES = "SELECT id, kind, free_cores, free_memory_mb, free_disk_gb FROM host WHERE location = $1 AND kind <> 'sim'
        UNION ALL SELECT id, kind, free_cores, free_memory_mb, free_disk_gb FROM (SELECT id, kind, free_cores, free_memory_mb, free_disk_gb
        FROM host WHERE location = $1 AND kind = 'sim' AND free_memory_mb >= $2 AND free_cores >= $3 AND free_disk_gb >= $4
        ORDER BY free_memory_mb, id LIMIT 16) driver";
    COUNT_IN = "SELECT count(*) FROM host WHERE location = $1 AND kind = $2";
    ROOM = "SELECT kind, free_cores, free_memory_mb, free_disk_gb FROM host WHERE id = $1";
    TAKE = "UPDATE host SET generation = generation + 1, free_cores = free_cores - $1, free_memory_mb = free_memory_mb - $2,
        free_disk_gb = free_disk_gb - $3 WHERE id = $4 RETURNING generation, kind";
    DESIRE = "INSERT INTO host_object (host, kind, id, generation, tombstone, spec, observed_generation, observed, sim) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (host, kind, id) DO UPDATE SET generation = excluded.generation, tombstone = excluded.tombstone, spec = excluded.spec,
        observed_generation = excluded.observed_generation, observed = excluded.observed, sim = excluded.sim";
    OBJECT = "SELECT o.generation, o.tombstone, o.spec, o.observed_generation, o.observed, o.sim, h.kind FROM host_object o
        JOIN host h ON h.id = o.host WHERE o.host = $1 AND o.kind = $2 AND o.id = $3";
    OBSERVE = "UPDATE host_object SET observed_generation = $1, observed = $2, sim = $3 WHERE host = $4 AND kind = $5 AND id = $6";
    FORGET = "DELETE FROM host_object WHERE host = $1 AND kind = $2 AND id = $3 AND tombstone = 1";
    CHANGED = "SELECT kind, id, generation, tombstone, spec FROM host_object WHERE host = $1 AND generation > $2 ORDER BY generation, kind, id LIMIT 256";
    OBJECTS = "SELECT kind, id, generation, tombstone, spec FROM host_object WHERE host = $1 ORDER BY kind, id";
    COUNT = "SELECT count(*) FROM host_object";
    LIST = "SELECT id, location, kind, generation FROM host ORDER BY id LIMIT 10000";
}

/// What runs the machines of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKind {
    /// Nothing: a simulation answers inside the transaction that asks.
    Simulated,
    /// A Linux machine, driven by a process of its own; see [`crate::driven`].
    Linux,
}

impl HostKind {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "sim",
            Self::Linux => "linux",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "sim" => Ok(Self::Simulated),
            "linux" => Ok(Self::Linux),
            other => Err(Error::internal(format!("hosts of kind {other} are unknown to this release"))),
        }
    }

    /// Whether it is a real machine.
    #[must_use]
    pub const fn is_real(self) -> bool {
        !matches!(self, Self::Simulated)
    }
}

/// Where a machine could go in a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Real hosts, with or without room. A location that has one is real: new machines go nowhere else.
    pub real: Vec<Room>,
    /// Simulated hosts with enough room, the fullest first.
    pub simulated: Vec<Room>,
}

/// A row of the hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub id: Id,
    /// Where it stands.
    pub location: Id,
    /// What it is.
    pub kind: HostKind,
    /// The newest generation of its desired objects.
    pub generation: i64,
}

/// What a host should hold, with what it reported of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The desired generation.
    pub generation: i64,
    /// It should be gone.
    pub tombstone: bool,
    /// The desired document.
    pub spec: String,
    /// The newest generation that the host reported as applied.
    pub observed_generation: i64,
    /// The last observation.
    pub observed: Option<String>,
    /// The memory of a simulated host about this object.
    pub sim: Option<String>,
    /// What its host is.
    pub on: HostKind,
}

impl Object {
    /// An object that a host has not heard of yet.
    #[must_use]
    pub const fn new(on: HostKind) -> Self {
        Self {
            generation: 0,
            tombstone: false,
            spec: String::new(),
            observed_generation: 0,
            observed: None,
            sim: None,
            on,
        }
    }
}

/// One change of a host's desired state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object's kind.
    pub kind: String,
    /// The object's id.
    pub id: Id,
    /// Its generation.
    pub generation: i64,
    /// It should be gone.
    pub tombstone: bool,
    /// The desired document.
    pub spec: String,
}

/// Adds a host.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, location: Id, kind: HostKind, room: &Need) -> Result<Id> {
    let id = tx.next_id(Counter::Host)?;
    let params = [
        id.into(),
        location.into(),
        kind.as_str().into(),
        room.cores.into(),
        room.memory_mb.into(),
        room.disk_gb.into(),
    ];
    tx.execute_one(&INSERT, &params)?;
    Ok(id)
}

/// Where a machine could go in a location.
///
/// # Errors
/// The engine's failure.
pub fn candidates(tx: &mut dyn Tx, location: Id, need: &Need) -> Result<Candidates> {
    let params = [location.into(), need.memory_mb.into(), need.cores.into(), need.disk_gb.into()];
    let mut found = Candidates::default();
    for row in tx.query(&CANDIDATES, &params)? {
        let free = Need { cores: row.int(2)?, memory_mb: row.int(3)?, disk_gb: row.int(4)? };
        let room = Room { host: row.int(0)?, free };
        let real = HostKind::parse(row.text(1)?)?.is_real();
        if real { found.real.push(room) } else { found.simulated.push(room) }
    }
    Ok(found)
}

/// How many hosts of a kind a location has.
///
/// # Errors
/// The engine's failure.
pub fn count_in(tx: &mut dyn Tx, location: Id, kind: HostKind) -> Result<i64> {
    tx.query_one(&COUNT_IN, &[location.into(), kind.as_str().into()])?.map_or(Ok(0), |r| r.int(0))
}

/// The kind of a host and what it has left.
///
/// # Errors
/// Internal, when there is no such host.
pub fn room(tx: &mut dyn Tx, host: Id) -> Result<(HostKind, Need)> {
    let row = tx.query_one(&ROOM, &[host.into()])?;
    let row = row.ok_or_else(|| Error::internal(format!("there is no host {host}")))?;
    Ok((HostKind::parse(row.text(0)?)?, Need { cores: row.int(1)?, memory_mb: row.int(2)?, disk_gb: row.int(3)? }))
}

/// Takes room on a host (negative: gives it back) and returns the generation of the change that follows.
///
/// # Errors
/// Internal, when there is no such host.
pub fn take(tx: &mut dyn Tx, host: Id, need: &Need) -> Result<i64> {
    take_on(tx, host, need).map(|(generation, _)| generation)
}

/// As [`take`], and tells what the host is: for whoever writes the first wish for an object.
///
/// # Errors
/// Internal, when there is no such host.
pub fn take_on(tx: &mut dyn Tx, host: Id, need: &Need) -> Result<(i64, HostKind)> {
    let params = [need.cores.into(), need.memory_mb.into(), need.disk_gb.into(), host.into()];
    let row = tx.query_one(&TAKE, &params)?;
    let row = row.ok_or_else(|| Error::internal(format!("there is no host {host}")))?;
    Ok((row.int(0)?, HostKind::parse(row.text(1)?)?))
}

/// Writes what a host should hold, with what it is known to hold.
///
/// # Errors
/// The engine's failure.
pub fn desire(tx: &mut dyn Tx, host: Id, kind: &str, id: Id, object: &Object) -> Result<()> {
    let params = [
        host.into(),
        kind.into(),
        id.into(),
        object.generation.into(),
        object.tombstone.into(),
        (&object.spec).into(),
        object.observed_generation.into(),
        object.observed.clone().into(),
        object.sim.clone().into(),
    ];
    tx.execute_one(&DESIRE, &params)
}

/// One object of a host.
///
/// # Errors
/// The engine's failure.
pub fn object(tx: &mut dyn Tx, host: Id, kind: &str, id: Id) -> Result<Option<Object>> {
    let row = tx.query_one(&OBJECT, &[host.into(), kind.into(), id.into()])?;
    row.map(|r| {
        Ok(Object {
            generation: r.int(0)?,
            tombstone: r.flag(1)?,
            spec: r.text(2)?.to_owned(),
            observed_generation: r.int(3)?,
            observed: r.opt_text(4)?.map(str::to_owned),
            sim: r.opt_text(5)?.map(str::to_owned),
            on: HostKind::parse(r.text(6)?)?,
        })
    })
    .transpose()
}

/// Writes down what a host reported, and what a simulated one remembers. An object that was forgotten meanwhile is not
/// brought back.
///
/// # Errors
/// The engine's failure.
pub fn observe(
    tx: &mut dyn Tx,
    host: Id,
    kind: &str,
    id: Id,
    generation: i64,
    observed: &str,
    sim: Option<&str>,
) -> Result<()> {
    let params = [generation.into(), observed.into(), sim.into(), host.into(), kind.into(), id.into()];
    tx.execute(&OBSERVE, &params).map(|_| ())
}

/// Removes the row of an object that is gone.
///
/// # Errors
/// The engine's failure.
pub fn forget(tx: &mut dyn Tx, host: Id, kind: &str, id: Id) -> Result<()> {
    tx.execute(&FORGET, &[host.into(), kind.into(), id.into()]).map(|_| ())
}

pub(crate) fn change(row: &Row) -> Result<Change> {
    Ok(Change {
        kind: row.text(0)?.to_owned(),
        id: row.int(1)?,
        generation: row.int(2)?,
        tombstone: row.flag(3)?,
        spec: row.text(4)?.to_owned(),
    })
}

/// The next [`CHANGES_PAGE`] changes since a generation: a change of one object among many costs one row.
///
/// # Errors
/// The engine's failure.
pub fn changed(tx: &mut dyn Tx, host: Id, since: i64) -> Result<Vec<Change>> {
    tx.query(&CHANGED, &[host.into(), since.into()])?.iter().map(change).collect()
}

/// Everything a host should hold: the form of a resync.
///
/// # Errors
/// The engine's failure.
pub fn objects(tx: &mut dyn Tx, host: Id) -> Result<Vec<Change>> {
    tx.query(&OBJECTS, &[host.into()])?.iter().map(change).collect()
}

/// How many objects all hosts of the world should hold: for invariants.
///
/// # Errors
/// The engine's failure.
pub fn count_objects(tx: &mut dyn Tx) -> Result<i64> {
    tx.query_one(&COUNT, &[])?.map_or(Ok(0), |r| r.int(0))
}

/// The first ten thousand hosts.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx) -> Result<Vec<Host>> {
    let rows = tx.query(&LIST, &[])?;
    rows.iter()
        .map(|r| {
            let kind = HostKind::parse(r.text(2)?)?;
            Ok(Host { id: r.int(0)?, location: r.int(1)?, kind, generation: r.int(3)? })
        })
        .collect()
}
