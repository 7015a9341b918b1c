//! What there is of one object, as a planner sees it.
//!
//! **Invariant:** a guest was booted from something exactly while it runs, and a rescue epoch is consumed in the instant
//! of the boot that it leads to.

use serde::{Deserialize, Serialize};
use wolke_wire::Id;

use crate::server::{Boot, Definition, ServerSpec};

/// A disk that there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The image from which it was made.
    pub image: Id,
    /// Its size in GB.
    pub size_gb: u32,
    /// The rebuild epoch for which it was made.
    pub epoch: i64,
}

/// What a machine is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guest {
    /// Not running: never started, switched off, or gone off by itself.
    #[default]
    Off,
    /// Running.
    Running,
    /// It was running when the host itself died; nobody switched it off.
    Lost,
}

/// What a machine would be booted from, besides its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BootSources {
    /// The disc in the drive.
    pub iso: Option<Id>,
    /// The epoch for which the rescue system is armed; 0 for none. It counts until it is consumed.
    pub rescue: i64,
}

impl BootSources {
    /// What a spec asks for.
    #[must_use]
    pub fn of(spec: &ServerSpec) -> Self {
        Self { iso: spec.iso.as_ref().map(|iso| iso.id), rescue: spec.rescue.as_ref().map_or(0, |rescue| rescue.epoch) }
    }

    const fn is_disk_alone(&self) -> bool {
        self.iso.is_none() && self.rescue == 0
    }
}

/// What there is of one object: what a host learns by listing its artefacts. The default is "nothing".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The generation written down by the last [`super::Operation::Commit`]; 0 for none.
    #[serde(default)]
    pub generation: i64,
    /// Its disk.
    #[serde(default)]
    pub disk: Option<Disk>,
    /// What it was defined as.
    #[serde(default)]
    pub definition: Option<Definition>,
    /// The generation of that definition and of the first-boot data beside it; 0 without one.
    #[serde(default)]
    pub defined: i64,
    /// What the next boot would be from; part of the definition.
    #[serde(default, skip_serializing_if = "BootSources::is_disk_alone")]
    pub sources: BootSources,
    /// What it is doing.
    #[serde(default)]
    pub guest: Guest,
    /// From what the running guest was booted. Read it with [`Current::booted`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booted: Option<Boot>,
    /// The newest rescue epoch that a boot has consumed; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rescue_epoch: i64,
    /// The power and rebuild epochs whose power wish was fulfilled.
    #[serde(default)]
    pub settled: Option<(i64, i64)>,
}

impl Current {
    /// Whether nothing is left of it but the memory of its generation.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.disk.is_none() && self.definition.is_none() && matches!(self.guest, Guest::Off)
    }

    /// From what the running guest was booted; `None` while it does not run. A guest of which nothing was written down
    /// was booted from its disk.
    #[must_use]
    pub fn booted(&self) -> Option<Boot> {
        (self.guest == Guest::Running).then(|| self.booted.unwrap_or_default())
    }

    /// From what the next boot would be: the rescue system once per epoch, else the disc, else the disk.
    #[must_use]
    pub const fn next_boot(&self) -> Boot {
        if self.sources.rescue > self.rescue_epoch {
            Boot::Rescue
        } else if self.sources.iso.is_some() {
            Boot::Iso
        } else {
            Boot::Disk
        }
    }

    /// The guest boots: a start, a reset or a reboot. Consumes the rescue wish in the same instant, so that whatever is
    /// repeated finds both or neither.
    pub const fn boot(&mut self) {
        let boot = self.next_boot();
        if matches!(boot, Boot::Rescue) {
            self.rescue_epoch = self.sources.rescue;
        }
        self.guest = Guest::Running;
        self.booted = Some(boot);
    }

    /// The guest runs no more.
    pub const fn halt(&mut self, guest: Guest) {
        self.guest = guest;
        self.booted = None;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_zero(epoch: &i64) -> bool {
    *epoch == 0
}
