//! Guests that are files: what the host does around engines, in milliseconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use wolke_host::plan::Guest;
use wolke_host::{Architecture, HostError, Runtime};
use wolke_linux::engine::{Boot, Counters, Engine, Reboot, Result, Wanted};
use wolke_linux::image::{BootBy, Image, ImageStore, Init, Manifest, Origin, Slot};
use wolke_linux::layout::ServerDir;

use super::bench::Plan;

/// What the file of a guest says when its machine has died.
pub const LOST: &str = "lost";

/// Runs files.
#[derive(Default)]
pub struct Files {
    measured: AtomicU64,
}

/// The file that is the guest while it runs.
pub fn guest(server: &ServerDir) -> PathBuf {
    server.run().join("guest")
}

fn failed(error: &std::io::Error) -> HostError {
    HostError::new(HostError::ENGINE, error.to_string())
}

impl Engine for Files {
    fn runtime(&self) -> Runtime {
        Runtime::Container
    }

    fn fill_disk(&self, directory: &Path, image: &Image, size_gb: u32) -> Result<()> {
        assert_eq!(fs::read_dir(directory).unwrap().count(), 0, "the directory has to be empty");
        assert!(image.path.join("content").exists(), "the image has to be there");
        fs::write(directory.join("content"), format!("{size_gb}")).map_err(|error| failed(&error))
    }

    fn grow_disk(&self, _: &ServerDir, directory: &Path, size_gb: u32) -> Result<()> {
        assert!(directory.join("content").exists());
        fs::write(directory.join("content"), format!("{size_gb}")).map_err(|error| failed(&error))
    }

    fn release_disk(&self, server: &ServerDir, _: &Path) -> Result<()> {
        // An old disk goes while its server is off, or while nothing of it runs any more.
        assert_ne!(self.guest(server)?, Guest::Running, "the disk of a running guest is let go of");
        Ok(())
    }

    fn guest(&self, server: &ServerDir) -> Result<Guest> {
        match fs::read_to_string(guest(server)) {
            Ok(text) if text == LOST => Ok(Guest::Lost),
            Ok(_) => Ok(Guest::Running),
            Err(_) => Ok(Guest::Off),
        }
    }

    fn start(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        assert!(boot.disk.join("content").exists(), "the disk has to be there");
        assert!(boot.image.path.join("content").exists(), "what the disk stands on has to be there");
        fs::create_dir_all(server.run()).map_err(|error| failed(&error))?;
        fs::write(guest(server), &boot.definition.name).map_err(|error| failed(&error))
    }

    fn stop(&self, server: &ServerDir) -> Result<()> {
        let _ = fs::remove_dir_all(server.run());
        Ok(())
    }

    fn press_power(&self, server: &ServerDir) -> Result<()> {
        self.stop(server)
    }

    fn reset(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        self.stop(server)?;
        self.start(server, boot)
    }

    fn reboot(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<Reboot> {
        self.reset(server, boot).map(|()| Reboot::Done)
    }

    fn set_password(&self, server: &ServerDir, _: &str) -> Result<()> {
        if self.guest(server)? == Guest::Running {
            return Ok(());
        }
        Err(HostError::new(HostError::GUEST_AGENT, "the server is not running"))
    }

    fn snapshot(&self, _: &ServerDir, directory: &Path, base: &Image, slot: &Slot, _: Wanted<'_>) -> Result<u64> {
        assert!(base.path.join("content").exists(), "what the disk stands on has to be there");
        fs::copy(directory.join("content"), slot.path.join("content")).map_err(|error| failed(&error))?;
        Ok(1)
    }

    fn counters(&self, server: &ServerDir) -> Result<Counters> {
        let running = self.guest(server)? == Guest::Running;
        let cpu_ms = if running { self.measured.fetch_add(10, Ordering::SeqCst) + 10 } else { 0 };
        Ok(Counters { cpu_ms, ..Counters::default() })
    }
}

/// An image for guests that are files, removed with the value.
pub struct Content(PathBuf);

impl Drop for Content {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes such an image.
pub fn content(test: &str) -> Content {
    let root = std::env::temp_dir().join(format!("t-{test}-{}", std::process::id()));
    let store = ImageStore::new(root.clone());
    let slot = store.begin("content").unwrap();
    fs::write(slot.path.join("content"), "1").unwrap();
    let manifest = Manifest {
        origin: Origin::Built,
        sha256: String::new(),
        architecture: Architecture::X86,
        runtimes: vec![Runtime::Container],
        boot: BootBy::Firmware,
        init: Init::Busybox,
        cloud_init: false,
        min_disk_gb: 1,
        size_mb: 1,
    };
    store.commit(slot, &manifest).unwrap();
    Content(root)
}

/// A bench with guests that are files, without a network.
pub fn plan(content: &Content) -> Plan {
    Plan {
        word: "f",
        runtime: Runtime::Container,
        engine: |_, _| std::sync::Arc::new(Files::default()),
        image: ImageStore::new(content.0.clone()).find("content").unwrap().unwrap().path,
        artefact: "content",
        network: false,
        memory_mb: 128,
        settle_ms: 1500,
    }
}
