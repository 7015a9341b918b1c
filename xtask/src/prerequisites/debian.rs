//! Packages of any Debian release, unpacked into a folder: nothing is installed, and the system's package sources stay as they
//! are.
//!
//! apt is given a sources list, index folder and cache of its own. The mirror is the one that the system itself uses, and
//! apt checks the release's signature as always.

use crate::shell::quiet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's own keys, where its package of keys puts them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A package's files on this machine.
pub struct Unpacked {
    /// The folder that holds the package's `usr`.
    pub folder: PathBuf,
    /// Release and version, for the log of the run.
    pub origin: String,
}

/// Unpacks `package` of the release `suite` below `folder`, unless an earlier run did.
///
/// # Errors
/// When the system is no Debian, or the release does not hold the package: what apt said.
pub fn unpack(package: &str, suite: &str, folder: &Path) -> Result<Unpacked, String> {
    unpack_with(package, &[], suite, folder)
}

/// As [`unpack`], with `more` packages unpacked over it: what it needs to run.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_with(package: &str, more: &[&str], suite: &str, folder: &Path) -> Result<Unpacked, String> {
    let folder = folder.join(suite);
    let noted = folder.join("version");
    let unpacked = |version: &str| Unpacked { folder: folder.clone(), origin: format!("Debian {suite} {version}") };
    // Written last, so that an unpacking that was cut short is done again.
    if let Ok(version) = std::fs::read_to_string(&noted) {
        return Ok(unpacked(&version));
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let _ = std::fs::remove_dir_all(&folder);
    let apt = Apt::of(suite, &mirror()?, &folder.join("apt")).map_err(failed)?;
    apt.run(&["update"])?;
    apt.run(&[&["download", package], more].concat())?;
    let archives = archives_in(&folder);
    for archive in &archives {
        quiet(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&folder))?;
    }
    let archive = archive_of(package, &archives).ok_or("apt-get download left no package")?;
    let version = quiet(Command::new("dpkg-deb").arg("-f").arg(archive).arg("Version"))?.trim().to_owned();
    std::fs::remove_dir_all(folder.join("apt")).map_err(failed)?;
    std::fs::write(&noted, &version).map_err(failed)?;
    Ok(unpacked(&version))
}

/// apt with settings of its own.
struct Apt {
    /// Where it downloads to.
    into: PathBuf,
    settings: Vec<String>,
}

impl Apt {
    /// apt for one release, with everything that it writes below `state`, which lies in the folder that it downloads to.
    fn of(suite: &str, mirror: &str, state: &Path) -> std::io::Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            std::fs::create_dir_all(state.join(part))?;
        }
        let sources = state.join("sources.list");
        let signed = if Path::new(KEYRING).is_file() { format!(" [signed-by={KEYRING}]") } else { String::new() };
        std::fs::write(&sources, format!("deb{signed} {mirror} {suite} main\n"))?;
        let settings = vec![
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=-".into(),
            format!("Dir::State::lists={}", state.join("lists").display()),
            format!("Dir::Cache={}", state.join("cache").display()),
            // The folder may lie where apt's own unprivileged user cannot write.
            format!("APT::Sandbox::User={}", whoami()),
        ];
        Ok(Apt { into: state.parent().unwrap_or(state).to_path_buf(), settings })
    }

    fn run(&self, args: &[&str]) -> Result<(), String> {
        let mut command = Command::new("apt-get");
        command.arg("-q").current_dir(&self.into).env("DEBIAN_FRONTEND", "noninteractive");
        for setting in &self.settings {
            command.arg("-o").arg(setting);
        }
        quiet(command.args(args)).map(|_| ())
    }
}

/// The mirror of Debian's main archive in the system's own sources.
fn mirror() -> Result<String, String> {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(REPO_URI) $(COMPONENT)", "Created-By: Packages"]);
    let said = quiet(&mut ask)?;
    main_archive(&said).ok_or_else(|| "the system's package sources name no mirror of Debian".into())
}

/// The first address that ends as Debian's main archive does (its security archive has another ending).
fn main_archive(targets: &str) -> Option<String> {
    let addresses = targets.lines().filter_map(|line| line.strip_suffix(" main"));
    let mut archives = addresses.filter(|address| address.trim_end_matches('/').ends_with("/debian"));
    archives.next().map(str::to_owned)
}

fn whoami() -> String {
    quiet(Command::new("id").arg("-un")).map_or_else(|_| "root".into(), |name| name.trim().to_owned())
}

fn archives_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files = entries.flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "deb")).collect()
}

/// A package's own archive: `NAME_VERSION_ARCHITECTURE.deb`.
fn archive_of<'a>(package: &str, archives: &'a [PathBuf]) -> Option<&'a PathBuf> {
    let is_it = |file: &&PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(package).is_some_and(|rest| rest.starts_with('_'))
    };
    archives.iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::{archive_of, main_archive};
    use std::path::PathBuf;

    #[test]
    fn a_package_is_told_from_one_whose_name_goes_on() {
        let archives = ["x/cloud-init-extra_1_all.deb", "x/cloud-init_2_all.deb"].map(PathBuf::from);
        assert_eq!(archive_of("cloud-init", &archives), Some(&archives[1]));
        assert_eq!(archive_of("cloud", &archives), None);
    }

    #[test]
    fn the_mirror_is_that_of_the_main_archive() {
        let targets = "https://tools.example/apt main\nhttp://mirror.example/debian-security/ main\n\
                       http://mirror.example/debian/ contrib\nhttp://mirror.example/debian/ main\n";
        assert_eq!(main_archive(targets).as_deref(), Some("http://mirror.example/debian/"));
        assert_eq!(main_archive("http://mirror.example/ubuntu/ main\n"), None);
    }
}
