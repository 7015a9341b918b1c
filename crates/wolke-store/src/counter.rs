//! Counter rows: where ids come from. Counters start at 1.

use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use wolke_domain::Result;
use wolke_wire::Id;

statements! { "counter";
    /// The first call of a counter makes its row. For engines whose writers share the rows.
    ADVANCE = "INSERT INTO counter (name, next) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET next = counter.next + $3 RETURNING next";
    GET = "SELECT next FROM counter WHERE name = $1";
    SET = "INSERT INTO counter (name, next) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET next = excluded.next";
}

/// The id that a counter gives next.
///
/// # Errors
/// The engine's failure.
pub(crate) fn get(tx: &mut dyn Tx, counter: Counter) -> Result<Id> {
    tx.query_one(&GET, &[counter.name().into()])?.map_or(Ok(1), |r| r.int(0))
}

/// Sets the id that a counter gives next: for an engine whose only writer keeps counters in memory.
///
/// # Errors
/// The engine's failure.
pub(crate) fn set(tx: &mut dyn Tx, name: &str, next: Id) -> Result<()> {
    tx.execute(&SET, &[name.into(), next.into()]).map(|_| ())
}
