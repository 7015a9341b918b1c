//! Images: what disks are made from. Built, added or snapshotted; immutable once they are there.
//!
//! An artefact (`debian-12`, `image-1000000007`) has versions; the newest is used for new disks, older ones stay as long as a
//! disk stands on them.

mod add;
mod build;
pub(crate) mod cpio;
mod debian;
mod digest;
mod format;
mod initrd;
mod name;
pub mod need;
mod root;
mod shifted;
mod store;
mod tiny;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wolke_host::{Architecture, Runtime};

pub use add::{Addition, add};
pub use build::{Recipe, build};
pub use shifted::{ID_BASE, ID_COUNT};
pub use store::{ImageStore, Slot};

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
