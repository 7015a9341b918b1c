//! Temporary folders that vanish with their owner.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Tells apart the folders of one process.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A folder under the system's temporary folder; removed on drop.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes an empty folder whose name contains `purpose`.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn new(purpose: &str) -> Self {
        Self::new_in(&std::env::temp_dir(), purpose)
    }

    /// The same inside `parent`, for what must be on a real disk: the temporary folder may be memory.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn new_in(parent: &Path, purpose: &str) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("wolke-e2e-{purpose}-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
