//! The appointments of a server: its next daily backup and the end of its rescue system.
//!
//! One strand per server that has any, without locks and without an action. It sleeps until the next appointment and goes
//! when there is none, at the latest with its server. The details of the server say what is due and when; the strand only
//! carries the time, so that a step that runs twice finds nothing to do the second time.

use super::{backup, rescue, scope};
use crate::core::Core;
use serde::{Deserialize, Serialize};
use wolke_domain::Result;
use wolke_domain::server::{Details, Server};
use wolke_store::strand::{NEVER, NewStrand};
use wolke_store::{Stored, Tx, server, strand};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Timestamp};

/// World time after which appointments that could not be kept are tried again, in milliseconds.
const RENEW_MS: i64 = 60_000;

/// The program.
pub(super) static PROGRAM: Program<Core> =
    Program { kind: "server_calendar", steps: &[("keep", keep), ("renew", renew)], abort: "renew" };

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
}

/// When the next appointment is.
fn next_appointment(details: &Details) -> Option<Timestamp> {
    let backup = details.backup.as_ref().map(|backup| backup.next);
    let rescue = details.rescue.as_ref().map(|rescue| rescue.expires);
    backup.into_iter().chain(rescue).min()
}

/// Brings the calendar in line with the appointments in the details: starts it, moves it, or lets it go. To be called on
/// the new value of a server whose backups or rescue system have changed, before that is written; it sets
/// [`Details::calendar`]. Steps of the calendar itself need not call it.
pub(super) fn ensure(tx: &mut dyn Tx, server: &mut Server) -> Result<()> {
    let Some(next) = next_appointment(&server.details) else {
        forget(tx, server)?;
        server.details.calendar = None;
        return Ok(());
    };
    if let Some(known) = server.details.calendar
        && strand::reschedule(tx, known, next)?
    {
        return Ok(());
    }
    start(tx, server, next)
}

/// Lets the calendar of a server go that has no appointments any more, or is about to be removed.
pub(super) fn forget(tx: &mut dyn Tx, server: &Server) -> Result<()> {
    match server.details.calendar {
        Some(calendar) => strand::dismiss(tx, calendar),
        None => Ok(()),
    }
}

fn start(tx: &mut dyn Tx, server: &mut Server, wake_at: Timestamp) -> Result<()> {
    let new = NewStrand {
        kind: PROGRAM.kind,
        project: server.project,
        scope: scope(server),
        step: "keep",
        frame: Frame::initial(&Variables { server: server.id }, Vec::new())?,
        action: None,
        locks: Vec::new(),
        always: false,
    };
    server.details.calendar = Some(strand::insert_asleep(tx, &new, wake_at)?);
    Ok(())
}

/// The server of a calendar; none when it is gone or has another calendar.
fn subject(tx: &mut dyn Tx, frame: &Frame) -> Result<Option<Stored<Server>>> {
    let Variables { server: id } = frame.read()?;
    let found = server::by_id(tx, id)?;
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
        let again = tx.now().plus_ms(RENEW_MS);
        start(tx, &mut new, next.max(again))?;
    }
    server::update(tx, &old, &new)?;
    Ok(Flow::Done)
}
