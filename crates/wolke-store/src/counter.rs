//! Counter rows: where ids come from.

use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use wolke_domain::{Error, Result};
use wolke_wire::Id;

statements! { "counter";
    /// The first call of a counter makes its row.
    ADVANCE = "INSERT INTO counter (name, next) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET next = counter.next + $3 RETURNING next";
}

/// Advances a counter by `count` and returns the first of the ids taken. Counters start at 1.
///
/// # Errors
/// The engine's failure.
pub(crate) fn advance(tx: &mut dyn Tx, counter: Counter, count: i64) -> Result<Id> {
    let row = tx.query_one(&ADVANCE, &[counter.name().into(), (1 + count).into(), count.into()])?;
    let next = row.ok_or_else(|| Error::internal("a counter answered nothing"))?.int(0)?;
    Ok(next - count)
}
