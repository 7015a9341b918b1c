//! The admin socket: who can open the file is an operator.
//!
//! The kernel takes about a hundred bytes as the name of a socket. A longer one is reached through an open handle on its
//! directory.

use crate::failure::{Failure, Result};
use crate::files;
use std::fs::{File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// The longest name that is given to the kernel as it is, in bytes. Linux takes 107, others a little less.
const NAME_MAX: usize = 100;

/// A name that the kernel takes, as long as this lives.
struct Short {
    name: PathBuf,
    _directory: Option<File>,
}

impl Short {
    fn of(path: &Path) -> std::io::Result<Self> {
        match (path.as_os_str().len() > NAME_MAX, path.parent(), path.file_name()) {
            (true, Some(parent), Some(name)) => {
                let directory = File::open(parent)?;
                let name = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
                Ok(Self { name, _directory: Some(directory) })
            }
            _ => Ok(Self { name: path.to_owned(), _directory: None }),
        }
    }
}

/// Listens at `path`; what a dead process has left there is replaced. Never is it open to others, not even for a moment:
/// it gets its mode in a private directory and its name afterwards.
///
/// # Errors
/// When the directory cannot be written, or its file system has no sockets.
pub fn listen(path: &Path) -> Result<UnixListener> {
    let nursery = path.with_extension(format!("{}.tmp", std::process::id()));
    let attempt = || -> std::io::Result<UnixListener> {
        let fresh = nursery.join("s");
        // A process of our id may have been killed right here.
        let _ = std::fs::remove_file(&fresh);
        let short = Short::of(&fresh)?;
        let listener = UnixListener::bind(&short.name)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(files::FILE_MODE))?;
        std::fs::rename(&fresh, path)?;
        std::fs::remove_dir(&nursery)?;
        Ok(listener)
    };
    files::make_directory(&nursery)?;
    attempt().map_err(|e| {
        let _ = std::fs::remove_dir_all(&nursery);
        Failure::file("make the admin socket", path, e)
    })
}

/// Connects; none when nobody listens.
pub async fn connect(path: &Path) -> Option<UnixStream> {
    let short = Short::of(path).ok()?;
    UnixStream::connect(&short.name).await.ok()
}

#[cfg(test)]
mod tests {
    use super::{connect, listen};
    use crate::testing::Folder;
    use std::os::unix::fs::PermissionsExt as _;

    /// Tens of microseconds each: far longer than a program takes to begin.
    const LOOKS_MAX: u32 = 100_000;

    #[tokio::test]
    async fn private_replaced_and_reached_by_long_names() {
        let folder = Folder::new();
        let deep = folder.path().join("d".repeat(60)).join("e".repeat(60));
        std::fs::create_dir_all(&deep).unwrap();
        for directory in [folder.path(), &deep] {
            let path = directory.join("admin.sock");
            assert!(connect(&path).await.is_none());
            let listener = listen(&path).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(connect(&path).await.is_some());
            drop(listener);
            // A program that another test starts in this moment listens, too, from its fork to its exec.
            let mut looks = 0;
            while looks < LOOKS_MAX && connect(&path).await.is_some() {
                looks += 1;
            }
            assert!(looks < LOOKS_MAX, "a dead process leaves its socket, and nobody listens there");
            let _again = listen(&path).unwrap();
            assert!(connect(&path).await.is_some());
            let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
            assert!(names.into_iter().all(|name| name == "admin.sock" || name.len() == 60), "no leftovers");
        }
    }
}
