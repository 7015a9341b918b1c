//! Servers.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use std::collections::BTreeMap;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind};

statements! { "server";
    INSERT = "INSERT INTO servers (id, project, name, created, status, host, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, 1, 1, $7) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, status, host, rev, generation, doc FROM servers WHERE project = $1 AND id = $2";
    REV = "SELECT rev FROM servers WHERE project = $1 AND id = $2";
    BY_ID = "SELECT id, project, name, created, status, host, rev, generation, doc FROM servers WHERE id = $1";
    NAME_TAKEN = "SELECT id FROM servers WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE servers SET name = $1, status = $2, host = $3, rev = rev + 1, generation = generation + 1, doc = $4
        WHERE id = $5 AND generation = $6";
    SET_STATUS = "UPDATE servers SET status = $1, host = $2, rev = rev + 1, generation = generation + 1 WHERE id = $3";
    DELETE = "DELETE FROM servers WHERE id = $1";
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
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::Server, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
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

/// Writes a changed server back. `old` is what was read; labels are brought along.
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
    let params = [
        (&new.name).into(),
        new.status.as_str().into(),
        new.host.into(),
        json_text(&new.details)?,
        new.id.into(),
        old.generation.into(),
    ];
    tx.execute_one(&UPDATE, &params)
}

/// Moves a server to a status and notes its host, without touching the rest.
///
/// # Errors
/// The engine's failure.
pub fn set_status(tx: &mut dyn Tx, id: Id, status: Status, host: Option<Id>) -> Result<()> {
    tx.execute_one(&SET_STATUS, &[status.as_str().into(), host.into(), id.into()])
}

/// Removes a server and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Server) -> Result<()> {
    label::replace(tx, Kind::Server, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::Server, old.project, -1).map(|_| ())
}
