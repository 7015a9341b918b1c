//! What a host still takes on: the size of servers, and the disk space that it keeps for those that it has.
//!
//! **Invariant:** a server that the host has goes on as it is: only what becomes larger is measured. Disks are handed out
//! many times over, so the file system may fill; then nothing new is begun while servers still have something to write to.

use std::path::Path;

use rustix::fs::statvfs;
use wolke_host::{Definition, HostError, ServerSpec};

use super::core::Core;
use super::object::Entry;
use crate::engine::Result;

/// No disk and no snapshot is begun with less free space than this on the file system of the state directory, in MiB.
const RESERVE_MB: u64 = 2048;

impl Core {
    /// A server that is new or becomes larger has to fit; one that stays as it was, or shrinks, does fit.
    pub(super) fn admit_size(&self, entry: &Entry, spec: &ServerSpec) -> Result<()> {
        let defined = entry.lock().memory.current.definition.clone();
        if defined.is_some_and(|before| !grows(&before, &spec.definition)) {
            return Ok(());
        }
        self.options.capacity.admits(spec)
    }

    /// There is room for something new on the file system.
    pub(super) fn spare(&self, what: &str) -> Result<()> {
        spare(self.layout.state(), what)
    }
}

fn grows(before: &Definition, after: &Definition) -> bool {
    after.cores > before.cores || after.memory_mb > before.memory_mb || after.architecture != before.architecture
}

fn spare(place: &Path, what: &str) -> Result<()> {
    let stat = statvfs(place).map_err(|error| super::file::failed("measured", place, &error.into()))?;
    let free_mb = stat.f_bavail.saturating_mul(stat.f_frsize) >> 20;
    if free_mb >= RESERVE_MB {
        return Ok(());
    }
    let why = format!(
        "{what} cannot be made: {free_mb} MiB are free on the file system of {}, and the last {RESERVE_MB} MiB are kept for \
         the servers that there are",
        place.display()
    );
    Err(HostError::new(HostError::DISK_FULL, why))
}
