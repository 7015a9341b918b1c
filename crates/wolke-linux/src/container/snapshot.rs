//! Snapshots: the root file system of a container at one instant, as an image.
//!
//! The disk is copied first, while the container is held still, and then read from the copy at leisure. So the container
//! stands only as long as copying what it has written takes, and may do anything after. Whoever switches it before ends the
//! copy ([`crate::gate`]): it is begun anew then, of a container that is off or runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wolke_host::HostError;
use wolke_wire::Id;

use super::disk::{self, FILE, lower};
use super::run::{Run, top};
use super::{Containers, LEAVE_MAX};
use crate::engine::{Result, Wanted};
use crate::image::{Image, Slot};
use crate::process::{at, engine, full_disk, until};
use crate::program::Program;

/// How long a container may be held: tens of gigabytes on a slow disk.
const COPY_MAX: Duration = Duration::from_secs(600);
/// How long making the image may take.
const IMAGE_MAX: Duration = Duration::from_secs(3600);
/// The copy of the disk, in the image to be; it goes again.
const COPY: &str = "disk.copy";
/// Copies `$1` to `$2` and then lets the container go on by itself, also when nobody waits any more: `$4` into `$3`.
const HELD: &str = "cp --sparse=always --reflink=auto \"$1\" \"$2\"; done=$?; echo \"$4\" >\"$3\"; exit $done";

impl Containers {
    pub(super) fn take_snapshot(
        &self,
        (server, run): (Id, &Run),
        directory: &Path,
        base: &Image,
        slot: &Slot,
        wanted: Wanted<'_>,
    ) -> Result<u64> {
        let lower = lower(base)?;
        let file = directory.join(FILE);
        if !file.is_file() {
            return Err(HostError::new(HostError::NO_DISK, "the server has no disk"));
        }
        let copy = slot.path.join(COPY);
        let made = self.copy((server, run), &file, &copy, wanted).and_then(|()| extract(&copy, &lower, slot, wanted));
        // Whether it went well or not: no loop device, no copy.
        let released = disk::detach(&slot.path, self.clock.as_ref());
        if copy.exists() {
            fs::remove_file(&copy).map_err(at(&copy, "removed"))?;
        }
        made.and_then(|size| released.map(|()| size))
    }

    /// Nothing writes to the disk meanwhile: the container is held, or it does not run. It is not started before the copy has
    /// ended, whatever that takes.
    fn copy(&self, (server, run): (Id, &Run), from: &Path, to: &Path, wanted: Wanted<'_>) -> Result<()> {
        let copying = self.gates.of(server).copy();
        let goes_on = || wanted() && !copying.is_in_the_way();
        // A guest that is to go off is let go: held, it would not.
        until(self.clock.as_ref(), LEAVE_MAX, || {
            Ok(run.monitor().is_none() || !self.is_leaving(server) || !goes_on())
        })?;
        let Some(monitor) = run.monitor() else {
            let copy = Program::new("cp").args(["--sparse=always", "--reflink=auto"]).arg(from).arg(to);
            return copy.timeout(COPY_MAX).run_while(&goes_on).map_err(full_disk).map(drop);
        };
        let copied = self.copy_held(run, monitor, (from, to), &goes_on);
        self.cgroups.freeze(&run.group, false, self.clock.as_ref())?;
        if run.monitor() != Some(monitor) {
            return Err(engine("the server went off while its disk was copied"));
        }
        copied
    }

    fn copy_held(
        &self,
        run: &Run,
        monitor: rustix::process::Pid,
        (from, to): (&Path, &Path),
        goes_on: Wanted<'_>,
    ) -> Result<()> {
        let place = run.read("top");
        let flush =
            || Run::beside(monitor, "sync").arg("--file-system").arg(format!("{place}/disk")).run_while(goes_on);
        // Most of what has to be written is written before anything stands still.
        flush()?;
        self.cgroups.freeze(&run.group, true, self.clock.as_ref())?;
        flush()?;
        let (thaw, word) = self.cgroups.thaw(&run.group).ok_or_else(|| engine("the server went off"))?;
        let copy = Program::new("sh").args(["-c", HELD, "sh"]).arg(from).arg(to).arg(thaw).arg(word);
        copy.timeout(COPY_MAX).run_while(goes_on).map_err(full_disk).map(drop)
    }
}

/// Makes the image of the copy and says what it takes in MiB.
fn extract(copy: &Path, lower: &Path, slot: &Slot, wanted: Wanted<'_>) -> Result<u64> {
    let said = Program::new("unshare")
        .args(["--mount", "--propagation", "slave", "--", "sh", "-c", include_str!("snapshot.sh"), "sh"])
        .arg(top(&[copy, lower])?)
        .arg(copy)
        .arg(lower)
        .arg(slot.path.join("rootfs"))
        .timeout(IMAGE_MAX)
        .run_while(wanted)
        .map_err(full_disk)?;
    let size = said.split_whitespace().next().and_then(|size| size.parse().ok());
    size.ok_or_else(|| engine(format!("the size of the image cannot be read from \"{}\"", said.trim())))
}
