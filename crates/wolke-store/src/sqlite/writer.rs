//! The one writer: a thread that takes jobs in order and runs as many as wait as one group.

use super::connection::Environment;
use super::group::run_group;
use crate::job::Job;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use wolke_domain::{Error, Result};

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
