//! The memory of a simulated host as a trait: a map here, rows of a database in the control plane.

use std::collections::{BTreeMap, BTreeSet};

use wolke_domain::Result;
use wolke_wire::Timestamp;

use super::object::SimObject;
use crate::object::ObjectKey;

/// Where a simulated host keeps its objects. One object is one row, found by key and by [`SimObject::wake_at`].
pub trait SimState {
    /// One object.
    ///
    /// # Errors
    /// When the memory fails.
    fn get(&mut self, key: ObjectKey) -> Result<Option<SimObject>>;

    /// Inserts or replaces one object, with its place in the order of [`SimObject::wake_at`].
    ///
    /// # Errors
    /// When the memory fails.
    fn put(&mut self, object: &SimObject) -> Result<()>;

    /// Removes one object, if it is there.
    ///
    /// # Errors
    /// When the memory fails.
    fn remove(&mut self, key: ObjectKey) -> Result<()>;

    /// Objects in the order of their keys, after one.
    ///
    /// # Errors
    /// When the memory fails.
    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<SimObject>>;

    /// Keys whose wake time is not after `now`, earliest first, then by key.
    ///
    /// # Errors
    /// When the memory fails.
    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<ObjectKey>>;

    /// The earliest wake time.
    ///
    /// # Errors
    /// When the memory fails.
    fn next_due(&mut self) -> Result<Option<Timestamp>>;
}

impl<S: SimState + ?Sized> SimState for &mut S {
    fn get(&mut self, key: ObjectKey) -> Result<Option<SimObject>> {
        (**self).get(key)
    }
    fn put(&mut self, object: &SimObject) -> Result<()> {
        (**self).put(object)
    }
    fn remove(&mut self, key: ObjectKey) -> Result<()> {
        (**self).remove(key)
    }
    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<SimObject>> {
        (**self).list(after, limit)
    }
    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<ObjectKey>> {
        (**self).due(now, limit)
    }
    fn next_due(&mut self) -> Result<Option<Timestamp>> {
        (**self).next_due()
    }
}

/// A memory in memory. Counts what it hands out and takes in, so that tests can show what a change touches.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    objects: BTreeMap<ObjectKey, SimObject>,
    wakes: BTreeSet<(Timestamp, ObjectKey)>,
    touched: u64,
}

impl MemoryState {
    /// How many objects were read, written or removed so far.
    #[must_use]
    pub const fn touched(&self) -> u64 {
        self.touched
    }

    /// How many objects there are, remembered tombstones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    fn unlink(&mut self, key: ObjectKey) {
        if let Some(wake) = self.objects.remove(&key).and_then(|object| object.wake_at()) {
            self.wakes.remove(&(wake, key));
        }
    }
}

impl SimState for MemoryState {
    fn get(&mut self, key: ObjectKey) -> Result<Option<SimObject>> {
        self.touched += 1;
        Ok(self.objects.get(&key).cloned())
    }

    fn put(&mut self, object: &SimObject) -> Result<()> {
        self.touched += 1;
        self.unlink(object.key);
        if let Some(wake) = object.wake_at() {
            self.wakes.insert((wake, object.key));
        }
        self.objects.insert(object.key, object.clone());
        Ok(())
    }

    fn remove(&mut self, key: ObjectKey) -> Result<()> {
        self.touched += 1;
        self.unlink(key);
        Ok(())
    }

    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<SimObject>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let page: Vec<_> =
            self.objects.range((from, Unbounded)).take(limit).map(|(_, object)| object.clone()).collect();
        self.touched += page.len() as u64;
        Ok(page)
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<ObjectKey>> {
        Ok(self.wakes.iter().take_while(|(wake, _)| *wake <= now).take(limit).map(|(_, key)| *key).collect())
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.wakes.first().map(|(wake, _)| *wake))
    }
}
