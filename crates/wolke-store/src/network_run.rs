//! Which addresses of a network are taken, as runs without a gap: what finds the lowest free one without reading the others.
//!
//! **Invariant:** the runs of a network hold exactly the addresses of `network_addresses`, and between two of them lies a free one.

use crate::stmt::statements;
use crate::tx::Tx;
use wolke_domain::{Error, Result};
use wolke_wire::Id;

statements! { "network_run";
    AT_OR_BELOW = "SELECT first, last FROM network_runs WHERE network = $1 AND first <= $2 ORDER BY first DESC LIMIT 1";
    AT = "SELECT last FROM network_runs WHERE network = $1 AND first = $2";
    INSERT = "INSERT INTO network_runs (network, first, last) VALUES ($1, $2, $3)";
    END = "UPDATE network_runs SET last = $1 WHERE network = $2 AND first = $3";
    DELETE = "DELETE FROM network_runs WHERE network = $1 AND first = $2";
    DELETE_ALL = "DELETE FROM network_runs WHERE network = $1";
}

/// The run that begins at an address or below it.
fn at_or_below(tx: &mut dyn Tx, network: Id, address: i64) -> Result<Option<(i64, i64)>> {
    let row = tx.query_one(&AT_OR_BELOW, &[network.into(), address.into()])?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?))).transpose()
}

/// The lowest address from one on that nobody has.
///
/// # Errors
/// The engine's failure.
pub(crate) fn free_from(tx: &mut dyn Tx, network: Id, address: i64) -> Result<i64> {
    Ok(match at_or_below(tx, network, address)? {
        Some((_, last)) if last >= address => last + 1,
        _ => address,
    })
}

/// An address was free and is not any more.
///
/// # Errors
/// The engine's failure.
pub(crate) fn take(tx: &mut dyn Tx, network: Id, address: i64) -> Result<()> {
    let below = at_or_below(tx, network, address)?.filter(|(_, last)| *last == address - 1);
    let above = tx.query_one(&AT, &[network.into(), (address + 1).into()])?;
    let last = match above {
        Some(row) => {
            tx.execute_one(&DELETE, &[network.into(), (address + 1).into()])?;
            row.int(0)?
        }
        None => address,
    };
    match below {
        Some((first, _)) => tx.execute_one(&END, &[last.into(), network.into(), first.into()]),
        None => tx.execute_one(&INSERT, &[network.into(), address.into(), last.into()]),
    }
}

/// An address was taken and is free.
///
/// # Errors
/// Internal when it was free.
pub(crate) fn give(tx: &mut dyn Tx, network: Id, address: i64) -> Result<()> {
    let run = at_or_below(tx, network, address)?.filter(|(_, last)| *last >= address);
    let (first, last) = run.ok_or_else(|| Error::internal("an address of no run"))?;
    if first == address {
        tx.execute_one(&DELETE, &[network.into(), first.into()])?;
    } else {
        tx.execute_one(&END, &[(address - 1).into(), network.into(), first.into()])?;
    }
    if last == address {
        return Ok(());
    }
    tx.execute_one(&INSERT, &[network.into(), (address + 1).into(), last.into()])
}

/// All addresses are free.
///
/// # Errors
/// The engine's failure.
pub(crate) fn give_all(tx: &mut dyn Tx, network: Id) -> Result<()> {
    tx.execute(&DELETE_ALL, &[network.into()]).map(|_| ())
}
