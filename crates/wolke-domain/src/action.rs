//! Actions: what the contract shows of work that takes time.

use serde::{Deserialize, Serialize};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

/// The three states of an action. It starts `Running` and ends once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Under way or waiting for its turn.
    Running,
    /// Ended as wished.
    Success,
    /// Ended with an error.
    Error,
}

impl Status {
    /// The contract's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Error => "error",
        }
    }

    /// The inverse of [`Status::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Success, Self::Error].into_iter().find(|s| s.as_str() == text)
    }
}

/// Why an action failed: shown in its `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The contract's code; `action_failed` when nothing better fits (fact sheet §1.3).
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure by code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// `action_failed`, with a reason.
    pub fn action(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ActionFailed, message)
    }
}

/// A resource that an action works on, as shown in `resources[]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its id.
    pub id: Id,
}

impl Target {
    /// A target.
    #[must_use]
    pub const fn new(kind: Kind, id: Id) -> Self {
        Self { kind, id }
    }
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its id, from the one id space of all APIs.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// `create_server` (fact sheet §5).
    pub command: String,
    /// Where it stands.
    pub status: Status,
    /// Per cent, 0 to 100.
    pub progress: i64,
    /// When it was accepted.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What it works on, in the contract's order.
    pub resources: Vec<Target>,
}
