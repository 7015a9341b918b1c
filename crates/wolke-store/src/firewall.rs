//! Firewalls, and what they are applied to.
//!
//! `firewall_servers` holds every server behind a firewall, with the way by which it came there: the text of one of the
//! firewall's selectors, or nothing where it was named itself. Whoever changes labels, servers or selectors keeps it so
//! (`wolke-control`, `firewall/apply.rs`).

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::cloud::firewall::Rule;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "firewall";
    INSERT = "INSERT INTO firewalls (id, project, name, created, rev, generation, doc)
        VALUES ($1, $2, $3, $4, 1, 1, $5) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc FROM firewalls WHERE project = $1 AND id = $2";
    NAME_TAKEN = "SELECT id FROM firewalls WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE firewalls SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2 WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM firewalls WHERE id = $1";
    SELECTOR_ADD = "INSERT INTO firewall_selectors (project, firewall, selector) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    SELECTOR_REMOVE = "DELETE FROM firewall_selectors WHERE project = $1 AND firewall = $2 AND selector = $3";
    SELECTORS = "SELECT selector FROM firewall_selectors WHERE project = $1 AND firewall = $2 ORDER BY selector";
    SELECTORS_OF_PROJECT = "SELECT firewall, selector FROM firewall_selectors WHERE project = $1 ORDER BY firewall, selector";
    SERVER_ADD = "INSERT INTO firewall_servers (firewall, via, server) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    SERVER_REMOVE = "DELETE FROM firewall_servers WHERE firewall = $1 AND via = $2 AND server = $3";
    VIA_REMOVE = "DELETE FROM firewall_servers WHERE firewall = $1 AND via = $2";
    SERVERS = "SELECT via, server FROM firewall_servers WHERE firewall = $1 ORDER BY via, server";
    OF_SERVER = "SELECT firewall, via FROM firewall_servers WHERE server = $1 ORDER BY firewall, via";
    FORGET_SERVER = "DELETE FROM firewall_servers WHERE server = $1";
    TOUCH_SERVERS = "UPDATE servers SET rev = rev + 1 WHERE id IN (SELECT f.server FROM firewall_servers f WHERE f.firewall = $1 AND f.via = $2)";
}

/// The way of a server that was named itself.
pub const DIRECT: &str = "";

/// A firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The rest.
    pub details: Details,
}

/// The part of a firewall that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// What it lets through, canonical.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// One way in which a server stands behind a firewall.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The firewall.
    pub firewall: Id,
    /// [`DIRECT`], or a selector.
    pub via: String,
    /// The server.
    pub server: Id,
}

fn firewall(row: &Row) -> Result<Stored<Firewall>> {
    Ok(Stored {
        rev: row.int(4)?,
        generation: row.int(5)?,
        value: Firewall {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            details: row.json(6)?,
        },
    })
}

/// Inserts a firewall with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &Firewall) -> Result<i64> {
    let params = [new.id.into(), new.project.into(), (&new.name).into(), new.created.into(), json_text(&new.details)?];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::Firewall, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::Firewall, new.project, 1)
}

/// A firewall of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Firewall>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(firewall).transpose()
}

/// A firewall of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<Firewall>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::Firewall, id))
}

/// Writes a changed firewall back: name, rules and labels.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Firewall>, new: &Firewall) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::Firewall, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [(&new.name).into(), json_text(&new.details)?, new.id.into(), old.generation.into()];
    tx.execute_one(&UPDATE, &params)
}

/// Removes a firewall that is applied to nothing, and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Firewall) -> Result<()> {
    label::replace(tx, Kind::Firewall, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::Firewall, old.project, -1).map(|_| ())
}

/// Adds a selector; false when the firewall has it already.
///
/// # Errors
/// The engine's failure.
pub fn add_selector(tx: &mut dyn Tx, project: Id, firewall: Id, selector: &str) -> Result<bool> {
    Ok(tx.execute(&SELECTOR_ADD, &[project.into(), firewall.into(), selector.into()])? > 0)
}

/// Removes a selector with the servers that came by it, whose revs it bumps; false when the firewall has it not.
///
/// # Errors
/// The engine's failure.
pub fn remove_selector(tx: &mut dyn Tx, project: Id, firewall: Id, selector: &str) -> Result<bool> {
    if tx.execute(&SELECTOR_REMOVE, &[project.into(), firewall.into(), selector.into()])? == 0 {
        return Ok(false);
    }
    tx.execute(&TOUCH_SERVERS, &[firewall.into(), selector.into()])?;
    tx.execute(&VIA_REMOVE, &[firewall.into(), selector.into()])?;
    Ok(true)
}

/// The selectors of a firewall, in the order of their texts.
///
/// # Errors
/// The engine's failure.
pub fn selectors(tx: &mut dyn Tx, project: Id, firewall: Id) -> Result<Vec<String>> {
    let rows = tx.query(&SELECTORS, &[project.into(), firewall.into()])?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// The selectors of all firewalls of a project: (firewall, selector).
///
/// # Errors
/// The engine's failure.
pub fn selectors_of_project(tx: &mut dyn Tx, project: Id) -> Result<Vec<(Id, String)>> {
    let rows = tx.query(&SELECTORS_OF_PROJECT, &[project.into()])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect()
}

/// Puts a server behind a firewall; false when it came there by this way already.
///
/// # Errors
/// The engine's failure.
pub fn add_server(tx: &mut dyn Tx, edge: &Edge) -> Result<bool> {
    Ok(tx.execute(&SERVER_ADD, &[edge.firewall.into(), (&edge.via).into(), edge.server.into()])? > 0)
}

/// Takes one way of a server to a firewall away; false when there was none.
///
/// # Errors
/// The engine's failure.
pub fn remove_server(tx: &mut dyn Tx, edge: &Edge) -> Result<bool> {
    Ok(tx.execute(&SERVER_REMOVE, &[edge.firewall.into(), (&edge.via).into(), edge.server.into()])? > 0)
}

/// All ways of servers to a firewall: those that were named first, each way by the servers' ids.
///
/// # Errors
/// The engine's failure.
pub fn servers(tx: &mut dyn Tx, firewall: Id) -> Result<Vec<Edge>> {
    let rows = tx.query(&SERVERS, &[firewall.into()])?;
    rows.iter().map(|row| Ok(Edge { firewall, via: row.text(0)?.to_owned(), server: row.int(1)? })).collect()
}

/// All ways of a server to firewalls, by the firewalls' ids.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Edge>> {
    let rows = tx.query(&OF_SERVER, &[server.into()])?;
    rows.iter().map(|row| Ok(Edge { firewall: row.int(0)?, via: row.text(1)?.to_owned(), server })).collect()
}

/// Removes all ways of a server that goes.
///
/// # Errors
/// The engine's failure.
pub fn forget_server(tx: &mut dyn Tx, server: Id) -> Result<()> {
    tx.execute(&FORGET_SERVER, &[server.into()]).map(|_| ())
}
