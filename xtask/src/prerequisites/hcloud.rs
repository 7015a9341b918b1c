//! The official clients for the flows in `e2e/`: the `hcloud` command line client, and a program around the Go library.
//!
//! First choice is the pinned current release through the Go module proxy. Some networks' proxies do not serve that module;
//! then Debian's package of the same client serves, which is years older, and the run says so. The program around the current
//! library (`e2e/hcloud-go`, its release pinned in `go.mod`) covers what today's command line client sends and decodes.

use super::apt_get;
use crate::shell::{cache, quiet, root, which};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release under test.
const RELEASE: &str = "v1.70.0";
/// The command's Go package.
const GO_PACKAGE: &str = "github.com/hetznercloud/cli/cmd/hcloud";
/// Debian's package of the same command.
const DEBIAN_PACKAGE: &str = "hcloud-cli";

/// An installed client.
pub struct Hcloud {
    /// Path of the program.
    pub path: PathBuf,
    /// Where it came from, for the log of the run.
    pub origin: String,
}

/// The pinned release from an earlier run, the pinned release through Go, Debian's package: the first that is to be had.
pub fn find_or_install() -> Result<Hcloud, String> {
    let pinned = cache().join(format!("hcloud-{RELEASE}"));
    let reason = match from_go(&pinned) {
        Ok(path) => return Ok(Hcloud { path, origin: format!("release {RELEASE}") }),
        Err(reason) => reason,
    };
    eprintln!("xtask: hcloud {RELEASE} is not to be had ({reason}); trying Debian's package");
    let (path, version) = from_debian(&cache().join("hcloud-debian")).map_err(|error| format!("{reason}; {error}"))?;
    Ok(Hcloud { path, origin: format!("Debian's {DEBIAN_PACKAGE} {version}, NOT the pinned release {RELEASE}") })
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

/// Unpacks Debian's package into `folder` without installing it. Returns the program and the package's version.
fn from_debian(folder: &Path) -> Result<(PathBuf, String), String> {
    let path = folder.join("usr/bin/hcloud");
    let noted = folder.join("version");
    if let (true, Ok(version)) = (path.is_file(), std::fs::read_to_string(&noted)) {
        return Ok((path, version));
    }
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let download = || quiet(Command::new("apt-get").args(["-q", "download", DEBIAN_PACKAGE]).current_dir(folder));
    if download().is_err() {
        apt_get(&["-q", "update"])?;
        download()?;
    }
    let package = std::fs::read_dir(folder)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .find(|file| file.extension().is_some_and(|extension| extension == "deb"))
        .ok_or("apt-get download left no package")?;
    quiet(Command::new("dpkg-deb").arg("-x").arg(&package).arg(folder))?;
    let version = quiet(Command::new("dpkg-deb").arg("-f").arg(&package).arg("Version"))?.trim().to_owned();
    std::fs::write(&noted, &version).map_err(|error| error.to_string())?;
    Ok((path, version))
}
