//! Disks of servers: `disk-<epoch>/` with a `disk.json` in it, made beside (`disk-<epoch>.new`) and then renamed.
//!
//! **Invariant:** a directory counts as a disk when it has its final name and its `disk.json`; of several the newest epoch
//! counts, the others are rubbish of a host that died in between.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wolke_host::plan::Disk;
use wolke_host::{ImageRef, Runtime};

use super::file;
use crate::engine::Result;

const PREFIX: &str = "disk-";
const FILLING: &str = ".new";
const DOCUMENT: &str = "disk.json";

/// What stands in a disk's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DiskFile {
    /// The image that was asked for.
    pub(super) image: ImageRef,
    /// The directory of the version on which it stands, below the images.
    pub(super) version: PathBuf,
    /// Its size in GB.
    pub(super) size_gb: u32,
    /// The rebuild epoch for which it was made.
    pub(super) epoch: i64,
    /// Which runtime can use it.
    pub(super) runtime: Runtime,
}

impl DiskFile {
    pub(super) const fn as_disk(&self) -> Disk {
        Disk { image: self.image.id, size_gb: self.size_gb, epoch: self.epoch }
    }
}

/// A disk that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) file: DiskFile,
}

impl Found {
    pub(super) fn write(&self) -> Result<()> {
        file::write_json(&self.path.join(DOCUMENT), &self.file)
    }
}

/// The directory of a disk that is complete.
pub(super) fn path(server: &Path, epoch: i64) -> PathBuf {
    server.join(format!("{PREFIX}{epoch}"))
}

/// The directory of a disk that is being filled.
pub(super) fn filling(server: &Path, epoch: i64) -> PathBuf {
    server.join(format!("{PREFIX}{epoch}{FILLING}"))
}

/// Everything in a server's directory that is a disk, was one, or was to become one.
pub(super) fn all(server: &Path) -> Result<Vec<PathBuf>> {
    let names = file::names(server)?;
    Ok(names.iter().filter(|name| name.starts_with(PREFIX)).map(|name| server.join(name)).collect())
}

/// The document in such a directory, if it has one.
pub(super) fn document(directory: &Path) -> Result<Option<DiskFile>> {
    file::read_json(&directory.join(DOCUMENT))
}

/// The disk of a server.
pub(super) fn find(server: &Path) -> Result<Option<Found>> {
    let mut newest: Option<Found> = None;
    for directory in all(server)? {
        let Some(file) = document(&directory)?.filter(|file| directory == path(server, file.epoch)) else { continue };
        if newest.as_ref().is_none_or(|newest| newest.file.epoch < file.epoch) {
            newest = Some(Found { path: directory, file });
        }
    }
    Ok(newest)
}
