//! What a simulated host remembers of one object: everything, in one JSON document, without secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wolke_wire::Timestamp;

use super::LOOK_INTERVAL_MS;
use super::settings::GuestEvent;
use super::work::{Task, Work};
use crate::command::CommandLog;
use crate::object::{Desired, HostError, ObjectKey, Observed, ObservedState, PowerState};
use crate::plan::{Current, Disk, Guest, Operation, plan};
use crate::policy::{LatencyProfile, OperationKind, Progress};

/// An operation of the plan that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) operation: Operation,
    pub(super) progress: Progress,
}

/// One object of a simulated host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimObject {
    /// Which object.
    pub key: ObjectKey,
    /// The newest accepted wish, without secrets; `None` for what was found and never asked for.
    goal: Option<Desired>,
    pub(super) current: Current,
    #[serde(default)]
    pub(super) step: Option<Step>,
    /// The command in the lane of power. Two more lanes follow; see [`SimObject::works`].
    #[serde(default)]
    pub(super) work: Option<Work>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agent_work: Option<Work>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disk_work: Option<Work>,
    #[serde(default)]
    pub(super) commands: CommandLog,
    /// Kinds that have failed once.
    #[serde(default)]
    pub(super) failed: BTreeSet<OperationKind>,
    #[serde(default)]
    pub(super) error: Option<HostError>,
    /// The server's own latency profile; outlives its spec, for the delete.
    #[serde(default)]
    pub(super) profile: Option<LatencyProfile>,
    /// A resync did not list it: once it is gone, so is the memory of it.
    #[serde(default)]
    pub(super) unlisted: bool,
    #[serde(default, with = "crate::millis::option")]
    wake_at: Option<Timestamp>,
}

impl SimObject {
    /// An object of which nothing is there yet.
    pub(super) fn new(key: ObjectKey) -> Self {
        Self {
            key,
            goal: None,
            current: Current::default(),
            step: None,
            work: None,
            agent_work: None,
            disk_work: None,
            commands: CommandLog::default(),
            failed: BTreeSet::new(),
            error: None,
            profile: None,
            unlisted: false,
            wake_at: None,
        }
    }

    /// An artefact that nobody asked for: the disk of a machine that runs, with no memory of a generation.
    #[must_use]
    pub fn stray(key: ObjectKey) -> Self {
        let mut object = Self::new(key);
        object.current.disk = Some(Disk { image: 1, size_gb: 1, epoch: 0 });
        object.current.guest = Guest::Running;
        object
    }

    /// When a poll should next work on it (world time); `None` when time alone changes nothing. The column by which a
    /// database finds due objects.
    #[must_use]
    pub const fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// The newest accepted generation; 0 when there is none.
    #[must_use]
    pub fn accepted(&self) -> i64 {
        self.goal.as_ref().map_or(0, |goal| goal.generation)
    }

    /// Whether nothing is left of it on the host.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.current.is_absent()
    }

    pub(super) const fn goal(&self) -> Option<&Desired> {
        self.goal.as_ref()
    }

    /// Takes a newer wish. An operation that hangs is begun anew for it, under the policy of now: somebody has asked again.
    /// One that only takes its time goes on.
    pub(super) fn accept(&mut self, desired: &Desired) {
        self.step.take_if(|step| step.progress == Progress::Never);
        if let Some(spec) = desired.server_spec() {
            self.profile.clone_from(&spec.simulation);
        }
        self.goal = Some(desired.without_secrets());
        self.unlisted = false;
    }

    /// Tries again what has failed.
    pub(super) fn retry(&mut self) {
        self.error = None;
    }

    /// Whether it is as desired and nothing is under way.
    pub(super) fn is_settled(&self) -> bool {
        let planned = self.goal.as_ref().map(|goal| plan(&self.current, goal));
        self.error.is_none() && self.step.is_none() && matches!(planned, Some(Ok(operations)) if operations.is_empty())
    }

    /// Whether it is gone, the tombstone of this generation being the newest wish.
    pub(super) fn is_gone_since(&self, generation: i64) -> bool {
        self.goal.as_ref().is_some_and(|goal| goal.is_tombstone() && goal.generation <= generation)
            && self.is_absent()
            && self.current.generation == self.accepted()
    }

    /// Counts one look; says whether anything was waiting for looks.
    pub(super) fn look(&mut self) -> bool {
        let mut counted = false;
        let mut count = |progress: &mut Progress| {
            counted |= matches!(progress, Progress::Looks(_));
            progress.look();
        };
        if let Some(step) = &mut self.step {
            count(&mut step.progress);
        }
        self.works_mut().for_each(|work| count(&mut work.progress));
        counted
    }

    /// Whether a poll would work on it now.
    pub(super) fn is_due(&self, now: Timestamp, skip_time: bool) -> bool {
        self.wake_at.is_some_and(|wake| skip_time || wake <= now)
    }

    pub(super) fn guest_event(&mut self, event: GuestEvent) {
        let running = self.current.guest == Guest::Running;
        match event {
            GuestEvent::PowersOff if running => self.current.halt(Guest::Off),
            GuestEvent::PowersOff => {}
            GuestEvent::HostDies => {
                if running {
                    self.current.halt(Guest::Lost);
                }
                self.step = None;
                // Whoever asks for these commands again learns that they were interrupted.
                (self.work, self.agent_work, self.disk_work) = (None, None, None);
            }
        }
    }

    /// What is visible of it.
    pub(super) fn observe(&self, now: Timestamp) -> Observed {
        Observed {
            key: self.key,
            generation: self.current.generation,
            accepted: self.accepted(),
            state: ObservedState {
                power: self.power(),
                error: self.error.clone(),
                booted: self.current.booted(),
                rescue_epoch: self.current.rescue_epoch,
                disk_epoch: self.current.disk.as_ref().map(|disk| disk.epoch),
            },
            at: now,
        }
    }

    fn power(&self) -> PowerState {
        let tombstone = self.goal.as_ref().is_some_and(Desired::is_tombstone);
        let shutting_down = |work: &Work| work.task == Task::Shutdown && work.progress != Progress::Never;
        if self.is_absent() {
            let coming = self.goal.is_some() && !tombstone && self.error.is_none();
            return if coming { PowerState::Creating } else { PowerState::Absent };
        }
        if tombstone && self.error.is_none() {
            return PowerState::Deleting;
        }
        match self.step.as_ref().map(|step| &step.operation) {
            Some(Operation::CreateDisk { .. }) => PowerState::Rebuilding,
            Some(Operation::Start) => PowerState::Starting,
            Some(Operation::Stop) => PowerState::Stopping,
            _ if self.current.guest != Guest::Running => PowerState::Off,
            _ if self.work.as_ref().is_some_and(shutting_down) => PowerState::Stopping,
            _ => PowerState::Running,
        }
    }

    /// Sets the wake time from what is under way.
    pub(super) fn set_wake(&mut self, now: Timestamp) {
        let due = |progress: &Progress| match progress {
            Progress::Ready => Some(now),
            Progress::Until(due) => Some(*due),
            Progress::Looks(_) => Some(now.plus_ms(LOOK_INTERVAL_MS)),
            Progress::Never | Progress::Failed(_) => None,
        };
        // Work that nothing has begun yet: the host died before it could.
        let unfinished = self.step.is_none() && self.error.is_none() && self.goal.is_some() && !self.is_settled();
        let step = self.step.as_ref().and_then(|step| due(&step.progress));
        let works = self.works().filter_map(|work| due(&work.progress));
        self.wake_at = works.chain([step, unfinished.then_some(now)].into_iter().flatten()).min();
    }
}
