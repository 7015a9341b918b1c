//! Ids and generations on the embedded engine: counter rows inside the transaction, so a refused request takes none.

use crate::counter;
use crate::tx::{Counter, Tx};
use wolke_domain::{Error, Result};
use wolke_wire::{ID_MAX, Id};

pub(crate) fn next(tx: &mut dyn Tx, counter: Counter, count: i64) -> Result<Id> {
    let first = counter::advance(tx, counter, count)?;
    if first > ID_MAX - count {
        return Err(Error::internal(format!("the ids of {} are used up", counter.name())));
    }
    Ok(first)
}
