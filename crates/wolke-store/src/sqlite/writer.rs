//! The one writer: takes jobs in order, runs as many as wait as one group, and commits them with one sync.
//!
//! Each member is a savepoint: a member that fails is rolled back alone and answered at once; a failed COMMIT fails every
//! member. The order of the members is the order of the world (design §1.5).

use super::connection::{Environment, run};
use super::counters::Counters;
use crate::job::Job;
use crate::migrate;
use crate::tx::Signal;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use wolke_domain::{Error, Result};

/// Members of one group: bounds how long the first one waits for the others.
const GROUP_MAX: usize = 64;
/// Jobs that may wait for the writer; beyond, requests are turned away with `unavailable`.
const QUEUE_MAX: usize = 4096;

pub(crate) struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        environment: Arc<Environment>,
        commits: Arc<AtomicU64>,
    ) -> Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("wolke-writer".into())
            .spawn(move || work(&connection, &environment, &commits, &queue))
            .map_err(|e| Error::internal(format!("cannot start the writer: {e}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(crate) fn submit(&self, job: Box<dyn Job>) -> Result<()> {
        let jobs =
            self.jobs.as_ref().ok_or_else(|| Error::Unavailable { internal: "the writer has stopped".into() })?;
        let (job, reason) = match jobs.try_send(job) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(job)) => (job, "too many writes are waiting"),
            Err(TrySendError::Disconnected(job)) => (job, "the writer has stopped"),
        };
        job.finish(Err(Error::Unavailable { internal: reason.into() }));
        Ok(())
    }
}

impl Drop for Writer {
    /// Lets the writer finish what was submitted, then waits for it.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, environment: &Environment, commits: &AtomicU64, queue: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        run_group(connection, environment, commits, first, || queue.try_recv().ok());
    }
}

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
        group.run(job);
        size += 1;
        member = if size < GROUP_MAX { next() } else { None };
    }
    group.end(commits);
}

struct Group<'a> {
    connection: &'a Connection,
    environment: &'a Environment,
    sequence: i64,
    committing: Vec<Box<dyn Job>>,
    signals: Vec<Signal>,
    clock_changed: bool,
}

impl<'a> Group<'a> {
    fn begin(connection: &'a Connection, environment: &'a Environment) -> Result<Self> {
        run(connection, "BEGIN IMMEDIATE")?;
        let sequence = migrate::meta(&mut environment.begin(connection, 0), "sequence")
            .map(|text| text.and_then(|t| t.parse().ok()).unwrap_or(0));
        match sequence {
            Ok(sequence) => Ok(Self {
                connection,
                environment,
                sequence,
                committing: Vec::new(),
                signals: Vec::new(),
                clock_changed: false,
            }),
            Err(error) => {
                let _ = run(connection, "ROLLBACK");
                Err(error)
            }
        }
    }

    /// Runs one member in its savepoint.
    fn run(&mut self, mut job: Box<dyn Job>) {
        if let Err(error) = run(self.connection, "SAVEPOINT member") {
            return job.finish(Err(error));
        }
        let counters = self.environment.counters();
        let mut tx = self.environment.begin(self.connection, self.sequence + 1);
        let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
            .unwrap_or_else(|_| Err(Error::internal("a transaction panicked")));
        let outcome = tx.poison.take().map_or(outcome, Err);
        let signals = std::mem::take(&mut tx.signals);
        drop(tx);
        let outcome = outcome.and_then(|()| run(self.connection, "RELEASE member"));
        match outcome {
            Ok(()) => self.keep(job, signals),
            Err(error) => {
                self.environment.set_counters(counters);
                // If even the rollback fails the engine has rolled back the whole transaction; COMMIT will say so.
                let _ =
                    run(self.connection, "ROLLBACK TO member").and_then(|()| run(self.connection, "RELEASE member"));
                job.finish(Err(error));
            }
        }
    }

    fn keep(&mut self, job: Box<dyn Job>, signals: Vec<Signal>) {
        self.sequence += 1;
        self.committing.push(job);
        for signal in signals {
            if signal == Signal::ClockChanged {
                // The members that follow in this group must see the new time.
                self.clock_changed = true;
                self.reload_clock();
            }
            if !self.signals.contains(&signal) {
                self.signals.push(signal);
            }
        }
    }

    /// What is kept in memory while the group runs.
    fn write_back(&self) -> Result<()> {
        let mut tx = self.environment.begin(self.connection, 0);
        migrate::set_meta(&mut tx, "sequence", &self.sequence.to_string())?;
        let mut counters = self.environment.counters();
        counters.write_back(&mut tx)?;
        self.environment.set_counters(counters);
        Ok(())
    }

    fn reload_clock(&self) {
        if let Ok(state) = crate::clock::get(&mut self.environment.begin(self.connection, 0)) {
            self.environment.set_clock(state);
        }
    }

    fn end(self, commits: &AtomicU64) {
        if self.committing.is_empty() {
            let _ = run(self.connection, "ROLLBACK");
            return;
        }
        let outcome = self.write_back().and_then(|()| run(self.connection, "COMMIT"));
        if outcome.is_err() {
            let _ = run(self.connection, "ROLLBACK");
            self.environment.set_counters(Counters::default());
            if self.clock_changed {
                self.reload_clock();
            }
        } else {
            commits.fetch_add(self.committing.len() as u64, Ordering::SeqCst);
            (self.environment.on_commit)(&self.signals);
        }
        for job in self.committing {
            job.finish(outcome.clone());
        }
    }
}
