//! A browser that needs no screen: Debian's Chromium, whose libraries are too many to unpack beside the system.

use super::apt_get;
use crate::shell::which;
use std::path::PathBuf;

/// The smaller build first: it has no window at all.
const PROGRAMS: [&str; 2] = ["chromium-headless-shell", "chromium"];

/// The program, installed when there is none.
///
/// # Errors
/// Why there is none.
pub fn find_or_install() -> Result<PathBuf, String> {
    if let Some(path) = find() {
        return Ok(path);
    }
    eprintln!("xtask: installing Chromium");
    apt_get(&["-q", "update"])?;
    apt_get(&["-q", "install", "-y", "--no-install-recommends", PROGRAMS[0]])?;
    find().ok_or_else(|| "installed, but nowhere to be found".into())
}

fn find() -> Option<PathBuf> {
    PROGRAMS.into_iter().find_map(which)
}
