//! What a host remembers of one object, beside what lies on it: `memory.json`, `desired.json`, `first-boot.json`.
//!
//! **Invariants:** what is listed replaces what is remembered: disk and guest are read from the machine, never from here. A
//! command's hash never comes here at all; the password of the first boot is kept, sealed, until it was delivered.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wolke_host::command::CommandLog;
use wolke_host::plan::{Current, Guest};
use wolke_host::{Definition, Desired, HostError, Power, Runtime, Secret, Spec, Wish};
use wolke_wire::Timestamp;

use super::file;
use crate::engine::Result;

/// The newest accepted wish.
const DESIRED: &str = "desired.json";
/// What was done about it.
const MEMORY: &str = "memory.json";
/// The password of the first boot.
const FIRST_BOOT: &str = "first-boot.json";
/// What a server has used.
pub(super) const USAGE: &str = "usage.json";

/// The files of an object that are memory and not an artefact.
pub(super) const FILES: [&str; 4] = [DESIRED, MEMORY, FIRST_BOOT, USAGE];

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Generation, definition and fulfilled epochs; disk and guest are empty here.
    pub(super) current: Current,
    /// Why it goes no further.
    pub(super) error: Option<HostError>,
    /// Which commands were seen, and how they ended.
    pub(super) commands: CommandLog,
    /// A resync did not list it: once it is gone, so is the memory of it.
    pub(super) unlisted: bool,
    /// How it is run: decided when its first disk was made.
    pub(super) runtime: Option<Runtime>,
    /// What the running guest was started as.
    pub(super) started: Option<Definition>,
    /// The newest rebuild epoch whose first-boot password has arrived.
    pub(super) delivered: Option<i64>,
    /// When the power button of the running guest was pressed last (world time).
    pub(super) pressed_at: Option<Timestamp>,
    /// Until when the running guest is started again if it goes off (world time): it was asked to reboot, or somebody has
    /// switched it on after its power button was pressed.
    pub(super) returns_until: Option<Timestamp>,
}

/// How long a guest may take from being asked to go off or to reboot until it does: systemd gives its services 90 s. What
/// happens later is the guest's own will.
const GOES_DOWN_MS: i64 = 100_000;

impl Memory {
    /// The power button was pressed. If somebody has switched it on before, that is over.
    pub(super) const fn press(&mut self, now: Timestamp) {
        self.pressed_at = Some(now);
        self.returns_until = None;
    }

    /// It was asked to reboot and still runs: if it goes off now, that is a part of it.
    pub(super) const fn ask(&mut self, now: Timestamp) {
        self.pressed_at = None;
        self.returns_until = Some(now.plus_ms(GOES_DOWN_MS));
    }

    /// A newer wish. Switched on while it may be going off because its button was pressed before, it is to be on in the end:
    /// the newest wish counts, also where the guest is slower than who wishes.
    pub(super) fn wish(&mut self, before: Option<&Desired>, desired: &Desired, now: Timestamp) {
        let epoch = |desired: &Desired| desired.server_spec().map(|spec| spec.power_epoch);
        let switched = before.and_then(epoch) < epoch(desired);
        let on = desired.server_spec().is_some_and(|spec| spec.power == Power::On);
        let leaves = self.pressed_at.is_some_and(|at| now.0 - at.0 < GOES_DOWN_MS);
        if switched && on && leaves {
            self.ask(now);
        }
    }

    /// What a guest is doing, knowing what was wished for: one that has gone off and is to return counts as lost.
    pub(super) fn judge(&self, guest: Guest, now: Timestamp) -> Guest {
        if guest == Guest::Off && self.returns_until.is_some_and(|until| now <= until) { Guest::Lost } else { guest }
    }

    /// It is switched on or off: nothing of what was asked of the guest before counts.
    pub(super) const fn switch(&mut self) {
        self.pressed_at = None;
        self.returns_until = None;
    }
}

/// The password of a disk's first boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FirstPassword {
    /// The rebuild epoch of the disk.
    pub(super) epoch: i64,
    /// The sealed crypt(3) hash.
    pub(super) hash: Secret,
}

/// Where these files are.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) path: PathBuf,
}

impl Home {
    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn desired(&self) -> Result<Option<Desired>> {
        file::read_json(&self.file(DESIRED))
    }

    pub(super) fn memory(&self) -> Result<Option<Memory>> {
        file::read_json(&self.file(MEMORY))
    }

    pub(super) fn first_password(&self) -> Result<Option<FirstPassword>> {
        file::read_json(&self.file(FIRST_BOOT))
    }

    pub(super) fn usage(&self) -> PathBuf {
        self.file(USAGE)
    }

    /// Writes a wish down. Its first-boot password goes into a file of its own, unless it has arrived before.
    pub(super) fn accept(&self, desired: &Desired, delivered: Option<i64>) -> Result<Desired> {
        file::directory(&self.path)?;
        let mut kept = desired.clone();
        if let Wish::Present(Spec::Server(spec)) = &mut kept.wish
            && let Some(hash) = spec.first_boot.root_password_hash.take()
            && delivered.is_none_or(|delivered| delivered < spec.rebuild_epoch)
        {
            file::write_json(&self.file(FIRST_BOOT), &FirstPassword { epoch: spec.rebuild_epoch, hash })?;
        }
        file::write_json(&self.file(DESIRED), &kept)?;
        Ok(kept)
    }

    /// Writes down what was done.
    pub(super) fn remember(&self, memory: &Memory) -> Result<()> {
        let mut memory = memory.clone();
        memory.current.disk = None;
        memory.current.halt(Guest::Off);
        file::write_json(&self.file(MEMORY), &memory)
    }

    pub(super) fn forget_password(&self) -> Result<()> {
        file::remove(&self.file(FIRST_BOOT))
    }

    /// Nothing is remembered any more.
    pub(super) fn forget(&self) -> Result<()> {
        file::remove_all(&self.path)
    }

    /// Whether anything but memory is here.
    pub(super) fn has_leftovers(&self) -> Result<bool> {
        Ok(file::names(&self.path)?.iter().any(|name| !is_memory(name)))
    }

    /// Removes all but the memory of the wish itself.
    pub(super) fn clear(&self) -> Result<()> {
        for name in file::names(&self.path)? {
            if name != DESIRED && name != MEMORY {
                file::remove_all(&self.file(&name))?;
            }
        }
        Ok(())
    }
}

fn is_memory(name: &str) -> bool {
    FILES.contains(&name) || file::is_beside(name)
}

/// The home of what lives in this directory.
impl From<&Path> for Home {
    fn from(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}
