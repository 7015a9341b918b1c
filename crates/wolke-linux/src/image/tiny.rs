//! `tiny`: the smallest system that behaves like a server. For tests, and for trying things out.
//!
//! The kernel is Debian's for clouds; busybox, dropbear, the guest agent and the tool that grows the file system come from
//! packages of Debian, too. They are downloaded and unpacked, never installed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
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
    "apt-cache",
    "apt-get",
    "dpkg-deb",
    "du",
    "env",
    "find",
    "grep",
    "lxc-usernsexec",
    "mkfs.ext4",
    "qemu-img",
    "tar",
];
/// The package that depends on the newest kernel.
const KERNEL: &str = "linux-image-cloud-amd64";
/// What is in the root file system: programs and the libraries that they need, alternatives in the order of preference
/// (Debian has renamed some between releases).
const PACKAGES: &[&[&str]] = &[
    &["busybox-static"],
    &["dropbear-bin"],
    &["e2fsprogs"],
    &["qemu-guest-agent"],
    &["libblkid1"],
    &["libc6"],
    &["libcom-err2", "libcomerr2"],
    &["libcrypt1"],
    &["libext2fs2t64", "libext2fs2"],
    &["libglib2.0-0t64", "libglib2.0-0"],
    &["libgmp10"],
    &["libnuma1"],
    &["libpcre2-8-0"],
    &["libtomcrypt1"],
    &["libtommath1"],
    &["libudev1"],
    &["liburing2"],
    &["libuuid1"],
    &["zlib1g"],
];
/// What of the packages is of no use here.
const PRUNED: &[&str] =
    &["usr/share", "usr/lib/systemd", "usr/lib/udev", "usr/lib/x86_64-linux-gnu/gconv", "etc/init.d"];
/// Directories that no package brings.
const DIRECTORIES: &[&str] = &[
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "root",
    "home",
    "mnt",
    "var/lib/wolke",
    "var/log",
    "etc/init.d",
    "etc/dropbear",
    "etc/acpi/PWRF",
];
/// Files of ours: where, mode, content.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/inittab", 0o644, include_str!("tiny/inittab")),
    ("etc/init.d/boot", 0o755, include_str!("tiny/boot")),
    ("etc/init.d/user-data", 0o755, include_str!("tiny/user-data")),
    ("etc/udhcpc.script", 0o755, include_str!("tiny/udhcpc.script")),
    // How busybox's acpid names the press of a power button.
    ("etc/acpi/PWRF/00000080", 0o755, "#!/bin/sh\nexec /sbin/poweroff\n"),
    ("usr/sbin/shutdown", 0o755, include_str!("tiny/shutdown")),
    ("usr/sbin/chpasswd", 0o755, include_str!("tiny/chpasswd")),
    ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n"),
    ("etc/group", 0o644, "root:x:0:\ntty:x:5:\n"),
    ("etc/shadow", 0o600, "root:*:19000:0:99999:7:::\n"),
    ("etc/shells", 0o644, "/bin/sh\n"),
    ("etc/hostname", 0o644, "tiny\n"),
    ("etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n"),
    ("etc/os-release", 0o644, "NAME=tiny\nID=tiny\nPRETTY_NAME=\"Tiny test system (Debian kernel, busybox)\"\n"),
    ("etc/profile", 0o644, "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
];
/// Directories of the root that are links into `usr`, as in every Debian of today.
const MERGED: &[&str] = &["bin", "sbin", "lib", "lib64"];
/// How the kernel is started. Interfaces keep the kernel's names, as in a container.
const CMDLINE: &str = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0";
/// How long the packages may take to arrive.
const DOWNLOAD: Duration = Duration::from_secs(900);
/// Downloads packages into a directory. The user that apt usually does this as could not write there.
const FETCH: &str = r#"cd "$1" && shift && exec apt-get -q -o APT::Sandbox::User=root download "$@""#;

/// Unpacks a package. `dpkg -x` would put directories in the place of links into `usr`.
const UNPACK: &str = r#"dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2""#;

/// Makes the root file system in `work`, kernel and initial file system in `to`.
pub(super) fn make(work: &Path, to: &Path, progress: &mut dyn FnMut(&str)) -> Result<Made> {
    progress("downloading packages from the sources of apt");
    let packages = work.join("packages");
    let (root, kernel) = (work.join("root"), work.join("kernel"));
    for directory in [&packages, &root, &kernel] {
        directory_at(directory)?;
    }
    let kernel_package = newest_kernel()?;
    let names = PACKAGES.iter().map(|names| known(names)).collect::<Result<Vec<_>>>()?;
    let fetch = Program::new("sh").args(["-c", FETCH, "sh"]).arg(&packages).args(&names).arg(&kernel_package);
    fetch.timeout(DOWNLOAD).run().map_err(|error| no_packages(&error))?;

    progress("putting the root file system together");
    for name in MERGED {
        directory_at(&root.join("usr").join(name))?;
        symlink(format!("usr/{name}"), root.join(name)).map_err(|error| failed(&root, &error))?;
    }
    for file in files_in(&packages)? {
        let of_kernel = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("linux-image-"));
        let to = if of_kernel { &kernel } else { &root };
        Program::new("sh").args(["-c", UNPACK, "sh"]).arg(&file).arg(to).run()?;
    }
    furnish(&root)?;
    progress("making the initial file system");
    boot_files(&kernel, &root, to)?;
    let archive = work.join("root.tar");
    Program::new("tar")
        .args(["--create", "--numeric-owner", "--file"])
        .arg(&archive)
        .arg("-C")
        .arg(&root)
        .arg(".")
        .run()?;
    Ok(Made { archive, init: Init::Busybox, cloud_init: false, cmdline: CMDLINE.to_owned() })
}

/// The name of the newest kernel's package.
fn newest_kernel() -> Result<String> {
    let said = Program::new("apt-cache").args(["depends", KERNEL]).run().map_err(|error| no_packages(&error))?;
    let depends = said.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let missing = || HostError::new(HostError::ENGINE, format!("{KERNEL} depends on no kernel"));
    depends.map(str::to_owned).ok_or_else(missing)
}

/// The first of these packages that apt has.
fn known(names: &[&'static str]) -> Result<&'static str> {
    for name in names {
        // It answers for names that something only depends on, too, but then with nothing.
        if Program::new("apt-cache").args(["show", "--no-all-versions", name]).run().is_ok_and(|said| !said.is_empty())
        {
            return Ok(name);
        }
    }
    let why = format!("apt knows no package {}; apt-get update may help", names.join(" or "));
    Err(HostError::new(HostError::ENGINE, why))
}

fn no_packages(error: &HostError) -> HostError {
    let why = format!("the packages could not be had ({}); apt-get update may help", error.message);
    HostError::new(HostError::ENGINE, why)
}

/// Takes out what is of no use and adds what is ours.
fn furnish(root: &Path) -> Result<()> {
    for path in PRUNED.iter().map(|name| root.join(name)).filter(|path| path.exists()) {
        fs::remove_dir_all(&path).map_err(|error| failed(&path, &error))?;
    }
    for name in DIRECTORIES {
        directory_at(&root.join(name))?;
    }
    symlink("/run", root.join("var/run")).map_err(|error| failed(root, &error))?;
    for (name, mode, content) in FILES {
        file_at(&root.join(name), *mode, content.as_bytes())?;
    }
    mode_at(&root.join("tmp"), 0o1777)?;
    mode_at(&root.join("root"), 0o700)?;
    let applets = Program::new(busybox(root)).arg("--list").run()?;
    for applet in applets.lines() {
        // The packages' own programs are better; the init is named by its full path.
        let taken = |directory: &str| fs::symlink_metadata(root.join(directory).join(applet)).is_ok();
        if !taken("usr/bin") && !taken("usr/sbin") {
            let link = root.join("usr/bin").join(applet);
            symlink("busybox", &link).map_err(|error| failed(&link, &error))?;
        }
    }
    for name in ["init", "poweroff", "reboot", "halt", "udhcpc"] {
        let link = root.join("usr/sbin").join(name);
        let _ = fs::remove_file(&link);
        symlink("../bin/busybox", &link).map_err(|error| failed(&link, &error))?;
    }
    Ok(())
}

fn busybox(root: &Path) -> PathBuf {
    root.join("usr/bin/busybox")
}

/// Writes `vmlinuz` and `initrd`.
fn boot_files(kernel: &Path, root: &Path, to: &Path) -> Result<()> {
    let is_kernel =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-"));
    let image = files_in(&kernel.join("boot"))?.into_iter().find(is_kernel);
    let image = image.ok_or_else(|| HostError::new(HostError::ENGINE, "the kernel's package has no kernel"))?;
    fs::copy(&image, to.join("vmlinuz")).map_err(|error| failed(&image, &error))?;
    initrd::write(kernel, &busybox(root), kernel, &to.join("initrd"))
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    entries.map_err(|error| failed(directory, &error))
}

fn directory_at(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed(path, &error))
}

fn file_at(path: &Path, mode: u32, content: &[u8]) -> Result<()> {
    fs::write(path, content).map_err(|error| failed(path, &error))?;
    mode_at(path, mode)
}

fn mode_at(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| failed(path, &error))
}
