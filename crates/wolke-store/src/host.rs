//! Hosts, what they should hold, and what they reported. Specs and observations are opaque documents here.

use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use crate::value::Row;
use wolke_domain::placement::{GROUP_MEMBERS_MAX, Need, Room};
use wolke_domain::{Error, Result};
use wolke_wire::Id;

/// How many hosts placement looks at: more than other members of a group can take, so that one of them is left to choose.
pub const CANDIDATES_MAX: usize = 16;
const _: () = assert!(CANDIDATES_MAX > GROUP_MEMBERS_MAX);

statements! { "host";
    INSERT = "INSERT INTO host (id, location, kind, generation, free_cores, free_memory_mb, free_disk_gb) VALUES ($1, $2, $3, 0, $4, $5, $6)";
    CANDIDATES = "SELECT id, free_cores, free_memory_mb, free_disk_gb FROM host WHERE location = $1 AND kind = $2
        AND free_memory_mb >= $3 AND free_cores >= $4 AND free_disk_gb >= $5 ORDER BY free_memory_mb, id LIMIT 16";
    COUNT_IN = "SELECT count(*) FROM host WHERE location = $1 AND kind = $2";
    ROOM = "SELECT kind, free_cores, free_memory_mb, free_disk_gb FROM host WHERE id = $1";
    TAKE = "UPDATE host SET generation = generation + 1, free_cores = free_cores - $1, free_memory_mb = free_memory_mb - $2,
        free_disk_gb = free_disk_gb - $3 WHERE id = $4 RETURNING generation";
    DESIRE = "INSERT INTO host_object (host, kind, id, generation, tombstone, spec, observed_generation, observed, sim) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (host, kind, id) DO UPDATE SET generation = excluded.generation, tombstone = excluded.tombstone, spec = excluded.spec,
        observed_generation = excluded.observed_generation, observed = excluded.observed, sim = excluded.sim";
    OBJECT = "SELECT generation, tombstone, spec, observed_generation, observed, sim FROM host_object WHERE host = $1 AND kind = $2 AND id = $3";
    OBSERVE = "UPDATE host_object SET observed_generation = $1, observed = $2, sim = $3 WHERE host = $4 AND kind = $5 AND id = $6";
    FORGET = "DELETE FROM host_object WHERE host = $1 AND kind = $2 AND id = $3 AND tombstone = 1";
    CHANGED = "SELECT kind, id, generation, tombstone, spec FROM host_object WHERE host = $1 AND generation > $2 ORDER BY generation, kind, id LIMIT 256";
    OBJECTS = "SELECT kind, id, generation, tombstone, spec FROM host_object WHERE host = $1 ORDER BY kind, id";
    COMMAND_INSERT = "INSERT INTO host_command (id, host, kind, object, command, outcome) VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT (id) DO NOTHING";
    COMMAND_GET = "SELECT command, outcome FROM host_command WHERE id = $1";
    COMMAND_END = "UPDATE host_command SET outcome = $1 WHERE id = $2 AND outcome IS NULL";
    COMMAND_DELETE = "DELETE FROM host_command WHERE id = $1";
    COUNT = "SELECT count(*) FROM host_object";
    LIST = "SELECT id, location, kind, generation FROM host ORDER BY id LIMIT 10000";
}

/// A row of the hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub id: Id,
    /// Where it stands.
    pub location: Id,
    /// `sim`, `linux`.
    pub kind: String,
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
pub fn insert(tx: &mut dyn Tx, location: Id, kind: &str, room: &Need) -> Result<Id> {
    let id = tx.next_id(Counter::Host)?;
    let params =
        [id.into(), location.into(), kind.into(), room.cores.into(), room.memory_mb.into(), room.disk_gb.into()];
    tx.execute_one(&INSERT, &params)?;
    Ok(id)
}

/// Hosts of a location with enough room, the fullest first.
///
/// # Errors
/// The engine's failure.
pub fn candidates(tx: &mut dyn Tx, location: Id, kind: &str, need: &Need) -> Result<Vec<Room>> {
    let params = [location.into(), kind.into(), need.memory_mb.into(), need.cores.into(), need.disk_gb.into()];
    let rows = tx.query(&CANDIDATES, &params)?;
    rows.iter()
        .map(|r| {
            let free = Need { cores: r.int(1)?, memory_mb: r.int(2)?, disk_gb: r.int(3)? };
            Ok(Room { host: r.int(0)?, free })
        })
        .collect()
}

/// How many hosts of a kind a location has.
///
/// # Errors
/// The engine's failure.
pub fn count_in(tx: &mut dyn Tx, location: Id, kind: &str) -> Result<i64> {
    tx.query_one(&COUNT_IN, &[location.into(), kind.into()])?.map_or(Ok(0), |r| r.int(0))
}

/// The kind of a host and what it has left.
///
/// # Errors
/// Internal, when there is no such host.
pub fn room(tx: &mut dyn Tx, host: Id) -> Result<(String, Need)> {
    let row = tx.query_one(&ROOM, &[host.into()])?;
    let row = row.ok_or_else(|| Error::internal(format!("there is no host {host}")))?;
    Ok((row.text(0)?.to_owned(), Need { cores: row.int(1)?, memory_mb: row.int(2)?, disk_gb: row.int(3)? }))
}

/// Takes room on a host (negative: gives it back) and returns the generation of the change that follows.
///
/// # Errors
/// Internal, when there is no such host.
pub fn take(tx: &mut dyn Tx, host: Id, need: &Need) -> Result<i64> {
    let params = [need.cores.into(), need.memory_mb.into(), need.disk_gb.into(), host.into()];
    let row = tx.query_one(&TAKE, &params)?;
    row.ok_or_else(|| Error::internal(format!("there is no host {host}")))?.int(0)
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

fn change(row: &Row) -> Result<Change> {
    Ok(Change {
        kind: row.text(0)?.to_owned(),
        id: row.int(1)?,
        generation: row.int(2)?,
        tombstone: row.flag(3)?,
        spec: row.text(4)?.to_owned(),
    })
}

/// The next 256 changes since a generation: a change of one object among many costs one row.
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

/// Issues a command; a second time with the same id changes nothing.
///
/// # Errors
/// The engine's failure.
pub fn command_issue(tx: &mut dyn Tx, id: Id, host: Id, kind: &str, object: Id, command: &str) -> Result<()> {
    let params = [id.into(), host.into(), kind.into(), object.into(), command.into()];
    tx.execute(&COMMAND_INSERT, &params).map(|_| ())
}

/// A command and its outcome.
///
/// # Errors
/// The engine's failure.
pub fn command(tx: &mut dyn Tx, id: Id) -> Result<Option<(String, Option<String>)>> {
    let row = tx.query_one(&COMMAND_GET, &[id.into()])?;
    row.map(|r| Ok((r.text(0)?.to_owned(), r.opt_text(1)?.map(str::to_owned)))).transpose()
}

/// Writes a command's outcome down, once.
///
/// # Errors
/// The engine's failure.
pub fn command_end(tx: &mut dyn Tx, id: Id, outcome: &str) -> Result<()> {
    tx.execute(&COMMAND_END, &[outcome.into(), id.into()]).map(|_| ())
}

/// Removes a command whose outcome was read.
///
/// # Errors
/// The engine's failure.
pub fn command_delete(tx: &mut dyn Tx, id: Id) -> Result<()> {
    tx.execute(&COMMAND_DELETE, &[id.into()]).map(|_| ())
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
        .map(|r| Ok(Host { id: r.int(0)?, location: r.int(1)?, kind: r.text(2)?.to_owned(), generation: r.int(3)? }))
        .collect()
}
