//! The programs of the system, and in which packages of Debian they are.

use wolke_host::HostError;

use crate::engine::Result;
use crate::program::Program;

/// Every program that is run here, with its package.
const PACKAGES: &[(&str, &str)] = &[
    ("apt-cache", "apt"),
    ("apt-get", "apt"),
    ("dpkg-deb", "dpkg"),
    ("du", "coreutils"),
    ("env", "coreutils"),
    ("findmnt", "util-linux"),
    ("flock", "util-linux"),
    ("find", "findutils"),
    ("grep", "grep"),
    ("gzip", "gzip"),
    ("ip", "iproute2"),
    ("losetup", "mount"),
    ("lxc-attach", "lxc"),
    ("lxc-start", "lxc"),
    ("lxc-usernsexec", "lxc"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mmdebstrap", "mmdebstrap"),
    ("mount", "mount"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("qemu-img", "qemu-utils"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("resize2fs", "e2fsprogs"),
    ("setpriv", "util-linux"),
    ("tar", "tar"),
    ("unshare", "util-linux"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// The package of a program; the program itself when nobody knows.
#[must_use]
pub fn package(program: &str) -> &str {
    PACKAGES.iter().find(|(name, _)| *name == program).map_or(program, |(_, package)| package)
}

/// Which of these programs are not there.
///
/// # Errors
/// [`HostError::ENGINE`] when that cannot be told.
pub fn missing<'a>(programs: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut missing = Vec::new();
    for program in programs {
        if !Program::new("sh").args(["-c", "command -v -- \"$1\" > /dev/null", "sh", program]).succeeds()? {
            missing.push(*program);
        }
    }
    Ok(missing)
}

/// The command that installs the packages of these programs.
#[must_use]
pub fn install(programs: &[&str]) -> String {
    let mut packages: Vec<_> = programs.iter().map(|program| package(program)).collect();
    packages.sort_unstable();
    packages.dedup();
    command(&packages)
}

/// The command that installs packages.
#[must_use]
pub fn command(packages: &[&str]) -> String {
    format!("apt-get install --no-install-recommends {}", packages.join(" "))
}

/// All of these programs are there.
///
/// # Errors
/// [`HostError::UNSUPPORTED`] with those that are not, and the command that installs them.
pub fn all(programs: &[&str]) -> Result<()> {
    let missing = missing(programs)?;
    if missing.is_empty() {
        return Ok(());
    }
    let why = format!("this machine has no {}; install it with: {}", missing.join(", "), install(&missing));
    Err(HostError::new(HostError::UNSUPPORTED, why))
}

#[cfg(test)]
mod tests {
    use super::{all, install, missing};

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        assert_eq!(missing(&["sh", "no-such-program"]).unwrap(), ["no-such-program"]);
        assert_eq!(
            install(&["qemu-img", "mkfs.ext4", "resize2fs"]),
            "apt-get install --no-install-recommends e2fsprogs qemu-utils"
        );
        assert!(all(&["sh"]).is_ok());
        let refused = all(&["no-such-program"]).unwrap_err().message;
        assert!(refused.ends_with("apt-get install --no-install-recommends no-such-program"), "{refused}");
    }
}
