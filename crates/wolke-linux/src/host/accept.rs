//! Accepting wishes: durably, quickly, and never an older one.

use std::collections::BTreeSet;

use wolke_domain::Error;
use wolke_host::{Artefact, Desired, Digest, Forget, HostError, ObjectKey, ObjectKind, Report, Resync};
use wolke_wire::Timestamp;

use super::core::Core;

/// A host whose memory fails cannot answer.
pub(super) fn unavailable(error: &HostError) -> Error {
    Error::Unavailable { internal: format!("real host: {error}") }
}

impl Core {
    /// Takes a wish, unless it is older than the newest; tells at least one report of it.
    pub(super) fn accept(&self, desired: &Desired, now: Timestamp) -> wolke_domain::Result<()> {
        let entry = self.registry.ensure(desired.key);
        let mut object = entry.lock();
        let accepted = object.accepted();
        if desired.generation < accepted {
            let report = Report::Refused { offered: desired.generation, has: object.observe(now) };
            self.outbox.push(desired.key, report);
            return Ok(());
        }
        let known = desired.generation == accepted && object.desired.is_some();
        if !known {
            let delivered = object.memory.delivered;
            let before = object.desired.clone();
            object.memory.wish(before.as_ref(), desired, now);
            object.desired = Some(object.home.accept(desired, delivered).map_err(|error| unavailable(&error))?);
            object.memory.unlisted = false;
        }
        if !known || object.memory.error.is_some() {
            object.memory.error = None;
            self.save(&mut object).map_err(|error| unavailable(&error))?;
        }
        self.tell(&mut object, now);
        if !object.is_settled() || !known {
            self.work.push(desired.key);
        }
        Ok(())
    }

    /// Applies every listed object and wishes away what is neither listed nor newer than the list.
    pub(super) fn accept_all(&self, whole: &Resync, now: Timestamp) -> wolke_domain::Result<()> {
        for desired in &whole.objects {
            self.accept(desired, now)?;
        }
        let listed: BTreeSet<_> = whole.objects.iter().map(|object| object.key).collect();
        for key in self.known().map_err(|error| unavailable(&error))? {
            if !listed.contains(&key) {
                self.wish_away(key, whole.as_of, now)?;
            }
        }
        Ok(())
    }

    /// A tombstone for what is not listed; what is newer stays.
    fn wish_away(&self, key: ObjectKey, as_of: i64, now: Timestamp) -> wolke_domain::Result<()> {
        let entry = self.registry.ensure(key);
        let mut object = entry.lock();
        if object.accepted() > as_of {
            return Ok(());
        }
        let tombstone = Desired::absent(key, as_of.max(object.accepted()));
        object.desired = Some(object.home.accept(&tombstone, None).map_err(|error| unavailable(&error))?);
        object.memory.unlisted = true;
        object.memory.error = None;
        self.save(&mut object).map_err(|error| unavailable(&error))?;
        self.note(&mut object, now);
        self.work.push(key);
        Ok(())
    }

    /// Every object that is remembered or lies here.
    fn known(&self) -> crate::engine::Result<BTreeSet<ObjectKey>> {
        let mut keys: BTreeSet<_> = self.registry.all().iter().map(|entry| entry.key).collect();
        keys.extend(self.snapshots_here()?);
        Ok(keys)
    }

    /// Images that snapshots have made.
    fn snapshots_here(&self) -> crate::engine::Result<Vec<ObjectKey>> {
        let images = self.store.list()?;
        let keys = images.iter().filter_map(|image| ObjectKey::parse(&image.artefact));
        Ok(keys.filter(|key| key.kind == ObjectKind::Image).collect())
    }

    /// Forgets a tombstone that has left nothing.
    pub(super) fn acknowledge(&self, forget: &Forget) -> wolke_domain::Result<()> {
        let Some(entry) = self.registry.get(forget.key) else { return Ok(()) };
        let mut object = entry.lock();
        if object.is_gone_since(forget.generation) {
            self.forget(&entry, &mut object).map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    /// The fingerprint of what was accepted.
    pub(super) fn fingerprint(&self) -> Digest {
        let mut digest = Digest::default();
        for entry in self.registry.all() {
            digest.add(entry.key, entry.lock().accepted());
        }
        digest
    }

    /// What lies on the host, after a key.
    pub(super) fn artefacts(&self, after: Option<ObjectKey>, limit: usize) -> crate::engine::Result<Vec<Artefact>> {
        let images: BTreeSet<_> = self.snapshots_here()?.into_iter().collect();
        let keys = self.known()?.into_iter().filter(|key| after.is_none_or(|after| *key > after));
        let mut found = Vec::new();
        for key in keys {
            if found.len() >= limit {
                break;
            }
            let entry = self.registry.get(key);
            let (absent, generation) = entry.map_or((true, 0), |entry| {
                let object = entry.lock();
                (object.is_absent(), object.accepted())
            });
            if !absent || images.contains(&key) {
                found.push(Artefact { key, generation });
            }
        }
        Ok(found)
    }

    /// What waits to be told of these objects, in the order of their happening.
    pub(super) fn reports_of(&self, keys: impl IntoIterator<Item = ObjectKey>) -> Vec<Report> {
        let keys: BTreeSet<_> = keys.into_iter().collect();
        keys.into_iter().flat_map(|key| self.outbox.take(key)).collect()
    }
}
