//! A worker: one thread, one connection, one transaction at a time.
//!
//! A write takes its advisory locks, begins, runs the closure, and commits and unlocks in one message. Conflicts run the
//! closure again, with the locks still held. Whatever goes wrong before COMMIT has committed nothing; a connection lost
//! during COMMIT leaves the outcome open, and the caller is told so instead of the work being done twice.

use super::Shared;
use super::connection::Connection;
use super::failure::Failure;
use super::ids::Reserve;
use super::queue::{Key, Work};
use super::transaction::{Mode, PostgresTx};
use crate::job::Job;
use crate::tx::Signal;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wolke_domain::Error;

/// How often a closure is run again after conflicts before the caller gets `unavailable`.
const CONFLICT_RETRIES_MAX: u32 = 16;
/// How often a transaction is begun again because its connection was gone.
const LOST_RETRIES_MAX: u32 = 2;
/// How often one closure may find its leased ids too few.
const LEASES_MAX: u32 = 64;
/// The first and the longest pause after a conflict, before jitter.
const CONFLICT_PAUSE_MS: (u64, u64) = (1, 100);
/// The first and the longest time in which no connection is tried after one failed.
const CONNECT_PAUSE_MS: (i64, i64) = (50, 1_000);

/// A connection and what stands open on it.
struct Session {
    connection: Connection,
    in_transaction: bool,
    locked: bool,
}

/// One worker.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    session: Option<Session>,
    /// Monotonic time before which no connection is tried, and how long the last pause was.
    connect_pause: (i64, i64),
}

/// Runs the worker until the queue is closed and empty.
pub(crate) fn work(shared: Arc<Shared>) {
    let mut worker = Worker { shared, session: None, connect_pause: (i64::MIN, 0) };
    while let Some(work) = worker.shared.queue.take() {
        let keys = work.keys.clone();
        let signals = worker.run(work);
        worker.shared.queue.release(&keys);
        worker.broadcast(&signals);
    }
    let shared = Arc::clone(&worker.shared);
    if let Some(session) = &mut worker.session {
        shared.signals.say_goodbye(&mut session.connection);
    }
}

impl Worker {
    /// Runs one transaction, answers its caller, and returns what it signalled.
    fn run(&mut self, work: Work) -> Vec<Signal> {
        let Work { mut job, mode, keys } = work;
        let outcome = self.run_until_done(&mut *job, mode, &keys);
        if let (Ok(signals), Mode::Write) = (&outcome, mode) {
            self.shared.commits.fetch_add(1, Ordering::SeqCst);
            (self.shared.on_commit)(signals);
        }
        let (outcome, signals) = match outcome {
            Ok(signals) => (Ok(()), signals),
            Err(error) => (Err(error), Vec::new()),
        };
        job.finish(outcome);
        self.tidy();
        signals
    }

    fn run_until_done(&mut self, job: &mut dyn Job, mode: Mode, keys: &[Key]) -> Result<Vec<Signal>, Error> {
        let mut reserve = Reserve::default();
        let (mut conflicts, mut losses, mut leases) = (0, 0, 0);
        loop {
            let failure = match self.attempt(job, mode, keys, &mut reserve) {
                Ok(signals) => return Ok(signals),
                Err(Failure::NeedIds(counter, needed)) if leases < LEASES_MAX => {
                    leases += 1;
                    // Twice what was asked for so far, so that a closure that takes many finds them in a few runs.
                    let needed = if leases > 1 { needed.saturating_mul(2) } else { needed };
                    match self.refill(&mut reserve, counter, needed) {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Conflict(_) if conflicts < CONFLICT_RETRIES_MAX => {
                    conflicts += 1;
                    self.shared.retries.fetch_add(1, Ordering::Relaxed);
                    pause(conflicts);
                }
                Failure::Lost(text) if losses < LOST_RETRIES_MAX => {
                    losses += 1;
                    tracing::warn!(reason = %text, "the database connection was lost");
                    self.session = None;
                }
                failure => return Err(failure.error()),
            }
        }
    }

    /// One attempt: on success a write is committed; otherwise the transaction may still stand open.
    fn attempt(
        &mut self,
        job: &mut dyn Job,
        mode: Mode,
        keys: &[Key],
        reserve: &mut Reserve,
    ) -> Result<Vec<Signal>, Failure> {
        let shared = Arc::clone(&self.shared);
        let session = self.connected()?;
        session.lock(keys)?;
        let before = if session.in_transaction { "ROLLBACK; " } else { "" };
        session.in_transaction = true;
        let mut tx = PostgresTx::begin(&mut session.connection, &shared.ids, reserve, mode, before)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
            .unwrap_or_else(|_| Err(Error::internal("a transaction panicked")));
        if let Some(failure) = tx.failure.take() {
            return Err(failure);
        }
        let signals = std::mem::take(&mut tx.signals);
        outcome.map_err(Failure::Final)?;
        if mode == Mode::Write {
            self.commit()?;
        }
        Ok(signals)
    }

    /// Commits and unlocks in one message: the locks are held for one round trip less.
    fn commit(&mut self) -> Result<(), Failure> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let sql = if session.locked { "COMMIT; SELECT pg_advisory_unlock_all()" } else { "COMMIT" };
        match session.connection.run("commit", sql) {
            Ok(()) => {
                session.in_transaction = false;
                session.locked = false;
                Ok(())
            }
            // The server says that it did not commit; what follows COMMIT in the message cannot fail like this.
            Err(Failure::Conflict(text)) => {
                session.in_transaction = false;
                Err(Failure::Conflict(text))
            }
            Err(failure) => {
                self.session = None;
                Err(Failure::Final(Error::Unavailable {
                    internal: format!("whether this was committed is unknown: {}", failure.text()),
                }))
            }
        }
    }

    fn refill(&mut self, reserve: &mut Reserve, counter: crate::Counter, needed: i64) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let session = self.connected()?;
        session.roll_back()?;
        shared.ids.refill(&mut session.connection, reserve, counter, needed)
    }

    /// Ends what the last transaction left open. A connection on which this fails is given up.
    fn tidy(&mut self) {
        let Some(session) = &mut self.session else { return };
        if session.roll_back().and_then(|()| session.unlock()).is_err() {
            self.session = None;
        }
    }

    /// Tells other processes what was committed.
    fn broadcast(&mut self, signals: &[Signal]) {
        let Some(session) = &mut self.session else { return };
        if self.shared.signals.broadcast(&mut session.connection, signals).is_err() {
            // A hint that is lost costs time only: receivers look by themselves now and then.
            self.session = None;
        }
    }

    /// The session, connecting where there is none; soon after a failure that is refused without trying.
    fn connected(&mut self) -> Result<&mut Session, Failure> {
        let usable = self.session.take_if(|session| !session.connection.is_closed());
        let session = match usable {
            Some(session) => session,
            None => self.connect()?,
        };
        Ok(self.session.insert(session))
    }

    fn connect(&mut self) -> Result<Session, Failure> {
        let now = self.shared.clock.monotonic_ms();
        let (not_before, last) = self.connect_pause;
        let unavailable = |text: &str| Failure::Final(Error::Unavailable { internal: text.to_owned() });
        if now < not_before {
            return Err(unavailable("the database could not be reached a moment ago"));
        }
        match Connection::open(&self.shared.target, &self.shared.schema) {
            Ok(connection) => {
                self.connect_pause = (i64::MIN, 0);
                Ok(Session { connection, in_transaction: false, locked: false })
            }
            Err(failure) => {
                let pause = (last * 2).clamp(CONNECT_PAUSE_MS.0, CONNECT_PAUSE_MS.1);
                self.connect_pause = (now.saturating_add(pause), pause);
                Err(unavailable(&failure.text()))
            }
        }
    }
}

impl Session {
    /// Takes the advisory locks, in the order of their keys: so no two sessions wait for each other.
    fn lock(&mut self, keys: &[Key]) -> Result<(), Failure> {
        if keys.is_empty() || self.locked {
            return Ok(());
        }
        let mut sql = String::new();
        for (class, object) in keys {
            let _ = write!(sql, "SELECT pg_advisory_lock({class}, {object}); ");
        }
        // Before the attempt, because a failure may leave some of them taken.
        self.locked = true;
        let taken = self.connection.run("lock", &sql);
        if taken.is_err() {
            let _ = self.unlock();
        }
        taken
    }

    fn unlock(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.locked) {
            self.connection.run("unlock", "SELECT pg_advisory_unlock_all()")?;
        }
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.in_transaction) {
            self.connection.run("rollback", "ROLLBACK")?;
        }
        Ok(())
    }
}

/// Waits a little longer after every conflict, and not as long as the others who met it.
fn pause(conflicts: u32) {
    let longest = (CONFLICT_PAUSE_MS.0 << conflicts.min(16)).min(CONFLICT_PAUSE_MS.1) * 1000;
    let jitter = std::hash::RandomState::new().build_hasher().finish() % (longest + 1);
    // Parking with a timeout may end early, which does no harm here.
    std::thread::park_timeout(Duration::from_micros(longest / 2 + jitter / 2));
}
