//! `debian-12`: Debian for clouds, made by mmdebstrap out of Debian's packages.
//!
//! cloud-init sets it up in both runtimes: from the metadata service in a virtual machine, from a seed in a container. It
//! boots from the kernel that lies beside its disk, so a newer kernel that is installed inside is not the one that runs.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wolke_host::HostError;

use super::build::Made;
use super::store::failed;
use super::{Init, initrd};
use crate::engine::Result;
use crate::program::Program;

/// What is needed on this machine.
pub(super) const PROGRAMS: &[&str] = &[
    "apt-get",
    "du",
    "env",
    "find",
    "grep",
    "lxc-usernsexec",
    "mkfs.ext4",
    "mmdebstrap",
    "qemu-img",
    "setpriv",
    "tar",
    "unshare",
];
/// The release.
const SUITE: &str = "bookworm";
/// Where its packages are for everybody; also what stands in the image.
const SOURCES: &str = "deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
";
/// What is installed beyond the essential packages.
const PACKAGES: &[&str] = &[
    "apt-utils",
    "bash-completion",
    // Brings its programs for the initial file system, too.
    "busybox-static",
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "curl",
    "dbus",
    "e2fsprogs",
    "iproute2",
    "iputils-ping",
    "isc-dhcp-client",
    "less",
    "libnss-myhostname",
    "libpam-systemd",
    "linux-image-cloud-amd64",
    "locales",
    "nano",
    "netbase",
    "openssh-server",
    "openssh-sftp-server",
    "procps",
    "qemu-guest-agent",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "udev",
    "vim-tiny",
    "wget",
];
/// What is done inside, as its root, when everything is installed: what must differ between servers goes, and what every
/// server needs is switched on.
const FINISH: &str = include_str!("debian/finish");
/// Files of ours: where, content.
const FILES: &[(&str, &str)] = &[
    ("etc/cloud/cloud.cfg.d/90_wolke.cfg", include_str!("debian/cloud.cfg")),
    (
        "etc/ssh/sshd_config.d/10-root.conf",
        "# Root has a password only when somebody asked for one.\nPermitRootLogin yes\n",
    ),
    ("etc/apt/sources.list", SOURCES),
    ("etc/default/locale", "LANG=C.UTF-8\n"),
    ("etc/hostname", "debian\n"),
];
/// How the kernel is started. Interfaces keep the kernel's names, as in a container.
const CMDLINE: &str = "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet";
/// How long mmdebstrap may take: a minute where nothing is in the way.
const BUILD: Duration = Duration::from_secs(3600);
/// What belongs to a release beside itself. Not its backports.
const OF_RELEASE: [&str; 2] = ["-updates", "-security"];

/// Makes the root file system in `work`.
pub(super) fn make(mirrors: &[String], work: &Path, log: &Path, progress: &mut dyn FnMut(&str)) -> Result<Made> {
    let archive = work.join("root.tar");
    let scratch = work.join("scratch");
    let files = work.join("files");
    fs::create_dir(&scratch).map_err(|error| failed(&scratch, &error))?;
    fs::set_permissions(&scratch, fs::Permissions::from_mode(0o755)).map_err(|error| failed(&scratch, &error))?;
    for (name, content) in FILES.iter().chain([&("finish", FINISH)]) {
        let path = files.join(name);
        let parent = path.parent().unwrap_or(&files);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, content));
        written.map_err(|error| failed(&path, &error))?;
    }
    progress("installing Debian 12 with mmdebstrap; this takes a minute or two");
    let _ = fs::remove_file(log);
    // Whoever ends us ends the build: its processes live in a namespace that dies with them, and so do its mounts.
    let program = Program::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "env"])
        .args([pair("TMPDIR=", &scratch), pair("WOLKE_FILES=", &files), "DEBIAN_FRONTEND=noninteractive".into()])
        .args(["mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar", "--architectures=amd64", "--verbose"])
        .arg(pair("--logfile=", log))
        .arg("--aptopt=Acquire::Languages \"none\"")
        .arg(format!("--include={}", PACKAGES.join(",")))
        .arg(r#"--customize-hook=cp -rT "$WOLKE_FILES" "$1" && chroot "$1" sh /finish && rm "$1/finish""#)
        .arg(SUITE)
        .arg(&archive)
        .args(sources(mirrors)?)
        .timeout(BUILD);
    program.run().map_err(|error| explained(&error, log))?;
    Ok(Made { archive, init: Init::Systemd, cloud_init: true, cmdline: CMDLINE.to_owned() })
}

/// Writes `vmlinuz` and `initrd` from the unpacked root file system in `directory`.
pub(super) fn boot_files(directory: &Path) -> Result<()> {
    let rootfs = directory.join("rootfs");
    let boot = rootfs.join("boot");
    let entries = fs::read_dir(&boot).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut files: Vec<PathBuf> = entries.map_err(|error| failed(&boot, &error))?;
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-")));
    let kernel = files.pop().ok_or_else(|| HostError::new(HostError::ENGINE, "no kernel was installed"))?;
    fs::copy(&kernel, directory.join("vmlinuz")).map_err(|error| failed(&kernel, &error))?;
    initrd::write(
        &rootfs.join("usr/lib/modules"),
        &rootfs.join("usr/bin/busybox"),
        &directory.join("work"),
        &directory.join("initrd"),
    )
}

/// An assignment, or an option with its value.
fn pair(name: &str, value: &Path) -> OsString {
    let mut pair = OsString::from(name);
    pair.push(value);
    pair
}

/// The sources for mmdebstrap.
fn sources(mirrors: &[String]) -> Result<Vec<String>> {
    if !mirrors.is_empty() {
        return Ok(mirrors.to_vec());
    }
    let format = "$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)";
    let said = Program::new("apt-get").args(["indextargets", "--format", format]).run()?;
    let own = own_sources(&said);
    Ok(if own.is_empty() { SOURCES.lines().map(str::to_owned).collect() } else { own })
}

/// The sources of the release among those that apt has on this machine, as lines of `sources.list`.
fn own_sources(targets: &str) -> Vec<String> {
    let line = |target: &str| {
        let [created, origin, uri, release, component] = target.split('|').collect::<Vec<_>>().try_into().ok()?;
        let ours = release == SUITE || release.strip_prefix(SUITE).is_some_and(|part| OF_RELEASE.contains(&part));
        (created == "Packages" && origin == "Debian" && ours && component == "main")
            .then(|| format!("deb {uri} {release} {component}"))
    };
    let lines: Vec<_> = targets.lines().filter_map(line).collect();
    // Updates alone make no system.
    if lines.iter().any(|line| line.ends_with(&format!(" {SUITE} main"))) { lines } else { Vec::new() }
}

/// The failure with the last error of the log and its place.
fn explained(error: &HostError, log: &Path) -> HostError {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    // apt and mmdebstrap mark errors so; mmdebstrap's own last one only says that something failed.
    let errors: Vec<_> = text.lines().filter(|line| line.starts_with("E: ")).collect();
    let why = errors.first().map_or(error.message.as_str(), |line| line.trim_start_matches("E: "));
    let place = log.display();
    HostError::new(HostError::ENGINE, format!("Debian could not be installed: {why} (the whole story is in {place})"))
}

#[cfg(test)]
mod tests {
    use super::own_sources;

    #[test]
    fn the_sources_of_this_machine_are_used_when_they_are_of_the_release() {
        let targets = "Packages|Debian|http://deb.debian.org/debian/|bookworm|main
Translations|Debian|http://deb.debian.org/debian/|bookworm|main
Packages|Debian|http://deb.debian.org/debian/|bookworm-backports|main
Packages|Debian|http://deb.debian.org/debian/|bookworm|contrib
Packages|Debian|http://mirror.example/security/|bookworm-security|main
Packages|Example|http://packages.example/|bookworm|main
";
        let expected = [
            "deb http://deb.debian.org/debian/ bookworm main",
            "deb http://mirror.example/security/ bookworm-security main",
        ];
        assert_eq!(own_sources(targets), expected);
        assert!(own_sources("Packages|Debian|http://deb.debian.org/debian/|trixie|main\n").is_empty());
        assert!(own_sources("Packages|Debian|http://deb.debian.org/debian/|bookworm-updates|main\n").is_empty());
    }
}
