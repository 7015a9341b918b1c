//! Actions: what runs longer than a request (fact sheet §1.3).

use serde::Serialize;

use super::error::ActionError;
use crate::{Id, Kind, Timestamp};

text_enum! {
    /// How far an action is.
    ActionStatus {
        /// Under way.
        Running = "running",
        /// Done.
        Success = "success",
        /// Failed; `error` says why.
        Error = "error",
    }
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Its id; one id space across all APIs.
    pub id: Id,
    /// What it does: `create_server`.
    pub command: String,
    /// How far it is.
    pub status: ActionStatus,
    /// 0 to 100.
    pub progress: u8,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; null while running.
    pub finished: Option<Timestamp>,
    /// What it works on.
    pub resources: Vec<ActionResource>,
    /// Why it failed.
    pub error: Option<ActionError>,
}

/// What an action works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ActionResource {
    /// The resource's id.
    pub id: Id,
    /// The resource's kind.
    #[serde(rename = "type")]
    pub kind: Kind,
}
