//! Real hosts: who they are, what they have not done yet, and what they report.
//!
//! A real host is driven by one process. Every process writes what the host should hold ([`crate::host::desire`]) and what it
//! should do once ([`command_issue`]); the driver reads that, and writes what the host reports.

use crate::host::{HostKind, change};
use crate::stmt::statements;
use crate::strand;
use crate::tx::{Counter, Signal, Tx};
use crate::value::Row;
use wolke_domain::placement::Need;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

/// Commands that are read at once.
pub const COMMANDS_PAGE: usize = 256;

statements! { "driven";
    ALL = "SELECT id, location, name, generation, facts, seen, identity FROM host WHERE kind <> 'sim' ORDER BY location, id";
    BY_NAME = "SELECT id, location, name, generation, facts, seen, identity FROM host WHERE location = $1 AND name = $2";
    BY_IDENTITY = "SELECT id, location, name, generation, facts, seen, identity FROM host WHERE identity = $1";
    PRESENT = "SELECT COUNT(*) FROM host_object WHERE host = $1 AND kind = $2 AND tombstone = 0";
    SEEN = "SELECT seen FROM host WHERE id = $1";
    INSERT = "INSERT INTO host (id, location, kind, generation, free_cores, free_memory_mb, free_disk_gb, name, facts, seen, identity)
        VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10)";
    DESCRIBE = "UPDATE host SET free_cores = free_cores + $1, free_memory_mb = free_memory_mb + $2, free_disk_gb = free_disk_gb + $3,
        facts = $4, seen = $5, name = $6, identity = $7 WHERE id = $8";
    BEAT = "UPDATE host SET seen = $1 WHERE id = $2";
    GENERATION = "SELECT generation FROM host WHERE id = $1";
    TOMBSTONES = "SELECT kind, id, generation, tombstone, spec FROM host_object WHERE host = $1 AND tombstone = 1 ORDER BY kind, id";
    REPORT = "UPDATE host_object SET observed_generation = $1, observed = $2 WHERE host = $3 AND kind = $4 AND id = $5
        RETURNING generation, tombstone, spec";
    REWRITE = "UPDATE host_object SET spec = $1 WHERE host = $2 AND kind = $3 AND id = $4 AND generation = $5";
    COMMAND_INSERT = "INSERT INTO host_command (host, id, kind, object, command, outcome) VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT (host, id) DO NOTHING";
    COMMAND_GET = "SELECT command, outcome FROM host_command WHERE host = $1 AND id = $2";
    COMMAND_END = "UPDATE host_command SET outcome = $1, command = '' WHERE host = $2 AND id = $3 AND outcome IS NULL RETURNING kind, object";
    COMMANDS_PENDING = "SELECT id, command FROM host_command WHERE host = $1 AND id > $2 AND outcome IS NULL ORDER BY id LIMIT 256";
    COMMANDS_SWEEP = "DELETE FROM host_command WHERE host = $1 AND NOT EXISTS
        (SELECT 1 FROM strand_lock l WHERE l.kind = host_command.kind AND l.resource = host_command.object)";
}

/// A real host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealHost {
    /// Its id.
    pub id: Id,
    /// The location that it makes real.
    pub location: Id,
    /// What people call it.
    pub name: String,
    /// The newest generation of its desired objects.
    pub generation: i64,
    /// What it said of itself, as a document.
    pub facts: String,
    /// Real time of the last sign of life of the process that drives it.
    pub seen: Timestamp,
    /// Its own name for itself, which nothing changes.
    pub identity: String,
}

fn real(row: &Row) -> Result<RealHost> {
    let text = |column| Ok::<_, Error>(row.opt_text(column)?.unwrap_or_default().to_owned());
    Ok(RealHost {
        id: row.int(0)?,
        location: row.int(1)?,
        name: text(2)?,
        generation: row.int(3)?,
        facts: text(4)?,
        seen: Timestamp(row.opt_int(5)?.unwrap_or(0)),
        identity: text(6)?,
    })
}

/// Every real host, by location.
///
/// # Errors
/// The engine's failure.
pub fn all(tx: &mut dyn Tx) -> Result<Vec<RealHost>> {
    tx.query(&ALL, &[])?.iter().map(real).collect()
}

/// The host with this name in a location.
///
/// # Errors
/// The engine's failure.
pub fn by_name(tx: &mut dyn Tx, location: Id, name: &str) -> Result<Option<RealHost>> {
    tx.query_one(&BY_NAME, &[location.into(), name.into()])?.as_ref().map(real).transpose()
}

/// The host with this identity, wherever it is.
///
/// # Errors
/// The engine's failure.
pub fn by_identity(tx: &mut dyn Tx, identity: &str) -> Result<Option<RealHost>> {
    tx.query_one(&BY_IDENTITY, &[identity.into()])?.as_ref().map(real).transpose()
}

/// How many objects of a kind a host should hold.
///
/// # Errors
/// The engine's failure.
pub fn present(tx: &mut dyn Tx, host: Id, kind: &str) -> Result<i64> {
    let row = tx.query_one(&PRESENT, &[host.into(), kind.into()])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// What a host says of itself, to be written down.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Which host it is.
    pub identity: &'a str,
    /// What people call it, unique in its location.
    pub name: &'a str,
    /// What it is and can do, as a document.
    pub facts: &'a str,
}

/// Real time of the last sign of life of a host's driver; zero when it has said goodbye.
///
/// # Errors
/// The engine's failure.
pub fn seen(tx: &mut dyn Tx, host: Id) -> Result<Timestamp> {
    let row = tx.query_one(&SEEN, &[host.into()])?;
    Ok(Timestamp(row.map_or(Ok(None), |row| row.opt_int(0))?.unwrap_or(0)))
}

/// Adds a real host with what it said of itself, and all of its room.
///
/// # Errors
/// The engine's failure, also when a host of this name or identity was added meanwhile.
pub fn insert(tx: &mut dyn Tx, location: Id, host: Description<'_>, room: &Need) -> Result<Id> {
    let id = tx.next_id(Counter::Host)?;
    let now = tx.facts().real_now;
    let params = [
        id.into(),
        location.into(),
        HostKind::Linux.as_str().into(),
        room.cores.into(),
        room.memory_mb.into(),
        room.disk_gb.into(),
        host.name.into(),
        host.facts.into(),
        now.into(),
        host.identity.into(),
    ];
    tx.execute_one(&INSERT, &params).map(|()| id)
}

/// Writes down anew what the host of a row said of itself. `grown`: by how much its room differs from what it was.
///
/// # Errors
/// Internal, when there is no such host.
pub fn describe(tx: &mut dyn Tx, row: Id, host: Description<'_>, grown: &Need) -> Result<()> {
    let now = tx.facts().real_now;
    let params = [
        grown.cores.into(),
        grown.memory_mb.into(),
        grown.disk_gb.into(),
        host.facts.into(),
        now.into(),
        host.name.into(),
        host.identity.into(),
        row.into(),
    ];
    tx.execute_one(&DESCRIBE, &params)
}

/// A sign of life of a host's driver.
///
/// # Errors
/// Internal, when there is no such host.
pub fn beat(tx: &mut dyn Tx, host: Id) -> Result<()> {
    let now = tx.facts().real_now;
    tx.execute_one(&BEAT, &[now.into(), host.into()])
}

/// The driver of a host has ended.
///
/// # Errors
/// Internal, when there is no such host.
pub fn part(tx: &mut dyn Tx, host: Id) -> Result<()> {
    tx.execute_one(&BEAT, &[0.into(), host.into()])
}

/// The newest generation of a host's desired objects.
///
/// # Errors
/// Internal, when there is no such host.
pub fn generation(tx: &mut dyn Tx, host: Id) -> Result<i64> {
    let row = tx.query_one(&GENERATION, &[host.into()])?;
    row.ok_or_else(|| Error::internal(format!("there is no host {host}")))?.int(0)
}

/// The tombstones of a host.
///
/// # Errors
/// The engine's failure.
pub fn tombstones(tx: &mut dyn Tx, host: Id) -> Result<Vec<crate::host::Change>> {
    tx.query(&TOMBSTONES, &[host.into()])?.iter().map(change).collect()
}

/// What is desired of an object that was reported on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wished {
    /// The desired generation.
    pub generation: i64,
    /// It should be gone.
    pub tombstone: bool,
    /// The desired document.
    pub spec: String,
}

/// Writes down what a host reported of an object; none when nothing is desired of it any more.
///
/// # Errors
/// The engine's failure.
pub fn report(
    tx: &mut dyn Tx,
    (host, kind, id): (Id, &str, Id),
    generation: i64,
    observed: &str,
) -> Result<Option<Wished>> {
    let params = [generation.into(), observed.into(), host.into(), kind.into(), id.into()];
    let row = tx.query_one(&REPORT, &params)?;
    row.map(|row| Ok(Wished { generation: row.int(0)?, tombstone: row.flag(1)?, spec: row.text(2)?.to_owned() }))
        .transpose()
}

/// Replaces the document of a desired object without a new generation: what is left out of it has been delivered. Nothing
/// happens when something newer is desired.
///
/// # Errors
/// The engine's failure.
pub fn rewrite(tx: &mut dyn Tx, (host, kind, id): (Id, &str, Id), generation: i64, spec: &str) -> Result<()> {
    let params = [spec.into(), host.into(), kind.into(), id.into(), generation.into()];
    tx.execute(&REWRITE, &params).map(|_| ())
}

/// Tells the driver of a host, wherever it runs, that something was written for it.
pub fn nudge(tx: &mut dyn Tx) {
    tx.signal(Signal::HostChanged);
}

/// Issues a command; a second time with the same id changes nothing.
///
/// # Errors
/// The engine's failure.
pub fn command_issue(tx: &mut dyn Tx, (host, id): (Id, Id), (kind, object): (&str, Id), command: &str) -> Result<()> {
    let params = [host.into(), id.into(), kind.into(), object.into(), command.into()];
    tx.execute(&COMMAND_INSERT, &params)?;
    nudge(tx);
    Ok(())
}

/// A command, empty once it has ended, and its outcome.
///
/// # Errors
/// The engine's failure.
pub fn command(tx: &mut dyn Tx, host: Id, id: Id) -> Result<Option<(String, Option<String>)>> {
    let row = tx.query_one(&COMMAND_GET, &[host.into(), id.into()])?;
    row.map(|r| Ok((r.text(0)?.to_owned(), r.opt_text(1)?.map(str::to_owned)))).transpose()
}

/// Writes a command's outcome down, once, and empties the command, which may hold a secret. The object that it was for; none
/// when nobody asks for the command any more, or its outcome is known.
///
/// # Errors
/// The engine's failure.
pub fn command_end(tx: &mut dyn Tx, host: Id, id: Id, outcome: &str) -> Result<Option<(String, Id)>> {
    let row = tx.query_one(&COMMAND_END, &[outcome.into(), host.into(), id.into()])?;
    row.map(|r| Ok((r.text(0)?.to_owned(), r.int(1)?))).transpose()
}

/// The next [`COMMANDS_PAGE`] commands without an outcome, with ids above `after`.
///
/// # Errors
/// The engine's failure.
pub fn commands_pending(tx: &mut dyn Tx, host: Id, after: Id) -> Result<Vec<(Id, String)>> {
    let rows = tx.query(&COMMANDS_PENDING, &[host.into(), after.into()])?;
    rows.iter().map(|r| Ok((r.int(0)?, r.text(1)?.to_owned()))).collect()
}

/// Removes the commands on objects that no strand works on any more: nobody reads their outcomes.
///
/// # Errors
/// The engine's failure.
pub fn commands_sweep(tx: &mut dyn Tx, host: Id) -> Result<u64> {
    tx.execute(&COMMANDS_SWEEP, &[host.into()])
}

/// Wakes the strand whose turn it is to work on a resource; whether there is one.
///
/// # Errors
/// The engine's failure.
pub fn wake_worker(tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<bool> {
    match strand::holder(tx, kind, id)? {
        Some(worker) => strand::wake(tx, worker).map(|()| true),
        None => Ok(false),
    }
}
