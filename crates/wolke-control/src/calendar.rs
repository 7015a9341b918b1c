//! Calendars: strands that carry nothing but the time of the next appointment of a resource (decision 0007).
//!
//! A resource with appointments has one, without locks and without an action. What is due and when stands in the resource's own
//! row; a step that runs twice finds nothing to do the second time.

use crate::core::Core;
use serde::{Deserialize, Serialize};
use wolke_domain::Result;
use wolke_store::strand::NewStrand;
use wolke_store::{Race, Tx, strand};
use wolke_strand::{Frame, Program};
use wolke_wire::{Id, Timestamp};

/// World time after which appointments that could not be kept are tried again, in milliseconds.
pub(crate) const RENEW_MS: i64 = 60_000;

/// What a calendar knows: whose it is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Subject {
    /// The resource. Calendars of earlier releases, which servers alone had, call it so.
    #[serde(rename = "server", alias = "subject")]
    pub subject: Id,
}

/// Whose calendar it is, and what keeps the appointments. The program begins with the step `keep`.
pub(crate) struct Calendar {
    pub program: &'static Program<Core>,
    pub project: Id,
    pub scope: Vec<Race>,
    pub subject: Id,
}

/// Brings a calendar in line with the next appointment: starts it, moves it, or lets it go. Gives what the resource must note.
/// Steps of the calendar itself need not call it.
pub(crate) fn ensure(
    tx: &mut dyn Tx,
    calendar: Calendar,
    known: Option<Id>,
    next: Option<Timestamp>,
) -> Result<Option<Id>> {
    let Some(next) = next else {
        forget(tx, known)?;
        return Ok(None);
    };
    if let Some(known) = known
        && strand::reschedule(tx, known, next)?
    {
        return Ok(Some(known));
    }
    start(tx, calendar, next).map(Some)
}

/// Lets the calendar of a resource go that is about to be removed.
pub(crate) fn forget(tx: &mut dyn Tx, known: Option<Id>) -> Result<()> {
    known.map_or(Ok(()), |known| strand::dismiss(tx, known))
}

/// A calendar that sleeps until its first appointment.
pub(crate) fn start(tx: &mut dyn Tx, calendar: Calendar, wake_at: Timestamp) -> Result<Id> {
    let new = NewStrand {
        kind: calendar.program.kind,
        project: calendar.project,
        scope: calendar.scope,
        step: "keep",
        frame: Frame::initial(&Subject { subject: calendar.subject }, Vec::new())?,
        action: None,
        locks: Vec::new(),
        always: false,
    };
    strand::insert_asleep(tx, &new, wake_at)
}
