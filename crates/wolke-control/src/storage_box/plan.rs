//! Snapshot plans: switching them on and off, and the calendar that keeps them.

use super::{done, snapshot, type_of};
use crate::calendar::{self, Calendar, RENEW_MS, Subject};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::view::Json;
use std::sync::Arc;
use wolke_domain::Result;
use wolke_domain::action::Target;
use wolke_domain::storage_box::plan::{self as rules, Plan};
use wolke_store::storage_box::{self as boxes, StorageBox};
use wolke_store::strand::NEVER;
use wolke_store::{Race, Stored, Tx};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::storage_box::SnapshotPlan;
use wolke_wire::cloud::storage_box::snapshot::CreateSnapshot;
use wolke_wire::{Id, Kind, Timestamp};

/// The program.
pub(crate) static PROGRAM: Program<Core> =
    Program { kind: "storage_box_calendar", steps: &[("keep", keep), ("renew", renew)], abort: "renew" };

fn of(storage_box: &StorageBox) -> Calendar {
    let project = storage_box.project;
    Calendar { program: &PROGRAM, project, scope: vec![Race::Project(project)], subject: storage_box.id }
}

fn next_appointment(storage_box: &StorageBox) -> Option<Timestamp> {
    storage_box.details.plan.map(|plan| plan.next)
}

/// Writes a storage box with another plan, or without one.
fn put(tx: &mut dyn Tx, old: &Stored<StorageBox>, plan: Option<Plan>) -> Result<()> {
    let mut new = old.value.clone();
    new.details.plan = plan;
    new.details.calendar = calendar::ensure(tx, of(&new), new.details.calendar, next_appointment(&new))?;
    if new == old.value { Ok(()) } else { boxes::update(tx, old, &new) }
}

impl Control {
    /// Lets snapshots be made by themselves; an earlier plan goes.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for more than the type allows.
    pub async fn enable_snapshot_plan(&self, caller: &Caller, id: Id, wish: SnapshotPlan) -> Result<Json> {
        let core = Arc::clone(&self.core);
        self.change_storage_box(caller, id, move |tx, old| {
            rules::check(&wish, type_of(&core.catalogue(), &old.value)?.automatic_snapshot_limit)?;
            let next = rules::next(&wish, tx.now());
            put(tx, old, Some(Plan { wish, next }))?;
            done(tx, &old.value, "enable_snapshot_plan", None)
        })
        .await
    }

    /// Lets no more snapshots be made by themselves; those that there are stay.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn disable_snapshot_plan(&self, caller: &Caller, id: Id) -> Result<Json> {
        self.change_storage_box(caller, id, |tx, old| {
            put(tx, old, None)?;
            done(tx, &old.value, "disable_snapshot_plan", None)
        })
        .await
    }
}

/// The storage box of a calendar; none when it is gone or has another calendar.
fn subject(tx: &mut dyn Tx, frame: &Frame) -> Result<Option<Stored<StorageBox>>> {
    let Subject { subject } = frame.read()?;
    let found = boxes::of_anybody(tx, subject)?;
    Ok(found.filter(|found| found.value.details.calendar == Some(frame.strand)))
}

/// Makes the snapshot that is due, and sleeps until the next is. However many were missed, one is made.
fn keep(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some(old) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let mut new = old.value.clone();
    let Some(plan) = &mut new.details.plan else {
        new.details.calendar = None;
        boxes::update(tx, &old, &new)?;
        return Ok(Flow::Done);
    };
    if plan.next > tx.now() {
        return Ok(Flow::Wait { step: "keep", until: plan.next, deadline: NEVER, promised: true });
    }
    plan.next = rules::next(&plan.wish, tx.now());
    let kept = plan.wish.max_snapshots;
    let made = snapshot::take(tx, &new, CreateSnapshot::default(), true)?;
    snapshot::drop_excess(tx, &mut new, kept)?;
    boxes::update(tx, &old, &new)?;
    done(tx, &new, "create_snapshot", Some(Target::new(Kind::StorageBoxSnapshot, made)))?;
    Ok(Flow::Next("keep"))
}

/// The abort: a plan outlives the strand that failed to keep it, and is tried again a little later.
fn renew(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some(old) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let mut new = old.value.clone();
    new.details.calendar = None;
    if let Some(next) = next_appointment(&new) {
        let (id, failure) = (new.id, &frame.failure);
        tracing::warn!(storage_box = id, ?failure, "a snapshot could not be made; it is tried again");
        let again = next.max(tx.now().plus_ms(RENEW_MS));
        new.details.calendar = Some(calendar::start(tx, of(&new), again)?);
    }
    boxes::update(tx, &old, &new)?;
    Ok(Flow::Done)
}
