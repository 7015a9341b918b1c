//! The simulated host: executes plans by changing what it remembers, at the pace that policies set.
//!
//! **Invariants:** it touches the state of the objects that a call names (or that are due), never of others; one call writes
//! each object once; user data and password hashes are not remembered.

mod commands;
mod drive;
mod object;
mod settings;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod work;

use wolke_domain::Result;
use wolke_wire::Timestamp;

use drive::Watch;

pub use object::SimObject;
pub use settings::{GuestEvent, SimFaults, SimSettings};
pub use state::{MemoryState, SimState};

use crate::host::{Artefact, Delta, Digest, Feature, Forget, Host, HostFacts, Poll, Report, Resync, RuntimeChoice};
use crate::object::{Desired, ObjectKey};
use crate::server::Runtime;

/// How many due objects one poll works on.
pub const POLL_LIMIT: usize = 1000;

/// How many objects are read at once where all have to be read.
const PAGE: usize = 1000;

/// World time between two looks that a poll counts for [`crate::Policy::AfterLooks`], in milliseconds.
pub const LOOK_INTERVAL_MS: i64 = 100;

/// A simulated host over a memory. It costs nothing to make: one per transaction.
#[derive(Debug)]
pub struct SimHost<'a, S> {
    state: S,
    settings: &'a SimSettings,
    /// Operations executed by this value, for [`SimSettings::crash_after`].
    executed: u32,
}

impl<'a, S: SimState> SimHost<'a, S> {
    /// The host with this memory and these settings.
    pub const fn new(state: S, settings: &'a SimSettings) -> Self {
        Self { state, settings, executed: 0 }
    }

    /// Lets a guest, or the machine below it, do something on its own. A guest that does not run does nothing.
    ///
    /// # Errors
    /// When the memory fails.
    pub fn guest_event(&mut self, key: ObjectKey, event: GuestEvent, now: Timestamp) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        if let Some(mut object) = self.state.get(key)? {
            let mut watch = Watch::new(&object, now);
            object.guest_event(event);
            watch.note(&object, &mut reports);
            self.drive(&mut object, now, &mut reports)?;
            self.save(&mut object, now)?;
        }
        Ok(reports)
    }

    /// Works on one desired object: accepts it when it is not older than what was accepted.
    fn apply_object(&mut self, desired: &Desired, now: Timestamp, reports: &mut Vec<Report>) -> Result<()> {
        let mut object = self.state.get(desired.key)?.unwrap_or_else(|| SimObject::new(desired.key));
        let accepted = object.accepted();
        if desired.generation < accepted {
            reports.push(Report::Refused { offered: desired.generation, has: object.observe(now) });
            return Ok(());
        }
        if desired.generation == accepted && object.is_settled() {
            reports.push(Report::Observed(object.observe(now)));
            return Ok(());
        }
        let before = reports.len();
        if desired.generation > accepted {
            object.accept(desired);
        }
        object.retry();
        self.drive(&mut object, now, reports)?;
        if reports.len() == before {
            reports.push(Report::Observed(object.observe(now)));
        }
        self.save(&mut object, now)
    }

    fn forget(&mut self, forget: &Forget) -> Result<()> {
        match self.state.get(forget.key)? {
            Some(object) if object.is_gone_since(forget.generation) => self.state.remove(forget.key),
            _ => Ok(()),
        }
    }

    /// Removes what the list does not name; artefacts newer than the list stay.
    fn remove_unlisted(&mut self, whole: &Resync, now: Timestamp, reports: &mut Vec<Report>) -> Result<()> {
        let listed: std::collections::BTreeSet<_> = whole.objects.iter().map(|object| object.key).collect();
        let mut after = None;
        loop {
            let page = self.state.list(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key);
            for mut object in page {
                if listed.contains(&object.key) || object.accepted() > whole.as_of {
                    continue;
                }
                object.accept(&Desired::absent(object.key, whole.as_of.max(object.accepted())));
                object.unlisted = true;
                object.retry();
                self.drive(&mut object, now, reports)?;
                self.save(&mut object, now)?;
            }
        }
    }

    /// Writes an object with the time of its next change. An unlisted one is forgotten once it is gone.
    fn save(&mut self, object: &mut SimObject, now: Timestamp) -> Result<()> {
        if object.unlisted && object.is_absent() {
            return self.state.remove(object.key);
        }
        object.set_wake(now);
        self.state.put(object)
    }
}

impl<S: SimState> Host for SimHost<'_, S> {
    fn facts(&self) -> HostFacts {
        HostFacts {
            identity: String::new(),
            runtimes: vec![Runtime::Simulated],
            choice: RuntimeChoice::always(Runtime::Simulated),
            capacity: self.settings.capacity,
            cores_max: self.settings.capacity.cores,
            features: [Feature::Rescue, Feature::Disc, Feature::Console].into(),
            images: None,
        }
    }

    fn apply(&mut self, delta: &Delta, now: Timestamp) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        for desired in &delta.objects {
            self.apply_object(desired, now, &mut reports)?;
        }
        for command in &delta.commands {
            self.run(command, now, &mut reports)?;
        }
        for forget in &delta.forget {
            self.forget(forget)?;
        }
        Ok(reports)
    }

    fn resync(&mut self, whole: &Resync, now: Timestamp) -> Result<Vec<Report>> {
        whole.verify()?;
        let mut reports = Vec::new();
        for desired in &whole.objects {
            self.apply_object(desired, now, &mut reports)?;
        }
        self.remove_unlisted(whole, now, &mut reports)?;
        Ok(reports)
    }

    fn digest(&mut self) -> Result<Digest> {
        let mut digest = Digest::default();
        let mut after = None;
        loop {
            let page = self.state.list(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(digest) };
            after = Some(last.key);
            for object in page {
                digest.add(object.key, object.accepted());
            }
        }
    }

    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<Artefact>> {
        let mut found = Vec::new();
        let mut after = after;
        while found.len() < limit {
            let page = self.state.list(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            let present = page.iter().filter(|object| !object.is_absent());
            found.extend(present.map(|object| Artefact { key: object.key, generation: object.accepted() }));
        }
        found.truncate(limit);
        Ok(found)
    }

    fn look(&mut self, key: ObjectKey, now: Timestamp) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        let Some(mut object) = self.state.get(key)? else { return Ok(reports) };
        if object.look() || object.is_due(now, self.settings.skip_time) {
            self.drive(&mut object, now, &mut reports)?;
            self.save(&mut object, now)?;
        }
        reports.push(Report::Observed(object.observe(now)));
        Ok(reports)
    }

    fn poll(&mut self, now: Timestamp) -> Result<Poll> {
        let mut reports = Vec::new();
        let horizon = if self.settings.skip_time { Timestamp(i64::MAX) } else { now };
        for key in self.state.due(horizon, POLL_LIMIT)? {
            let Some(mut object) = self.state.get(key)? else { continue };
            object.look();
            self.drive(&mut object, now, &mut reports)?;
            self.save(&mut object, now)?;
        }
        let next = self.state.next_due()?.map(|due| if self.settings.skip_time { now } else { due });
        Ok(Poll { reports, next })
    }
}
