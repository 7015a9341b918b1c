//! What a host remembers of one object, beside what lies on it: `memory.json`, `desired.json`, `first-boot.json`.
//!
//! **Invariants:** what is listed replaces what is remembered: disk and guest are read from the machine, never from here. A
//! command's hash never comes here at all; the password of the first boot is kept, sealed, until it was delivered.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wolke_host::command::CommandLog;
use wolke_host::plan::{Current, Guest};
use wolke_host::{Definition, Desired, HostError, Runtime, Secret, Spec, Wish};

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
