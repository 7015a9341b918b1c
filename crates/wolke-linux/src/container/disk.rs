//! The disk of a container: `disk.img`, a sparse ext4 that holds the upper layer of an overlay over the image.
//!
//! **Invariant:** it is mounted only in mount namespaces of its own, so that nothing has to be unmounted when a process dies.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wolke_domain::clock::Clock;
use wolke_host::HostError;

use super::run::Run;
use crate::engine::Result;
use crate::image::Image;
use crate::process::{at, engine, full_disk, until};
use crate::program::Program;

/// The file system of a server, in the directory of the disk.
pub(super) const FILE: &str = "disk.img";
/// Bytes in a GB of disks, as for virtual machines and their images.
const GIB: u64 = 1024 * 1024 * 1024;
/// The journal in MiB: enough for one server, and all that a small one costs.
const JOURNAL_MB: &str = "size=32";
/// Beside the disk, while its file system has not grown as far as its file.
const LATER: &str = "grow";
/// What resize2fs says when the kernel does not let it.
const REFUSED: &str = "Permission denied to resize filesystem";
/// How long a loop device takes to let go after its last mount.
const LOOP_MAX: Duration = Duration::from_secs(30);
/// A file system of terabytes takes a while to grow.
const GROW_MAX: Duration = Duration::from_secs(600);

/// The root file system of an image.
pub(super) fn lower(image: &Image) -> Result<PathBuf> {
    let path = image.path.join("rootfs");
    if path.is_dir() {
        return Ok(path);
    }
    let message = format!("the image {} has no root file system for containers", image.artefact);
    Err(HostError::new(HostError::IMAGE_MISSING, message))
}

/// Makes the file system in an empty directory.
pub(super) fn fill(directory: &Path, image: &Image, size_gb: u32) -> Result<()> {
    let lower = lower(image)?;
    let (skeleton, file) = (directory.join("skeleton"), directory.join(FILE));
    let upper = skeleton.join("upper");
    fs::create_dir_all(&upper).map_err(at(&upper, "made"))?;
    let work = skeleton.join("work");
    fs::create_dir(&work).map_err(at(&work, "made"))?;
    // The root directory of an overlay is its upper one.
    let root = fs::metadata(&lower).map_err(at(&lower, "read"))?;
    chown(&upper, Some(root.uid()), Some(root.gid())).map_err(at(&upper, "given away"))?;
    fs::set_permissions(&upper, fs::Permissions::from_mode(root.mode() & 0o7777)).map_err(at(&upper, "opened"))?;
    resize(&file, size_gb)?;
    // Quick: what can be left for later is. No block is reserved: root in the container may fill it, and nobody else suffers.
    Program::new("mkfs.ext4")
        .args(["-q", "-F", "-m", "0", "-J", JOURNAL_MB, "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-d"])
        .arg(&skeleton)
        .arg(&file)
        .run()
        .map_err(full_disk)?;
    fs::remove_dir_all(&skeleton).map_err(at(&skeleton, "removed"))
}

/// The file has at least this size.
fn resize(file: &Path, size_gb: u32) -> Result<()> {
    let opened =
        fs::OpenOptions::new().write(true).create(true).truncate(false).open(file).map_err(at(file, "opened"))?;
    let size = u64::from(size_gb) * GIB;
    if opened.metadata().map_err(at(file, "read"))?.len() < size {
        opened.set_len(size).and_then(|()| opened.sync_all()).map_err(at(file, "made larger"))?;
    }
    Ok(())
}

/// The disk has at least this size. A container that runs sees it at once where the kernel lets us (ext4 asks for
/// `CAP_SYS_RESOURCE`, which root lacks inside some virtual machines and containers), else at its next start.
pub(super) fn grow(run: &Run, directory: &Path, size_gb: u32, clock: &dyn Clock) -> Result<()> {
    resize(&directory.join(FILE), size_gb)?;
    let marker = directory.join(LATER);
    fs::File::create(&marker).map_err(at(&marker, "made"))?;
    let Some(monitor) = run.monitor() else { return catch_up(directory, clock) };
    for device in loops(directory) {
        let device = Path::new("/dev").join(device);
        Program::new("losetup").arg("-c").arg(&device).run()?;
        let grown = Run::beside(monitor, "resize2fs").arg(device).timeout(GROW_MAX).run();
        match grown {
            Ok(_) => fs::remove_file(&marker).map_err(at(&marker, "removed"))?,
            Err(error) if error.message.contains(REFUSED) => {}
            Err(error) => return Err(full_disk(error)),
        }
    }
    Ok(())
}

/// Grows the file system of a container that does not run to what its file has become.
pub(super) fn catch_up(directory: &Path, clock: &dyn Clock) -> Result<()> {
    let (file, marker) = (directory.join(FILE), directory.join(LATER));
    if !marker.exists() {
        return Ok(());
    }
    detach(directory, clock)?;
    // It insists on a check before; 1 and 2 say that something was put right, as after every kill.
    let check = "e2fsck -f -p \"$1\" || [ $? -le 2 ]";
    Program::new("sh").args(["-c", check, "sh"]).arg(&file).timeout(GROW_MAX).run()?;
    Program::new("resize2fs").arg(&file).timeout(GROW_MAX).run().map_err(full_disk)?;
    fs::remove_file(&marker).map_err(at(&marker, "removed"))
}

/// The loop devices on files below a directory: `loop3`.
pub(super) fn loops(directory: &Path) -> Vec<String> {
    let real = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let Ok(devices) = fs::read_dir("/sys/block") else { return Vec::new() };
    let names = devices.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| {
            let file = fs::read_to_string(format!("/sys/block/{name}/loop/backing_file")).unwrap_or_default();
            Path::new(file.trim_end()).starts_with(&real)
        })
        .collect()
}

/// No loop device is left on files below a directory. They let go by themselves once nothing mounts them; one that a killed
/// program had not yet mounted is made to.
pub(super) fn detach(directory: &Path, clock: &dyn Clock) -> Result<()> {
    let gone = until(clock, LOOP_MAX, || {
        let left = loops(directory);
        for device in &left {
            // On one that is mounted this only says what is so already: let go at the end.
            let _ = Program::new("losetup").arg("-d").arg(Path::new("/dev").join(device)).succeeds()?;
        }
        Ok(left.is_empty())
    })?;
    if gone { Ok(()) } else { Err(engine(format!("a loop device on {} does not let go", directory.display()))) }
}
