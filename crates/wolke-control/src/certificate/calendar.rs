//! The appointments of a managed certificate: when it says that it will be renewed, and when it is (decision 0007).
//!
//! One strand per certificate that was issued, without locks and without an action. What is due stands in the certificate; the
//! strand only carries the time, so that a step that runs twice finds nothing to do the second time.

use super::issue::{self, Cause};
use crate::core::Core;
use serde::{Deserialize, Serialize};
use wolke_domain::Result;
use wolke_domain::certificate::Managed;
use wolke_store::certificate::Certificate;
use wolke_store::strand::{NEVER, NewStrand};
use wolke_store::{Race, Stored, Tx, certificate, strand};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::certificate::Renewal;
use wolke_wire::{Id, Timestamp};

/// World time after which appointments that could not be kept are tried again, in milliseconds.
const AGAIN_MS: i64 = 60_000;

/// The program.
pub(crate) static PROGRAM: Program<Core> =
    Program { kind: "certificate_calendar", steps: &[("keep", keep), ("renew", renew)], abort: "renew" };

#[derive(Serialize, Deserialize)]
struct Variables {
    certificate: Id,
}

/// Brings the calendar in line with what is due: starts it, moves it, or lets it go. To be called on the new value of a
/// certificate before that is written. Steps of the calendar itself need not call it.
pub(super) fn ensure(tx: &mut dyn Tx, certificate: &mut Certificate) -> Result<()> {
    let Some(managed) = &certificate.details.managed else { return Ok(()) };
    let (known, next) = (managed.calendar, managed.next());
    let calendar = match (known, next) {
        (known, None) => {
            known.map_or(Ok(()), |known| strand::dismiss(tx, known))?;
            None
        }
        (Some(known), Some(next)) if strand::reschedule(tx, known, next)? => Some(known),
        (_, Some(next)) => Some(start(tx, certificate, next)?),
    };
    if let Some(managed) = &mut certificate.details.managed {
        managed.calendar = calendar;
    }
    Ok(())
}

/// Lets the calendar of a certificate go that is about to be removed.
pub(super) fn forget(tx: &mut dyn Tx, certificate: &Certificate) -> Result<()> {
    let known = certificate.details.managed.as_ref().and_then(|managed| managed.calendar);
    known.map_or(Ok(()), |known| strand::dismiss(tx, known))
}

fn start(tx: &mut dyn Tx, certificate: &Certificate, wake_at: Timestamp) -> Result<Id> {
    let new = NewStrand {
        kind: PROGRAM.kind,
        project: certificate.project,
        scope: vec![Race::Project(certificate.project)],
        step: "keep",
        frame: Frame::initial(&Variables { certificate: certificate.id }, Vec::new())?,
        action: None,
        locks: Vec::new(),
        always: false,
    };
    strand::insert_asleep(tx, &new, wake_at)
}

/// The certificate of a calendar and how it is doing; none when it is gone or has another calendar.
fn subject(tx: &mut dyn Tx, frame: &Frame) -> Result<Option<(Stored<Certificate>, Managed)>> {
    let Variables { certificate: id } = frame.read()?;
    let found = certificate::by_id(tx, id)?;
    let managed = found.as_ref().and_then(|found| found.value.details.managed.clone());
    Ok(found.zip(managed).filter(|(_, managed)| managed.calendar == Some(frame.strand)))
}

/// Keeps what is due, and sleeps until the next appointment. It goes when a renewal begins: that makes the next one.
fn keep(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some((old, mut managed)) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let mut new = old.value.clone();
    let Some(next) = managed.next() else {
        managed.calendar = None;
        new.details.managed = Some(managed);
        certificate::update(tx, &old, &new)?;
        return Ok(Flow::Done);
    };
    if next > tx.now() {
        return Ok(Flow::Wait { step: "keep", until: next, deadline: NEVER, promised: true });
    }
    if managed.renewal == Renewal::Unavailable {
        managed.renewal = Renewal::Scheduled;
        new.details.managed = Some(managed);
        certificate::update(tx, &old, &new)?;
        return Ok(Flow::Next("keep"));
    }
    issue::begin(tx, &old, Cause::Renewal)?;
    Ok(Flow::Next("keep"))
}

/// The abort: appointments outlive the strand that failed to keep them, and are tried again a little later.
fn renew(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some((old, mut managed)) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let mut new = old.value.clone();
    managed.calendar = match managed.next() {
        None => None,
        Some(next) => {
            tracing::warn!(certificate = new.id, failure = ?frame.failure, "appointments could not be kept; they are tried again");
            let again = tx.now().plus_ms(AGAIN_MS);
            Some(start(tx, &new, next.max(again))?)
        }
    };
    new.details.managed = Some(managed);
    certificate::update(tx, &old, &new)?;
    Ok(Flow::Done)
}
