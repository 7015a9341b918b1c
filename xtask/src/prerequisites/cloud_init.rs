//! cloud-init, which runs inside guests, for the test of the metadata service: Debian's package, unpacked with the modules of
//! Python that its Hetzner reader needs. Nothing of it runs here but that reader.

use super::debian;
use crate::shell::{cache, which};
use std::path::PathBuf;

/// The release that its modules are taken from: that of the images under test.
const SUITE: &str = "bookworm";
/// What the reader imports, with what that imports.
const MODULES: [&str; 8] = [
    "python3-yaml",
    "python3-requests",
    "python3-urllib3",
    "python3-chardet",
    "python3-idna",
    "python3-certifi",
    "python3-configobj",
    "python3-six",
];

/// The folder that a Python finds the modules in.
///
/// # Errors
/// Why there is none.
pub fn unpack() -> Result<PathBuf, String> {
    if which("python3").is_none() {
        return Err("Python 3 is not installed".into());
    }
    let package = debian::unpack_with("cloud-init", &MODULES, SUITE, &cache().join("cloud-init"))?;
    eprintln!("xtask: cloud-init: {}", package.origin);
    Ok(package.folder.join("usr/lib/python3/dist-packages"))
}
