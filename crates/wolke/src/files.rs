//! Private files: directories of mode 0700, files of mode 0600 that are there whole or not at all.

use crate::failure::{Failure, Result};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Only the owner may enter.
const DIRECTORY_MODE: u32 = 0o700;
/// Only the owner may read and write.
pub const FILE_MODE: u32 = 0o600;
/// The largest small file that is read.
const SMALL_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Makes a directory and those above it. One that is there stays as it is: it may be a mount point or shared on purpose.
///
/// # Errors
/// When it cannot be made.
pub fn make_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let made = std::fs::DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
    made.map_err(|e| Failure::file("make the directory", path, e))
}

/// Makes an empty private file unless there is one, for a program that would make it readable to others.
///
/// # Errors
/// When it cannot be made.
pub fn touch(path: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(Failure::file("make", path, e)),
    }
}

/// Reads a small text file without the space around it; none when there is no such file.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(path: &Path) -> Result<Option<String>> {
    use std::io::Read as _;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::file("read", path, e)),
    };
    let mut text = String::new();
    file.take(SMALL_FILE_BYTES_MAX).read_to_string(&mut text).map_err(|e| Failure::file("read", path, e))?;
    Ok(Some(text.trim().to_owned()))
}

/// Writes a private file so that a crash leaves the old one or the new one, on the disk when this returns.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
    let attempt = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&fresh)?;
        // A leftover of a process with our id may have had other permissions.
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        sync_directory(path)
    };
    attempt().map_err(|e| {
        let _ = std::fs::remove_file(&fresh);
        Failure::file("write", path, e)
    })
}

/// As [`write()`], without waiting for the disk: for what means nothing after a crash of the machine.
///
/// # Errors
/// When it cannot be written.
pub fn write_volatile(path: &Path, text: &str) -> Result<()> {
    let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
    let attempt = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        std::fs::rename(&fresh, path)
    };
    attempt().map_err(|e| Failure::file("write", path, e))
}

/// Gives a private file its final name, on the disk when this returns. It may already have it.
///
/// # Errors
/// When neither name is there, or the directory cannot be written.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    match std::fs::rename(from, to) {
        Err(e) if e.kind() == ErrorKind::NotFound && to.exists() => Ok(()),
        outcome => outcome.and_then(|()| sync_directory(to)).map_err(|e| Failure::file("rename", from, e)),
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::{make_directory, read, touch, write};
    use crate::testing::Folder;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_read() {
        let folder = Folder::new();
        let directory = folder.path().join("a/b");
        make_directory(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
        let file = directory.join("token");
        assert_eq!(read(&file).unwrap(), None);
        write(&file, "first").unwrap();
        write(&file, "second").unwrap();
        assert_eq!((read(&file).unwrap().as_deref(), mode(&file)), (Some("second"), 0o600));
        touch(&file).unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some("second"));
        let names: Vec<_> = std::fs::read_dir(&directory).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(write(&folder.path().join("missing/x"), "y").is_err());
    }
}
