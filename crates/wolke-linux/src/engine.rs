//! What runs guests: the boundary between the host, which decides, and LXC or QEMU, which do.
//!
//! Every function is an "ensure": called again after it had its effect, it changes nothing and succeeds. None of them
//! remembers anything but on the disk and in the machine itself. They block, within named limits, and are called by one
//! thread per server at a time, with four exceptions that run beside it: [`Engine::guest`], [`Engine::counters`],
//! [`Engine::set_password`] and [`Engine::snapshot`]. The guest may be stopped, started or reset under the last two: the
//! password then fails. The snapshot gives way at once and fails, or has copied what it needs and goes through: power never
//! waits for a copy. The disk stays where it is until the snapshot has returned.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wolke_host::plan::Guest;
use wolke_host::{Definition, HostError, Runtime};
use wolke_wire::metadata::Metadata;

use crate::image::{Image, Slot};
use crate::layout::ServerDir;
use crate::net::Link;

/// How long a guest that was asked to reboot is waited for: Debian goes down in 6 s when it is translated, four times that on a
/// busy machine.
pub const REBOOT_TIME: Duration = Duration::from_secs(30);

/// What can go wrong here, with a code for programs and a sentence for people.
pub type Result<T> = std::result::Result<T, HostError>;

/// What a start has to know.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'a> {
    /// Name, size and identity.
    pub definition: &'a Definition,
    /// The directory of the disk, as [`Engine::fill_disk`] has filled it.
    pub disk: &'a Path,
    /// The image that the disk was made from: kernel, kind of init.
    pub image: &'a Image,
    /// The interface; none without public addresses.
    pub link: Option<&'a Link>,
    /// What the guest's metadata service says. A container with cloud-init reads the same from a seed, because its Hetzner
    /// source does not look for itself in containers; there is no seed without it.
    pub metadata: Option<&'a Metadata>,
}

/// Counters of a guest since it was started. They start from zero with each start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Processor time in milliseconds, of all virtual CPUs.
    pub cpu_ms: u64,
    /// Read operations of its disk.
    pub disk_read_ops: u64,
    /// Write operations of its disk.
    pub disk_write_ops: u64,
    /// Bytes read from its disk.
    pub disk_read_bytes: u64,
    /// Bytes written to its disk.
    pub disk_write_bytes: u64,
}

/// Whether something that takes long is still wanted. Asked several times in a second.
pub type Wanted<'a> = &'a (dyn Fn() -> bool + Sync);

/// What came of asking a guest to reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reboot {
    /// It has booted anew.
    Done,
    /// It was asked and runs on: it does not listen, or takes its time. If it goes off after all, it has to be started.
    Asked,
}

/// Runs guests.
pub trait Engine: Send + Sync {
    /// Which runtime it is.
    fn runtime(&self) -> Runtime;

    /// Fills an empty directory with a disk of this size: a copy-on-write overlay of the image. The caller makes the
    /// directory appear in one step, so nothing half made is ever used.
    ///
    /// # Errors
    /// [`HostError::DISK_FULL`]; [`HostError::IMAGE_MISSING`] when nothing for this runtime is in the image;
    /// [`HostError::ENGINE`].
    fn fill_disk(&self, directory: &Path, image: &Image, size_gb: u32) -> Result<()>;

    /// The disk has at least this size, and a running guest sees it where the runtime can show it.
    ///
    /// # Errors
    /// As [`Engine::fill_disk`].
    fn grow_disk(&self, server: &ServerDir, directory: &Path, size_gb: u32) -> Result<()>;

    /// Lets go of a disk (mounts, loop devices), so that its directory can be removed. The guest does not run.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    fn release_disk(&self, server: &ServerDir, directory: &Path) -> Result<()>;

    /// What the guest is doing: `Off` when it was never started, was switched off or went off by itself, also while nobody
    /// watched; `Lost` when it vanished without having gone off (killed, or the machine was restarted).
    ///
    /// # Errors
    /// [`HostError::ENGINE`] when it cannot be told.
    fn guest(&self, server: &ServerDir) -> Result<Guest>;

    /// It runs. A guest that runs is left alone.
    ///
    /// # Errors
    /// [`HostError::ENGINE`], [`HostError::CAPACITY`].
    fn start(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()>;

    /// It does not run, at once, and nothing of its run is left: processes, mounts, cgroups, sockets. [`Engine::guest`] then
    /// says `Off`.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    fn stop(&self, server: &ServerDir) -> Result<()>;

    /// Presses the power button and returns; the guest may ignore it.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    fn press_power(&self, server: &ServerDir) -> Result<()>;

    /// The reset button: the guest starts anew without being asked. On return it runs.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    fn reset(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()>;

    /// Asks the guest to reboot and waits for it, at most [`REBOOT_TIME`]. A guest that does not listen runs on, and that is no
    /// failure: who wishes for a reboot is promised a request (`reboot_server`: "otherwise the Server will not reboot").
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    fn reboot(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<Reboot>;

    /// Gives root a password, as a crypt(3) hash, inside the running guest.
    ///
    /// # Errors
    /// [`HostError::GUEST_AGENT`].
    fn set_password(&self, server: &ServerDir, hash: &str) -> Result<()>;

    /// Fills an empty image with what is on the disk, running or not, and says what it takes in MiB. The base is the image
    /// that the disk stands on; the result does not depend on it.
    ///
    /// # Errors
    /// [`HostError::DISK_FULL`]; [`HostError::ENGINE`], also when the guest is switched meanwhile, or when it is not wanted any
    /// more.
    fn snapshot(
        &self,
        server: &ServerDir,
        directory: &Path,
        base: &Image,
        slot: &Slot,
        wanted: Wanted<'_>,
    ) -> Result<u64>;

    /// What it has used.
    ///
    /// # Errors
    /// [`HostError::ENGINE`]; a guest that does not run has zeros.
    fn counters(&self, server: &ServerDir) -> Result<Counters>;
}
