//! One database, whichever engine it lives on.

use crate::postgres::{Hold, PostgresDb};
use crate::sqlite::SqliteDb;
use crate::tx::{Race, Scope, Signal, Tx};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wolke_domain::Result;
use wolke_wire::Timestamp;

/// Called after each commit with what it signalled.
pub type OnCommit = Arc<dyn Fn(&[Signal]) + Send + Sync>;

/// Counts the commits, of this process and of others, by which the operator has changed something.
pub(crate) fn counting(on_commit: OnCommit) -> (OnCommit, Arc<AtomicU64>) {
    let changes = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&changes);
    let counting: OnCommit = Arc::new(move |signals| {
        if signals.contains(&Signal::OperatorChanged) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        on_commit(signals);
    });
    (counting, changes)
}

/// A turn among processes: [`Db::hold`].
pub struct Turn {
    _hold: Option<Hold>,
}

/// A database: the root or a world.
pub enum Db {
    /// The embedded engine.
    Sqlite(SqliteDb),
    /// A schema of a PostgreSQL database.
    Postgres(PostgresDb),
}

impl Db {
    /// Runs a read transaction: one snapshot for all its statements.
    ///
    /// # Errors
    /// The closure's, or the engine's.
    pub async fn read<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self {
            // A read takes microseconds and never waits for the writer: handing it to another thread costs more.
            Self::Sqlite(db) => db.read(closure),
            Self::Postgres(db) => db.read(closure).await,
        }
    }

    /// Runs a write transaction; the answer comes after the commit. The closure may run several times.
    ///
    /// # Errors
    /// The closure's (then nothing is committed), or the engine's.
    pub async fn write<T: Send + 'static>(
        &self,
        scope: Scope,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Sqlite(db) => db.write(closure).await,
            Self::Postgres(db) => db.write(scope, closure).await,
        }
    }

    /// As [`Db::read`], blocking the calling thread: for commands without a server and for the simulator.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Sqlite(db) => db.read(closure),
            Self::Postgres(db) => db.read_blocking(closure),
        }
    }

    /// As [`Db::write`], blocking the calling thread.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        scope: Scope,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Sqlite(db) => db.write_blocking(closure),
            Self::Postgres(db) => db.write_blocking(scope, closure),
        }
    }

    /// How many transactions this process has committed here. A refused request commits none.
    #[must_use]
    pub fn commits(&self) -> u64 {
        match self {
            Self::Sqlite(db) => db.commits(),
            Self::Postgres(db) => db.commits(),
        }
    }

    /// How often this process has learned that the operator has changed something. Who has seen a number and sees another one
    /// reads again; on an engine with other writers a notification can be lost, so look now and then all the same.
    #[must_use]
    pub fn operator_changes(&self) -> u64 {
        match self {
            Self::Sqlite(db) => db.operator_changes(),
            Self::Postgres(db) => db.operator_changes(),
        }
    }

    /// Keeps other processes from what they race for over many transactions, until the value is dropped; none when one of
    /// them is still at it after `at_most`. On the embedded engine there are none.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn hold(&self, race: Race, at_most: Duration) -> Result<Option<Turn>> {
        match self {
            Self::Sqlite(_) => Ok(Some(Turn { _hold: None })),
            Self::Postgres(db) => Ok(db.hold(race, at_most).await?.map(|hold| Turn { _hold: Some(hold) })),
        }
    }

    /// World time as of the last commit; none where another process may have changed the clock since.
    #[must_use]
    pub fn world_now(&self) -> Option<Timestamp> {
        match self {
            Self::Sqlite(db) => Some(db.world_now()),
            Self::Postgres(_) => None,
        }
    }

    /// Whether other processes may write to this database at the same time.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Whether no other process had this database open when this one opened it: then the leases in it are those of the
    /// dead. The embedded engine's data directory is locked, so that is always so.
    #[must_use]
    pub const fn found_alone(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(db) => db.found_alone(),
        }
    }
}
