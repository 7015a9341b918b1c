//! Presence: an advisory lock that every process shares on its listening connection for as long as it lives.
//!
//! Whoever gets that lock for itself alone knows that nobody else has the schema open. So the work of a killed process goes
//! on when it is started again, and not when its leases have run out. A process that has just lost its connection may be
//! overlooked; nothing worse follows than a strand that is claimed twice, which its lease number fences.

use super::connection::Connection;
use super::failure::Failure;
use super::schema;
use crate::tx::Race;

/// How long the database may take to notice that the process before this one is gone, in seconds.
const NOTICE_S: f64 = 0.05;

/// Takes part from now on; returns whether nobody else did.
///
/// # Errors
/// The engine's failure.
pub(crate) fn announce(connection: &mut Connection, schema: &str) -> Result<bool, Failure> {
    let mut alone = true;
    for (class, object) in schema::keys(schema, &[Race::Presence]) {
        let attempt = format!("SELECT pg_try_advisory_lock({class}, {object})");
        alone = answers_true(connection, &attempt)?
            || answers_true(connection, &format!("SELECT pg_sleep({NOTICE_S}) IS NULL; {attempt}"))?;
        // First the shared lock, then the other one away: there is no moment without any.
        let unlock = if alone { format!("SELECT pg_advisory_unlock({class}, {object})") } else { String::new() };
        connection.run("presence", &format!("SELECT pg_advisory_lock_shared({class}, {object}); {unlock}"))?;
    }
    Ok(alone)
}

/// Whether the last of the statements answers true.
///
/// # Errors
/// The engine's failure.
pub(crate) fn answers_true(connection: &mut Connection, sql: &str) -> Result<bool, Failure> {
    let rows = connection.ask("presence", sql)?;
    Ok(rows.last().and_then(|row| row.first()?.as_deref()).is_some_and(|text| text == "t"))
}
