//! One object in memory: the wish, what there is, and what is under way.
//!
//! **Invariant:** whatever is seen from outside follows from the fields of [`Object`] by [`Object::observe`], as on the
//! simulated host.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use wolke_host::plan::{Guest, Operation, plan};
use wolke_host::{Desired, Lane, ObjectKey, Observed, ObservedState, PowerState, Verb};
use wolke_wire::{Id, Timestamp};

use super::memory::{Home, Memory};
use super::meter::Meter;

/// What a command has set going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) command: Id,
    pub(super) verb: Verb,
    /// Whether a thread is at it.
    pub(super) begun: bool,
}

/// An object and those who wait for it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: ObjectKey,
    object: Mutex<Object>,
    /// Told when a thread beside the worker has let go of the disk.
    pub(super) idle: Condvar,
}

impl Entry {
    pub(super) fn new(object: Object) -> Self {
        Self { key: object.key, object: Mutex::new(object), idle: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Object> {
        self.object.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: ObjectKey,
    pub(super) home: Home,
    /// The newest accepted wish; `None` for what was found and never asked for.
    pub(super) desired: Option<Desired>,
    /// What there is, in `current`, and what is remembered.
    pub(super) memory: Memory,
    /// What was last written down.
    pub(super) written: Option<Memory>,
    /// The operation of the plan that is under way.
    pub(super) step: Option<Operation>,
    pub(super) power_work: Option<Work>,
    pub(super) agent_work: Option<Work>,
    pub(super) disk_work: Option<Work>,
    /// A thread reads the disk.
    pub(super) disk_busy: bool,
    /// The snapshot that is complete and being made visible: nothing takes its place any more.
    pub(super) keeping: Option<Id>,
    /// Monotonic time since which the guest is seen running.
    pub(super) running_since: Option<i64>,
    /// Something but memory lies there.
    pub(super) leftovers: bool,
    /// Its guest went off by itself, and what that run has left (memory, mounts, control groups) is still to be cleared.
    pub(super) went_off: bool,
    /// The network knows it.
    pub(super) link: bool,
    /// Forgotten: whoever still holds it must not write it down again.
    pub(super) gone: bool,
    pub(super) meter: Meter,
    /// Monotonic time of the last failure.
    pub(super) failed_at: Option<i64>,
    /// Monotonic times of starts because the guest had vanished.
    pub(super) revived: Vec<i64>,
    /// What was told last.
    pub(super) told: Option<Observed>,
}

impl Object {
    pub(super) fn new(key: ObjectKey, home: Home) -> Self {
        Self {
            key,
            home,
            desired: None,
            memory: Memory::default(),
            written: None,
            step: None,
            power_work: None,
            agent_work: None,
            disk_work: None,
            disk_busy: false,
            keeping: None,
            running_since: None,
            leftovers: false,
            went_off: false,
            link: false,
            gone: false,
            meter: Meter::default(),
            failed_at: None,
            revived: Vec::new(),
            told: None,
        }
    }

    /// The newest accepted generation; 0 when there is none.
    pub(super) fn accepted(&self) -> i64 {
        self.desired.as_ref().map_or(0, |desired| desired.generation)
    }

    /// Whether nothing of it is on the host.
    pub(super) fn is_absent(&self) -> bool {
        self.memory.current.is_absent() && !self.leftovers && !self.link
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.desired.as_ref().is_some_and(Desired::is_tombstone)
    }

    /// Whether it is as desired and nothing is under way.
    pub(super) fn is_settled(&self) -> bool {
        let planned = self.desired.as_ref().map(|desired| plan(&self.memory.current, desired));
        self.memory.error.is_none() && self.step.is_none() && matches!(planned, Some(Ok(rest)) if rest.is_empty())
    }

    /// Whether it is gone, the tombstone of this generation being the newest wish.
    pub(super) fn is_gone_since(&self, generation: i64) -> bool {
        self.is_tombstone()
            && self.accepted() <= generation
            && self.is_absent()
            && self.memory.current.generation == self.accepted()
    }

    /// Whether the guest runs and is not being stopped.
    pub(super) fn is_running(&self) -> bool {
        self.memory.current.guest == Guest::Running && self.step != Some(Operation::Stop)
    }

    /// What is under way in a lane.
    pub(super) const fn lane(&mut self, lane: Lane) -> &mut Option<Work> {
        match lane {
            Lane::Power => &mut self.power_work,
            Lane::Agent => &mut self.agent_work,
            Lane::Disk => &mut self.disk_work,
        }
    }

    /// Whether this command is under way.
    pub(super) fn works_on(&self, command: Id) -> bool {
        let works = [&self.power_work, &self.agent_work, &self.disk_work];
        self.keeping == Some(command) || works.into_iter().flatten().any(|work| work.command == command)
    }

    /// Whether the guest is being started anew, and its agent with it.
    pub(super) fn is_restarting(&self) -> bool {
        matches!(&self.power_work, Some(work) if matches!(work.verb, Verb::Reset | Verb::Reboot))
    }

    /// What is visible of it.
    pub(super) fn observe(&self, at: Timestamp) -> Observed {
        let current = &self.memory.current;
        Observed {
            key: self.key,
            generation: current.generation,
            accepted: self.accepted(),
            state: ObservedState {
                power: self.power(),
                error: self.memory.error.clone(),
                booted: current.booted(),
                rescue_epoch: current.rescue_epoch,
                disk_epoch: current.disk.as_ref().map(|disk| disk.epoch),
            },
            at,
        }
    }

    fn power(&self) -> PowerState {
        let sound = self.memory.error.is_none();
        if self.is_absent() {
            let coming = self.desired.is_some() && !self.is_tombstone() && sound;
            return if coming { PowerState::Creating } else { PowerState::Absent };
        }
        if self.is_tombstone() && sound {
            return PowerState::Deleting;
        }
        match &self.step {
            // What lies there already is no disk yet.
            Some(Operation::CreateDisk { .. }) if self.memory.current.disk.is_none() => PowerState::Creating,
            Some(Operation::CreateDisk { .. }) => PowerState::Rebuilding,
            Some(Operation::Start) => PowerState::Starting,
            Some(Operation::Stop) => PowerState::Stopping,
            _ if self.memory.current.guest == Guest::Running => PowerState::Running,
            _ => PowerState::Off,
        }
    }
}
