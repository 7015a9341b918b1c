//! Servers.

use crate::label;
use crate::load_balancer::{self, balanced};
use crate::resource::{self, Stored};
use crate::selection;
use crate::stmt::{Stmt, statements};
use crate::tx::Tx;
use crate::value::{Row, Value, json_text};
use std::collections::BTreeMap;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

/// How long it is remembered when a machine ran: a billing month and the 30 days of metrics, in milliseconds.
pub const POWER_HISTORY_MS: i64 = 62 * 24 * 60 * 60 * 1000;
/// How many starts, boots and stops of a machine are remembered at most: of one that does nothing else the newest ones.
pub const POWER_ROWS_MAX: i64 = 2000;

/// What a machine did from a point in time on, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// From then on.
    pub since: Timestamp,
    /// It ran, having booted just then; or it stood still.
    pub running: bool,
    /// Its server type.
    pub server_type: Id,
    /// Whether it had a public interface.
    pub public: bool,
}

statements! { "server";
    INSERT = "INSERT INTO servers (id, project, name, created, status, host, rev, generation, doc, placement_group, own_image)
        VALUES ($1, $2, $3, $4, $5, $6, 1, 1, $7, $8, $9) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, status, host, rev, generation, doc, placement_group FROM servers WHERE project = $1 AND id = $2";
    REV = "SELECT rev FROM servers WHERE project = $1 AND id = $2";
    BY_ID = "SELECT id, project, name, created, status, host, rev, generation, doc, placement_group FROM servers WHERE id = $1";
    NAME_TAKEN = "SELECT id FROM servers WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = concat!("UPDATE servers SET name = $1, status = $2, host = $3, rev = rev + 1, generation = generation + 1, doc = $4,
        placement_group = $5, own_image = $6 WHERE id = $7 AND generation = $8", balanced!());
    SET_STATUS = concat!("UPDATE servers SET status = $1, host = $2, rev = rev + 1, generation = generation + 1 WHERE id = $3", balanced!());
    DELETE = "DELETE FROM servers WHERE id = $1 RETURNING building_image";
    BUILDING = "SELECT building_image FROM servers WHERE id = $1";
    SET_BUILDING = "UPDATE servers SET building_image = $1 WHERE id = $2";
    POWER_NOTE = "INSERT INTO server_power (server, at, running, server_type, public) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT),
        CAST($4 AS BIGINT), CASE WHEN EXISTS (SELECT 1 FROM primary_ips p WHERE p.assignee = $5) THEN 1 ELSE 0 END WHERE true
        ON CONFLICT (server, at) DO UPDATE SET running = excluded.running, server_type = excluded.server_type, public = excluded.public";
    POWER_LAST = "SELECT at, running FROM server_power WHERE server = $1 ORDER BY at DESC LIMIT 1";
    POWER_SINCE = "SELECT at, running, server_type, public FROM server_power WHERE server = $1 AND at >=
        COALESCE((SELECT MAX(at) FROM server_power WHERE server = $2 AND at <= $3), 0) ORDER BY at";
    POWER_TRIM = "DELETE FROM server_power WHERE server = $1 AND at < (SELECT MAX(at) FROM server_power WHERE server = $2 AND at <= $3)";
    POWER_CAP = "DELETE FROM server_power WHERE server = $1 AND at <= (SELECT at FROM server_power WHERE server = $2 ORDER BY at DESC LIMIT 1 OFFSET $3)";
    POWER_FORGET = "DELETE FROM server_power WHERE server = $1";
}

fn server(row: &Row) -> Result<Stored<Server>> {
    let status = row.text(4)?;
    Ok(Stored {
        rev: row.int(6)?,
        generation: row.int(7)?,
        value: Server {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            status: Status::parse(status).ok_or_else(|| Error::internal(format!("unknown server status {status}")))?,
            host: row.opt_int(5)?,
            placement_group: row.opt_int(9)?,
            details: row.json(8)?,
        },
    })
}

/// Inserts a server with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &Server) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        new.status.as_str().into(),
        new.host.into(),
        json_text(&new.details)?,
        new.placement_group.into(),
        new.own_image().into(),
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::Server, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    selection::follow(tx, new.project, new.id, None, &new.details.labels)?;
    resource::count_add(tx, Kind::Server, new.project, 1)
}

/// A server of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Server>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(server).transpose()
}

/// A server of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<Server>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::Server, id))
}

/// The rev of a server of a project, without reading the rest.
///
/// # Errors
/// The engine's failure.
pub fn rev(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<i64>> {
    tx.query_one(&REV, &[project.into(), id.into()])?.map(|r| r.int(0)).transpose()
}

/// A server whosever it is: for strands, which were given the id by a request that had the right to it.
///
/// # Errors
/// The engine's failure.
pub fn by_id(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<Server>>> {
    tx.query_one(&BY_ID, &[id.into()])?.as_ref().map(server).transpose()
}

/// Writes a changed server back. `old` is what was read; labels are brought along, and a deleted image that it no longer
/// shows is let go.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Server>, new: &Server) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::Server, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    selection::follow(tx, new.project, new.id, Some(&old.value.details.labels), &new.details.labels)?;
    let params = [
        (&new.name).into(),
        new.status.as_str().into(),
        new.host.into(),
        json_text(&new.details)?,
        new.placement_group.into(),
        new.own_image().into(),
        new.id.into(),
        old.generation.into(),
    ];
    write(tx, new.id, &UPDATE, &params)?;
    match old.value.own_image() {
        Some(image) if new.own_image() != Some(image) => crate::image::purge(tx, image),
        _ => Ok(()),
    }
}

/// Notes from which image a server's disk is being made anew; none when that is over. Only own images are noted: one of the
/// catalogue cannot be deleted. What was noted before is let go, if it was deleted meanwhile and nobody shows it. A server
/// that is gone has nothing to note.
///
/// # Errors
/// The engine's failure.
pub fn set_building(tx: &mut dyn Tx, id: Id, image: Option<Id>) -> Result<()> {
    let image = image.filter(|image| wolke_domain::image::is_own(*image));
    let Some(row) = tx.query_one(&BUILDING, &[id.into()])? else { return Ok(()) };
    let before = row.opt_int(0)?;
    if before == image {
        return Ok(());
    }
    tx.execute_one(&SET_BUILDING, &[image.into(), id.into()])?;
    before.map_or(Ok(()), |before| crate::image::purge(tx, before))
}

/// Moves a server to a status and notes its host, without touching the rest.
///
/// # Errors
/// The engine's failure.
pub fn set_status(tx: &mut dyn Tx, id: Id, status: Status, host: Option<Id>) -> Result<()> {
    write(tx, id, &SET_STATUS, &[status.as_str().into(), host.into(), id.into()])
}

/// Writes one row, and touches the load balancers that show how the server is.
fn write(tx: &mut dyn Tx, id: Id, stmt: &Stmt, params: &[Value]) -> Result<()> {
    match tx.query_one(stmt, params)? {
        None => Err(Error::internal(format!("{} changed nothing", stmt.name))),
        written => load_balancer::touch_if(tx, id, written),
    }
}

/// Notes that a machine runs from now on (again, when it has booted anew) or stands still, with what it is now.
///
/// # Errors
/// The engine's failure.
pub fn note_power(tx: &mut dyn Tx, server: &Server, running: bool) -> Result<()> {
    let (id, now) = (server.id, tx.now());
    let note = [id.into(), now.into(), running.into(), server.details.server_type.into(), id.into()];
    tx.execute(&POWER_NOTE, &note)?;
    // Whatever starts has stopped before: only stops and boots of what runs add up.
    if running && !server.status.runs() {
        return Ok(());
    }
    let horizon = now.plus_ms(-POWER_HISTORY_MS);
    tx.execute(&POWER_TRIM, &[id.into(), id.into(), horizon.into()])?;
    tx.execute(&POWER_CAP, &[id.into(), id.into(), POWER_ROWS_MAX.into()]).map(|_| ())
}

/// Since when a machine runs or stands still; none before its first boot.
///
/// # Errors
/// The engine's failure.
pub fn power_since(tx: &mut dyn Tx, id: Id) -> Result<Option<(Timestamp, bool)>> {
    tx.query_one(&POWER_LAST, &[id.into()])?.map(|r| Ok((r.time(0)?, r.flag(1)?))).transpose()
}

/// What a machine did and was since a point in time, oldest first. The first entry says what it was then.
///
/// # Errors
/// The engine's failure.
pub fn power_history(tx: &mut dyn Tx, id: Id, since: Timestamp) -> Result<Vec<Power>> {
    let rows = tx.query(&POWER_SINCE, &[id.into(), id.into(), since.into()])?;
    let power =
        |r: &Row| Ok(Power { since: r.time(0)?, running: r.flag(1)?, server_type: r.int(2)?, public: r.flag(3)? });
    rows.iter().map(power).collect()
}

/// Removes a server, its labels and its power history.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Server) -> Result<()> {
    tx.execute(&POWER_FORGET, &[old.id.into()])?;
    crate::console::forget(tx, old.id)?;
    crate::guest::forget(tx, old.id)?;
    label::replace(tx, Kind::Server, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    selection::leave(tx, old.id)?;
    let gone = tx.query_one(&DELETE, &[old.id.into()])?;
    let building = gone.ok_or_else(|| Error::internal("the server is gone already"))?.opt_int(0)?;
    for image in old.own_image().into_iter().chain(building) {
        crate::image::purge(tx, image)?;
    }
    resource::count_add(tx, Kind::Server, old.project, -1).map(|_| ())
}
