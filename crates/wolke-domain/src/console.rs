//! What the console of a simulated machine shows: a pure function of the machine, of what was typed, and of world time.
//!
//! Dark while the machine is off; after a boot its lines come one after the other, then a login prompt. Nobody can log
//! in: a simulated machine runs no system and has no accounts.
//!
//! **Invariant:** the screen holds printable ASCII only, whatever the machine is called.

mod boot;
mod login;
mod screen;

pub use boot::PROMPT_AFTER_MS;
pub use login::{Dialogue, Key};
pub use screen::{COLUMNS, Cell, Ink, ROWS, Screen};

use crate::server::Status;
use screen::Page;
use wolke_wire::{Id, Timestamp};

/// What a machine's processor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It stands still.
    Off,
    /// It was told to start.
    Starting,
    /// It runs.
    On {
        /// Since its last boot.
        since: Timestamp,
        /// Whether it was told to stop.
        stopping: bool,
    },
}

impl Power {
    /// The power of a server in a status whose machine booted last at `since`.
    #[must_use]
    pub const fn of(status: Status, since: Timestamp) -> Self {
        match status {
            Status::Starting => Self::Starting,
            Status::Running => Self::On { since, stopping: false },
            Status::Stopping => Self::On { since, stopping: true },
            _ => Self::Off,
        }
    }

    /// When the boot began that the screen shows; none while the machine stands still.
    #[must_use]
    pub const fn boot(self) -> Option<Timestamp> {
        match self {
            Self::On { since, .. } => Some(since),
            Self::Off | Self::Starting => None,
        }
    }
}

/// What a machine booted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Its disk, made from the image that is described so; nothing is known of an image that is gone.
    Disk(Option<String>),
    /// The ISO in its drive.
    Iso(String),
    /// The rescue system of this kind: `linux64`.
    Rescue(String),
}

/// A volume in a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drive {
    /// The volume's id.
    pub id: Id,
    /// In GB.
    pub size_gb: i64,
    /// When it was attached, in milliseconds after the boot; it was there already where that is negative.
    pub after_ms: i64,
    /// Whether the system on the machine's disk mounts it.
    pub mounted: bool,
}

/// What the screen says of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name, which is its host name.
    pub name: String,
    /// What its processor is doing.
    pub power: Power,
    /// What it booted from.
    pub source: Source,
    /// The server type: `cpx22`.
    pub server_type: String,
    /// `x86` or `arm`.
    pub architecture: String,
    /// Number of cores.
    pub cores: u32,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Disk in GB.
    pub disk_gb: i64,
    /// Addresses with their prefix lengths, IPv4 first.
    pub addresses: Vec<String>,
    /// Volumes, in the order of their ids.
    pub volumes: Vec<Drive>,
}

impl Machine {
    /// Whether it asks for a login, and so listens to the keyboard.
    #[must_use]
    pub fn prompts(&self, now: Timestamp) -> bool {
        match self.power {
            Power::On { since, stopping } => !stopping && now.0 >= since.0.saturating_add(PROMPT_AFTER_MS),
            Power::Off | Power::Starting => false,
        }
    }
}

/// The screen at a point in world time, with what was typed since the boot.
#[must_use]
pub fn screen(machine: &Machine, dialogue: &Dialogue, now: Timestamp) -> Screen {
    let mut page = Page::default();
    match machine.power {
        Power::Off => return Screen::dark(),
        Power::Starting => page.line(Ink::Dim, "Starting the machine ..."),
        Power::On { since, stopping } => {
            let running_ms = now.0.saturating_sub(since.0);
            boot::lines(&mut page, machine, running_ms);
            if running_ms >= PROMPT_AFTER_MS {
                boot::banner(&mut page, machine);
                boot::late_lines(&mut page, machine, running_ms);
                dialogue.show(&mut page, &machine.name, !stopping);
            }
            if stopping {
                page.line(Ink::Strong, "The system is going down.");
            }
        }
    }
    page.into_screen()
}

#[cfg(test)]
mod tests;
