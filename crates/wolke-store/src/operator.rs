//! What the operator has decided at run time: changes of the catalogue, stock, private ISOs, injected faults.
//!
//! **Invariant:** whatever changes what somebody could see bumps the epoch in the same transaction ([`bump`]). Stock that is
//! counted without becoming or ceasing to be zero is nothing that anybody sees.

use crate::project::by_pages;
use crate::stmt::statements;
use crate::tx::{Counter, Signal, Tx};
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use wolke_domain::fault::Fault;
use wolke_domain::{Error, Result};
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{Id, Kind};

statements! { "operator";
    EPOCH = "SELECT epoch FROM operator_state WHERE id = 1";
    BUMP = "INSERT INTO operator_state (id, epoch) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET epoch = operator_state.epoch + 1";
    CHANGES = "SELECT name, doc FROM catalogue_change WHERE kind = $1 ORDER BY name";
    CHANGE = "SELECT doc FROM catalogue_change WHERE kind = $1 AND name = $2";
    CHANGE_PUT = "INSERT INTO catalogue_change (kind, name, doc) VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO UPDATE SET doc = excluded.doc";
    CHANGE_DELETE = "DELETE FROM catalogue_change WHERE kind = $1 AND name = $2";
    STOCK = "SELECT server_type, location, remaining FROM stock WHERE server_type > 0 ORDER BY server_type, location";
    STOCK_SET = "INSERT INTO stock (server_type, location, remaining) VALUES ($1, $2, $3)
        ON CONFLICT (server_type, location) DO UPDATE SET remaining = excluded.remaining";
    STOCK_LIFT = "DELETE FROM stock WHERE server_type = $1 AND location = $2";
    STOCK_GET = "SELECT remaining FROM stock WHERE server_type = $1 AND location = $2";
    STOCK_TAKE = "UPDATE stock SET remaining = remaining - 1 WHERE server_type = $1 AND location = $2 AND remaining > 0 RETURNING remaining";
    STOCK_GIVE = "UPDATE stock SET remaining = remaining + 1 WHERE server_type = $1 AND location = $2 RETURNING remaining";
    ISO_INSERT = "INSERT INTO private_isos (id, project, rev, doc) VALUES ($1, $2, 1, $3)";
    ISO_GET = "SELECT id, project, rev, doc FROM private_isos WHERE project = $1 AND id = $2";
    ISO_OF_ANYBODY = "SELECT id, project, rev, doc FROM private_isos WHERE id = $1";
    ISO_OF_PROJECT = "SELECT id, project, rev, doc FROM private_isos WHERE project = $1 ORDER BY id";
    ISO_LIST = "SELECT id, project, rev, doc FROM private_isos WHERE id > $1 ORDER BY id LIMIT $2";
    ISO_UPDATE = "UPDATE private_isos SET rev = rev + 1, doc = $1 WHERE id = $2";
    FAULT_INSERT = "INSERT INTO fault (id, doc, remaining) VALUES ($1, $2, $3)";
    FAULT_LIST = "SELECT id, doc, remaining FROM fault WHERE id > $1 ORDER BY id LIMIT $2";
    FAULT_DELETE = "DELETE FROM fault WHERE id = $1";
    FAULT_COUNT = "UPDATE fault SET remaining = remaining - 1 WHERE id = $1 AND remaining > 0 RETURNING remaining";
}

/// The kinds of catalogue entries that can be changed at run time.
pub const CHANGED_KINDS: [Kind; 7] = [
    Kind::Location,
    Kind::Datacenter,
    Kind::ServerType,
    Kind::LoadBalancerType,
    Kind::StorageBoxType,
    Kind::Image,
    Kind::Iso,
];

/// A change of the catalogue: an entry in the form of the catalogue's file, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is an entry of.
    pub kind: Kind,
    /// The entry's name.
    pub name: String,
    /// The entry, or the part of it that differs.
    pub doc: String,
}

/// What a location has left of a server type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// The server type's id.
    pub server_type: Id,
    /// The location's id.
    pub location: Id,
    /// How many more servers can be made.
    pub remaining: i64,
}

/// What came of taking one from stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There is no limit.
    Unlimited,
    /// So many are left.
    Left(i64),
    /// There was none left.
    SoldOut,
}

/// An ISO of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateIso {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// The rest.
    pub details: PrivateIsoDetails,
}

/// The part of a private ISO that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateIsoDetails {
    /// The document's version.
    pub v: u32,
    /// For people.
    pub description: String,
    /// The instruction set; any when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// Set when the operator takes it away: it stays readable by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
}

/// How often the operator has changed what somebody could see.
///
/// # Errors
/// The engine's failure.
pub fn epoch(tx: &mut dyn Tx) -> Result<i64> {
    tx.query_one(&EPOCH, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Says that what somebody could see has changed.
///
/// # Errors
/// The engine's failure.
pub fn bump(tx: &mut dyn Tx) -> Result<()> {
    tx.execute(&BUMP, &[])?;
    tx.signal(Signal::OperatorChanged);
    Ok(())
}

/// All changes of the catalogue, by kind and name.
///
/// # Errors
/// The engine's failure.
pub fn changes(tx: &mut dyn Tx) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for kind in CHANGED_KINDS {
        for row in tx.query(&CHANGES, &[kind.singular().into()])? {
            changes.push(Change { kind, name: row.text(0)?.to_owned(), doc: row.text(1)?.to_owned() });
        }
    }
    Ok(changes)
}

/// The change of one entry.
///
/// # Errors
/// The engine's failure.
pub fn change(tx: &mut dyn Tx, kind: Kind, name: &str) -> Result<Option<Change>> {
    let row = tx.query_one(&CHANGE, &[kind.singular().into(), name.into()])?;
    row.map(|row| Ok(Change { kind, name: name.to_owned(), doc: row.text(0)?.to_owned() })).transpose()
}

/// Writes the changes of entries.
///
/// # Errors
/// The engine's failure.
pub fn put_changes<'a>(tx: &mut dyn Tx, changes: impl IntoIterator<Item = &'a Change>) -> Result<()> {
    for change in changes {
        tx.execute_one(&CHANGE_PUT, &[change.kind.singular().into(), (&change.name).into(), (&change.doc).into()])?;
    }
    bump(tx)
}

/// Forgets the change of one entry; false when there was none.
///
/// # Errors
/// The engine's failure.
pub fn delete_change(tx: &mut dyn Tx, kind: Kind, name: &str) -> Result<bool> {
    let deleted = tx.execute(&CHANGE_DELETE, &[kind.singular().into(), name.into()])? > 0;
    if deleted {
        bump(tx)?;
    }
    Ok(deleted)
}

/// All stock that is limited.
///
/// # Errors
/// The engine's failure.
pub fn stock(tx: &mut dyn Tx) -> Result<Vec<Stock>> {
    let stock = |row: &Row| Ok(Stock { server_type: row.int(0)?, location: row.int(1)?, remaining: row.int(2)? });
    tx.query(&STOCK, &[])?.iter().map(stock).collect()
}

/// Limits what a location has left of a type, or lifts the limit.
///
/// # Errors
/// The engine's failure.
pub fn set_stock(tx: &mut dyn Tx, server_type: Id, location: Id, remaining: Option<i64>) -> Result<()> {
    match remaining {
        Some(n) => tx.execute(&STOCK_SET, &[server_type.into(), location.into(), n.into()])?,
        None => tx.execute(&STOCK_LIFT, &[server_type.into(), location.into()])?,
    };
    bump(tx)
}

/// What a location has left of a type; none without a limit.
///
/// # Errors
/// The engine's failure.
pub fn left_in_stock(tx: &mut dyn Tx, server_type: Id, location: Id) -> Result<Option<i64>> {
    tx.query_one(&STOCK_GET, &[server_type.into(), location.into()])?.map(|row| row.int(0)).transpose()
}

/// Takes one from stock.
///
/// # Errors
/// The engine's failure.
pub fn take_stock(tx: &mut dyn Tx, server_type: Id, location: Id) -> Result<Taken> {
    let key = [server_type.into(), location.into()];
    if let Some(row) = tx.query_one(&STOCK_TAKE, &key)? {
        let left = row.int(0)?;
        if left == 0 {
            bump(tx)?;
        }
        return Ok(Taken::Left(left));
    }
    Ok(if tx.query_one(&STOCK_GET, &key)?.is_some() { Taken::SoldOut } else { Taken::Unlimited })
}

/// Gives one back to stock; nothing happens where there is no limit.
///
/// # Errors
/// The engine's failure.
pub fn give_stock(tx: &mut dyn Tx, server_type: Id, location: Id) -> Result<()> {
    match tx.query_one(&STOCK_GIVE, &[server_type.into(), location.into()])? {
        Some(row) if row.int(0)? == 1 => bump(tx),
        _ => Ok(()),
    }
}

fn private_iso(row: &Row) -> Result<(i64, PrivateIso)> {
    Ok((row.int(2)?, PrivateIso { id: row.int(0)?, project: row.int(1)?, details: row.json(3)? }))
}

/// Inserts a private ISO.
///
/// # Errors
/// The engine's failure.
pub fn insert_iso(tx: &mut dyn Tx, new: &PrivateIso) -> Result<()> {
    tx.execute_one(&ISO_INSERT, &[new.id.into(), new.project.into(), json_text(&new.details)?])?;
    bump(tx)
}

/// A private ISO of a project, with its rev.
///
/// # Errors
/// The engine's failure.
pub fn iso(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<(i64, PrivateIso)>> {
    tx.query_one(&ISO_GET, &[project.into(), id.into()])?.as_ref().map(private_iso).transpose()
}

/// A private ISO, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn iso_of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<PrivateIso>> {
    let row = tx.query_one(&ISO_OF_ANYBODY, &[id.into()])?;
    row.as_ref().map(|row| private_iso(row).map(|(_, iso)| iso)).transpose()
}

/// The private ISOs of a project, by id.
///
/// # Errors
/// The engine's failure.
pub fn isos_of_project(tx: &mut dyn Tx, project: Id) -> Result<Vec<PrivateIso>> {
    tx.query(&ISO_OF_PROJECT, &[project.into()])?.iter().map(|row| private_iso(row).map(|(_, iso)| iso)).collect()
}

/// All private ISOs, by id: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn isos(tx: &mut dyn Tx) -> Result<Vec<PrivateIso>> {
    by_pages(
        |after| {
            let rows = tx.query(&ISO_LIST, &[after.into(), crate::project::LIST_PAGE.into()])?;
            rows.iter().map(|row| private_iso(row).map(|(_, iso)| iso)).collect()
        },
        |iso| iso.id,
    )
}

/// Writes a changed private ISO back.
///
/// # Errors
/// The engine's failure.
pub fn update_iso(tx: &mut dyn Tx, iso: &PrivateIso) -> Result<()> {
    tx.execute_one(&ISO_UPDATE, &[json_text(&iso.details)?, iso.id.into()])?;
    bump(tx)
}

/// Inserts a fault; returns its id.
///
/// # Errors
/// The engine's failure.
pub fn insert_fault(tx: &mut dyn Tx, fault: &Fault) -> Result<Id> {
    let id = tx.next_id(Counter::Operator)?;
    tx.execute_one(&FAULT_INSERT, &[id.into(), json_text(fault)?, fault.calls.into()])?;
    bump(tx)?;
    Ok(id)
}

/// All faults, by id; `calls` is how many are left.
///
/// # Errors
/// The engine's failure.
pub fn faults(tx: &mut dyn Tx) -> Result<Vec<(Id, Fault)>> {
    by_pages(
        |after| {
            let rows = tx.query(&FAULT_LIST, &[after.into(), crate::project::LIST_PAGE.into()])?;
            rows.iter()
                .map(|row| Ok((row.int(0)?, Fault { calls: row.opt_int(2)?, ..row.json(1)? })))
                .collect::<Result<_>>()
        },
        |(id, _)| *id,
    )
}

/// Removes a fault; false when there was none.
///
/// # Errors
/// The engine's failure.
pub fn delete_fault(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    let deleted = tx.execute(&FAULT_DELETE, &[id.into()])? > 0;
    if deleted {
        bump(tx)?;
    }
    Ok(deleted)
}

/// Counts a call that a fault has answered; the last one removes it. False when others have used it up.
///
/// # Errors
/// The engine's failure.
pub fn count_fault(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    let Some(row) = tx.query_one(&FAULT_COUNT, &[id.into()])? else { return Ok(false) };
    if row.int(0)? == 0 && !delete_fault(tx, id)? {
        return Err(Error::internal("a fault is gone while it was counted"));
    }
    Ok(true)
}
