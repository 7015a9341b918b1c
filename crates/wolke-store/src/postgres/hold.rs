//! A lock that outlives transactions: an advisory lock on a connection of its own.
//!
//! It ends with its process, however that ends. A connection that breaks lets go of it without a word: it keeps order among
//! those that take turns, and nothing may be wrong when two have it for a moment.

use super::connection::Connection;
use super::failure::Failure;
use super::{Shared, schema};
use crate::tx::Race;
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::oneshot;
use wolke_domain::Result;

/// A lock that is held until this value is dropped.
pub struct Hold {
    /// Nothing is ever sent: the thread that owns the connection waits for the end of the channel.
    _release: mpsc::Sender<()>,
}

/// Waits for the lock of a race, at most so long, answers, and keeps it until [`Hold`] is dropped. Runs on a thread of its
/// own, which the connection never leaves: the client library blocks.
pub(crate) fn hold(shared: &Shared, race: &Race, at_most: Duration, answer: oneshot::Sender<Result<Option<Hold>>>) {
    let connection = match take(shared, race, at_most) {
        Ok(Some(connection)) => connection,
        // Nobody may wait for the answer any more.
        Ok(None) => return drop(answer.send(Ok(None))),
        Err(failure) => return drop(answer.send(Err(failure.error()))),
    };
    let (release, released) = mpsc::channel();
    // An answer that nobody waits for is dropped here, and with it the lock.
    drop(answer.send(Ok(Some(Hold { _release: release }))));
    let _ = released.recv();
    drop(connection);
}

fn take(shared: &Shared, race: &Race, at_most: Duration) -> Result<Option<Connection>, Failure> {
    let mut connection = Connection::open(&shared.target, &shared.schema)?;
    for (class, object) in schema::keys(&shared.schema, std::slice::from_ref(race)) {
        if !connection.wait_for_lock(&format!("SELECT pg_advisory_lock({class}, {object})"), at_most)? {
            return Ok(None);
        }
    }
    Ok(Some(connection))
}
