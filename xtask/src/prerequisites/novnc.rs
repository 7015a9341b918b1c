//! noVNC, the viewer of consoles that people have in their browsers: a pinned release of its npm package, unpacked.

use super::apt_get;
use crate::shell::{cache, quiet, which};
use std::path::PathBuf;
use std::process::Command;

/// The release under test.
const RELEASE: &str = "1.7.0";

/// The folder of the package, from an earlier run or from npm.
///
/// # Errors
/// Why there is none.
pub fn unpack() -> Result<PathBuf, String> {
    let folder = cache().join(format!("novnc-{RELEASE}"));
    let package = folder.join("package");
    // Its entry point; the archive is removed last, so that an unpacking that was cut short is done again.
    let archive = folder.join(format!("novnc-novnc-{RELEASE}.tgz"));
    if package.join("core/rfb.js").is_file() && !archive.is_file() {
        return Ok(package);
    }
    if which("npm").is_none() {
        eprintln!("xtask: installing npm");
        apt_get(&["-q", "update"])?;
        apt_get(&["-q", "install", "-y", "--no-install-recommends", "npm"])?;
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    quiet(Command::new("npm").args(["pack", &format!("@novnc/novnc@{RELEASE}")]).current_dir(&folder))?;
    quiet(Command::new("tar").arg("-xzf").arg(&archive).current_dir(&folder))?;
    std::fs::remove_file(&archive).map_err(failed)?;
    Ok(package)
}
