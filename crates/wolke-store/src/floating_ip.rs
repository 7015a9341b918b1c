//! Floating IPs.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "floating_ip";
    INSERT = "INSERT INTO floating_ips (id, project, name, created, ip, family, server, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, ip, family, server, rev, generation, doc FROM floating_ips WHERE project = $1 AND id = $2";
    OF_ANYBODY = "SELECT id, project, name, created, ip, family, server, rev, generation, doc FROM floating_ips WHERE id = $1";
    OF_SERVER = "SELECT id FROM floating_ips WHERE server = $1 ORDER BY id";
    NAME_TAKEN = "SELECT id FROM floating_ips WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE floating_ips SET name = $1, server = $2, rev = rev + 1, generation = generation + 1, doc = $3 WHERE id = $4 AND generation = $5";
    RELEASE = "UPDATE floating_ips SET server = NULL, rev = rev + 1, generation = generation + 1 WHERE server = $1";
    DELETE = "DELETE FROM floating_ips WHERE id = $1";
}

/// A floating IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatingIp {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The address, or the /64 with its prefix length.
    pub ip: String,
    /// 4 or 6.
    pub family: i64,
    /// The server that has it.
    pub server: Option<Id>,
    /// The rest.
    pub details: Details,
}

/// The part of a floating IP that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Location id.
    pub home_location: Id,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Reverse DNS entries by address; an IPv4 without one shows the default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dns_ptr: BTreeMap<String, String>,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// The operator has blocked it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn floating_ip(row: &Row) -> Result<Stored<FloatingIp>> {
    Ok(Stored {
        rev: row.int(7)?,
        generation: row.int(8)?,
        value: FloatingIp {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            ip: row.text(4)?.to_owned(),
            family: row.int(5)?,
            server: row.opt_int(6)?,
            details: row.json(9)?,
        },
    })
}

/// Inserts a floating IP with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &FloatingIp) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.ip).into(),
        new.family.into(),
        new.server.into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::FloatingIp, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::FloatingIp, new.project, 1)
}

/// A floating IP of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<FloatingIp>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(floating_ip).transpose()
}

/// A floating IP of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<FloatingIp>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::FloatingIp, id))
}

/// A floating IP, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<FloatingIp>>> {
    tx.query_one(&OF_ANYBODY, &[id.into()])?.as_ref().map(floating_ip).transpose()
}

/// The floating IPs of a server, by id.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
    tx.query(&OF_SERVER, &[server.into()])?.iter().map(|row| row.int(0)).collect()
}

/// Takes all floating IPs from a server that goes: they stay, free.
///
/// # Errors
/// The engine's failure.
pub fn release(tx: &mut dyn Tx, server: Id) -> Result<()> {
    tx.execute(&RELEASE, &[server.into()]).map(|_| ())
}

/// Writes a changed floating IP back: everything but its address.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<FloatingIp>, new: &FloatingIp) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::FloatingIp, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params =
        [(&new.name).into(), new.server.into(), json_text(&new.details)?, new.id.into(), old.generation.into()];
    tx.execute_one(&UPDATE, &params)
}

/// Removes a floating IP and its labels. Its address is released by [`crate::address::release`].
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &FloatingIp) -> Result<()> {
    label::replace(tx, Kind::FloatingIp, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::FloatingIp, old.project, -1).map(|_| ())
}
