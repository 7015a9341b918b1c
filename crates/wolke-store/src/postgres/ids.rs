//! Ids on PostgreSQL: blocks leased from the counter rows, so that writers of different projects don't meet at a row.
//!
//! A block is taken in a transaction of its own; what is left of it when the process ends, and what closures took that
//! were refused or run again, is skipped. Ids are unique, and grow within a process; between processes they interleave.

use super::connection::Connection;
use super::failure::Failure;
use crate::counter::ADVANCE;
use crate::tx::Counter;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use wolke_domain::Error;
use wolke_wire::{ID_MAX, Id};

/// Ids taken at a time from the counters of what is made all day: resources, actions, strands.
const BLOCK: i64 = 100;
/// Ids taken at a time from the counters of what people make now and then: projects, tokens, hosts.
const SMALL_BLOCK: i64 = 1;

/// A range of ids: from `next` up to, not including, `end`.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    next: Id,
    end: Id,
}

impl Lease {
    fn take(&mut self, count: i64) -> Option<Id> {
        let first = self.next;
        (self.end - first >= count).then(|| {
            self.next += count;
            first
        })
    }
}

/// The blocks of one process, per database.
#[derive(Default)]
pub(crate) struct Ids {
    leases: Mutex<HashMap<Counter, Lease>>,
}

/// What was leased for one job: nobody else can take it away before the closure runs again.
#[derive(Default)]
pub(crate) struct Reserve {
    leases: HashMap<Counter, Lease>,
    /// How many ids the present run of the closure has asked for.
    asked: HashMap<Counter, i64>,
}

impl Reserve {
    /// The closure starts anew.
    pub(crate) fn restart(&mut self) {
        self.asked.clear();
    }
}

impl Ids {
    /// Takes ids without the database.
    ///
    /// # Errors
    /// [`Failure::NeedIds`] with the number that this run of the closure needs in all.
    pub(crate) fn take(&self, reserve: &mut Reserve, counter: Counter, count: i64) -> Result<Id, Failure> {
        let asked = reserve.asked.entry(counter).or_default();
        *asked += count;
        if let Some(first) = reserve.leases.get_mut(&counter).and_then(|lease| lease.take(count)) {
            return Ok(first);
        }
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.get_mut(&counter).and_then(|lease| lease.take(count)).ok_or(Failure::NeedIds(counter, *asked))
    }

    /// Leases a block, outside any transaction: `needed` ids for the job at hand, the rest for everybody.
    pub(crate) fn refill(
        &self,
        connection: &mut Connection,
        reserve: &mut Reserve,
        counter: Counter,
        needed: i64,
    ) -> Result<(), Failure> {
        let block = match counter {
            Counter::Kind(_) | Counter::Strand | Counter::Interface => BLOCK,
            Counter::Project
            | Counter::Token
            | Counter::Host
            | Counter::Operator
            | Counter::Selection
            | Counter::Event => SMALL_BLOCK,
        };
        let count = block.max(needed);
        let params = [counter.name().into(), (1 + count).into(), count.into()];
        let rows = connection.query(ADVANCE.name, ADVANCE.sql, &params)?;
        let end = rows.first().map(|row| row.int(0)).transpose().map_err(Failure::Final)?;
        let end = end.ok_or_else(|| Failure::Final(Error::internal("a counter answered nothing")))?;
        if end > ID_MAX {
            return Err(Failure::Final(Error::internal(format!("the ids of {} are used up", counter.name()))));
        }
        let first = end - count;
        reserve.leases.insert(counter, Lease { next: first, end: first + needed });
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = leases.entry(counter).or_default();
        // Two workers may have leased at once: the longer rest is kept, the other is skipped.
        if end - (first + needed) > shared.end - shared.next {
            *shared = Lease { next: first + needed, end };
        }
        Ok(())
    }
}
