//! Firewalls, and what they are applied to.
//!
//! `firewall_servers` holds the servers that were named themselves; those that a firewall selects by their labels are in
//! [`crate::selection`]. A firewall guards public interfaces: of whom it selects it shows, and is shown by, those that have
//! one.
//!
//! **Invariant:** no server has more than `wolke_domain::firewall::PER_SERVER_MAX` firewalls, in either way, with an interface
//! or without.

use crate::named::{self, Head, Named, common};
use crate::resource;
use crate::selection::{self, Selection};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_wire::cloud::firewall::Rule;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "firewall";
    INSERT = "INSERT INTO firewalls (id, project, name, created, rev, generation, doc)
        VALUES ($1, $2, $3, $4, 1, 1, $5) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc FROM firewalls WHERE project = $1 AND id = $2";
    NAME_TAKEN = "SELECT id FROM firewalls WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE firewalls SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2 WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM firewalls WHERE id = $1";
    SERVER_ADD = "INSERT INTO firewall_servers (firewall, server) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    SERVER_REMOVE = "DELETE FROM firewall_servers WHERE firewall = $1 AND server = $2";
    SERVERS = "SELECT server FROM firewall_servers WHERE firewall = $1 ORDER BY server LIMIT $2";
    IS_FULL = "SELECT server FROM firewall_servers WHERE firewall = $1 ORDER BY server LIMIT 1 OFFSET $2";
    NAMED = "SELECT firewall FROM firewall_servers WHERE server = $1 ORDER BY firewall";
    OF_SERVER = "SELECT f.firewall FROM firewall_servers f WHERE f.server = $1 UNION SELECT n.owner FROM selected d, selection n
        WHERE d.server = $2 AND n.id = d.selection AND n.kind = 'firewall' AND EXISTS (SELECT 1 FROM primary_ips p WHERE p.assignee = d.server) ORDER BY 1";
    COUNT_OF_SERVER = "SELECT count(*) FROM (SELECT f.firewall FROM firewall_servers f WHERE f.server = $1 UNION SELECT n.owner FROM selected d, selection n
        WHERE d.server = $2 AND n.id = d.selection AND n.kind = 'firewall') driver";
    OVERLOADED = "SELECT d.server FROM selection n, selected d WHERE n.kind = 'firewall' AND n.owner = $1 AND n.selector = $2 AND d.selection = n.id AND
        (SELECT count(*) FROM (SELECT f.firewall FROM firewall_servers f WHERE f.server = d.server UNION SELECT m.owner FROM selected e, selection m
        WHERE e.server = d.server AND m.id = e.selection AND m.kind = 'firewall') driver) > $3 ORDER BY d.server LIMIT 1";
    /// Those with a public interface that nothing else holds behind the firewall.
    LEAVING = "SELECT d.server FROM selection n, selected d WHERE n.kind = 'firewall' AND n.owner = $1 AND n.selector = $2 AND d.selection = n.id
        AND EXISTS (SELECT 1 FROM primary_ips p WHERE p.assignee = d.server)
        AND NOT EXISTS (SELECT 1 FROM firewall_servers f WHERE f.firewall = n.owner AND f.server = d.server)
        AND NOT EXISTS (SELECT 1 FROM selected e, selection m WHERE e.server = d.server AND e.selection <> n.id AND m.id = e.selection
        AND m.kind = 'firewall' AND m.owner = n.owner) ORDER BY d.server";
    FORGET_SERVER = "DELETE FROM firewall_servers WHERE server = $1";
}

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

/// What a new selector has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// How many servers it matches.
    pub matched: i64,
    /// Servers with a public interface that it brings behind the firewall, in the order of their ids.
    pub reached: Vec<Id>,
}

/// What a firewall is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The servers that were named, in the order of their ids.
    pub servers: Vec<Id>,
    /// The selectors, with those servers that have a public interface.
    pub selectors: Vec<Selection>,
}

/// The servers of a selector that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// All that it matched.
    pub matched: Vec<Id>,
    /// Those that are not behind the firewall any more.
    pub left: Vec<Id>,
}

impl Named for Firewall {
    common!(Kind::Firewall);

    fn read(head: Head<String, Details>, _: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details })
    }
}

named::functions!(Firewall: insert, get, expect, update, delete);

/// Adds a selector; returns what it matches, with the first `limit` of those servers that it brings behind the firewall. None
/// when the firewall has it already. The servers are touched, the firewall is the caller's.
///
/// # Errors
/// As [`selection::add`].
pub fn add_selector(
    tx: &mut dyn Tx,
    (project, firewall): (Id, Id),
    selector: &str,
    limit: i64,
) -> Result<Option<Added>> {
    let owner = (Kind::Firewall, firewall);
    if selection::has(tx, owner, selector)? {
        return Ok(None);
    }
    let matched = selection::add(tx, project, owner, selector)?.len() as i64;
    Ok(Some(Added { matched, reached: selection::public_of(tx, owner, selector, limit)? }))
}

/// Removes a selector; none when the firewall has it not. The servers are touched, the firewall is the caller's.
///
/// # Errors
/// The engine's failure.
pub fn remove_selector(tx: &mut dyn Tx, firewall: Id, selector: &str) -> Result<Option<Removed>> {
    let left = tx.query(&LEAVING, &[firewall.into(), selector.into()])?;
    let left = left.iter().map(|row| row.int(0)).collect::<Result<_>>()?;
    let matched = selection::remove(tx, (Kind::Firewall, firewall), selector)?;
    Ok(matched.map(|matched| Removed { matched, left }))
}

/// Names a server; false when it was named already.
///
/// # Errors
/// The engine's failure.
pub fn add_server(tx: &mut dyn Tx, firewall: Id, server: Id) -> Result<bool> {
    Ok(tx.execute(&SERVER_ADD, &[firewall.into(), server.into()])? > 0)
}

/// Takes a server that was named away; false when it was not.
///
/// # Errors
/// The engine's failure.
pub fn remove_server(tx: &mut dyn Tx, firewall: Id, server: Id) -> Result<bool> {
    Ok(tx.execute(&SERVER_REMOVE, &[firewall.into(), server.into()])? > 0)
}

/// Whether more servers than `max` were named.
///
/// # Errors
/// The engine's failure.
pub fn has_more_servers_than(tx: &mut dyn Tx, firewall: Id, max: i64) -> Result<bool> {
    Ok(tx.query_one(&IS_FULL, &[firewall.into(), max.into()])?.is_some())
}

fn named(tx: &mut dyn Tx, firewall: Id, limit: i64) -> Result<Vec<Id>> {
    tx.query(&SERVERS, &[firewall.into(), limit.into()])?.iter().map(|row| row.int(0)).collect()
}

/// What a firewall is applied to: of the servers named, and of those of each selector, at most `limit`.
///
/// # Errors
/// The engine's failure.
pub fn applied(tx: &mut dyn Tx, firewall: Id, limit: i64) -> Result<Applied> {
    let selectors = selection::public_of_owner(tx, (Kind::Firewall, firewall), limit)?;
    Ok(Applied { servers: named(tx, firewall, limit)?, selectors })
}

/// Whether a firewall is applied to anything, also to a selector that matches nobody.
///
/// # Errors
/// The engine's failure.
pub fn is_applied(tx: &mut dyn Tx, firewall: Id) -> Result<bool> {
    Ok(selection::count_of_owner(tx, (Kind::Firewall, firewall))? > 0 || !named(tx, firewall, 1)?.is_empty())
}

/// The firewalls that guard a server, in the order of their ids.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
    tx.query(&OF_SERVER, &[server.into(), server.into()])?.iter().map(|row| row.int(0)).collect()
}

/// How many firewalls a server has, named or selected, whether it has a public interface or not.
///
/// # Errors
/// The engine's failure.
pub fn count_of_server(tx: &mut dyn Tx, server: Id) -> Result<i64> {
    tx.query_one(&COUNT_OF_SERVER, &[server.into(), server.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// A server of a selector of a firewall's that has more than `max` firewalls.
///
/// # Errors
/// The engine's failure.
pub fn overloaded(tx: &mut dyn Tx, firewall: Id, selector: &str, max: i64) -> Result<Option<Id>> {
    let params = [firewall.into(), selector.into(), max.into()];
    tx.query_one(&OVERLOADED, &params)?.map(|row| row.int(0)).transpose()
}

/// Forgets that a server that goes was named, and touches the firewalls that it was named by.
///
/// # Errors
/// The engine's failure.
pub fn forget_server(tx: &mut dyn Tx, server: Id) -> Result<()> {
    let firewalls = tx.query(&NAMED, &[server.into()])?;
    tx.execute(&FORGET_SERVER, &[server.into()])?;
    firewalls.iter().try_for_each(|row| resource::touch(tx, Kind::Firewall, row.int(0)?))
}
