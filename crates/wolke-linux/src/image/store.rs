//! Where images lie, and who may see and remove them.
//!
//! ```text
//! <root>/.lock                          held while something appears or goes
//! <root>/.<artefact>.listed             the catalogue has an entry for it that goes with it
//! <root>/<artefact>/<number>/           a version; the highest number is the newest
//! <root>/<artefact>/<number>/removed    no new disk is made from it
//! <root>/<artefact>/.<number>.new       being made; whoever makes it holds a lock on the directory
//! <root>/<artefact>/.<number>.old       going
//! ```
//!
//! **Invariants:** what has a number is complete and durable; it appears and goes by one rename; a version that is being
//! made belongs to the process that holds its lock, so what a killed process has begun is known by its lock being free.
//! Readers need no lock. Several processes use the same store.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock, syncfs};
use wolke_host::HostError;

use super::{Image, Manifest, name};
use crate::engine::Result;

/// What stands beside the files of a version.
const MANIFEST: &str = "manifest.json";
/// The mark of a version from which no disk is made any more.
const REMOVED: &str = "removed";
/// How often a reader looks again whose version went under its eyes.
const LOOKS: usize = 3;
/// What is being made.
const NEW: &str = ".new";
/// What is going.
const OLD: &str = ".old";
/// The mark, beside the artefacts, of one whose entry in the catalogue was made for it.
const LISTED: &str = ".listed";
/// The file that is locked while something appears or goes.
const LOCK: &str = ".lock";

/// A version that is being made: becomes an [`Image`] with [`ImageStore::commit`], else nothing.
#[derive(Debug)]
pub struct Slot {
    /// The artefact's name.
    pub artefact: String,
    /// The directory to be filled, on the file system of the images.
    pub path: PathBuf,
    /// Locked as long as this process lives: others leave the directory alone.
    lock: File,
}

/// The images of a host.
#[derive(Clone, Debug)]
pub struct ImageStore {
    root: PathBuf,
}

impl ImageStore {
    /// Below this directory ([`crate::layout::Layout::images`]).
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The newest version of an artefact that has not been removed.
    ///
    /// # Errors
    /// [`HostError::ENGINE`] when it cannot be read.
    pub fn find(&self, artefact: &str) -> Result<Option<Image>> {
        name::check(artefact)?;
        let directory = self.root.join(artefact);
        for _ in 0..LOOKS {
            match newest(artefact, &directory)? {
                Look::Is(image) => return Ok(image),
                Look::Again => {}
            }
        }
        Ok(None)
    }

    /// The version in this directory, removed or not: what a disk stands on.
    ///
    /// # Errors
    /// [`HostError::IMAGE_MISSING`].
    pub fn version(&self, path: &Path) -> Result<Image> {
        let artefact = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        read(artefact, path).map_err(|error| {
            let why = format!("the image in {} cannot be read: {error}", path.display());
            HostError::new(HostError::IMAGE_MISSING, why)
        })
    }

    /// The newest version of each artefact, by name.
    ///
    /// # Errors
    /// As [`ImageStore::find`].
    pub fn list(&self) -> Result<Vec<Image>> {
        let mut images = Vec::new();
        for artefact in self.artefacts()? {
            images.extend(self.find(&artefact)?);
        }
        Ok(images)
    }

    /// An empty directory for a new version.
    ///
    /// # Errors
    /// [`HostError::DISK_FULL`], [`HostError::ENGINE`].
    pub fn begin(&self, artefact: &str) -> Result<Slot> {
        name::check(artefact)?;
        let _turn = self.turn()?;
        let directory = self.root.join(artefact);
        fs::create_dir_all(&directory).map_err(|error| failed(&directory, &error))?;
        let path = free(&directory, NEW).map_err(|error| failed(&directory, &error))?;
        fs::create_dir(&path).map_err(|error| failed(&path, &error))?;
        let lock = File::open(&path).map_err(|error| failed(&path, &error))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| failed(&path, &error.into()))?;
        Ok(Slot { artefact: artefact.to_owned(), path, lock })
    }

    /// The version is complete: it appears in one step.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn commit(&self, slot: Slot, manifest: &Manifest) -> Result<Image> {
        let Slot { artefact, path: made, lock } = slot;
        let text = serde_json::to_vec_pretty(manifest).map_err(|error| failed(&made, &error.into()))?;
        fs::write(made.join(MANIFEST), text).map_err(|error| failed(&made, &error))?;
        // A tree of thousands of files: one call for the file system is what makes all of them durable.
        syncfs(&lock).map_err(|error| failed(&made, &error.into()))?;
        let _turn = self.turn()?;
        let directory = self.root.join(&artefact);
        let number = numbers(&directory)?.last().map_or(1, |newest| newest + 1);
        let path = directory.join(number.to_string());
        fs::rename(&made, &path).and_then(|()| durable(&directory)).map_err(|error| failed(&path, &error))?;
        durable(&self.root).map_err(|error| failed(&self.root, &error))?;
        Ok(Image { artefact, path, manifest: manifest.clone() })
    }

    /// Gives up a version that was begun.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn abandon(&self, slot: Slot) -> Result<()> {
        let _turn = self.turn()?;
        gone(&slot.path).map_err(|error| failed(&slot.path, &error))?;
        self.leave(&slot.artefact)
    }

    /// No new disk is made from an artefact any more; its files go with [`ImageStore::sweep`].
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn remove(&self, artefact: &str) -> Result<()> {
        name::check(artefact)?;
        let _turn = self.turn()?;
        let directory = self.root.join(artefact);
        // The oldest first: cut short, the newest still counts and nothing has changed.
        for number in numbers(&directory)? {
            let path = directory.join(number.to_string());
            let marked =
                File::create(path.join(REMOVED)).and_then(|mark| mark.sync_all()).and_then(|()| durable(&path));
            marked.map_err(|error| failed(&path, &error))?;
        }
        Ok(())
    }

    /// Removes versions that were removed or replaced, and that are not among those in use, and what killed processes have
    /// begun.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn sweep(&self, in_use: &[PathBuf]) -> Result<()> {
        self.sweep_begun()?;
        let _turn = self.turn()?;
        for artefact in self.artefacts()? {
            let directory = self.root.join(&artefact);
            let mut versions = numbers(&directory)?;
            let newest = versions.pop().map(|number| directory.join(number.to_string()));
            let removed = newest.as_ref().map(|path| is_there(&path.join(REMOVED))).transpose()?.unwrap_or(false);
            let replaced = versions.into_iter().map(|number| directory.join(number.to_string()));
            for path in replaced.chain(newest.filter(|_| removed)).filter(|path| !in_use.contains(path)) {
                let going = free(&directory, OLD).map_err(|error| failed(&directory, &error))?;
                fs::rename(&path, &going).and_then(|()| gone(&going)).map_err(|error| failed(&path, &error))?;
            }
            self.leave(&artefact)?;
        }
        Ok(())
    }

    /// Removes what killed processes have begun, and what they have not removed to the end. It touches no version, so it
    /// needs no knowledge of what is in use.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn sweep_begun(&self) -> Result<()> {
        if !is_there(&self.root)? {
            return Ok(());
        }
        let _turn = self.turn()?;
        for artefact in self.artefacts()? {
            let directory = self.root.join(&artefact);
            for entry in names(&directory)? {
                let path = directory.join(&entry);
                let hidden = entry.starts_with('.');
                if hidden && (entry.ends_with(OLD) || entry.ends_with(NEW) && is_nobodys(&path)) {
                    gone(&path).map_err(|error| failed(&path, &error))?;
                }
            }
            self.leave(&artefact)?;
        }
        Ok(())
    }

    /// Whether an image has an entry of the catalogue that was made for it ([`ImageStore::set_listed`]).
    ///
    /// # Errors
    /// As [`ImageStore::find`].
    pub fn is_listed(&self, artefact: &str) -> Result<bool> {
        name::check(artefact)?;
        is_there(&self.root.join(format!(".{artefact}{LISTED}")))
    }

    /// Remembers whether an image has an entry of the catalogue that was made for it, and that has to go with it.
    ///
    /// # Errors
    /// As [`ImageStore::begin`].
    pub fn set_listed(&self, artefact: &str, listed: bool) -> Result<()> {
        name::check(artefact)?;
        let _turn = self.turn()?;
        let path = self.root.join(format!(".{artefact}{LISTED}"));
        let changed = match listed {
            true => File::create(&path).map(|_| ()),
            false if is_there(&path)? => fs::remove_file(&path),
            false => Ok(()),
        };
        changed.and_then(|()| durable(&self.root)).map_err(|error| failed(&path, &error))
    }

    /// Holds the lock of the store until it is dropped.
    fn turn(&self) -> Result<File> {
        let path = self.root.join(LOCK);
        let open = fs::create_dir_all(&self.root)
            .and_then(|()| File::options().create(true).truncate(false).write(true).open(&path));
        let file = open.map_err(|error| failed(&path, &error))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(&path, &error.into()))?;
        Ok(file)
    }

    /// The directories of artefacts, by name.
    fn artefacts(&self) -> Result<Vec<String>> {
        let mut found: Vec<_> = names(&self.root)?.into_iter().filter(|entry| name::check(entry).is_ok()).collect();
        found.sort();
        Ok(found)
    }

    /// Removes the directory of an artefact that has nothing left.
    fn leave(&self, artefact: &str) -> Result<()> {
        let directory = self.root.join(artefact);
        match fs::remove_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty || is_none(&error) => Ok(()),
            left => left.map_err(|error| failed(&directory, &error)),
        }
    }
}

/// What a look into a directory yields.
enum Look {
    Is(Option<Image>),
    /// The version went while it was looked at.
    Again,
}

/// The newest version in a directory that has not been removed.
fn newest(artefact: &str, directory: &Path) -> Result<Look> {
    for number in numbers(directory)?.into_iter().rev() {
        let path = directory.join(number.to_string());
        if is_there(&path.join(REMOVED))? {
            continue;
        }
        return match read(artefact, &path) {
            // Whoever swept it has replaced or removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Look::Again),
            image => image.map(|image| Look::Is(Some(image))).map_err(|error| failed(&path, &error)),
        };
    }
    Ok(Look::Is(None))
}

/// The versions in a directory, the oldest first.
fn numbers(directory: &Path) -> Result<Vec<u64>> {
    // A number has one way of being written, else two directories would be the same version.
    let number = |entry: String| entry.parse().ok().filter(|number: &u64| number.to_string() == entry);
    let mut numbers: Vec<_> = names(directory)?.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The names in a directory; none in one that is not there.
fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if is_none(&error) => {
            return Ok(vec![]);
        }
        entries => entries.map_err(|error| failed(directory, &error))?,
    };
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().into_string().ok()).transpose();
    entries.filter_map(name).collect::<io::Result<_>>().map_err(|error| failed(directory, &error))
}

/// Whether there is nothing of that name, or no directory.
fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A hidden name in a directory that nothing bears.
fn free(directory: &Path, ending: &str) -> io::Result<PathBuf> {
    for number in 1_u64.. {
        let path = directory.join(format!(".{number}{ending}"));
        if !path.try_exists()? {
            return Ok(path);
        }
    }
    Err(io::Error::other("no name is free"))
}

/// Whether no process holds the lock of a version that is being made.
fn is_nobodys(path: &Path) -> bool {
    File::open(path).is_ok_and(|directory| flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok())
}

fn is_there(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|error| failed(path, &error))
}

fn read(artefact: &str, path: &Path) -> io::Result<Image> {
    let manifest = serde_json::from_slice(&fs::read(path.join(MANIFEST))?)?;
    Ok(Image { artefact: artefact.to_owned(), path: path.to_owned(), manifest })
}

/// Removes a directory with all that is in it; one that is gone is no error.
fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn durable(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The failure of a file, with the code that tells a full disk from the rest.
pub(super) fn failed(path: &Path, error: &io::Error) -> HostError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { HostError::DISK_FULL } else { HostError::ENGINE };
    HostError::new(code, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
