//! What the operator is told of, because nobody else would see it: the latest [`EVENTS_MAX`] events of a world.

use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use wolke_domain::Result;
use wolke_domain::action::{Failure, Target};
use wolke_wire::{Id, Timestamp};

/// How many events are kept; the oldest go.
pub const EVENTS_MAX: i64 = 1_000;

statements! { "event";
    INSERT = "INSERT INTO events (id, at, doc) VALUES ($1, $2, $3)";
    FORGET = "DELETE FROM events WHERE id <= $1";
    LIST = "SELECT id, at, doc FROM events WHERE id > $1 ORDER BY id DESC LIMIT $2";
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A managed certificate was not renewed.
    CertificateRenewalFailed,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// What.
    pub kind: EventKind,
    /// Whose resource it is.
    pub project: Id,
    /// To which.
    pub resource: Target,
    /// What the resource was called.
    pub name: String,
    /// Why.
    pub failure: Failure,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id: later ones are greater.
    pub id: Id,
    /// When it happened, in world time.
    pub at: Timestamp,
    /// What has happened.
    pub what: NewEvent,
}

/// Keeps an event and forgets the oldest.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, new: &NewEvent) -> Result<()> {
    let (id, now) = (tx.next_id(Counter::Event)?, tx.now());
    tx.execute_one(&INSERT, &[id.into(), now.into(), json_text(new)?])?;
    tx.execute(&FORGET, &[(id - EVENTS_MAX).into()]).map(|_| ())
}

/// All events that are kept, the latest first.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx) -> Result<Vec<Event>> {
    let event = |row: &Row| Ok(Event { id: row.int(0)?, at: row.time(1)?, what: row.json(2)? });
    tx.query(&LIST, &[0.into(), EVENTS_MAX.into()])?.iter().map(event).collect()
}
