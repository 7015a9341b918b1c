//! Images: what disks are made from. Built, added or snapshotted; immutable once they are there.
//!
//! An artefact (`debian-12`, `image-1000000007`) has versions; the newest is used for new disks, older ones stay as long as a
//! disk stands on them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wolke_host::{Architecture, Runtime};

use crate::engine::Result;

/// How an image boots in a virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum BootBy {
    /// Through the firmware and the boot loader on the disk.
    Firmware,
    /// QEMU loads `vmlinuz` and `initrd` of the version's directory.
    Kernel {
        /// The kernel's command line.
        cmdline: String,
    },
}

/// The init of an image: what signals it takes in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// systemd.
    Systemd,
    /// busybox.
    Busybox,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// `wolke image build`.
    Built,
    /// `wolke image add`.
    Added,
    /// A snapshot of a server.
    Snapshot {
        /// The server.
        server: i64,
    },
}

/// What stands beside the files of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where it comes from.
    pub origin: Origin,
    /// SHA-256 in hexadecimal of what it was made from; empty for a snapshot.
    #[serde(default)]
    pub sha256: String,
    /// The processor's family.
    pub architecture: Architecture,
    /// What can be made from it: `Machine` has `disk.qcow2`, `Container` has `rootfs/`.
    pub runtimes: Vec<Runtime>,
    /// How it boots in a virtual machine.
    pub boot: BootBy,
    /// Its init.
    pub init: Init,
    /// Whether cloud-init is in it.
    pub cloud_init: bool,
    /// The smallest disk that holds it, in GB.
    pub min_disk_gb: u32,
    /// What it takes, in MiB.
    pub size_mb: u64,
}

/// One version of an image that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The artefact's name.
    pub artefact: String,
    /// The directory of the version.
    pub path: PathBuf,
    /// What it is.
    pub manifest: Manifest,
}

/// A version that is being made: becomes an [`Image`] with [`ImageStore::commit`], else nothing.
#[derive(Debug)]
pub struct Slot {
    /// The artefact's name.
    pub artefact: String,
    /// The directory to be filled, on the file system of the images.
    pub path: PathBuf,
}

/// The images of a host.
#[derive(Clone, Debug)]
pub struct ImageStore {
    root: PathBuf,
}

impl ImageStore {
    /// Below this directory ([`crate::layout::Layout::images`]).
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The newest version of an artefact that has not been removed.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`] when it cannot be read.
    pub fn find(&self, artefact: &str) -> Result<Option<Image>> {
        let _ = artefact;
        todo!()
    }

    /// The version in this directory, removed or not: what a disk stands on.
    ///
    /// # Errors
    /// [`wolke_host::HostError::IMAGE_MISSING`].
    pub fn version(&self, path: &Path) -> Result<Image> {
        let _ = path;
        todo!()
    }

    /// The newest version of each artefact.
    ///
    /// # Errors
    /// As [`ImageStore::find`].
    pub fn list(&self) -> Result<Vec<Image>> {
        todo!()
    }

    /// An empty directory for a new version.
    ///
    /// # Errors
    /// [`wolke_host::HostError::DISK_FULL`], [`wolke_host::HostError::ENGINE`].
    pub fn begin(&self, artefact: &str) -> Result<Slot> {
        let _ = artefact;
        todo!()
    }

    /// The version is complete: it appears in one step.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn commit(&self, slot: Slot, manifest: &Manifest) -> Result<Image> {
        let _ = (slot, manifest);
        todo!()
    }

    /// Gives up a version that was begun.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn abandon(&self, slot: Slot) -> Result<()> {
        let _ = slot;
        todo!()
    }

    /// No new disk is made from an artefact any more; its files go with [`ImageStore::sweep`].
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn remove(&self, artefact: &str) -> Result<()> {
        let _ = artefact;
        todo!()
    }

    /// Removes versions that were removed or replaced, and that are not among those in use, and what killed processes have
    /// begun.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn sweep(&self, in_use: &[PathBuf]) -> Result<()> {
        let _ = in_use;
        todo!()
    }
}
