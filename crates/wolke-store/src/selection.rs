//! Label selectors that stay live: a firewall or a load balancer names one, and servers join and leave as they come, go and
//! are relabelled.
//!
//! Which servers a selector matches is kept in a table. A change of one server asks each selector of its project once, and
//! no other server: its cost does not depend on how many there are, and how many selectors there can be is bounded.
//!
//! A server without a public interface is selected like any other. An owner that is about public interfaces alone, as a
//! firewall is, asks for those that have one ([`public_of_owner`]); it is touched when that changes.
//!
//! **Invariants:** `selected` holds exactly the servers whose labels match, and `matched` says how many they are; whoever joins or leaves is touched, and so is the
//! selector's owner.

use crate::list;
use crate::load_balancer;
use crate::resource;
use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use std::collections::{BTreeMap, BTreeSet};
use wolke_domain::firewall::check_selected;
use wolke_domain::{Error, Result, label};
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind};

statements! { "selection";
    INSERT = "INSERT INTO selection (id, project, kind, owner, selector) VALUES ($1, $2, $3, $4, $5)";
    IS_FULL = "SELECT id FROM selection WHERE project = $1 ORDER BY id LIMIT 1 OFFSET $2";
    COUNT = "UPDATE selection SET matched = matched + $1 WHERE id = $2";
    MATCHED = "SELECT CAST(COALESCE(SUM(matched), 0) AS BIGINT) FROM selection WHERE kind = $1 AND owner = $2";
    COUNT_OF_OWNER = "SELECT count(*) FROM selection WHERE kind = $1 AND owner = $2";
    FIND = "SELECT id FROM selection WHERE kind = $1 AND owner = $2 AND selector = $3";
    OF_OWNER = "SELECT id, selector FROM selection WHERE kind = $1 AND owner = $2 ORDER BY id";
    OF_PROJECT = "SELECT id, kind, owner, selector FROM selection WHERE project = $1 ORDER BY id";
    DELETE = "DELETE FROM selection WHERE id = $1";
    JOIN = "INSERT INTO selected (selection, server) VALUES ($1, $2)";
    LEAVE = "DELETE FROM selected WHERE selection = $1 AND server = $2";
    LEAVE_ALL = "DELETE FROM selected WHERE selection = $1";
    SERVERS = "SELECT server FROM selected WHERE selection = $1 ORDER BY server";
    TOUCH_SERVERS = "UPDATE servers SET rev = rev + 1 WHERE id IN (SELECT s.server FROM selected s WHERE s.selection = $1)";
    PUBLIC_SERVERS = "SELECT d.server FROM selected d WHERE d.selection = $1 AND EXISTS (SELECT 1 FROM primary_ips p WHERE p.assignee = d.server)
        ORDER BY d.server LIMIT $2";
    SELECTS = "SELECT s.id FROM selected d, selection s WHERE d.server = $1 AND s.id = d.selection AND s.kind = $2 AND s.owner = $3 ORDER BY s.id LIMIT 1";
    OWNERS_OF_SERVER = "SELECT DISTINCT s.kind, s.owner FROM selected d, selection s WHERE d.server = $1 AND s.id = d.selection ORDER BY s.kind, s.owner";
    OF_SERVER = "SELECT s.id, s.kind, s.owner, s.selector FROM selected d, selection s WHERE d.server = $1 AND s.id = d.selection ORDER BY s.id";
}

/// The most selectors of a project: a server that is made or relabelled asks each of them.
pub const PER_PROJECT_MAX: i64 = 1_000;
/// The most servers that a selector may match when its owner gets it: all of them are written to at once, and everybody
/// else waits. Later ones join one by one; a load balancer uses as many as it has room for, and a firewall has its own bound.
pub const SERVERS_MAX: i64 = 25_000;

type Labels = BTreeMap<String, String>;

/// A selector of somebody's, and what it matches now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Its row.
    pub id: Id,
    /// As it was given.
    pub selector: String,
    /// The servers that it matches, in the order of their ids.
    pub servers: Vec<Id>,
}

/// Whose selector a server is matched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The kind of the owner.
    pub kind: Kind,
    /// The owner.
    pub owner: Id,
    /// The selector, as it was given.
    pub selector: String,
}

/// A selector of a project, as a row.
struct Known {
    id: Id,
    by: Selected,
}

fn known(row: &crate::value::Row) -> Result<Known> {
    let by = Selected { kind: owner_kind(row.text(1)?)?, owner: row.int(2)?, selector: row.text(3)?.to_owned() };
    Ok(Known { id: row.int(0)?, by })
}

fn owner_kind(text: &str) -> Result<Kind> {
    Kind::from_singular(text).ok_or_else(|| Error::internal(format!("unknown owner of a selector {text}")))
}

fn parsed(text: &str) -> Result<Selector> {
    Selector::parse(text).map_err(|error| Error::internal(format!("a stored selector: {error}")))
}

/// Lets an owner select servers of its project from now on; returns those that match. The caller has checked the selector and
/// touches the owner.
///
/// # Errors
/// `resource_limit_exceeded` beyond [`PER_PROJECT_MAX`] or [`SERVERS_MAX`]; the engine's failure, also when the owner has this
/// selector already ([`has`]).
pub fn add(tx: &mut dyn Tx, project: Id, (kind, owner): (Kind, Id), selector: &str) -> Result<Vec<Id>> {
    if tx.query_one(&IS_FULL, &[project.into(), (PER_PROJECT_MAX - 1).into()])?.is_some() {
        return Err(Error::too_many_selectors(PER_PROJECT_MAX));
    }
    let id = tx.next_id(Counter::Selection)?;
    let params = [id.into(), project.into(), kind.singular().into(), owner.into(), selector.into()];
    tx.execute_one(&INSERT, &params)?;
    let servers = list::select_into(tx, id, project, &parsed(selector)?, SERVERS_MAX + 1)?;
    if servers.len() as i64 > SERVERS_MAX {
        return Err(Error::too_many_selected(selector, SERVERS_MAX));
    }
    tx.execute_one(&COUNT, &[(servers.len() as i64).into(), id.into()])?;
    touch_servers(tx, id)?;
    Ok(servers)
}

/// Whether an owner has this selector, letter by letter.
///
/// # Errors
/// The engine's failure.
pub fn has(tx: &mut dyn Tx, (kind, owner): (Kind, Id), selector: &str) -> Result<bool> {
    Ok(find(tx, (kind, owner), selector)?.is_some())
}

/// How many selectors an owner has.
///
/// # Errors
/// The engine's failure.
pub fn count_of_owner(tx: &mut dyn Tx, (kind, owner): (Kind, Id)) -> Result<i64> {
    tx.query_one(&COUNT_OF_OWNER, &[kind.singular().into(), owner.into()])?.map_or(Ok(0), |row| row.int(0))
}

fn find(tx: &mut dyn Tx, (kind, owner): (Kind, Id), selector: &str) -> Result<Option<Id>> {
    let params = [kind.singular().into(), owner.into(), selector.into()];
    tx.query_one(&FIND, &params)?.map(|row| row.int(0)).transpose()
}

/// How many servers the selectors of an owner match, each selector counted by itself.
///
/// # Errors
/// The engine's failure.
pub fn matched(tx: &mut dyn Tx, (kind, owner): (Kind, Id)) -> Result<i64> {
    tx.query_one(&MATCHED, &[kind.singular().into(), owner.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// Takes a selector from its owner; returns the servers that it matched, none when the owner did not have it. The caller
/// touches the owner.
///
/// # Errors
/// The engine's failure.
pub fn remove(tx: &mut dyn Tx, owner: (Kind, Id), selector: &str) -> Result<Option<Vec<Id>>> {
    match find(tx, owner, selector)? {
        Some(id) => drop_one(tx, id).map(Some),
        None => Ok(None),
    }
}

/// Takes all selectors from an owner that goes.
///
/// # Errors
/// The engine's failure.
pub fn forget(tx: &mut dyn Tx, (kind, owner): (Kind, Id)) -> Result<()> {
    for row in tx.query(&OF_OWNER, &[kind.singular().into(), owner.into()])? {
        drop_one(tx, row.int(0)?)?;
    }
    Ok(())
}

fn drop_one(tx: &mut dyn Tx, id: Id) -> Result<Vec<Id>> {
    let servers = servers(tx, id)?;
    touch_servers(tx, id)?;
    tx.execute(&LEAVE_ALL, &[id.into()])?;
    tx.execute_one(&DELETE, &[id.into()])?;
    Ok(servers)
}

/// The servers that a selector of an owner's matches, in the order of their ids.
///
/// # Errors
/// The engine's failure.
pub fn servers_of(tx: &mut dyn Tx, owner: (Kind, Id), selector: &str) -> Result<Vec<Id>> {
    find(tx, owner, selector)?.map_or(Ok(Vec::new()), |id| servers(tx, id))
}

/// What servers show has changed, and what their load balancers show of them.
fn touch_servers(tx: &mut dyn Tx, selection: Id) -> Result<()> {
    tx.execute(&TOUCH_SERVERS, &[selection.into()])?;
    load_balancer::touch_of_selected(tx, selection)
}

fn servers(tx: &mut dyn Tx, selection: Id) -> Result<Vec<Id>> {
    tx.query(&SERVERS, &[selection.into()])?.iter().map(|row| row.int(0)).collect()
}

/// The selectors of an owner in the order in which it got them, with what they match.
///
/// # Errors
/// The engine's failure.
pub fn of_owner(tx: &mut dyn Tx, owner: (Kind, Id)) -> Result<Vec<Selection>> {
    each_of_owner(tx, owner, servers)
}

/// As [`of_owner`], with those servers alone that have a public interface, and of each selector at most `limit` of them.
///
/// # Errors
/// The engine's failure.
pub fn public_of_owner(tx: &mut dyn Tx, owner: (Kind, Id), limit: i64) -> Result<Vec<Selection>> {
    each_of_owner(tx, owner, |tx, selection| public_servers(tx, selection, limit))
}

fn each_of_owner(
    tx: &mut dyn Tx,
    (kind, owner): (Kind, Id),
    servers: impl Fn(&mut dyn Tx, Id) -> Result<Vec<Id>>,
) -> Result<Vec<Selection>> {
    let rows = tx.query(&OF_OWNER, &[kind.singular().into(), owner.into()])?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = row.int(0)?;
        found.push(Selection { id, selector: row.text(1)?.to_owned(), servers: servers(tx, id)? });
    }
    Ok(found)
}

fn public_servers(tx: &mut dyn Tx, selection: Id, limit: i64) -> Result<Vec<Id>> {
    tx.query(&PUBLIC_SERVERS, &[selection.into(), limit.into()])?.iter().map(|row| row.int(0)).collect()
}

/// Those servers of a selector of an owner's that have a public interface, at most `limit`, in the order of their ids.
///
/// # Errors
/// The engine's failure.
pub fn public_of(tx: &mut dyn Tx, owner: (Kind, Id), selector: &str, limit: i64) -> Result<Vec<Id>> {
    match find(tx, owner, selector)? {
        Some(id) => public_servers(tx, id, limit),
        None => Ok(Vec::new()),
    }
}

/// Whether any selector of an owner matches a server.
///
/// # Errors
/// The engine's failure.
pub fn selects(tx: &mut dyn Tx, (kind, owner): (Kind, Id), server: Id) -> Result<bool> {
    let params = [server.into(), kind.singular().into(), owner.into()];
    Ok(tx.query_one(&SELECTS, &params)?.is_some())
}

/// Whose selectors match a server now. An owner with several of them stands there several times.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Selected>> {
    tx.query(&OF_SERVER, &[server.into()])?.iter().map(|row| known(row).map(|known| known.by)).collect()
}

/// A server is new or was relabelled: it joins and leaves. Its own rev is moved by whoever writes it.
///
/// # Errors
/// `resource_limit_exceeded` when it would be one server too many for a firewall; the engine's failure.
pub(crate) fn follow(tx: &mut dyn Tx, project: Id, server: Id, old: Option<&Labels>, new: &Labels) -> Result<()> {
    if old == Some(new) {
        return Ok(());
    }
    let (mut owners, mut joined) = (BTreeSet::new(), BTreeMap::new());
    for row in tx.query(&OF_PROJECT, &[project.into()])? {
        let Known { id, by } = known(&row)?;
        let selector = parsed(&by.selector)?;
        let was = old.is_some_and(|labels| label::matches(&selector, labels));
        let (change, by_one) = match (was, label::matches(&selector, new)) {
            (false, true) => (&JOIN, 1),
            (true, false) => (&LEAVE, -1),
            _ => continue,
        };
        tx.execute_one(change, &[id.into(), server.into()])?;
        tx.execute_one(&COUNT, &[by_one.into(), id.into()])?;
        owners.insert((by.kind, by.owner));
        if by.kind == Kind::Firewall {
            *joined.entry(by.owner).or_insert(0) += by_one;
        }
    }
    // Whoever only changes selectors of a firewall is no server more.
    for (firewall, _) in joined.into_iter().filter(|(_, more)| *more > 0) {
        check_selected(matched(tx, (Kind::Firewall, firewall))?)?;
    }
    owners.into_iter().try_for_each(|(kind, owner)| resource::touch(tx, kind, owner))
}

/// A server got or lost a public interface: what shows that is touched. Its own rev is moved by whoever writes it.
///
/// # Errors
/// The engine's failure.
pub(crate) fn interfaces_changed(tx: &mut dyn Tx, server: Id) -> Result<()> {
    for row in tx.query(&OWNERS_OF_SERVER, &[server.into()])? {
        resource::touch(tx, owner_kind(row.text(0)?)?, row.int(1)?)?;
    }
    Ok(())
}

/// A server is gone: it leaves.
///
/// # Errors
/// The engine's failure.
pub(crate) fn leave(tx: &mut dyn Tx, server: Id) -> Result<()> {
    let mut owners = BTreeSet::new();
    for row in tx.query(&OF_SERVER, &[server.into()])? {
        let Known { id, by } = known(&row)?;
        tx.execute_one(&LEAVE, &[id.into(), server.into()])?;
        tx.execute_one(&COUNT, &[(-1).into(), id.into()])?;
        owners.insert((by.kind, by.owner));
    }
    owners.into_iter().try_for_each(|(kind, owner)| resource::touch(tx, kind, owner))
}
