//! The embedded engine: SQLite in WAL mode with one writer and many readers (design §4).
//!
//! Who owns what: the writer thread owns the only connection that writes; readers are taken from a pool for one read
//! transaction each. The `inline` form has a single in-memory connection behind a mutex: `--ephemeral` and the simulator.

mod connection;
mod counters;
mod group;
mod inspect;
mod writer;

use crate::db::OnCommit;
use crate::job::{Job, job};
use crate::migrate::Role;
use crate::tx::Tx;
pub use connection::SqliteTx;
use connection::{Access, Environment};
use group::run_group;
pub use inspect::inspect;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wolke_domain::clock::Clock;
use wolke_domain::{Error, Result};
use wolke_wire::Timestamp;
use writer::Writer;

/// One SQLite database.
pub struct SqliteDb {
    environment: Arc<Environment>,
    engine: Engine,
    commits: Arc<AtomicU64>,
    operator_changes: Arc<AtomicU64>,
}

enum Engine {
    Threaded { path: PathBuf, readers: Mutex<Vec<Connection>>, writer: Writer },
    Inline(Mutex<Connection>),
}

/// How to open a database.
pub struct Open {
    /// What it is for.
    pub role: Role,
    /// Real time.
    pub clock: Arc<dyn Clock>,
    /// The seed of a database that is new. It is kept in the database.
    pub seed: String,
    /// What randomness is drawn with besides the seed: secret, and not in the database (see [`crate::random`]). The same
    /// key gives a replay the same bytes.
    pub key: Vec<u8>,
    /// Receives the signals of every commit.
    pub on_commit: OnCommit,
}

/// Counts the operator's commits from now on.
fn counted(open: &mut Open) -> Arc<AtomicU64> {
    let (on_commit, changes) = crate::db::counting(Arc::clone(&open.on_commit));
    open.on_commit = on_commit;
    changes
}

impl SqliteDb {
    /// Opens or creates the database at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is damaged, or is newer than this program.
    pub fn open(path: &Path, mut open: Open) -> Result<Self> {
        let operator_changes = counted(&mut open);
        let connection = connection::open_file(path, Access::Write)?;
        let environment = Arc::new(connection::prepare(&connection, &open)?);
        let commits = Arc::new(AtomicU64::new(0));
        let writer = Writer::start(connection, Arc::clone(&environment), Arc::clone(&commits))?;
        let engine = Engine::Threaded { path: path.to_owned(), readers: Mutex::new(Vec::new()), writer };
        Ok(Self { environment, engine, commits, operator_changes })
    }

    /// A database in memory, gone with this value.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn in_memory(mut open: Open) -> Result<Self> {
        let operator_changes = counted(&mut open);
        let connection = connection::open_memory()?;
        let environment = Arc::new(connection::prepare(&connection, &open)?);
        let engine = Engine::Inline(Mutex::new(connection));
        Ok(Self { environment, engine, commits: Arc::default(), operator_changes })
    }

    /// World time as of the last commit.
    #[must_use]
    pub fn world_now(&self) -> Timestamp {
        self.environment.world_now()
    }

    /// How many transactions were committed since the database was opened. A refused request commits none.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// How many commits the operator's changes have made.
    #[must_use]
    pub fn operator_changes(&self) -> u64 {
        self.operator_changes.load(Ordering::SeqCst)
    }

    /// Runs a read transaction on the calling thread. Reads never wait for the writer.
    ///
    /// # Errors
    /// The closure's, or the engine's.
    pub fn read<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        match &self.engine {
            Engine::Inline(connection) => self.environment.read(&lock(connection), closure),
            Engine::Threaded { path, readers, .. } => {
                let pooled = lock(readers).pop();
                let connection = match pooled {
                    Some(connection) => connection,
                    None => connection::open_file(path, Access::Read)?,
                };
                let answer = self.environment.read(&connection, closure);
                lock(readers).push(connection);
                answer
            }
        }
    }

    /// Runs a write transaction and waits for its commit.
    ///
    /// # Errors
    /// The closure's (then nothing is committed), or the engine's.
    pub async fn write<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (job, reply) = job(closure);
        self.submit(job)?;
        reply.await.map_err(|_| Error::internal("the writer dropped a job"))?
    }

    /// As [`SqliteDb::write`], blocking the calling thread.
    ///
    /// # Errors
    /// As [`SqliteDb::write`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (job, mut reply) = job(closure);
        self.submit(job)?;
        if matches!(self.engine, Engine::Inline(_)) {
            // The answer is there already, and the caller may stand on a runtime that must not block.
            return reply.try_recv().map_err(|_| Error::internal("the inline engine dropped a job"))?;
        }
        reply.blocking_recv().map_err(|_| Error::internal("the writer dropped a job"))?
    }

    fn submit(&self, job: Box<dyn Job>) -> Result<()> {
        match &self.engine {
            Engine::Threaded { writer, .. } => writer.submit(job),
            Engine::Inline(connection) => {
                run_group(&lock(connection), &self.environment, &self.commits, job, || None);
                Ok(())
            }
        }
    }
}

/// A lock that a panicking holder does not take away: the data behind it is re-validated by the engine anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An engine failure as a domain error: a busy or full disk passes, anything else is ours.
fn engine_error(context: &str, error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure) => {
            Error::Unavailable { internal: format!("{context}: {error}") }
        }
        _ => Error::internal(format!("{context}: {error}")),
    }
}
