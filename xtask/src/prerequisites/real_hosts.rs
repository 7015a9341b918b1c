//! What the tests of real servers need: Debian's packages of QEMU, LXC and their helpers, and the images that guests boot.
//!
//! The images are built by `wolke image build`, as a user would build them, once per checkout, and again when the sources of
//! the builder have changed. Tests find them through `WOLKE_TEST_IMAGES`.

use super::apt_get;
use crate::shell::{cache, is_root, quiet, root, shown, which};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs that tests start, directly or through `wolke`, with the package that holds each.
const PROGRAMS: [(&str, &str); 16] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-img", "qemu-utils"),
    ("lxc-start", "lxc"),
    ("newuidmap", "uidmap"),
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mmdebstrap", "mmdebstrap"),
    ("cpio", "cpio"),
    ("busybox", "busybox-static"),
    ("ping", "iputils-ping"),
    ("ssh", "openssh-client"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("curl", "curl"),
];
/// The images that tests boot.
const IMAGES: [&str; 2] = ["tiny", "debian-12"];
/// The sources on which the images depend.
const BUILDER: &str = "crates/wolke-linux/src/image";

/// Installs what is missing.
///
/// # Errors
/// Why real servers cannot run here.
pub fn install() -> Result<(), String> {
    if !is_root() {
        return Err("running real servers needs root".into());
    }
    let missing: Vec<&str> = missing().collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: installing {}", missing.join(" "));
    apt_get(&["-q", "update"])?;
    apt_get(&[&["-q", "install", "-y", "--no-install-recommends"], missing.as_slice()].concat())?;
    match self::missing().next() {
        None => Ok(()),
        Some(package) => Err(format!("{package}: installed, but its program is nowhere to be found")),
    }
}

/// The packages of programs that are not there.
fn missing() -> impl Iterator<Item = &'static str> {
    let is_there = |program: &str| which(program).is_some() || Path::new("/usr/sbin").join(program).is_file();
    PROGRAMS.into_iter().filter(move |(program, _)| !is_there(program)).map(|(_, package)| package)
}

/// Builds the images with this `wolke`, unless they are there, and returns the directory that holds them.
///
/// # Errors
/// Which image could not be built.
pub fn images(wolke: &Path) -> Result<PathBuf, String> {
    let data = cache().join("real-hosts");
    let stamp = data.join("built-from");
    let sources = fingerprint().map_err(|error| format!("{BUILDER}: {error}"))?;
    let store = data.join("linux").join("images");
    if std::fs::read_to_string(&stamp).is_ok_and(|built| built == sources) {
        return Ok(store);
    }
    std::fs::create_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
    for image in IMAGES {
        eprintln!("xtask: building the image {image}");
        if !shown(Command::new(wolke).args(["image", "build", image, "--data"]).arg(&data)) {
            return Err(format!("wolke image build {image} failed"));
        }
    }
    // Last, so that a build that was cut short is done again.
    std::fs::write(&stamp, sources).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(store)
}

/// A fingerprint of the builder's sources.
fn fingerprint() -> Result<String, String> {
    let listed = quiet(Command::new("git").args(["ls-files", BUILDER]).current_dir(root()))?;
    let mut hasher = DefaultHasher::new();
    for file in listed.lines() {
        std::fs::read(root().join(file)).map_err(|error| format!("{file}: {error}"))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}
