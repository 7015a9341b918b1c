//! Root file systems for unprivileged containers: their files belong to ids moved up by [`ID_BASE`].
//!
//! They are unpacked, and turned into disks, by programs inside such a user namespace: setuid bits and file capabilities
//! survive, and nothing that comes from a foreign archive is ever done with the rights of root on this machine.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::time::Duration;

use super::store::failed;
use crate::engine::Result;
use crate::program::Program;

/// The id on this machine of root in a container. Far above what Debian hands out in `/etc/subuid` (100000 to its first
/// user, and so on): nobody on the machine can become these.
pub const ID_BASE: u32 = 1_000_000_000;
/// How many ids a container has.
pub const ID_COUNT: u32 = 65_536;
/// How long it may take to unpack, to measure or to write a whole system of many gigabytes.
const TIMEOUT: Duration = Duration::from_secs(1800);
/// The largest part of a disk, in percent, that an image takes: a system needs room for its first boot.
const FULL_PERCENT: u64 = 75;
/// MiB of a GB.
const GB_MB: u64 = 1024;
/// Runs a program in a directory, inside the namespace, with a file as its input. LXC must not find `newuidmap`: it would
/// ask `/etc/subuid`, which has nothing for root on a stock Debian, and root needs nobody's leave. The directory is entered
/// before, because the directories above it are closed to the ids inside.
const INSIDE: &str = r#"
cd "$1" && exec < "$2" && map=$3 && shift 3 && program=$(command -v lxc-usernsexec) &&
exec env PATH=/nonexistent "$program" -m "$map" -- /bin/sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec "$@"' sh "$@""#;

/// What runs inside the namespace, in a directory.
fn inside(directory: &Path, input: &Path, line: &[&str]) -> Program {
    let map = format!("b:0:{ID_BASE}:{ID_COUNT}");
    Program::new("sh").args(["-c", INSIDE, "sh"]).arg(directory).arg(input).arg(map).args(line).timeout(TIMEOUT)
}

/// Unpacks an archive into `<directory>/rootfs`. `form` is what tar calls its compression: `--gzip`, or nothing. Devices are
/// left out: both runtimes bring their own, and nobody can make them in a user namespace.
pub fn unpack(archive: &Path, form: Option<&str>, directory: &Path) -> Result<()> {
    let rootfs = directory.join("rootfs");
    let made = std::fs::create_dir(&rootfs)
        .and_then(|()| std::fs::set_permissions(&rootfs, std::fs::Permissions::from_mode(0o755)))
        .and_then(|()| chown(&rootfs, Some(ID_BASE), Some(ID_BASE)));
    made.map_err(|error| failed(&rootfs, &error))?;
    let line = ["tar", "--extract", "--file=-", "--numeric-owner", "--same-permissions", "--xattrs"];
    let kept = ["--xattrs-include=security.capability", "--delay-directory-restore"];
    let without = ["--anchored", "--exclude=dev/*", "--exclude=./dev/*", "--exclude=/dev/*"];
    let line: Vec<_> = line.into_iter().chain(kept).chain(without).chain(form).collect();
    inside(&rootfs, archive, &line).run().map(|_| ())
}

/// The smallest disk for `<directory>/rootfs`, in GB, and what that takes, in MiB.
pub fn measure(directory: &Path) -> Result<(u32, u64)> {
    let said = Program::new("du").args(["-sxm", "--"]).arg(directory.join("rootfs")).timeout(TIMEOUT).run()?;
    let size_mb = said.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0_u64);
    let disk_gb = (size_mb * 100 / FULL_PERCENT).div_ceil(GB_MB).max(1);
    Ok((u32::try_from(disk_gb).unwrap_or(u32::MAX), size_mb))
}

/// Writes `<directory>/disk.qcow2`: `<directory>/rootfs` as one file system of this size, without a partition table.
pub fn disk(directory: &Path, size_gb: u32) -> Result<()> {
    let raw = directory.join("disk.raw");
    let made = std::fs::File::create(&raw).and_then(|_| chown(&raw, Some(ID_BASE), Some(ID_BASE)));
    made.map_err(|error| failed(&raw, &error))?;
    let size = format!("{}M", u64::from(size_gb) * GB_MB);
    let line = ["mkfs.ext4", "-q", "-F", "-L", "root", "-m", "1", "-d", "rootfs", "disk.raw", &size];
    inside(directory, Path::new("/dev/null"), &line).run()?;
    convert(&raw, "raw", directory)?;
    std::fs::remove_file(&raw).map_err(|error| failed(&raw, &error))
}

/// Writes `<directory>/disk.qcow2` from a disk in this format. It is always told, never guessed: a raw disk could begin like
/// a qcow2 file that names a file of this machine as its base.
pub fn convert(from: &Path, format: &str, directory: &Path) -> Result<()> {
    let line = ["convert", "-q", "-f", format, "-O", "qcow2"];
    let disk = directory.join("disk.qcow2");
    Program::new("qemu-img").args(line).arg(from).arg(disk).timeout(TIMEOUT).run().map(|_| ())
}
