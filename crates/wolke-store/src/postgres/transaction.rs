//! A transaction on PostgreSQL: how it begins, what the closure sees, and its facts.

use super::connection::Connection;
use super::failure::Failure;
use super::ids::{Ids, Reserve};
use crate::random::{Stream, system_seed};
use crate::stmt::Stmt;
use crate::tx::{Counter, Facts, Signal, Tx};
use crate::value::{Row, Value};
use wolke_domain::clock::ClockState;
use wolke_domain::rng::Rng;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Timestamp};

/// The database's clock in milliseconds and the row of the world's clock, in one round trip with BEGIN.
const FACTS: &str = "SELECT CAST(floor(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT), \
     (SELECT mode FROM clock WHERE id = 1), (SELECT anchor_world FROM clock WHERE id = 1), \
     (SELECT anchor_real FROM clock WHERE id = 1), (SELECT rate_permille FROM clock WHERE id = 1)";

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One snapshot; never fails for the sake of others.
    Read,
    /// Serializable.
    Write,
}

impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ",
            Self::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE; ",
        }
    }
}

/// A transaction on PostgreSQL.
pub(crate) struct PostgresTx<'a> {
    connection: &'a mut Connection,
    ids: &'a Ids,
    reserve: &'a mut Reserve,
    facts: Facts,
    /// Drawn from the system when the transaction first asks for randomness.
    seed: Option<String>,
    pub(crate) signals: Vec<Signal>,
    /// The first failure of a statement: whatever follows, this transaction will not commit.
    pub(crate) failure: Option<Failure>,
}

impl<'a> PostgresTx<'a> {
    /// Begins a transaction; `before` is sent ahead of BEGIN in the same round trip.
    pub(crate) fn begin(
        connection: &'a mut Connection,
        ids: &'a Ids,
        reserve: &'a mut Reserve,
        mode: Mode,
        before: &str,
    ) -> Result<Self, Failure> {
        let rows = connection.ask("begin", &format!("{before}{}{FACTS}", mode.begin()))?;
        let facts = rows.last().and_then(|row| facts(row));
        let facts = facts.ok_or_else(|| Failure::Final(Error::internal("the clock's row is broken")))?;
        reserve.restart();
        Ok(Self { connection, ids, reserve, facts, seed: None, signals: Vec::new(), failure: None })
    }

    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T> {
        if let Some(failure) = &self.failure {
            return Err(failure.error());
        }
        work(self).map_err(|failure| {
            let error = failure.error();
            self.failure = Some(failure);
            error
        })
    }
}

/// Reads the answer to [`FACTS`]. A database without a clock row is new: its clock starts at the wall.
fn facts(row: &[Option<String>]) -> Option<Facts> {
    let int = |index: usize| row.get(index)?.as_deref()?.parse::<i64>().ok();
    let real_now = Timestamp(int(0)?);
    let clock = match row.get(1)? {
        None => ClockState { anchor_world: real_now, anchor_real: real_now, ..ClockState::wall() },
        Some(mode) => ClockState {
            mode: crate::clock::mode(mode)?,
            anchor_world: Timestamp(int(2)?),
            anchor_real: Timestamp(int(3)?),
            rate_permille: int(4)?,
        },
    };
    Some(Facts { now: clock.world_at(real_now), real_now, clock })
}

impl Tx for PostgresTx<'_> {
    fn query(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        self.guarded(|tx| tx.connection.query(stmt.name, stmt.sql, params))
    }

    fn execute(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        self.guarded(|tx| tx.connection.execute(stmt.name, stmt.sql, params))
    }

    fn query_composed(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.guarded(|tx| tx.connection.query("list", sql, params))
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn next_ids(&mut self, counter: Counter, count: i64) -> Result<Id> {
        self.guarded(|tx| tx.ids.take(tx.reserve, counter, count))
    }

    fn random(&mut self, purpose: &str) -> Box<dyn Rng> {
        let seed = match &self.seed {
            Some(seed) => seed.clone(),
            None => system_seed().unwrap_or_else(|e| {
                // Nothing that was drawn without entropy may be committed.
                self.failure = Some(Failure::Final(Error::Unavailable { internal: format!("no randomness: {e}") }));
                String::new()
            }),
        };
        let stream = Stream::new(seed.as_bytes(), b"", 0, purpose);
        self.seed = Some(seed);
        Box::new(stream)
    }

    fn signal(&mut self, signal: Signal) {
        if !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
    }

    fn rehearse(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        let signalled = self.signals.len();
        self.guarded(|tx| tx.connection.run("rehearse", "SAVEPOINT rehearsal"))?;
        work(self)?;
        self.signals.truncate(signalled);
        self.guarded(|tx| tx.connection.run("rehearse", "ROLLBACK TO rehearsal; RELEASE rehearsal"))
    }
}
