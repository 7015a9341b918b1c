//! Ids on the embedded engine: counters held in memory, written back once per group, taken back with a member that fails.
//!
//! **Invariant:** the map is ahead of the rows only inside a group. A failed commit empties it, so the rows are read again.

use crate::counter;
use crate::tx::{Counter, Tx};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{ID_MAX, Id};

/// The next id of each counter that was used, and whether its row knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters(BTreeMap<&'static str, (Id, bool)>);

impl Counters {
    /// Takes `count` ids; reads the row of a counter that was not used yet.
    pub fn take(&mut self, counter: Counter, count: i64, read: impl FnOnce() -> Result<Id>) -> Result<Id> {
        let name = counter.name();
        let first = match self.0.get(name) {
            Some((next, _)) => *next,
            None => read()?,
        };
        if first > ID_MAX - count {
            return Err(Error::internal(format!("the ids of {name} are used up")));
        }
        self.0.insert(name, (first + count, true));
        Ok(first)
    }

    /// Writes the counters back that have moved.
    pub fn write_back(&mut self, tx: &mut dyn Tx) -> Result<()> {
        for (name, (next, dirty)) in &mut self.0 {
            if std::mem::take(dirty) {
                counter::set(tx, name, *next)?;
            }
        }
        Ok(())
    }
}
