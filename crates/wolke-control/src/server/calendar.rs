//! The appointments of a server: its next daily backup and the end of its rescue system.
//!
//! One strand per server that has any ([`crate::calendar`]). It sleeps until the next appointment and goes when there is none, at
//! the latest with its server.

use super::{backup, rescue, scope};
use crate::calendar::{self, Calendar, RENEW_MS, Subject};
use crate::core::Core;
use wolke_domain::Result;
use wolke_domain::server::{Details, Server};
use wolke_store::strand::NEVER;
use wolke_store::{Stored, Tx, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::Timestamp;

/// The program.
pub(super) static PROGRAM: Program<Core> =
    Program { kind: "server_calendar", steps: &[("keep", keep), ("renew", renew)], abort: "renew" };

/// When the next appointment is.
fn next_appointment(details: &Details) -> Option<Timestamp> {
    let backup = details.backup.as_ref().map(|backup| backup.next);
    let rescue = details.rescue.as_ref().map(|rescue| rescue.expires);
    backup.into_iter().chain(rescue).min()
}

fn of(server: &Server) -> Calendar {
    Calendar { program: &PROGRAM, project: server.project, scope: scope(server), subject: server.id }
}

/// Brings the calendar in line with the appointments in the details. To be called on the new value of a server whose backups or
/// rescue system have changed, before that is written; it sets [`Details::calendar`].
pub(super) fn ensure(tx: &mut dyn Tx, server: &mut Server) -> Result<()> {
    let next = next_appointment(&server.details);
    server.details.calendar = calendar::ensure(tx, of(server), server.details.calendar, next)?;
    Ok(())
}

/// Lets the calendar of a server go that is about to be removed.
pub(super) fn forget(tx: &mut dyn Tx, server: &Server) -> Result<()> {
    calendar::forget(tx, server.details.calendar)
}

/// The server of a calendar; none when it is gone or has another calendar.
fn subject(tx: &mut dyn Tx, frame: &Frame) -> Result<Option<Stored<Server>>> {
    let Subject { subject } = frame.read()?;
    let found = server::by_id(tx, subject)?;
    Ok(found.filter(|server| server.value.details.calendar == Some(frame.strand)))
}

/// Keeps what is due, one appointment at a time, and sleeps until the next.
fn keep(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some(server) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let (details, now) = (&server.value.details, tx.now());
    if details.rescue.as_ref().is_some_and(|rescue| rescue.expires <= now) {
        rescue::expire(tx, core, &server)?;
        return Ok(Flow::Next("keep"));
    }
    if details.backup.as_ref().is_some_and(|backup| backup.next <= now) {
        backup::make_due(tx, core, &server)?;
        return Ok(Flow::Next("keep"));
    }
    let Some(until) = next_appointment(details) else {
        let mut new = server.value.clone();
        new.details.calendar = None;
        server::update(tx, &server, &new)?;
        return Ok(Flow::Done);
    };
    Ok(Flow::Wait { step: "keep", until, deadline: NEVER, promised: true })
}

/// The abort: appointments outlive the strand that failed to keep them, and are tried again a little later.
fn renew(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some(old) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let mut new = old.value.clone();
    new.details.calendar = None;
    if let Some(next) = next_appointment(&new.details) {
        tracing::warn!(server = new.id, failure = ?frame.failure, "appointments could not be kept; they are tried again");
        let again = next.max(tx.now().plus_ms(RENEW_MS));
        new.details.calendar = Some(calendar::start(tx, of(&new), again)?);
    }
    server::update(tx, &old, &new)?;
    Ok(Flow::Done)
}
