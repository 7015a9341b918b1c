//! Group commit: several writes, each in a savepoint, one COMMIT with one sync.
//!
//! A member that fails is rolled back alone and answered at once; a failed COMMIT fails every member. The order of the
//! members is the order of the world (design §1.5).
//!
//! **Invariant:** what is answered with an error is not in the database, now or after a crash. Two things stand against it:
//! - On a full disk, an I/O error or a lack of memory SQLite may roll back the *whole* transaction by itself. A later savepoint
//!   would then open, and its release commit, a transaction of its own. So whether the transaction still stands is asked
//!   after every member; a group that has lost it ends there, and the jobs behind it make a new one.
//! - A COMMIT whose sync fails has written its frames, the commit mark among them, into the log. The process forgets them; the
//!   recovery after a crash would not. So they are overwritten (see [`supersede`]) before the members are answered, and no
//!   job is taken while that fails.

use super::connection::{Environment, end_leftover, run};
use super::counters::Counters;
use crate::job::Job;
use crate::migrate;
use crate::tx::Signal;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use wolke_domain::clock::ClockState;
use wolke_domain::{Error, Result};

/// Members of one group: bounds how long the first one waits for the others.
const GROUP_MAX: usize = 64;

/// Runs a group: `first` and what `next` yields, then one commit, then the answers.
pub(crate) fn run_group(
    connection: &Connection,
    environment: &Environment,
    commits: &AtomicU64,
    first: Box<dyn Job>,
    mut next: impl FnMut() -> Option<Box<dyn Job>>,
) {
    let mut group = match Group::begin(connection, environment) {
        Ok(group) => group,
        Err(error) => return first.finish(Err(error)),
    };
    let mut member = Some(first);
    let mut size = 0;
    while let Some(job) = member {
        if let Err(error) = group.run(job) {
            return group.fail(&error);
        }
        size += 1;
        member = if size < GROUP_MAX { next() } else { None };
    }
    group.end(commits);
}

struct Group<'a> {
    connection: &'a Connection,
    environment: &'a Environment,
    sequence: i64,
    /// The world's clock as the members see it.
    clock: ClockState,
    committing: Vec<Box<dyn Job>>,
    signals: Vec<Signal>,
}

impl<'a> Group<'a> {
    fn begin(connection: &'a Connection, environment: &'a Environment) -> Result<Self> {
        end_leftover(connection)?;
        if environment.leftovers.load(Ordering::SeqCst) {
            supersede(connection, environment)?;
        }
        run(connection, "BEGIN IMMEDIATE")?;
        let sequence = sequence(connection, environment).inspect_err(|_| drop(end_leftover(connection)))?;
        let clock = environment.clock();
        Ok(Self { connection, environment, sequence, clock, committing: Vec::new(), signals: Vec::new() })
    }

    /// Runs one member in its savepoint and keeps it, or undoes it and answers it.
    ///
    /// # Errors
    /// When that cost the transaction: the group has lost what it had.
    fn run(&mut self, mut job: Box<dyn Job>) -> Result<()> {
        let counters = self.environment.counters();
        match self.attempt(&mut *job) {
            Ok((signals, clock)) => {
                self.sequence += 1;
                self.clock = clock;
                self.committing.push(job);
                let new: Vec<_> = signals.into_iter().filter(|signal| !self.signals.contains(signal)).collect();
                self.signals.extend(new);
                Ok(())
            }
            Err(error) => {
                self.environment.set_counters(counters);
                let undone = self.undo();
                job.finish(Err(error));
                undone
            }
        }
    }

    /// What the member signals, and the clock that those after it see.
    fn attempt(&self, job: &mut dyn Job) -> Result<(Vec<Signal>, ClockState)> {
        self.check_open()?;
        run(self.connection, "SAVEPOINT member")?;
        let mut tx = self.environment.begin(self.connection, self.sequence + 1, self.clock);
        let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
            .unwrap_or_else(|_| Err(Error::internal("a transaction panicked")));
        tx.poison.take().map_or(outcome, Err)?;
        let signals = std::mem::take(&mut tx.signals);
        let changed = signals.contains(&Signal::ClockChanged);
        let clock = if changed { crate::clock::get(&mut tx)? } else { self.clock };
        drop(tx);
        run(self.connection, "RELEASE member")?;
        self.check_open()?;
        Ok((signals, clock))
    }

    fn undo(&self) -> Result<()> {
        self.check_open()?;
        let undone = run(self.connection, "ROLLBACK TO member").and_then(|()| run(self.connection, "RELEASE member"));
        undone
            .map_err(|e| Error::Unavailable { internal: format!("a failed write could not be undone alone: {e}") })?;
        self.check_open()
    }

    fn check_open(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            let internal = "the engine has rolled back the whole group".into();
            return Err(Error::Unavailable { internal });
        }
        Ok(())
    }

    /// What is kept in memory while the group runs.
    fn write_back(&self) -> Result<()> {
        let mut tx = self.environment.begin(self.connection, 0, self.clock);
        migrate::set_meta(&mut tx, "sequence", &self.sequence.to_string())?;
        let mut counters = self.environment.counters();
        counters.write_back(&mut tx)?;
        self.environment.set_counters(counters);
        Ok(())
    }

    fn end(self, commits: &AtomicU64) {
        if self.committing.is_empty() {
            // If it fails the next group begins with it.
            let _ = end_leftover(self.connection);
            return;
        }
        if let Err(error) = self.write_back().and_then(|()| self.check_open()).and_then(|()| self.commit()) {
            return self.fail(&error);
        }
        if self.signals.contains(&Signal::ClockChanged) {
            self.environment.set_clock(self.clock);
        }
        commits.fetch_add(self.committing.len() as u64, Ordering::SeqCst);
        (self.environment.on_commit)(&self.signals);
        for job in self.committing {
            job.finish(Ok(()));
        }
    }

    fn commit(&self) -> Result<()> {
        run(self.connection, "COMMIT").inspect_err(|_| {
            self.environment.leftovers.store(true, Ordering::SeqCst);
            let remedy = end_leftover(self.connection).and_then(|()| supersede(self.connection, self.environment));
            if let Err(error) = remedy {
                // The next group begins with it.
                tracing::error!(%error, "a failed commit may come back after a crash: writes are refused until that is mended");
            }
        })
    }

    /// Nothing was committed: ends the transaction, forgets what was kept in memory, and answers the members.
    fn fail(self, error: &Error) {
        let _ = end_leftover(self.connection);
        self.environment.set_counters(Counters::default());
        for job in self.committing {
            job.finish(Err(error.clone()));
        }
    }
}

/// The number of the last commit.
fn sequence(connection: &Connection, environment: &Environment) -> Result<i64> {
    let text = migrate::meta(&mut environment.begin(connection, 0, environment.clock()), "sequence")?;
    Ok(text.and_then(|t| t.parse().ok()).unwrap_or(0))
}

/// Makes sure that no recovery finds what a failed COMMIT wrote: commits a transaction of our own. Its frame takes the place of
/// the first refused one, and those behind that do not continue its checksum.
///
/// It passes over the numbers that the refused group may have used, so that nothing that was drawn for it is drawn again. That
/// is a real change on purpose: SQLite writes no page for a row that stays the same.
///
/// # Errors
/// When it cannot be written or synced either. If it was only not synced, a crash of the process alone brings nothing back.
fn supersede(connection: &Connection, environment: &Environment) -> Result<()> {
    run(connection, "BEGIN IMMEDIATE")?;
    let pass_over = |last: i64| {
        let mut tx = environment.begin(connection, 0, environment.clock());
        migrate::set_meta(&mut tx, "sequence", &(last + GROUP_MAX as i64).to_string())
    };
    let outcome = sequence(connection, environment).and_then(pass_over).and_then(|()| run(connection, "COMMIT"));
    match &outcome {
        Ok(()) => environment.leftovers.store(false, Ordering::SeqCst),
        Err(_) => drop(end_leftover(connection)),
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::{run, supersede};
    use crate::migrate::{Role, meta, set_meta};
    use crate::sqlite::Open;
    use crate::sqlite::connection::{Access, Environment, open_file, prepare};
    use rusqlite::Connection;
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use wolke_domain::clock::Clock;
    use wolke_wire::Timestamp;

    struct Stopped;

    impl Clock for Stopped {
        fn wall(&self) -> Timestamp {
            Timestamp(1)
        }

        fn monotonic_ms(&self) -> i64 {
            1
        }
    }

    fn open(path: &Path) -> (Connection, Environment) {
        let connection = open_file(path, Access::Write).unwrap();
        let (seed, key) = ("seed".into(), b"key".to_vec());
        let open = Open { role: Role::World, clock: Arc::new(Stopped), seed, key, on_commit: Arc::new(|_| {}) };
        let environment = prepare(&connection, &open).unwrap();
        (connection, environment)
    }

    fn log(path: &Path) -> PathBuf {
        PathBuf::from(format!("{}-wal", path.display()))
    }

    /// What a crash of the process leaves, opened elsewhere.
    fn crash(from: &Path, to: &Path) {
        std::fs::copy(from, to).unwrap();
        std::fs::copy(log(from), log(to)).unwrap();
    }

    /// A COMMIT whose sync fails leaves its frames in the log behind what counts. Here they get there by copying: the same
    /// transaction is committed on a twin of the database, and its frames are appended to the log of the other.
    #[test]
    fn what_a_failed_commit_wrote_does_not_come_back() {
        let folder = std::env::temp_dir().join(format!("wolke-leftovers-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let names = ["first.db", "database.db", "twin.db", "before.db", "after.db"];
        let [first, database, twin, before, after] = names.map(|name| folder.join(name));
        let original = open(&first);
        let mut tx = original.1.begin(&original.0, 0, original.1.clock());
        set_meta(&mut tx, "sequence", "7").unwrap();
        drop(tx);
        crash(&first, &database);
        crash(&first, &twin);
        drop(original);
        // From here on both have the same log, down to its checksums.
        let ((connection, environment), (committing, other)) = (open(&database), open(&twin));
        let length = std::fs::metadata(log(&database)).unwrap().len() as usize;
        assert_eq!(std::fs::read(log(&database)).unwrap(), std::fs::read(log(&twin)).unwrap());
        run(&committing, "BEGIN IMMEDIATE").unwrap();
        // More than a page, so that the frames are several and of several pages.
        set_meta(&mut other.begin(&committing, 0, other.clock()), "refused", &"x".repeat(20_000)).unwrap();
        run(&committing, "COMMIT").unwrap();
        let frames = std::fs::read(log(&twin)).unwrap()[length..].to_vec();
        assert!(frames.len() > 4 * 4096);
        std::fs::OpenOptions::new().append(true).open(log(&database)).unwrap().write_all(&frames).unwrap();

        let recovered = |to: &Path| {
            crash(&database, to);
            let (connection, environment) = open(to);
            meta(&mut environment.begin(&connection, 0, environment.clock()), "refused").unwrap()
        };
        assert!(recovered(&before).is_some(), "without the remedy the refused write would be back");
        supersede(&connection, &environment).unwrap();
        assert!(recovered(&after).is_none(), "the refused write is back");
        drop((connection, committing));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
