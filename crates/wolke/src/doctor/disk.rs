//! The data directory: is it one, can it be written, is there room, and can SQLite live there.

use super::{Check, Patient};
use rustix::fs::{statfs, statvfs};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use wolke_domain::clock::Clock as _;

const NAME: &str = "disk";
/// Below this nothing should be started, in bytes.
const FREE_MIN: u64 = 64 << 20;
/// Below this it is time to act, in bytes.
const FREE_LOW: u64 = 1 << 30;
/// Files that can still be made; the engine needs a few.
const FILES_MIN: u64 = 100;
/// A commit waits for the disk once: longer than this is felt, in milliseconds.
const SYNC_SLOW_MS: i64 = 200;
/// What is written to see whether writing works, in bytes.
const PROBE_BYTES: usize = 4096;

/// How a kind of file system suits the embedded engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// As far as is known.
    Fine,
    /// Over the network, or of a host outside a virtual machine: its locks and its shared memory cannot be relied on.
    Network(&'static str),
    /// Depends on what is behind it.
    User(&'static str),
    /// Gone after a restart.
    Memory(&'static str),
}

/// By the number that the kernel tells (linux/magic.h, statfs(2)).
const fn kind(magic: u64) -> Kind {
    match magic {
        0x6969 => Kind::Network("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Kind::Network("SMB"),
        0x0102_1997 => Kind::Network("9p"),
        0x00c3_6400 => Kind::Network("CephFS"),
        0x0bd0_0bd0 => Kind::Network("Lustre"),
        0x5346_414f | 0x6b41_4653 => Kind::Network("AFS"),
        0x7375_7245 => Kind::Network("Coda"),
        0x0116_1970 => Kind::Network("GFS2"),
        0x6573_5546 => Kind::User("FUSE"),
        0x0102_1994 => Kind::Memory("tmpfs"),
        0x8584_58f6 => Kind::Memory("ramfs"),
        _ => Kind::Fine,
    }
}

pub(super) fn check(patient: &Patient<'_>) -> Check {
    let path = patient.directory.path();
    let elsewhere = "name another directory with --data DIR";
    let existing = match nearest(path) {
        Ok(existing) => existing,
        Err(e) => return Check::fail(NAME, format!("{}: {e}", path.display()), elsewhere),
    };
    if !existing.is_dir() {
        return Check::fail(NAME, format!("{} is not a directory", existing.display()), elsewhere);
    }
    let began = patient.real.monotonic_ms();
    if let Err(e) = probe(&existing) {
        return cannot_write(&existing, &e);
    }
    let took = patient.real.monotonic_ms() - began;
    let (free, files, magic) = match measure(&existing) {
        Ok(measured) => measured,
        Err(e) => {
            return Check::fail(NAME, format!("cannot measure the disk of {}: {e}", existing.display()), elsewhere);
        }
    };
    let holds_databases = patient.settings.database.is_none() && !patient.settings.ephemeral;
    let found = unsuitable(kind(magic), holds_databases).or_else(|| tight(free, files));
    if let Some(found) = found {
        return Check { message: format!("{}: {}", existing.display(), found.message), ..found };
    }
    if took > SYNC_SLOW_MS {
        let message =
            format!("{}: a write takes {took} ms to reach the disk, and each commit waits for it", existing.display());
        return Check::warning(NAME, message, "put the data directory on a faster disk with --data DIR");
    }
    // Not by comparing paths: `existing` is absolute, and what was given may be relative.
    let there = if path.is_dir() { "" } else { " is not there yet and can be made" };
    Check::ok(NAME, format!("{}{there}: {} free, a write reaches the disk in {took} ms", path.display(), size(free)))
}

/// The directory, or the nearest above it that exists.
fn nearest(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for candidate in path.ancestors() {
        match candidate.symlink_metadata() {
            Ok(_) => return Ok(candidate.to_owned()),
            // A file stands where a directory should: found further up.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(path)
}

/// Writes a file to the disk, as a commit does. It loses its name before anything is in it.
fn probe(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".wolke-doctor-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(crate::files::FILE_MODE).open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(&[0; PROBE_BYTES])?;
    file.sync_all()?;
    File::open(directory)?.sync_all()
}

fn cannot_write(directory: &Path, error: &std::io::Error) -> Check {
    let shown = directory.display();
    let message = format!("{shown} cannot be written: {error}");
    let word = crate::env::shell_word(&shown.to_string());
    let fix = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => format!("make room: du -xh {word} | sort -h | tail"),
        ErrorKind::ReadOnlyFilesystem => "mount it writable, or name another directory with --data DIR".to_owned(),
        ErrorKind::PermissionDenied => format!("chown \"$(id -un)\" {word}, or name another directory with --data DIR"),
        _ => "name another directory with --data DIR".to_owned(),
    };
    Check::fail(NAME, message, fix)
}

/// Free bytes, files that can be made, and the kind of file system.
fn measure(directory: &Path) -> std::io::Result<(u64, u64, u64)> {
    let room = statvfs(directory)?;
    // File systems without a table of files say that there are none.
    let files = if room.f_files == 0 { u64::MAX } else { room.f_favail };
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast, reason = "a number of 32 bits, signed on some machines")]
    let magic = statfs(directory)?.f_type as u64 & 0xffff_ffff;
    Ok((room.f_bavail.saturating_mul(room.f_frsize), files, magic))
}

fn unsuitable(kind: Kind, holds_databases: bool) -> Option<Check> {
    let local = "put the data directory on a local disk with --data DIR, or use PostgreSQL with --database URL";
    match kind {
        Kind::Network(name) if holds_databases => {
            Some(Check::fail(NAME, format!("SQLite loses data on {name}: its locks cannot be relied on"), local))
        }
        Kind::User(name) if holds_databases => Some(Check::warning(
            NAME,
            format!("SQLite needs reliable locks, and {name} has them only with a local disk behind it"),
            local,
        )),
        Kind::Memory(name) => Some(Check::warning(
            NAME,
            format!("{name} is memory, and gone after a restart of the machine"),
            "put the data directory on a disk with --data DIR",
        )),
        _ => None,
    }
}

fn tight(free: u64, files: u64) -> Option<Check> {
    let fix = "make room, or name another directory with --data DIR";
    match (free, files) {
        (..FREE_MIN, _) => Some(Check::fail(NAME, format!("only {} free", size(free)), fix)),
        (_, ..FILES_MIN) => Some(Check::fail(NAME, format!("only {files} more files can be made"), fix)),
        (..FREE_LOW, _) => Some(Check::warning(NAME, format!("only {} free", size(free)), fix)),
        _ => None,
    }
}

/// A size for people.
fn size(bytes: u64) -> String {
    if bytes >= 1 << 30 { format!("{} GiB", bytes >> 30) } else { format!("{} MiB", bytes >> 20) }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind, tight, unsuitable};
    use crate::doctor::Grade;

    #[test]
    fn network_file_systems_are_no_place_for_sqlite() {
        assert_eq!(kind(0x6969), Kind::Network("NFS"));
        assert_eq!((kind(0xef53), kind(0x9123_683e), kind(0x5846_5342)), (Kind::Fine, Kind::Fine, Kind::Fine));
        let grade = |kind, databases| unsuitable(kind, databases).map(|check| check.status);
        assert_eq!(grade(Kind::Network("NFS"), true), Some(Grade::Fail));
        assert_eq!(grade(Kind::Network("NFS"), false), None, "with PostgreSQL only the key and the sockets lie there");
        assert_eq!(grade(Kind::User("FUSE"), true), Some(Grade::Warning));
        assert_eq!(grade(Kind::Memory("tmpfs"), false), Some(Grade::Warning));
        assert_eq!(grade(Kind::Fine, true), None);
    }

    #[test]
    fn room() {
        let grade = |free, files| tight(free, files).map(|check| check.status);
        assert_eq!(grade(63 << 20, 1000), Some(Grade::Fail));
        assert_eq!(grade(64 << 20, 1000), Some(Grade::Warning));
        assert_eq!(grade(1 << 30, 1000), None);
        assert_eq!(grade(1 << 40, 99), Some(Grade::Fail));
        assert!(tight(5 << 20, 1000).unwrap().message.contains("5 MiB"));
    }
}
