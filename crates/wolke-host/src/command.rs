//! One-shot verbs. A command runs at most once: its id is written down before its effect, and an id that was seen before is
//! answered from memory. What has to be reached in the end (on, off, gone) is desired state, never a command.
//!
//! **Lanes.** The commands of one object exclude each other by [`Lane`], at most one per lane:
//! - In one lane a later command takes the place of an earlier one that is still under way, which ends with
//!   [`HostError::SUPERSEDED`]: nothing waits behind what may never end.
//! - Lanes do not disturb each other: a snapshot under way loses no reboot, and a reboot loses no snapshot. One exception
//!   lies in the nature of things: a reset or reboot takes the guest agent away, so a password that is being set fails.
//! - What happens to the machine ends what it makes impossible, always with an outcome: a guest that stops ends its power
//!   and agent commands, a disk that is removed or made anew ends the snapshot of it.

use serde::{Deserialize, Serialize};
use wolke_wire::{Id, Timestamp};

use crate::object::{HostError, ObjectKey};
use crate::server::Secret;

/// How many finished commands of one object a host remembers with their outcomes. Older ids are still never run again.
pub const COMMANDS_REMEMBERED: usize = 16;

/// What to do once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// The reset button: the machine starts again without asking the guest.
    Reset,
    /// Asks the guest to reboot.
    Reboot,
    /// Presses the power button (ACPI). The guest may ignore it; whether it goes off shows in what is observed.
    Shutdown,
    /// Makes an image artefact of the machine's disk. Power does not matter and does not change; the disk has to be
    /// there ([`HostError::NO_DISK`]). Ends as [`Outcome::Snapshotted`].
    Snapshot {
        /// The image: the name of the artefact.
        image: Id,
    },
    /// Sets root's password through the guest agent. Fails with [`HostError::GUEST_AGENT`] unless the guest runs and
    /// its agent answers.
    SetPassword {
        /// The crypt(3) hash; a clear password never reaches a host, and the hash never rests in its memory.
        hash: Secret,
    },
}

/// What commands compete for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Whether and since when the guest runs: reset, reboot, shutdown.
    Power,
    /// The guest agent: passwords.
    Agent,
    /// The disk as a whole: snapshots.
    Disk,
}

impl Verb {
    /// The lane in which it runs.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Reset | Self::Reboot | Self::Shutdown => Lane::Power,
            Self::SetPassword { .. } => Lane::Agent,
            Self::Snapshot { .. } => Lane::Disk,
        }
    }

    /// How it ends for an object that is not on the host at all. Nothing has to be remembered for that answer.
    #[must_use]
    pub fn on_absent(&self) -> Outcome {
        match self {
            Self::Reset | Self::Reboot | Self::Shutdown => Outcome::Ignored,
            Self::SetPassword { .. } => HostError::new(HostError::GUEST_AGENT, "the server is not running").into(),
            Self::Snapshot { .. } => HostError::new(HostError::NO_DISK, "the server has no disk").into(),
        }
    }
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Unique on the host and growing per object: the id of the action that asked for it.
    pub id: Id,
    /// For which object.
    pub key: ObjectKey,
    /// What to do.
    pub verb: Verb,
    /// World time when it was asked for.
    #[serde(with = "crate::millis")]
    pub issued_at: Timestamp,
    /// From this world time on it is not run any more, only answered [`Outcome::Expired`]: nobody wants a reset that
    /// arrives hours after its action has failed.
    #[serde(default, with = "crate::millis::option")]
    pub expires_at: Option<Timestamp>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// Done: the machine was reset, the guest was asked to reboot and has done so unless it does not listen, the power button was
    /// pressed, or the password was set.
    Done,
    /// The image is complete.
    Snapshotted {
        /// What it takes, in MiB.
        size_mb: u64,
    },
    /// It failed, or (with [`HostError::INTERRUPTED`]) the host died while it ran.
    Failed {
        /// Why.
        error: HostError,
    },
    /// It had no effect because the machine was not running.
    Ignored,
    /// It came too late, or its outcome has been forgotten; it was not run now.
    Expired,
}

impl From<HostError> for Outcome {
    fn from(error: HostError) -> Self {
        Self::Failed { error }
    }
}

/// The answer to a command. It may be told more than once, always the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandReport {
    /// The command.
    pub id: Id,
    /// Its object.
    pub key: ObjectKey,
    /// How it ended.
    pub outcome: Outcome,
}

/// What an object remembers of its commands: bounded, and never forgetting that an id was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLog {
    /// The newest ones in the order of arrival; no outcome while one runs.
    entries: Vec<(Id, Option<Outcome>)>,
    /// Ids up to this one may have been forgotten, so they count as seen.
    floor: Id,
}

/// What the log says of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Never seen: it may run.
    New,
    /// Begun and not yet ended.
    Begun,
    /// Ended like this.
    Ended(Outcome),
    /// Old: seen or not, it must not run.
    Forgotten,
}

impl CommandLog {
    /// Whether an id was seen.
    #[must_use]
    pub fn seen(&self, id: Id) -> Seen {
        match self.entries.iter().find(|(known, _)| *known == id) {
            Some((_, Some(outcome))) => Seen::Ended(outcome.clone()),
            Some((_, None)) => Seen::Begun,
            None if id <= self.floor => Seen::Forgotten,
            None => Seen::New,
        }
    }

    /// Writes an id down before its effect.
    pub fn begin(&mut self, id: Id) {
        self.entries.push((id, None));
        while self.entries.len() > COMMANDS_REMEMBERED {
            let (old, _) = self.entries.remove(0);
            self.floor = self.floor.max(old);
        }
    }

    /// Writes the outcome down.
    pub fn end(&mut self, id: Id, outcome: Outcome) {
        if let Some(entry) = self.entries.iter_mut().find(|(known, _)| *known == id) {
            entry.1 = Some(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS_REMEMBERED, CommandLog, Outcome, Seen};

    #[test]
    fn forgotten_ids_still_count_as_seen() {
        let mut log = CommandLog::default();
        for id in 1..=i64::try_from(COMMANDS_REMEMBERED).unwrap() + 1 {
            assert_eq!(log.seen(id), Seen::New);
            log.begin(id);
            assert_eq!(log.seen(id), Seen::Begun);
            log.end(id, Outcome::Done);
        }
        assert_eq!(log.seen(1), Seen::Forgotten);
        assert_eq!(log.seen(2), Seen::Ended(Outcome::Done));
        assert_eq!(log.entries.len(), COMMANDS_REMEMBERED);
    }
}
