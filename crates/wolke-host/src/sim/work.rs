//! What commands have set going on an object: at most one work in each lane.

use serde::{Deserialize, Serialize};
use wolke_wire::Id;

use super::object::SimObject;
use crate::command::{Lane, Verb};
use crate::policy::{OperationKind, Progress};

/// Every lane, in the order in which their works are completed.
pub(super) const LANES: [Lane; 3] = [Lane::Power, Lane::Agent, Lane::Disk];

/// A verb as it may rest in memory: without secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Task {
    Reset,
    Reboot,
    Shutdown,
    Snapshot { image: Id },
    SetPassword,
}

impl Task {
    pub(super) const fn of(verb: &Verb) -> Self {
        match verb {
            Verb::Reset => Self::Reset,
            Verb::Reboot => Self::Reboot,
            Verb::Shutdown => Self::Shutdown,
            Verb::Snapshot { image } => Self::Snapshot { image: *image },
            Verb::SetPassword { .. } => Self::SetPassword,
        }
    }

    /// The kind for which a policy can be set.
    pub(super) const fn kind(self) -> OperationKind {
        match self {
            Self::Reset => OperationKind::Reset,
            Self::Reboot => OperationKind::Reboot,
            Self::Shutdown => OperationKind::Shutdown,
            Self::Snapshot { .. } => OperationKind::Snapshot,
            Self::SetPassword => OperationKind::SetPassword,
        }
    }

    /// Whether the guest starts anew, and its agent with it.
    pub(super) const fn restarts_guest(self) -> bool {
        matches!(self, Self::Reset | Self::Reboot)
    }
}

/// What a command has set going.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) command: Id,
    #[serde(rename = "verb")]
    pub(super) task: Task,
    pub(super) progress: Progress,
}

impl SimObject {
    /// What is under way in a lane.
    pub(super) const fn lane(&mut self, lane: Lane) -> &mut Option<Work> {
        match lane {
            Lane::Power => &mut self.work,
            Lane::Agent => &mut self.agent_work,
            Lane::Disk => &mut self.disk_work,
        }
    }

    /// All that is under way.
    pub(super) fn works(&self) -> impl Iterator<Item = &Work> {
        [&self.work, &self.agent_work, &self.disk_work].into_iter().flatten()
    }

    /// The same, to change it.
    pub(super) fn works_mut(&mut self) -> impl Iterator<Item = &mut Work> {
        [&mut self.work, &mut self.agent_work, &mut self.disk_work].into_iter().flatten()
    }
}
