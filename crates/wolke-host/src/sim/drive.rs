//! Executing a plan at the pace of its policies, one operation after the other.

use wolke_domain::{Error, Result};
use wolke_wire::Timestamp;

use super::object::{SimObject, Step};
use super::state::SimState;
use super::{SimHost, commands};
use crate::command::Lane;
use crate::host::Report;
use crate::object::{Desired, HostError, Observed};
use crate::plan::{Operation, PLAN_MAX, plan};
use crate::policy::{Beginning, OperationKind, Policy, Progress};

/// Collects reports of one object: one for each visible change.
pub(super) struct Watch {
    seen: Observed,
    now: Timestamp,
}

impl Watch {
    pub(super) fn new(object: &SimObject, now: Timestamp) -> Self {
        Self { seen: object.observe(now), now }
    }

    pub(super) fn note(&mut self, object: &SimObject, reports: &mut Vec<Report>) {
        let observed = object.observe(self.now);
        if observed != self.seen {
            reports.push(Report::Observed(observed.clone()));
            self.seen = observed;
        }
    }
}

impl<S: SimState> SimHost<'_, S> {
    /// Carries an object as far as it goes now. Does not write it, except when the host dies on the way.
    pub(super) fn drive(&mut self, object: &mut SimObject, now: Timestamp, reports: &mut Vec<Report>) -> Result<()> {
        let mut watch = Watch::new(object, now);
        self.drive_work(object, now, reports)?;
        watch.note(object, reports);
        for _ in 0..=PLAN_MAX {
            let Some(goal) = object.goal().cloned().filter(|_| object.error.is_none()) else { break };
            let operation = match plan(&object.current, &goal) {
                Ok(operations) => operations.into_iter().next(),
                Err(error) => {
                    object.error = Some(error);
                    None
                }
            };
            let Some(operation) = operation else {
                object.step = None;
                break;
            };
            let over = self.advance(object, &goal, &operation, now);
            if operation.ends_disk() && object.error.is_none() {
                commands::cancel(object, Lane::Disk, reports);
            }
            watch.note(object, reports);
            if !over {
                break;
            }
            self.crash_point(object, now)?;
            operation.complete(&goal, &mut object.current);
            object.step = None;
            commands::cancel_unless_running(object, reports);
            watch.note(object, reports);
        }
        watch.note(object, reports);
        Ok(())
    }

    /// Begins the operation unless it is under way; says whether it can be completed now.
    fn advance(&self, object: &mut SimObject, goal: &Desired, operation: &Operation, now: Timestamp) -> bool {
        let under_way = object.step.take().filter(|step| step.operation == *operation);
        let progress = match under_way {
            Some(step) => step.progress,
            None => self.begin(object, goal, operation, now),
        };
        if let Progress::Failed(error) = progress {
            object.failed.extend(operation.kind(&object.current));
            object.error = Some(error);
            return false;
        }
        let over = progress.is_over(now, self.settings.skip_time);
        object.step = Some(Step { operation: operation.clone(), progress });
        over
    }

    fn begin(&self, object: &SimObject, goal: &Desired, operation: &Operation, now: Timestamp) -> Progress {
        if let Some(error) = self.fault(goal, operation) {
            return Progress::Failed(error);
        }
        match operation.kind(&object.current) {
            // The pace of a delete is that of the whole, not of its hard stop.
            Some(OperationKind::Stop) if goal.is_tombstone() => Progress::Ready,
            Some(kind) => self.begin_kind(object, kind, goal.generation, now),
            None => Progress::Ready,
        }
    }

    /// How an operation of this kind begins, by the object's own profile or the host's.
    pub(super) fn begin_kind(&self, object: &SimObject, kind: OperationKind, cause: i64, now: Timestamp) -> Progress {
        let own = object.profile.as_ref().and_then(|profile| profile.get(kind));
        let policy = own.or_else(|| self.settings.profile.get(kind)).unwrap_or(&Policy::Immediate);
        let failed_before = object.failed.contains(&kind);
        policy.begin(&Beginning { now, seed: self.settings.seed, id: object.key.id, kind, cause, failed_before })
    }

    fn fault(&self, goal: &Desired, operation: &Operation) -> Option<HostError> {
        let faults = &self.settings.faults;
        match operation {
            Operation::CreateDisk { image, .. } if faults.missing_images.contains(&image.id) => {
                Some(HostError::new(HostError::IMAGE_MISSING, format!("image {} is not on the host", image.id)))
            }
            Operation::CreateDisk { .. } | Operation::GrowDisk { .. } if faults.disk_full => {
                Some(HostError::new(HostError::DISK_FULL, "no room is left for the disk"))
            }
            Operation::CreateDisk { .. } | Operation::Define => {
                goal.server_spec().and_then(|spec| self.settings.capacity.admits(spec).err())
            }
            _ => None,
        }
    }

    /// Where the host may die: just before an effect, with everything before it written down.
    pub(super) fn crash_point(&mut self, object: &mut SimObject, now: Timestamp) -> Result<()> {
        if self.settings.crash_after.is_some_and(|limit| self.executed >= limit) {
            self.save(object, now)?;
            return Err(Error::Unavailable { internal: "the simulated host died".into() });
        }
        self.executed = self.executed.saturating_add(1);
        Ok(())
    }
}
