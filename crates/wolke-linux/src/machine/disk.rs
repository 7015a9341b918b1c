//! Disks: copy-on-write overlays of an image, in qcow2.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use wolke_host::HostError;

use super::command_line::DISK_NODE;
use super::run::{Monitor, Run};
use super::{Machines, failed};
use crate::engine::Result;
use crate::image::Image;
use crate::layout::ServerDir;
use crate::program::Program;

/// The file of a disk, in the directory of a server's disk and in that of an image.
pub const DISK: &str = "disk.qcow2";
/// Bytes of one GB of disk, as in the accounting of capacity.
const GB: u64 = 1 << 30;
/// How long `qemu-img` may take for what it does without copying.
const IMG_TIME: Duration = Duration::from_secs(120);
/// What programs of the system and QEMU say when a file system is full.
const FULL: &str = "No space left on device";

/// Makes [`HostError::DISK_FULL`] of an error that says so.
#[must_use]
pub fn told(error: HostError) -> HostError {
    if error.message.contains(FULL) { HostError::new(HostError::DISK_FULL, error.message) } else { error }
}

/// The size that the guest sees, in bytes. Also of a disk that a running QEMU holds.
///
/// # Errors
/// [`HostError::ENGINE`].
pub fn virtual_size(file: &Path) -> Result<u64> {
    let program = Program::new("qemu-img").args(["info", "--force-share", "--output=json"]).arg(file).timeout(IMG_TIME);
    let said: Value = serde_json::from_str(&program.run()?).unwrap_or_default();
    let unreadable = || failed(&format!("qemu-img info {}", file.display()), "no virtual size in what it says");
    said.get("virtual-size").and_then(Value::as_u64).ok_or_else(unreadable)
}

/// Makes an empty disk, or one that shows what its base shows.
///
/// # Errors
/// [`HostError::DISK_FULL`], [`HostError::ENGINE`].
pub fn create(file: &Path, base: Option<&Path>, bytes: u64) -> Result<()> {
    let program = Program::new("qemu-img").args(["create", "-q", "-f", "qcow2"]);
    let program = match base {
        Some(base) => program.args(["-F", "qcow2", "-b"]).arg(base),
        None => program,
    };
    program.arg(file).arg(bytes.to_string()).timeout(IMG_TIME).run().map(drop).map_err(told)
}

/// Fills the directory of a server's disk.
///
/// # Errors
/// As [`crate::engine::Engine::fill_disk`].
pub fn fill(directory: &Path, image: &Image, size_gb: u32) -> Result<()> {
    let base = image.path.join(DISK);
    let missing = |why: String| HostError::new(HostError::IMAGE_MISSING, why);
    let base = std::fs::canonicalize(&base)
        .map_err(|error| missing(format!("image {}: nothing for virtual machines: {error}", image.artefact)))?;
    let bytes = u64::from(size_gb) * GB;
    let needed = virtual_size(&base)?;
    if needed > bytes {
        let why = format!("its disk has {needed} bytes, more than the {size_gb} GB of the server");
        return Err(failed(&format!("image {}", image.artefact), &why));
    }
    create(&file_in(directory), Some(&base), bytes)
}

/// The file of the disk in this directory.
#[must_use]
pub fn file_in(directory: &Path) -> PathBuf {
    directory.join(DISK)
}

impl Machines {
    pub(super) fn grow(&self, server: &ServerDir, directory: &Path, size_gb: u32) -> Result<()> {
        let file = file_in(directory);
        let bytes = u64::from(size_gb) * GB;
        if virtual_size(&file)? >= bytes {
            return Ok(());
        }
        let _switching = self.gates.of(server.id).switch();
        if Run::of(server).process().is_none() {
            let program = Program::new("qemu-img").args(["resize", "-q", "-f", "qcow2"]).arg(&file);
            return program.arg(bytes.to_string()).timeout(IMG_TIME).run().map(drop).map_err(told);
        }
        let grown = self
            .monitor(server, Monitor::Control)
            .and_then(|mut qmp| qmp.execute("block_resize", &json!({ "node-name": DISK_NODE, "size": bytes })));
        grown.map(drop).map_err(|failure| told(failure.of("block_resize")))
    }
}
