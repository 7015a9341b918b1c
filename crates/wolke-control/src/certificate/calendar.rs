//! The appointments of a managed certificate: when it says that it will be renewed, and when it is (decision 0007).
//!
//! One strand per certificate that was issued ([`crate::calendar`]). What is due stands in the certificate.

use super::issue::{self, Cause};
use crate::calendar::{self, Calendar, RENEW_MS, Subject};
use crate::core::Core;
use wolke_domain::Result;
use wolke_domain::certificate::Managed;
use wolke_store::certificate::Certificate;
use wolke_store::strand::NEVER;
use wolke_store::{Race, Stored, Tx, certificate};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::certificate::Renewal;

/// The program.
pub(crate) static PROGRAM: Program<Core> =
    Program { kind: "certificate_calendar", steps: &[("keep", keep), ("renew", renew)], abort: "renew" };

fn of(certificate: &Certificate) -> Calendar {
    Calendar {
        program: &PROGRAM,
        project: certificate.project,
        scope: vec![Race::Project(certificate.project)],
        subject: certificate.id,
    }
}

/// Brings the calendar in line with what is due. To be called on the new value of a certificate before that is written. Steps of
/// the calendar itself need not call it.
pub(super) fn ensure(tx: &mut dyn Tx, certificate: &mut Certificate) -> Result<()> {
    let of = of(certificate);
    if let Some(managed) = &mut certificate.details.managed {
        managed.calendar = calendar::ensure(tx, of, managed.calendar, managed.next())?;
    }
    Ok(())
}

/// Lets the calendar of a certificate go that is about to be removed.
pub(super) fn forget(tx: &mut dyn Tx, certificate: &Certificate) -> Result<()> {
    calendar::forget(tx, certificate.details.managed.as_ref().and_then(|managed| managed.calendar))
}

/// The certificate of a calendar and how it is doing; none when it is gone or has another calendar.
fn subject(tx: &mut dyn Tx, frame: &Frame) -> Result<Option<(Stored<Certificate>, Managed)>> {
    let Subject { subject } = frame.read()?;
    let found = certificate::by_id(tx, subject)?;
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
            let again = next.max(tx.now().plus_ms(RENEW_MS));
            Some(calendar::start(tx, of(&new), again)?)
        }
    };
    new.details.managed = Some(managed);
    certificate::update(tx, &old, &new)?;
    Ok(Flow::Done)
}
