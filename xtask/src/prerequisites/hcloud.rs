//! The official clients for the flows in `e2e/`: the `hcloud` command line client, and a program around the Go library.
//!
//! First choice is the pinned current release through the Go module proxy. Some networks' proxies do not serve that module;
//! then the newest of Debian's packages of the same client serves, and the run says so. The program around the current library
//! (`e2e/hcloud-go`, its release pinned in `go.mod`) covers what today's command line client sends and decodes.

use super::debian;
use crate::shell::{cache, quiet, root, which};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release under test.
const RELEASE: &str = "v1.70.0";
/// The command's Go package.
const GO_PACKAGE: &str = "github.com/hetznercloud/cli/cmd/hcloud";
/// Debian's package of the same command.
const DEBIAN_PACKAGE: &str = "hcloud-cli";
/// Debian's releases by the age of their package, newest first: 1.39 and 1.30. Either runs on the other release too.
const DEBIAN_SUITES: [&str; 2] = ["trixie", OLD_SUITE];
/// The release with the package of 2023.
const OLD_SUITE: &str = "bookworm";

/// An installed client.
pub struct Hcloud {
    /// Path of the program.
    pub path: PathBuf,
    /// Where it came from, for the log of the run.
    pub origin: String,
}

/// The pinned release from an earlier run, the pinned release through Go, Debian's packages: the first that is to be had.
pub fn find_or_install() -> Result<Hcloud, String> {
    let mut reasons = Vec::new();
    match from_go(&cache().join(format!("hcloud-{RELEASE}"))) {
        Ok(path) => return Ok(Hcloud { path, origin: format!("release {RELEASE}") }),
        Err(reason) => reasons.push(reason),
    }
    eprintln!("xtask: hcloud {RELEASE} is not to be had ({}); trying Debian's packages", reasons.concat());
    for suite in DEBIAN_SUITES {
        match debian::unpack(DEBIAN_PACKAGE, suite, &cache().join("debian")) {
            Ok(package) => {
                let origin = format!("{} of {DEBIAN_PACKAGE}, NOT the pinned release {RELEASE}", package.origin);
                return Ok(Hcloud { path: package.folder.join("usr/bin/hcloud"), origin });
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}

/// Debian's package of 2023, for the dialect of that year.
pub fn find_or_unpack_old() -> Result<Hcloud, String> {
    let package = debian::unpack(DEBIAN_PACKAGE, OLD_SUITE, &cache().join("debian"))?;
    let origin = format!("{} of {DEBIAN_PACKAGE}, for the dialect of 2023", package.origin);
    Ok(Hcloud { path: package.folder.join("usr/bin/hcloud"), origin })
}

/// Builds the pinned release into `folder`. Needs Go; an old Go is refused by the module's own `go` line.
fn from_go(folder: &Path) -> Result<PathBuf, String> {
    let path = folder.join("hcloud");
    if path.is_file() {
        return Ok(path);
    }
    if which("go").is_none() {
        return Err("Go is not installed".into());
    }
    let mut install = Command::new("go");
    install
        .args(["install", &format!("{GO_PACKAGE}@{RELEASE}")])
        .env("GOBIN", folder)
        .current_dir(std::env::temp_dir());
    let said = quiet(&mut install);
    match said {
        Ok(_) if path.is_file() => Ok(path),
        Ok(_) => Err("go install left no program".into()),
        Err(error) => Err(error.lines().map(str::trim).collect::<Vec<_>>().join(" ")),
    }
}

/// Builds the program around the Go library. Go's own cache makes a second build take no time.
pub fn build_library_flow() -> Result<PathBuf, String> {
    if which("go").is_none() {
        return Err("Go is not installed".into());
    }
    let path = cache().join("hcloud-go");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&path).arg(".").current_dir(root().join("e2e").join("hcloud-go"));
    quiet(&mut build).map(|_| path)
}
