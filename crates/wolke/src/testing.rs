//! What the tests of this crate share.

use crate::directory::{Directory, Lock};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Looks at a directory that may still be held by a program that another test has just started, and the pause between two.
const LOOKS_MAX: u32 = 10_000;
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A temporary folder, removed on drop.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("wolke-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
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

/// Takes a directory that nobody has. A program that another test starts in this moment holds its last lock, too, from its fork
/// to its exec.
pub fn lock(directory: &Directory, command: &str) -> Lock {
    let (_kept, never) = std::sync::mpsc::channel::<()>();
    for _ in 0..LOOKS_MAX {
        if let Ok(lock) = directory.lock(command).unwrap() {
            return lock;
        }
        let _ = never.recv_timeout(LOOK_AGAIN);
    }
    panic!("{} stays taken", directory.path().display());
}
