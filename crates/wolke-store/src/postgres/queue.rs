//! The queue in front of the workers: bounded, and fair to whoever races for the same thing.
//!
//! A job waits here, not on a connection, while another job of this process holds one of its locks. So a hot project
//! occupies one connection per process, and reads always find a free one. Jobs that share a lock run in the order in
//! which they came: a later one never overtakes an earlier one that is still waiting.

use super::transaction::Mode;
use crate::job::Job;
use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use wolke_domain::Error;

/// Jobs that may wait; beyond, requests are turned away with `unavailable`.
const QUEUE_MAX: usize = 4096;

/// The two halves of an advisory lock.
pub(crate) type Key = (i32, i32);

/// A transaction to be run.
pub(crate) struct Work {
    /// Its closure and the place for its answer.
    pub(crate) job: Box<dyn Job>,
    /// Whether it writes.
    pub(crate) mode: Mode,
    /// The advisory locks it needs, sorted, each once.
    pub(crate) keys: Vec<Key>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    held: HashSet<Key>,
    closed: bool,
}

impl State {
    /// The first job whose locks are free and that overtakes nobody.
    fn next(&mut self) -> Option<Work> {
        let mut taken = self.held.clone();
        let position = self.waiting.iter().position(|work| {
            let free = work.keys.iter().all(|key| !taken.contains(key));
            taken.extend(&work.keys);
            free
        })?;
        let work = self.waiting.remove(position)?;
        self.held.extend(&work.keys);
        Some(work)
    }
}

/// The queue.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// Adds a job; one that finds no room is answered at once.
    pub(crate) fn submit(&self, work: Work) {
        let mut state = self.lock();
        let refusal = match () {
            () if state.closed => "the database was closed",
            () if state.waiting.len() >= QUEUE_MAX => "too many transactions are waiting",
            () => {
                state.waiting.push_back(work);
                drop(state);
                self.changed.notify_one();
                return;
            }
        };
        drop(state);
        work.job.finish(Err(Error::Unavailable { internal: refusal.into() }));
    }

    /// Waits for a job that can run. `None` when the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.next() {
                if !state.waiting.is_empty() {
                    self.changed.notify_one();
                }
                return Some(work);
            }
            if state.closed && state.waiting.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A job has ended: its locks are free again.
    pub(crate) fn release(&self, keys: &[Key]) {
        let mut state = self.lock();
        for key in keys {
            state.held.remove(key);
        }
        let (waiting, closed) = (!state.waiting.is_empty(), state.closed);
        drop(state);
        match (closed, waiting) {
            (true, _) => self.changed.notify_all(),
            (false, true) => self.changed.notify_one(),
            (false, false) => {}
        }
    }

    /// Takes no more jobs; those that wait are still run.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Queue, Work};
    use crate::job::job;
    use crate::postgres::transaction::Mode;

    fn work(keys: &[Key]) -> Work {
        Work { job: job(|_| Ok(())).0, mode: Mode::Write, keys: keys.to_vec() }
    }

    #[test]
    fn a_hot_lock_holds_nobody_else_up_and_order_is_kept() {
        let (a, b) = ((3, 1), (3, 2));
        let queue = Queue::default();
        for keys in [&[a][..], &[a, b], &[b], &[]] {
            queue.submit(work(keys));
        }
        assert_eq!(queue.take().unwrap().keys, [a]);
        // [a, b] waits for a; [b] came later and waits behind it; the read has no locks.
        assert_eq!(queue.take().unwrap().keys, []);
        queue.release(&[a]);
        assert_eq!(queue.take().unwrap().keys, [a, b]);
        queue.release(&[a, b]);
        queue.close();
        assert_eq!(queue.take().unwrap().keys, [b]);
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_closed_queue_answers() {
        let queue = Queue::default();
        queue.close();
        let (job, reply) = job(|_| Ok(()));
        queue.submit(Work { job, mode: Mode::Read, keys: Vec::new() });
        assert!(reply.blocking_recv().unwrap().is_err());
    }
}
