//! Work that waits for a thread: objects in the order in which something happened to them.
//!
//! **Invariant:** of one object at most one thread works at a time, and what happens meanwhile makes it come again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};

use wolke_host::ObjectKey;

#[derive(Debug, Default)]
struct State {
    order: VecDeque<ObjectKey>,
    waiting: BTreeSet<ObjectKey>,
    running: BTreeSet<ObjectKey>,
    closed: bool,
}

/// A queue of objects, each at most once: bounded by their number.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened to this object.
    pub(super) fn push(&self, key: ObjectKey) {
        let mut state = self.state();
        if state.waiting.insert(key) {
            state.order.push_back(key);
            self.changed.notify_one();
        }
    }

    /// The next object on which nobody works; `None` when the queue is closed.
    pub(super) fn take(&self) -> Option<ObjectKey> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            let free = state.order.iter().position(|key| !state.running.contains(key));
            if let Some(key) = free.and_then(|at| state.order.remove(at)) {
                state.waiting.remove(&key);
                state.running.insert(key);
                return Some(key);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The work that [`Queue::take`] has handed out is over.
    pub(super) fn done(&self, key: ObjectKey) {
        self.state().running.remove(&key);
        self.changed.notify_all();
    }

    /// Whether somebody works on it, or will.
    pub(super) fn is_busy(&self, key: ObjectKey) -> bool {
        let state = self.state();
        state.running.contains(&key) || state.waiting.contains(&key)
    }

    /// Nobody gets anything any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use wolke_host::ObjectKey;

    #[test]
    fn one_thread_per_object_and_nothing_is_lost() {
        let queue = Queue::default();
        let (one, two) = (ObjectKey::server(1), ObjectKey::server(2));
        queue.push(one);
        queue.push(one);
        assert_eq!(queue.take(), Some(one));
        queue.push(one);
        queue.push(two);
        assert_eq!(queue.take(), Some(two), "somebody works on the first");
        queue.done(two);
        assert!(!queue.is_busy(two) && queue.is_busy(one));
        queue.done(one);
        assert_eq!(queue.take(), Some(one), "it happened while somebody worked on it");
        queue.close();
        assert_eq!(queue.take(), None);
    }
}
