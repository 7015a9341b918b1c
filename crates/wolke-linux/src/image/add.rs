//! `wolke image add`: makes an image out of a file that somebody brings. Nothing of the file is ever run here.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use wolke_host::{Architecture, HostError, Runtime};

use super::format::{self, Format, refused};
use super::root::Root;
use super::store::{ImageStore, Slot, failed};
use super::{BootBy, Image, Init, Manifest, Origin, digest, need, shifted};
use crate::engine::Result;

/// How the kernel of a root file system is started.
const CMDLINE: &str = "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet";
/// The digits of a checksum.
const SHA256_DIGITS: usize = 64;

/// A file that shall become an image.
#[derive(Clone, Debug)]
pub struct Addition {
    /// A disk (qcow2, raw) or a root file system (tar, also compressed with gzip, xz or zstd).
    pub file: PathBuf,
    /// The SHA-256 that it must have, in hexadecimal.
    pub sha256: Option<String>,
    /// The processor's family. None: what its init says, or that of this machine.
    pub architecture: Option<Architecture>,
}

/// Adds an image. `progress` is told what is being done. A failure leaves nothing behind.
///
/// # Errors
/// [`HostError::UNSUPPORTED`]: what is missing on this machine, or why the file is none that can be used;
/// [`HostError::DISK_FULL`], [`HostError::ENGINE`].
pub fn add(store: &ImageStore, name: &str, addition: &Addition, progress: &mut dyn FnMut(&str)) -> Result<Image> {
    if !rustix::process::geteuid().is_root() {
        return Err(HostError::new(HostError::UNSUPPORTED, "adding an image needs root"));
    }
    let wanted = addition.sha256.as_deref().map(checksum).transpose()?;
    let file = &addition.file;
    let mut source = File::open(file).map_err(|error| failed(file, &error))?;
    let mut head = Vec::new();
    Read::by_ref(&mut source).take(format::HEAD as u64).read_to_end(&mut head).map_err(|error| failed(file, &error))?;
    let named = |error: HostError| HostError::new(error.code, format!("{}: {}", file.display(), error.message));
    let format = format::detect(&head).map_err(named)?;
    need::all(&programs(format))?;
    store.sweep_begun()?;
    let slot = store.begin(name)?;
    let filled = stage(&head, source, file, &slot, progress).and_then(|(staged, sha256)| {
        if wanted.is_some_and(|wanted| wanted != sha256) {
            return Err(refused(format!("its SHA-256 is {sha256}")));
        }
        fill(&slot, &staged, format, sha256, addition.architecture, progress)
    });
    match filled {
        Ok(manifest) => store.commit(slot, &manifest),
        Err(error) => {
            // The failure is what counts; what cannot be removed now is swept later.
            let _ = store.abandon(slot);
            Err(named(error))
        }
    }
}

/// A checksum as it is compared.
fn checksum(text: &str) -> Result<String> {
    let is = text.len() == SHA256_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is.then(|| text.to_ascii_lowercase())
        .ok_or_else(|| refused(format!("a SHA-256 has {SHA256_DIGITS} hexadecimal digits")))
}

/// What is needed on this machine for a file.
fn programs(format: Format) -> Vec<&'static str> {
    match format {
        Format::Qcow2(_) | Format::Raw => vec!["qemu-img"],
        Format::Tar(packed) => {
            let own = ["du", "env", "lxc-usernsexec", "mkfs.ext4", "qemu-img", "tar"];
            own.into_iter().chain(packed.map(|(_, program)| program)).collect()
        }
    }
}

/// Copies the file to where nobody changes it any more, and takes its checksum on the way.
fn stage(
    head: &[u8],
    rest: File,
    file: &Path,
    slot: &Slot,
    progress: &mut dyn FnMut(&str),
) -> Result<(PathBuf, String)> {
    progress("reading the file");
    let staged = slot.path.join("source");
    let to = File::create(&staged).map_err(|error| failed(&staged, &error))?;
    let (_, sha256) = digest::copy(head.chain(rest), to).map_err(|error| failed(file, &error))?;
    Ok((staged, sha256))
}

fn fill(
    slot: &Slot,
    staged: &Path,
    format: Format,
    sha256: String,
    architecture: Option<Architecture>,
    progress: &mut dyn FnMut(&str),
) -> Result<Manifest> {
    let manifest = match format {
        Format::Qcow2(size_gb) => disk(slot, staged, "qcow2", size_gb, architecture, progress)?,
        Format::Raw => {
            let size = staged.metadata().map_err(|error| failed(staged, &error))?.len();
            disk(slot, staged, "raw", format::size_gb(size)?, architecture, progress)?
        }
        Format::Tar(packed) => {
            progress("unpacking the root file system for containers");
            shifted::unpack(staged, packed.map(|(option, _)| option), &slot.path)?;
            fs::remove_file(staged).map_err(|error| failed(staged, &error))?;
            return system(slot, architecture, progress).map(|manifest| Manifest { sha256, ..manifest });
        }
    };
    fs::remove_file(staged).map_err(|error| failed(staged, &error))?;
    Ok(Manifest { sha256, ..manifest })
}

/// The image of a disk: nobody knows what is on it, so it is booted like a machine that one has bought.
fn disk(
    slot: &Slot,
    staged: &Path,
    format: &str,
    min_disk_gb: u32,
    architecture: Option<Architecture>,
    progress: &mut dyn FnMut(&str),
) -> Result<Manifest> {
    progress("writing the disk for virtual machines");
    shifted::convert(staged, format, &slot.path)?;
    let path = slot.path.join("disk.qcow2");
    let size_mb = path.metadata().map_err(|error| failed(&path, &error))?.len() >> 20;
    Ok(Manifest {
        origin: Origin::Added,
        sha256: String::new(),
        architecture: architecture.unwrap_or_else(own_architecture),
        runtimes: vec![Runtime::Machine],
        boot: BootBy::Firmware,
        init: Init::Systemd,
        cloud_init: true,
        min_disk_gb,
        size_mb,
    })
}

/// The image of a root file system: for containers, and for virtual machines when it brings a kernel.
fn system(slot: &Slot, wanted: Option<Architecture>, progress: &mut dyn FnMut(&str)) -> Result<Manifest> {
    let root = Root::open(&slot.path.join("rootfs"))?;
    let (init, detected) = root.init()?;
    if let (Some(wanted), Some(detected)) = (wanted, detected)
        && wanted != detected
    {
        return Err(refused("it is for the other architecture".into()));
    }
    let mut runtimes = vec![Runtime::Container];
    if root.copy_kernel(&slot.path)? {
        runtimes.push(Runtime::Machine);
    }
    let (min_disk_gb, size_mb) = shifted::measure(&slot.path)?;
    if runtimes.contains(&Runtime::Machine) {
        progress("writing the disk for virtual machines");
        shifted::disk(&slot.path, min_disk_gb)?;
    }
    Ok(Manifest {
        origin: Origin::Added,
        sha256: String::new(),
        architecture: detected.or(wanted).unwrap_or_else(own_architecture),
        runtimes,
        boot: BootBy::Kernel { cmdline: CMDLINE.to_owned() },
        init,
        cloud_init: root.has("usr/bin/cloud-init")?,
        min_disk_gb,
        size_mb,
    })
}

/// The family of this machine's processor.
fn own_architecture() -> Architecture {
    if std::env::consts::ARCH == "aarch64" { Architecture::Arm } else { Architecture::X86 }
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn checksums_are_compared_in_one_form() {
        assert_eq!(checksum(&"AB".repeat(32)).unwrap(), "ab".repeat(32));
        for bad in ["", "ab", &"x".repeat(64), &"a".repeat(65)] {
            assert!(checksum(bad).is_err(), "{bad}");
        }
    }
}
