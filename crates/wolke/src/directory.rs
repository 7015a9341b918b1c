//! The data directory: what lies where, and who holds it.
//!
//! | name | what |
//! | --- | --- |
//! | `root.db`, `worlds/main.db` | the embedded databases |
//! | `seal.key` | the key of secrets at rest |
//! | `token` | the read-write token of the project `default`, for `wolke env` |
//! | `lock` | held by the process that owns the directory, with its name in it |
//! | `setup.lock` | taken in turns by processes that start on one PostgreSQL database |
//! | `admin.sock`, `endpoint` | where a running server is reached |
//! | `admin-PID.sock` | where further servers on one PostgreSQL database are reached |
//! | `wolke.toml` | settings |
//! | `ephemeral/` | the same for `--ephemeral`, without databases and key |

use crate::config::Settings;
use crate::failure::{Failure, Result};
use crate::files;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use wolke_store::migrate::Role;

/// What helps when the database of a world that was in use is not where it was.
pub const WORLD_GONE_FIX: &str = "restore the data directory from a copy, or start anew in another one with --data DIR";

/// The name of the one world of this release.
pub const WORLD: &str = "main";

/// A data directory, or the part of it that belongs to `--ephemeral`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    path: PathBuf,
    ephemeral: bool,
}

impl Directory {
    /// The directory that the settings name.
    pub fn of(settings: &Settings) -> Self {
        if settings.ephemeral { Self::ephemeral(settings) } else { Self::persistent(settings) }
    }

    /// The directory of a server that keeps its state.
    pub fn persistent(settings: &Settings) -> Self {
        Self { path: settings.data.clone(), ephemeral: false }
    }

    /// The directory of a server that keeps nothing.
    pub fn ephemeral(settings: &Settings) -> Self {
        Self { path: settings.data.join("ephemeral"), ephemeral: true }
    }

    /// Whether it belongs to `--ephemeral`.
    pub const fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// Makes what is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> Result<()> {
        files::make_directory(&self.path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where an embedded database is, or would be.
    pub fn database(&self, role: Role) -> PathBuf {
        match role {
            Role::Root => self.file("root.db"),
            Role::World => self.file("worlds").join(format!("{WORLD}.db")),
        }
    }

    /// Whether a first start has been here: with its databases, or with the key to those on PostgreSQL.
    pub fn is_installed(&self) -> bool {
        self.database(Role::Root).exists() || self.file("seal.key").exists()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The root database; made private before the engine makes it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn root_database(&self) -> Result<PathBuf> {
        let path = self.database(Role::Root);
        files::touch(&path).map(|()| path)
    }

    /// The database of the world; made private before the engine makes it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn world_database(&self) -> Result<PathBuf> {
        files::make_directory(&self.file("worlds"))?;
        let path = self.database(Role::World);
        files::touch(&path).map(|()| path)
    }

    /// The token of the project `default`.
    pub fn token(&self) -> PathBuf {
        self.file("token")
    }

    /// Where the API listens, as `http://ADDRESS:PORT`.
    pub fn endpoint(&self) -> PathBuf {
        self.file("endpoint")
    }

    /// The admin socket.
    pub fn socket(&self) -> PathBuf {
        self.file("admin.sock")
    }

    /// The admin socket of a process that shares the directory with the one that owns it.
    pub fn socket_beside(&self) -> PathBuf {
        self.file(&format!("admin-{}.sock", std::process::id()))
    }

    /// The sockets of such processes, dead or alive.
    pub fn sockets_beside(&self) -> Vec<PathBuf> {
        let names = std::fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_one = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("admin-") && name.ends_with(".sock")
        };
        names.filter(is_one).collect()
    }

    /// Takes the directory for this process.
    ///
    /// # Errors
    /// [`Taken`] with the name of the process that has it, or a failure of the file system.
    pub fn lock(&self, command: &str) -> Result<Result<Lock, Taken>> {
        Lock::take(&self.path, command)
    }

    /// Who holds the directory, without taking it for longer than the look.
    ///
    /// # Errors
    /// A failure of the file system.
    pub fn holder(&self) -> Result<Option<String>> {
        let path = self.file("lock");
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(e) => return Err(Failure::file("open", &path, e)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(std::fs::TryLockError::WouldBlock) => {
                let holder = files::read(&path)?.filter(|holder| !holder.is_empty());
                Ok(Some(holder.unwrap_or_else(|| "another process".to_owned())))
            }
            Err(std::fs::TryLockError::Error(e)) => Err(Failure::file("lock", &path, e)),
        }
    }

    /// Waits until no other process sets this directory up. The turn ends when the file is dropped.
    ///
    /// # Errors
    /// A failure of the file system.
    pub fn wait_for_turn(&self) -> Result<std::fs::File> {
        let path = self.file("setup.lock");
        let file = open_lock(&path)?;
        file.lock().map_err(|e| Failure::file("lock", &path, e))?;
        Ok(file)
    }
}

fn open_lock(path: &Path) -> Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::File::options();
    let opened = options.read(true).write(true).create(true).truncate(false).mode(files::FILE_MODE).open(path);
    opened.map_err(|e| Failure::file("open", path, e))
}

/// Another process holds the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    directory: PathBuf,
    /// `wolke serve (pid 42)`; empty while the holder has not written it yet.
    holder: String,
}

impl Taken {
    /// Whether the holder is a server, which stays, and not a short command.
    pub fn by_server(&self) -> bool {
        self.holder.starts_with("wolke serve")
    }
}

impl From<Taken> for Failure {
    fn from(taken: Taken) -> Self {
        let holder = if taken.holder.is_empty() { "another process" } else { &taken.holder };
        let directory = taken.directory.display();
        Self::new(format!("data directory {directory} is in use by {holder}: stop it, or name another with --data DIR"))
    }
}

/// The lock on a directory; the kernel gives it back when the process dies, however it dies.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

impl Lock {
    fn take(directory: &Path, command: &str) -> Result<Result<Self, Taken>> {
        use std::io::{Seek as _, Write as _};
        let path = directory.join("lock");
        let mut file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let holder = files::read(&path)?.unwrap_or_default();
                return Ok(Err(Taken { directory: directory.to_owned(), holder }));
            }
            Err(std::fs::TryLockError::Error(e)) => return Err(Failure::file("lock", &path, e)),
        }
        let name = format!("wolke {command} (pid {})\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(name.as_bytes()));
        written.map_err(|e| Failure::file("write", &path, e))?;
        Ok(Ok(Self { _file: file }))
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use crate::failure::Failure;
    use crate::testing::Folder;

    #[test]
    fn one_holder_at_a_time_and_named() {
        let folder = Folder::new();
        let held = Lock::take(folder.path(), "serve").unwrap().unwrap();
        let taken = Lock::take(folder.path(), "token").unwrap().unwrap_err();
        assert!(taken.by_server());
        let failure = Failure::from(taken);
        let name = format!("is in use by wolke serve (pid {})", std::process::id());
        assert!(failure.text.contains(&name) && failure.code == 1, "{failure:?}");
        drop(held);
        let _held = Lock::take(folder.path(), "token").unwrap().unwrap();
        assert!(!Lock::take(folder.path(), "serve").unwrap().unwrap_err().by_server());
    }
}
