//! hcloud-python, the official Python library, for the flow in `e2e/hcloud-python`: pinned wheels, unpacked into a folder of
//! their own. Nothing is installed into the system's Python.

use super::apt_get;
use crate::shell::{cache, quiet, root, which};
use std::path::PathBuf;
use std::process::Command;

/// The package of Debian that brings pip.
const PIP_PACKAGE: &str = "python3-pip";

/// The folder that a Python finds the library in.
///
/// # Errors
/// Why there is none.
pub fn library() -> Result<PathBuf, String> {
    let wanted = root().join("e2e").join("hcloud-python").join("requirements.txt");
    let pins = std::fs::read_to_string(&wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
    // Some wheels are made for one release of Python.
    let python = quiet(Command::new("python3").arg("--version")).unwrap_or_default();
    let pins = format!("{pins}# {python}");
    let folder = cache().join("hcloud-python");
    let noted = folder.join("requirements.txt");
    // Written last, so that an installation that was cut short is done again; so is one of other releases.
    if std::fs::read_to_string(&noted).is_ok_and(|installed| installed == pins) {
        return Ok(folder);
    }
    have_pip()?;
    let _ = std::fs::remove_dir_all(&folder);
    let mut install = Command::new("python3");
    install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target"]);
    quiet(install.arg(&folder).arg("-r").arg(&wanted))?;
    std::fs::write(&noted, pins).map_err(|error| format!("{}: {error}", noted.display()))?;
    Ok(folder)
}

/// Makes sure that Python has pip. Debian packs it apart.
fn have_pip() -> Result<(), String> {
    let has_pip = || quiet(Command::new("python3").args(["-m", "pip", "--version"]));
    if which("python3").is_some() && has_pip().is_ok() {
        return Ok(());
    }
    apt_get(&["update", "-q"])?;
    apt_get(&["install", "-q", "-y", "--no-install-recommends", PIP_PACKAGE])?;
    has_pip().map(|_| ())
}
