//! The vSwitches of dedicated servers: which of them the operator knows, and which network each is coupled with.

use crate::project::{LIST_PAGE, by_pages};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::Row;
use wolke_domain::{Error, Result};
use wolke_wire::Id;

statements! { "vswitch";
    INSERT = "INSERT INTO vswitches (id, network) VALUES ($1, NULL) ON CONFLICT (id) DO NOTHING";
    GET = "SELECT id, network FROM vswitches WHERE id = $1";
    LIST = "SELECT id, network FROM vswitches WHERE id > $1 ORDER BY id LIMIT $2";
    DELETE = "DELETE FROM vswitches WHERE id = $1 AND network IS NULL";
    COUPLE = "UPDATE vswitches SET network = $1 WHERE id = $2 AND network IS NULL";
    RELEASE = "UPDATE vswitches SET network = NULL WHERE id = $1";
    RELEASE_ALL = "UPDATE vswitches SET network = NULL WHERE network = $1";
}

/// A vSwitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vswitch {
    /// Its id, which the operator has given.
    pub id: Id,
    /// The network that it is coupled with.
    pub network: Option<Id>,
}

fn vswitch(row: &Row) -> Result<Vswitch> {
    Ok(Vswitch { id: row.int(0)?, network: row.opt_int(1)? })
}

/// Makes a vSwitch known; one that is known already stays as it is.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, id: Id) -> Result<()> {
    tx.execute(&INSERT, &[id.into()]).map(|_| ())
}

/// A vSwitch.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, id: Id) -> Result<Option<Vswitch>> {
    tx.query_one(&GET, &[id.into()])?.as_ref().map(vswitch).transpose()
}

/// All vSwitches, by id: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx) -> Result<Vec<Vswitch>> {
    by_pages(
        |after| tx.query(&LIST, &[after.into(), LIST_PAGE.into()])?.iter().map(vswitch).collect(),
        |vswitch| vswitch.id,
    )
}

/// Forgets a vSwitch that is coupled with no network; false when there is none.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[id.into()])? > 0)
}

/// Couples a vSwitch with a network.
///
/// # Errors
/// `vswitch not found`; `vswitch_id_already_used`.
pub fn couple(tx: &mut dyn Tx, id: Id, network: Id) -> Result<()> {
    if tx.execute(&COUPLE, &[network.into(), id.into()])? > 0 {
        return Ok(());
    }
    Err(if get(tx, id)?.is_some() { Error::vswitch_used() } else { Error::vswitch_not_found() })
}

/// Takes a vSwitch from its network.
///
/// # Errors
/// The engine's failure.
pub fn release(tx: &mut dyn Tx, id: Id) -> Result<()> {
    tx.execute(&RELEASE, &[id.into()]).map(|_| ())
}

/// Takes all vSwitches from a network that goes.
///
/// # Errors
/// The engine's failure.
pub fn release_all(tx: &mut dyn Tx, network: Id) -> Result<()> {
    tx.execute(&RELEASE_ALL, &[network.into()]).map(|_| ())
}
