//! The shared engine: a schema of a PostgreSQL database, any number of processes side by side (design §4).
//!
//! Who owns what: each worker thread owns one connection and runs one transaction at a time; a listener thread owns one
//! more. The client library blocks, so it lives on these threads only and never on one of the async runtime.
//!
//! Needs a direct connection or a pooler in session mode: locks and settings belong to the session.

mod connection;
mod failure;
mod hold;
mod ids;
mod inspect;
mod presence;
mod queue;
mod schema;
mod signals;
mod target;
mod transaction;
mod values;
mod worker;

use crate::db::OnCommit;
use crate::job::job;
use crate::migrate::Role;
use crate::random::system_seed;
use crate::tx::{Race, Scope, Tx};
use connection::Connection;
pub use hold::Hold;
pub use inspect::inspect;
use queue::{Queue, Work};
use signals::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use target::Target;
use tokio::sync::oneshot;
use transaction::Mode;
use wolke_domain::clock::Clock;
use wolke_domain::{Error, Result};

/// Connections per database and process unless told otherwise; they are made when they are first needed.
pub const CONNECTIONS_DEFAULT: usize = 8;
/// The most connections per database and process.
pub const CONNECTIONS_MAX: usize = 64;

/// How to open a database.
pub struct Open {
    /// `postgres://…`; what it may say about TLS stands in the module `target`: `sslmode` is `disable`, `prefer`,
    /// `require` or `verify-full`, `sslrootcert` a PEM file or `system`.
    pub url: String,
    /// The schema: `wolke_root`, `wolke_world_main`. Lower-case letters, digits and underscores.
    pub schema: String,
    /// What it is for.
    pub role: Role,
    /// Real time, for the pauses between attempts to connect. Transactions take theirs from the database.
    pub clock: Arc<dyn Clock>,
    /// The seed of a database that is new.
    pub seed: String,
    /// Receives the signals of every commit here, and those of other processes.
    pub on_commit: OnCommit,
    /// Connections at most, 1 to [`CONNECTIONS_MAX`].
    pub connections: usize,
}

/// What the threads of one database share.
struct Shared {
    target: Target,
    schema: String,
    clock: Arc<dyn Clock>,
    on_commit: OnCommit,
    queue: Queue,
    ids: ids::Ids,
    signals: Signals,
    commits: AtomicU64,
    retries: AtomicU64,
    operator_changes: Arc<AtomicU64>,
}

/// A schema of a PostgreSQL database.
pub struct PostgresDb {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Nobody else had the schema open when this process opened it.
    found_alone: bool,
}

impl PostgresDb {
    /// Opens a schema: makes it where it is missing and brings it up to date. Several processes may do so at once.
    ///
    /// # Errors
    /// Unavailable when the database cannot be reached; internal when the URL or the name is wrong, or the schema is newer
    /// than this program.
    pub fn open(options: Open) -> Result<Self> {
        schema::check_name(&options.schema)?;
        let mark = system_seed().map_err(|e| Error::Unavailable { internal: format!("no randomness: {e}") })?;
        let (on_commit, operator_changes) = crate::db::counting(options.on_commit);
        let shared = Arc::new(Shared {
            target: Target::parse(&options.url)?,
            signals: Signals::new(&options.schema, mark),
            schema: options.schema,
            clock: options.clock,
            on_commit,
            operator_changes,
            queue: Queue::default(),
            ids: ids::Ids::default(),
            commits: AtomicU64::default(),
            retries: AtomicU64::default(),
        });
        // On a thread of its own, because the caller's may belong to an async runtime.
        let (role, seed) = (options.role, options.seed);
        let prepared = spawn("wolke-pg-open", &shared, move |shared| prepare(&shared, role, &seed))?;
        let (listening, found_alone) =
            prepared.join().map_err(|_| Error::internal("opening the database panicked"))??;
        let mut threads = vec![spawn("wolke-pg-listen", &shared, |shared| signals::deliver(&shared, listening))?];
        for _ in 0..options.connections.clamp(1, CONNECTIONS_MAX) {
            threads.push(spawn("wolke-pg", &shared, worker::work)?);
        }
        Ok(Self { shared, threads, found_alone })
    }

    /// Runs a read transaction: one snapshot for all its statements.
    ///
    /// # Errors
    /// The closure's, or the engine's.
    pub async fn read<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Mode::Read, &[], closure).await.map_err(|_| dropped())?
    }

    /// Runs a write transaction and waits for its commit. The closure may run several times.
    ///
    /// # Errors
    /// The closure's (then nothing is committed), or the engine's.
    pub async fn write<T: Send + 'static>(
        &self,
        scope: Scope,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Mode::Write, &scope, closure).await.map_err(|_| dropped())?
    }

    /// As [`PostgresDb::read`], blocking the calling thread.
    ///
    /// # Errors
    /// As [`PostgresDb::read`].
    pub fn read_blocking<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Mode::Read, &[], closure).blocking_recv().map_err(|_| dropped())?
    }

    /// As [`PostgresDb::write`], blocking the calling thread.
    ///
    /// # Errors
    /// As [`PostgresDb::write`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        scope: Scope,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Mode::Write, &scope, closure).blocking_recv().map_err(|_| dropped())?
    }

    /// Takes a lock for longer than a transaction, on a connection of its own; none when somebody else has it for `at_most`.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn hold(&self, race: Race, at_most: Duration) -> Result<Option<Hold>> {
        let (answer, answered) = oneshot::channel();
        spawn("wolke-pg-hold", &self.shared, move |shared| hold::hold(&shared, &race, at_most, answer))?;
        answered.await.map_err(|_| dropped())?
    }

    /// Whether no other process had the schema open when this one opened it.
    #[must_use]
    pub const fn found_alone(&self) -> bool {
        self.found_alone
    }

    /// How many transactions this process has committed here. A refused request commits none.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::SeqCst)
    }

    /// How often this process has learned that the operator has changed something.
    #[must_use]
    pub fn operator_changes(&self) -> u64 {
        self.shared.operator_changes.load(Ordering::SeqCst)
    }

    /// How often this process has run a closure again because of a conflict.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.shared.retries.load(Ordering::Relaxed)
    }

    fn submit<T: Send + 'static>(
        &self,
        mode: Mode,
        scope: &[Race],
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> oneshot::Receiver<Result<T>> {
        let (job, reply) = job(closure);
        self.shared.queue.submit(Work { job, mode, keys: schema::keys(&self.shared.schema, scope) });
        reply
    }
}

impl Drop for PostgresDb {
    /// Lets the workers finish what was submitted, then waits for all threads.
    fn drop(&mut self) {
        self.shared.signals.stop();
        self.shared.queue.close();
        // Workers first: the last one to go wakes the listener.
        for thread in self.threads.drain(..).rev() {
            // A closure may have held the last reference, and a thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// Prepares the schema; returns a connection that listens to its channel, and whether nobody else has it open.
fn prepare(shared: &Shared, role: Role, seed: &str) -> Result<(Connection, bool)> {
    let mut connection = Connection::open(&shared.target, &shared.schema).map_err(|failure| failure.error())?;
    schema::prepare(&mut connection, &shared.schema, role, seed)?;
    let alone = signals::subscribe(&mut connection, &shared.schema).map_err(|failure| failure.error())?;
    Ok((connection, alone))
}

fn spawn<T: Send + 'static>(
    name: &str,
    shared: &Arc<Shared>,
    work: impl FnOnce(Arc<Shared>) -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let shared = Arc::clone(shared);
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || work(shared));
    thread.map_err(|e| Error::Unavailable { internal: format!("cannot start a thread: {e}") })
}

fn dropped() -> Error {
    Error::internal("a worker dropped a job")
}
