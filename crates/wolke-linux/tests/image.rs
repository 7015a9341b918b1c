//! Images made from files that are written on the fly, and what is refused of them. Needs root and the programs.

#![expect(clippy::unwrap_used, reason = "what fails, fails the test, in helpers, too")]

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use wolke_host::{Architecture, HostError, Runtime};
use wolke_linux::image::{Addition, BootBy, ID_BASE, Image, ImageStore, Init, Origin, add, need};
use wolke_linux::program::Program;

/// The programs of these tests beside those of the system.
const PROGRAMS: &[&str] = &["lxc-usernsexec", "mkfs.ext4", "qemu-img", "tar", "xz", "zstd", "gzip"];
/// The head of a program for 64-bit x86 (ELF).
const ELF_X86: [u8; 20] = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0];

/// A directory that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wolke-image-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        // As closed as a data directory: the ids of containers cannot pass.
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self(path)
    }

    fn store(&self) -> ImageStore {
        ImageStore::new(self.0.join("images"))
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether a test can run here; it says when not, and fails where no skip is allowed.
#[expect(clippy::disallowed_methods, reason = "whether a test may be skipped is no setting")]
fn ready(test: &str) -> bool {
    let missing = need::missing(PROGRAMS).unwrap();
    if rustix::process::geteuid().is_root() && missing.is_empty() {
        return true;
    }
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{test}: CI=true allows no skip");
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: it needs root and {missing:?}");
    false
}

fn plain(file: &Path) -> Addition {
    Addition { file: file.to_owned(), sha256: None, architecture: None }
}

fn put(store: &ImageStore, addition: &Addition) -> Result<Image, HostError> {
    add(store, "ours", addition, &mut |_| ())
}

/// Nothing is left of what was refused.
fn refused(scratch: &Scratch, addition: &Addition, why: &str) {
    let error = put(&scratch.store(), addition).unwrap_err();
    assert!(error.message.contains(why), "{error}: {why}");
    assert!(!scratch.0.join("images/ours").exists(), "{why}");
}

/// A root file system with an init, a program with setuid, and a kernel.
fn tree(scratch: &Scratch) -> PathBuf {
    let root = scratch.0.join("tree");
    scratch.file("tree/usr/lib/systemd/systemd", &ELF_X86);
    symlink("usr/sbin", root.join("sbin")).unwrap();
    std::fs::create_dir_all(root.join("usr/sbin")).unwrap();
    // As in Debian: a link that would be another file of this machine, if it were followed from here.
    symlink("/usr/lib/systemd/systemd", root.join("usr/sbin/init")).unwrap();
    let su = scratch.file("tree/usr/bin/su", b"su");
    std::fs::set_permissions(su, std::fs::Permissions::from_mode(0o4755)).unwrap();
    scratch.file("tree/usr/bin/cloud-init", b"#!/usr/bin/python3\n");
    scratch.file("tree/dev/strange", b"");
    scratch.file("tree/boot/vmlinuz-6.1.0-9-amd64", b"older kernel");
    scratch.file("tree/boot/initrd.img-6.1.0-9-amd64", b"older initrd");
    scratch.file("tree/boot/vmlinuz-6.1.0-10-amd64", b"kernel");
    scratch.file("tree/boot/initrd.img-6.1.0-10-amd64", b"initrd");
    root
}

fn pack(scratch: &Scratch, root: &Path, name: &str, option: &[&str]) -> PathBuf {
    let path = scratch.0.join(name);
    let tar = Program::new("tar").args(["--create", "--numeric-owner", "--owner=0", "--group=0", "--file"]).arg(&path);
    tar.args(option).arg("-C").arg(root).arg(".").run().unwrap();
    path
}

fn sha256(path: &Path) -> String {
    let said = Program::new("sha256sum").arg(path).run().unwrap();
    said.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn root_file_systems_of_every_compression_become_both_kinds_of_servers() {
    let test = "root_file_systems_of_every_compression_become_both_kinds_of_servers";
    if !ready(test) {
        return;
    }
    let scratch = Scratch::new("tar");
    let (store, root) = (scratch.store(), tree(&scratch));
    for (number, options) in [&[][..], &["--gzip"], &["--xz"], &["--zstd"]].into_iter().enumerate() {
        let file = pack(&scratch, &root, "root.tar", options);
        let addition = Addition { sha256: Some(sha256(&file).to_uppercase()), ..plain(&file) };
        let image = put(&store, &addition).unwrap();
        assert_eq!(image.path, store.root().join(format!("ours/{}", number + 1)));
        let manifest = &image.manifest;
        assert_eq!((&manifest.origin, manifest.sha256.as_str()), (&Origin::Added, sha256(&file).as_str()));
        assert_eq!(
            (manifest.architecture, manifest.init, manifest.cloud_init),
            (Architecture::X86, Init::Systemd, true)
        );
        assert_eq!(manifest.runtimes, [Runtime::Container, Runtime::Machine]);
        assert!(matches!(&manifest.boot, BootBy::Kernel { cmdline } if cmdline.contains("root=/dev/vda")));
        assert_eq!(manifest.min_disk_gb, 1);
        // The newest kernel, 10 after 9.
        assert_eq!(std::fs::read(image.path.join("vmlinuz")).unwrap(), b"kernel");
        assert_eq!(std::fs::read(image.path.join("initrd")).unwrap(), b"initrd");
        let su = image.path.join("rootfs/usr/bin/su").metadata().unwrap();
        assert_eq!((su.uid(), su.gid(), su.mode() & 0o7777), (ID_BASE, ID_BASE, 0o4755));
        assert!(!image.path.join("rootfs/dev/strange").exists(), "devices are the runtime's");
        let left: Vec<_> = std::fs::read_dir(&image.path).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 5, "{left:?}");
    }
    // In the disk the files are root's again.
    let raw = scratch.0.join("disk.raw");
    let disk = store.find("ours").unwrap().unwrap().path.join("disk.qcow2");
    Program::new("qemu-img").args(["convert", "-O", "raw"]).arg(disk).arg(&raw).run().unwrap();
    let said = Program::new("debugfs").args(["-R", "stat /usr/bin/su"]).arg(&raw).run().unwrap();
    assert!(said.contains("Mode:  04755") && said.contains("User:     0   Group:     0"), "{said}");
}

#[test]
fn a_root_file_system_without_a_kernel_is_for_containers() {
    if !ready("a_root_file_system_without_a_kernel_is_for_containers") {
        return;
    }
    let scratch = Scratch::new("container");
    let root = tree(&scratch);
    std::fs::remove_dir_all(root.join("boot")).unwrap();
    // An init that is a script says nothing of the processor.
    std::fs::remove_file(root.join("usr/sbin/init")).unwrap();
    scratch.file("tree/usr/bin/busybox", b"#!/bin/sh\n");
    symlink("../bin/busybox", root.join("usr/sbin/init")).unwrap();
    let file = pack(&scratch, &root, "root.tar", &[]);
    let image = put(&scratch.store(), &Addition { architecture: Some(Architecture::Arm), ..plain(&file) }).unwrap();
    assert_eq!((image.manifest.runtimes.as_slice(), image.manifest.init), (&[Runtime::Container][..], Init::Busybox));
    assert_eq!(image.manifest.architecture, Architecture::Arm);
    assert!(!image.path.join("disk.qcow2").exists());
}

#[test]
fn links_in_a_root_file_system_lead_nowhere() {
    if !ready("links_in_a_root_file_system_lead_nowhere") {
        return;
    }
    let scratch = Scratch::new("links");
    let secret = scratch.file("secret", b"secret of this machine");
    let root = tree(&scratch);
    for name in ["boot/vmlinuz-6.1.0-10-amd64", "boot/initrd.img-6.1.0-10-amd64"] {
        std::fs::remove_file(root.join(name)).unwrap();
        symlink(&secret, root.join(name)).unwrap();
    }
    let file = pack(&scratch, &root, "root.tar", &[]);
    let image = put(&scratch.store(), &plain(&file)).unwrap();
    assert_eq!(std::fs::read(image.path.join("vmlinuz")).unwrap(), b"older kernel");
    std::fs::remove_dir_all(root.join("boot")).unwrap();
    let outside = scratch.0.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("vmlinuz-1"), b"secret").unwrap();
    std::fs::write(outside.join("initrd.img-1"), b"secret").unwrap();
    symlink(&outside, root.join("boot")).unwrap();
    let file = pack(&scratch, &root, "root.tar", &[]);
    let image = put(&scratch.store(), &plain(&file)).unwrap();
    assert_eq!(image.manifest.runtimes, [Runtime::Container]);
}

#[test]
fn disks_become_virtual_machines() {
    if !ready("disks_become_virtual_machines") {
        return;
    }
    let scratch = Scratch::new("disks");
    let mut sector = vec![0; 512];
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    let raw = scratch.file("disk.img", &sector);
    std::fs::File::options().write(true).open(&raw).unwrap().set_len((1 << 30) + 512).unwrap();
    let image = put(&scratch.store(), &plain(&raw)).unwrap();
    assert_eq!(
        (image.manifest.runtimes.as_slice(), &image.manifest.boot),
        (&[Runtime::Machine][..], &BootBy::Firmware)
    );
    assert_eq!(image.manifest.min_disk_gb, 2);
    let qcow2 = image.path.join("disk.qcow2");
    let again = put(&scratch.store(), &plain(&qcow2)).unwrap();
    assert_eq!((again.manifest.min_disk_gb, again.manifest.sha256), (2, sha256(&qcow2)));
    let compared = Program::new("qemu-img").arg("compare").args(["-f", "raw", "-F", "qcow2"]).arg(&raw);
    assert!(compared.arg(again.path.join("disk.qcow2")).succeeds().unwrap());
}

#[test]
fn what_cannot_be_an_image_is_refused_and_leaves_nothing() {
    if !ready("what_cannot_be_an_image_is_refused_and_leaves_nothing") {
        return;
    }
    let scratch = Scratch::new("refused");
    let base = scratch.file("base.img", &[0; 4096]);
    let qemu = |line: &[&str], file: &Path| {
        Program::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).args(line).arg(file).arg("1G").run().unwrap();
    };
    let over = scratch.0.join("over.qcow2");
    qemu(&["-F", "raw", "-b", base.to_str().unwrap()], &over);
    refused(&scratch, &plain(&over), "stands on another file");
    let apart = scratch.0.join("apart.qcow2");
    let option = format!("data_file={}", scratch.0.join("data.raw").display());
    qemu(&["-o", &option], &apart);
    refused(&scratch, &plain(&apart), "data is in another file");
    refused(&scratch, &plain(&scratch.file("text", b"hello")), "neither qcow2, nor a raw disk");
    refused(&scratch, &plain(&scratch.0.join("nowhere")), "No such file");
    let root = tree(&scratch);
    let file = pack(&scratch, &root, "root.tar", &["--gzip"]);
    refused(&scratch, &Addition { sha256: Some("0".repeat(64)), ..plain(&file) }, &sha256(&file));
    refused(&scratch, &Addition { sha256: Some("0".repeat(63)), ..plain(&file) }, "64 hexadecimal digits");
    refused(&scratch, &Addition { architecture: Some(Architecture::Arm), ..plain(&file) }, "other architecture");
    let half = std::fs::read(&file).unwrap();
    refused(&scratch, &plain(&scratch.file("half.tar.gz", &half[..half.len() / 2])), "tar");
    std::fs::remove_file(root.join("usr/sbin/init")).unwrap();
    refused(&scratch, &plain(&pack(&scratch, &root, "root.tar", &[])), "no /sbin/init");
    symlink("/usr/bin/su", root.join("usr/sbin/init")).unwrap();
    refused(&scratch, &plain(&pack(&scratch, &root, "root.tar", &[])), "its init is su");
    for name in ["../ours", "a/b", ""] {
        assert!(add(&scratch.store(), name, &plain(&file), &mut |_| ()).is_err(), "{name}");
    }
    assert!(scratch.store().list().unwrap().is_empty());
}
