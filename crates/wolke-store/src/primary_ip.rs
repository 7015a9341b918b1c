//! Primary IPs.

use crate::label;
use crate::resource::{self, Stored};
use crate::selection;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "primary_ip";
    INSERT = "INSERT INTO primary_ips (id, project, name, created, ip, family, assignee, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, ip, family, assignee, rev, generation, doc FROM primary_ips WHERE project = $1 AND id = $2";
    OF_ANYBODY = "SELECT id, project, name, created, ip, family, assignee, rev, generation, doc FROM primary_ips WHERE id = $1";
    OF_SERVER = "SELECT id, project, name, created, ip, family, assignee, rev, generation, doc FROM primary_ips WHERE assignee = $1 ORDER BY family";
    NAME_TAKEN = "SELECT id FROM primary_ips WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE primary_ips SET name = $1, assignee = $2, rev = rev + 1, generation = generation + 1, doc = $3 WHERE id = $4 AND generation = $5";
    DELETE = "DELETE FROM primary_ips WHERE id = $1";
}

/// A primary IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryIp {
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
    pub assignee: Option<Id>,
    /// The rest.
    pub details: Details,
}

/// The part of a primary IP that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Location id.
    pub location: Id,
    /// Data center id.
    pub datacenter: Id,
    /// Goes when its server goes.
    pub auto_delete: bool,
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

fn primary_ip(row: &Row) -> Result<Stored<PrimaryIp>> {
    Ok(Stored {
        rev: row.int(7)?,
        generation: row.int(8)?,
        value: PrimaryIp {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            ip: row.text(4)?.to_owned(),
            family: row.int(5)?,
            assignee: row.opt_int(6)?,
            details: row.json(9)?,
        },
    })
}

/// Inserts a primary IP with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &PrimaryIp) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.ip).into(),
        new.family.into(),
        new.assignee.into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::PrimaryIp, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    changed_hands(tx, None, new.assignee)?;
    resource::count_add(tx, Kind::PrimaryIp, new.project, 1)
}

/// A primary IP of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<PrimaryIp>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(primary_ip).transpose()
}

/// A primary IP of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<PrimaryIp>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::PrimaryIp, id))
}

/// A primary IP, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<PrimaryIp>>> {
    tx.query_one(&OF_ANYBODY, &[id.into()])?.as_ref().map(primary_ip).transpose()
}

/// The primary IPs of a server: at most one per family, IPv4 first.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Stored<PrimaryIp>>> {
    tx.query(&OF_SERVER, &[server.into()])?.iter().map(primary_ip).collect()
}

/// Writes a changed primary IP back: everything but its address.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<PrimaryIp>, new: &PrimaryIp) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::PrimaryIp, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params =
        [(&new.name).into(), new.assignee.into(), json_text(&new.details)?, new.id.into(), old.generation.into()];
    tx.execute_one(&UPDATE, &params)?;
    changed_hands(tx, old.value.assignee, new.assignee)
}

/// Whether a server has a public interface is asked by firewalls that select it.
fn changed_hands(tx: &mut dyn Tx, old: Option<Id>, new: Option<Id>) -> Result<()> {
    if old == new {
        return Ok(());
    }
    old.into_iter().chain(new).try_for_each(|server| selection::interfaces_changed(tx, server))
}

/// Removes a primary IP and its labels. Its address is released by [`crate::address::release`].
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &PrimaryIp) -> Result<()> {
    label::replace(tx, Kind::PrimaryIp, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    changed_hands(tx, old.assignee, None)?;
    resource::count_add(tx, Kind::PrimaryIp, old.project, -1).map(|_| ())
}
