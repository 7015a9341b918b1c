//! What the flows with Python need: pinned wheels, unpacked into a folder for each flow. Nothing is installed into the system's
//! Python.
//!
//! `e2e/hcloud-python` needs the official Python library. `e2e/hcloud-ansible` needs Ansible and one collection, which the
//! registry has only inside a package of fifty megabytes; that is all that is kept of it. `e2e/schemathesis` names the program that sends
//! whatever a document allows and does not allow.

use super::apt_get;
use crate::shell::{cache, quiet, root, which};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package of Debian that brings pip.
const PIP_PACKAGE: &str = "python3-pip";
/// The release of Python that the package with the collection asks for. The collection itself runs on older ones.
const COLLECTION_PYTHON: &str = "3.14";
/// What is kept of that package.
const COLLECTION: &str = "ansible_collections/hetzner/";
/// Unpacks the members of archive 1 whose names begin with 2 into folder 3.
const UNPACK: &str = "import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
names = [name for name in archive.namelist() if name.startswith(sys.argv[2])]
archive.extractall(sys.argv[3], names)
sys.exit(None if names else 'nothing begins with ' + sys.argv[2])";

/// The folder that a Python finds the official library in.
///
/// # Errors
/// Why there is none.
pub fn library() -> Result<PathBuf, String> {
    unpacked("hcloud-python", &["requirements.txt"], |_| Ok(()))
}

/// The folder that a Python finds Ansible and the collection in.
///
/// # Errors
/// Why there is none.
pub fn ansible() -> Result<PathBuf, String> {
    unpacked("hcloud-ansible", &["requirements.txt", "collection.txt"], unpack_collection)
}

/// The folder that a Python finds schemathesis in.
///
/// # Errors
/// Why there is none.
pub fn schemathesis() -> Result<PathBuf, String> {
    unpacked("schemathesis", &["requirements.txt"], |_| Ok(()))
}

/// The folder with the wheels that `requirements.txt` of a flow names, and with what `more` adds. Another text in one of these
/// `pins` makes it anew.
fn unpacked(flow: &str, pins: &[&str], more: fn(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let mut wanted = String::new();
    for pin in pins {
        let file = source(flow, pin);
        wanted += &std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    // Some wheels are made for one release of Python.
    let python = quiet(Command::new("python3").arg("--version")).unwrap_or_default();
    let wanted = format!("{wanted}# {python}");
    let folder = cache().join(flow);
    let noted = folder.join("requirements.txt");
    // Written last, so that an installation that was cut short is done again; so is one of other releases.
    if std::fs::read_to_string(&noted).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    have_pip()?;
    let _ = std::fs::remove_dir_all(&folder);
    let mut install = pip("install");
    install.arg("--target").arg(&folder).arg("-r").arg(source(flow, "requirements.txt"));
    quiet(&mut install)?;
    more(&folder)?;
    std::fs::write(&noted, wanted).map_err(|error| format!("{}: {error}", noted.display()))?;
    Ok(folder)
}

fn source(flow: &str, file: &str) -> PathBuf {
    root().join("e2e").join(flow).join(file)
}

/// A command of pip, for wheels as they are named: nothing is built, nothing else is taken.
fn pip(command: &str) -> Command {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", command, "--quiet", "--no-deps", "--only-binary", ":all:"]);
    pip
}

/// Downloads the package with the collection, and keeps the collection.
fn unpack_collection(folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let download = folder.join("download");
    let mut fetch = pip("download");
    fetch.args(["--python-version", COLLECTION_PYTHON, "--dest"]).arg(&download);
    quiet(fetch.arg("-r").arg(source("hcloud-ansible", "collection.txt")))?;
    for entry in std::fs::read_dir(&download).map_err(failed)? {
        let archive = entry.map_err(failed)?.path();
        quiet(Command::new("python3").args(["-c", UNPACK]).arg(archive).arg(COLLECTION).arg(folder))?;
    }
    std::fs::remove_dir_all(&download).map_err(failed)
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
