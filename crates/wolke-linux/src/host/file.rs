//! Files that survive a crash: written beside, flushed, renamed.
//!
//! **Invariant:** a reader sees the old content or the new one, whole; what was returned from [`write`] is on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wolke_host::HostError;

use crate::engine::Result;

/// For the eyes of its owner: desired documents hold sealed secrets.
const MODE: u32 = 0o600;

/// What is being written has this at the end of its name.
const BESIDE: &str = ".writing";

/// A failure of the file system, in a sentence.
pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> HostError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { HostError::DISK_FULL } else { HostError::ENGINE };
    HostError::new(code, format!("{} cannot be {what}: {error}", path.display()))
}

/// Replaces a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    let put = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    put().map_err(|error| failed("written", path, &error))?;
    flush_parent(path)
}

/// Replaces a file with a document.
pub(super) fn write_json(path: &Path, document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(document)
        .map_err(|error| HostError::new(HostError::ENGINE, format!("{}: {error}", path.display())))?;
    write(path, &text)
}

/// Reads a document; `None` without one.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let document = serde_json::from_slice(&text);
    document.map(Some).map_err(|error| {
        HostError::new(HostError::ENGINE, format!("{} is not what was written there: {error}", path.display()))
    })
}

/// The file is gone.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => flush_parent(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("removed", path, &error)),
    }
}

/// There is such a directory, for its owner alone to read from.
pub(super) fn directory(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(|error| failed("made", path, &error))
}

/// The directory, or whatever else bears the name, is gone with all that is in it.
pub(super) fn remove_all(path: &Path) -> Result<()> {
    let directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Ok(()) => flush_parent(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("removed", path, &error)),
    }
}

/// Gives a directory its name in one step.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| failed("renamed", from, &error))?;
    flush_parent(to)
}

/// The names in a directory; none without one.
pub(super) fn names(path: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    names.collect::<io::Result<_>>().map_err(|error| failed("read", path, &error))
}

/// Whether a name is that of a file that was being written when its writer died.
pub(super) fn is_beside(name: &str) -> bool {
    name.ends_with(BESIDE)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BESIDE);
    name.into()
}

/// A name that was given or taken away is on the disk only with its directory.
fn flush_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match File::open(parent).and_then(|directory| directory.sync_all()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("flushed", parent, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_beside, names, read_json, remove, write_json};

    #[test]
    fn documents_are_replaced_whole() {
        let home = std::env::temp_dir().join(format!("wolke-file-{}", std::process::id()));
        super::directory(&home).unwrap();
        let path = home.join("memory.json");
        assert_eq!(read_json::<Vec<i64>>(&path).unwrap(), None);
        write_json(&path, &vec![1, 2, 3]).unwrap();
        // What a writer that was killed has left behind disturbs nobody.
        std::fs::write(super::beside(&path), b"[4,").unwrap();
        assert_eq!(read_json(&path).unwrap(), Some(vec![1, 2, 3]));
        write_json(&path, &vec![5]).unwrap();
        assert_eq!(read_json(&path).unwrap(), Some(vec![5]));
        assert_eq!(names(&home).unwrap(), ["memory.json"]);
        assert!(is_beside("memory.json.writing") && !is_beside("memory.json"));
        std::fs::write(&path, b"[4,").unwrap();
        assert!(read_json::<Vec<i64>>(&path).unwrap_err().message.contains("is not what was written there"));
        remove(&path).unwrap();
        remove(&path).unwrap();
        super::remove_all(&home).unwrap();
        super::remove_all(&home).unwrap();
    }
}
