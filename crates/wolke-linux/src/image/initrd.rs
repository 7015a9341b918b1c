//! The initial file system of images that QEMU boots by their kernel: busybox, the drivers of QEMU's devices, and a script
//! that finds the disk. A tenth of what distributions make, which under emulation are seconds.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use wolke_host::HostError;

use super::cpio::Archive;
use super::store::failed;
use crate::engine::Result;
use crate::program::Program;

/// Drivers, in the order in which they are loaded.
const DRIVERS: &[&str] = &[
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "virtio_blk",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio-rng",
    "virtio_console",
    "evdev",
    "button",
];
/// The driver without which there is no disk.
const DISK: &str = "virtio_blk";
/// Unpacks a driver that Debian has compressed.
const UNPACK: &str = r#""$1" xzcat "$2" > "$3""#;

/// Writes it to `to`: the drivers from below `modules`, a directory of one kernel, and this busybox, which must be one
/// without libraries. Drivers that are unpacked on the way lie in `work`.
pub fn write(modules: &Path, busybox: &Path, work: &Path, to: &Path) -> Result<()> {
    let drivers = drivers(modules, busybox, work)?;
    written(&drivers, busybox, to).map_err(|error| failed(to, &error))
}

fn written(drivers: &[(&str, PathBuf)], busybox: &Path, to: &Path) -> io::Result<()> {
    let mut archive = Archive::new(BufWriter::new(fs::File::create(to)?));
    for name in ["bin", "dev", "modules", "proc", "root", "sys"] {
        archive.directory(name)?;
    }
    // The kernel opens it before anything is mounted.
    archive.device("dev/console", 0o600, (5, 1))?;
    archive.file("init", 0o755, include_bytes!("tiny/init"))?;
    archive.file("bin/busybox", 0o755, &fs::read(busybox)?)?;
    let order: Vec<_> = drivers.iter().map(|(name, _)| *name).collect();
    archive.file("modules/order", 0o644, order.join("\n").as_bytes())?;
    for (name, path) in drivers {
        archive.file(&format!("modules/{name}.ko"), 0o644, &fs::read(path)?)?;
    }
    archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// The drivers that are not part of the kernel itself.
fn drivers(modules: &Path, busybox: &Path, work: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    let found = Program::new("find").arg(modules).args(["-name", "*.ko", "-o", "-name", "*.ko.xz"]).run()?;
    let mut drivers = Vec::new();
    for driver in DRIVERS {
        let (plain, packed) = (format!("{driver}.ko"), format!("{driver}.ko.xz"));
        let is = |path: &Path, name: &str| path.file_name().is_some_and(|file| file == name);
        let Some(path) = found.lines().map(Path::new).find(|path| is(path, &plain) || is(path, &packed)) else {
            continue;
        };
        let mut path = path.to_owned();
        if is(&path, &packed) {
            let unpacked = work.join(&plain);
            Program::new("sh").args(["-c", UNPACK, "sh"]).arg(busybox).arg(&path).arg(&unpacked).run()?;
            path = unpacked;
        }
        drivers.push((*driver, path));
    }
    let builtin = Program::new("grep").args(["-rqs", "--include=modules.builtin", &format!("/{DISK}.ko")]).arg(modules);
    if !drivers.iter().any(|(name, _)| *name == DISK) && !builtin.succeeds()? {
        return Err(HostError::new(HostError::ENGINE, format!("the kernel has no driver {DISK}")));
    }
    Ok(drivers)
}
