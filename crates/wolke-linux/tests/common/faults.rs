//! What can be wrong about a host, in front of any engine: nothing in the host knows of it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wolke_host::plan::Guest;
use wolke_host::{HostError, Runtime};
use wolke_linux::engine::{Boot, Counters, Engine, Reboot, Result, Wanted};
use wolke_linux::host::Hooks;
use wolke_linux::image::{Image, Slot};
use wolke_linux::layout::ServerDir;

/// The switches.
#[derive(Default)]
pub struct Faults {
    /// No disk can be made or grown.
    pub disk_full: AtomicBool,
    /// No guest listens to the power button.
    pub ignores_shutdown: AtomicBool,
    /// No guest agent answers.
    pub no_agent: AtomicBool,
    /// No copy of a disk comes to its end.
    pub copies_hang: AtomicBool,
    /// A copy of a disk has begun.
    pub copies: AtomicBool,
    /// So many effects more, and the host dies.
    pub effects: Mutex<Option<u32>>,
}

impl Hooks for Faults {
    fn dies(&self) -> bool {
        match &mut *self.effects.lock().unwrap() {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }
}

/// An engine with these faults.
pub struct Faulty {
    pub inner: Arc<dyn Engine>,
    pub faults: Arc<Faults>,
}

impl Faulty {
    fn room(&self) -> Result<()> {
        if self.faults.disk_full.load(Ordering::SeqCst) {
            return Err(HostError::new(HostError::DISK_FULL, "no room is left for the disk"));
        }
        Ok(())
    }
}

impl Engine for Faulty {
    fn runtime(&self) -> Runtime {
        self.inner.runtime()
    }

    fn fill_disk(&self, directory: &Path, image: &Image, size_gb: u32) -> Result<()> {
        self.room()?;
        self.inner.fill_disk(directory, image, size_gb)
    }

    fn grow_disk(&self, server: &ServerDir, directory: &Path, size_gb: u32) -> Result<()> {
        self.room()?;
        self.inner.grow_disk(server, directory, size_gb)
    }

    fn release_disk(&self, server: &ServerDir, directory: &Path) -> Result<()> {
        self.inner.release_disk(server, directory)
    }

    fn guest(&self, server: &ServerDir) -> Result<Guest> {
        self.inner.guest(server)
    }

    fn start(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        self.inner.start(server, boot)
    }

    fn stop(&self, server: &ServerDir) -> Result<()> {
        self.inner.stop(server)
    }

    fn press_power(&self, server: &ServerDir) -> Result<()> {
        if self.faults.ignores_shutdown.load(Ordering::SeqCst) { Ok(()) } else { self.inner.press_power(server) }
    }

    fn reset(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        self.inner.reset(server, boot)
    }

    fn reboot(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<Reboot> {
        // A guest without an ear for the button has none for this.
        if self.faults.ignores_shutdown.load(Ordering::SeqCst) {
            return Ok(Reboot::Asked);
        }
        self.inner.reboot(server, boot)
    }

    fn set_password(&self, server: &ServerDir, hash: &str) -> Result<()> {
        if self.faults.no_agent.load(Ordering::SeqCst) {
            return Err(HostError::new(HostError::GUEST_AGENT, "the guest agent does not answer"));
        }
        self.inner.set_password(server, hash)
    }

    fn snapshot(
        &self,
        server: &ServerDir,
        directory: &Path,
        base: &Image,
        slot: &Slot,
        wanted: Wanted<'_>,
    ) -> Result<u64> {
        self.faults.copies.store(true, Ordering::SeqCst);
        while self.faults.copies_hang.load(Ordering::SeqCst) {
            if !wanted() {
                return Err(HostError::new(HostError::ENGINE, "the copy is not wanted any more"));
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        self.inner.snapshot(server, directory, base, slot, wanted)
    }

    fn counters(&self, server: &ServerDir) -> Result<Counters> {
        self.inner.counters(server)
    }
}
