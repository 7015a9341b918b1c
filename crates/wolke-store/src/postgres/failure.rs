//! Failures of the engine, sorted by what the driver does about them.

use crate::tx::Counter;
use postgres::error::SqlState;
use std::error::Error as _;
use wolke_domain::Error;

/// Why an attempt at a transaction did not commit.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Another transaction won (40001, 40P01): run the closure again.
    Conflict(String),
    /// The connection is gone; nothing was committed unless COMMIT was under way.
    Lost(String),
    /// The leased ids of a counter are used up: lease so many more, then run the closure again.
    NeedIds(Counter, i64),
    /// Nothing helps; the caller gets this.
    Final(Error),
}

impl Failure {
    /// Sorts a failure of the client library; `context` names the statement.
    pub(crate) fn of(context: &str, error: &postgres::Error) -> Self {
        let text = format!("{context}: {}", describe(error));
        let Some(state) = error.code() else {
            // Without an SQLSTATE it never came from a statement: either the stream broke or a value did not fit.
            return if error.is_closed() || is_io(error) {
                Self::Lost(text)
            } else {
                Self::Final(Error::internal(text))
            };
        };
        if *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED {
            return Self::Conflict(text);
        }
        if is_disconnect(state) {
            return Self::Lost(text);
        }
        Self::Final(if is_passing(state) { Error::Unavailable { internal: text } } else { Error::internal(text) })
    }

    /// For the log.
    pub(crate) fn text(&self) -> String {
        match self.error() {
            Error::Unavailable { internal } | Error::Internal { internal } => internal,
            other => other.to_string(),
        }
    }

    /// What the closure sees, and the caller when no further attempt is made.
    pub(crate) fn error(&self) -> Error {
        match self {
            Self::Conflict(text) | Self::Lost(text) => Error::Unavailable { internal: text.clone() },
            Self::NeedIds(counter, _) => {
                Error::Unavailable { internal: format!("the leased ids of {} are used up", counter.name()) }
            }
            Self::Final(error) => error.clone(),
        }
    }
}

/// The server says goodbye: class 08, and the shutdowns of class 57P.
fn is_disconnect(state: &SqlState) -> bool {
    state.code().starts_with("08")
        || [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(state)
        || *state == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

/// Full, busy or out of time: it passes. Classes 53 (resources) and 58 (the system under the server), and time limits.
fn is_passing(state: &SqlState) -> bool {
    let code = state.code();
    code.starts_with("53")
        || code.starts_with("58")
        || [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE].contains(state)
}

fn is_io(error: &postgres::Error) -> bool {
    error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// The library's own text says only "db error"; the cause and the SQLSTATE are below it.
fn describe(error: &postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_disconnect, is_passing};
    use postgres::error::SqlState;

    #[test]
    fn states_are_sorted() {
        for passing in ["53100", "53300", "57014", "55P03", "58030"] {
            assert!(is_passing(&SqlState::from_code(passing)), "{passing}");
        }
        for gone in ["08006", "57P01", "57P03", "25P03"] {
            assert!(is_disconnect(&SqlState::from_code(gone)), "{gone}");
        }
        for ours in ["23505", "42601", "22P02", "0A000"] {
            assert!(!is_passing(&SqlState::from_code(ours)) && !is_disconnect(&SqlState::from_code(ours)), "{ours}");
        }
    }
}
