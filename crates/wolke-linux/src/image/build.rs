//! `wolke image build`: makes an image out of packages of Debian. Nothing is installed on this machine.

use std::path::{Path, PathBuf};

use wolke_host::{Architecture, HostError, Runtime};

use super::store::{ImageStore, Slot, failed};
use super::{BootBy, Image, Init, Manifest, Origin, debian, digest, need, shifted, tiny};
use crate::engine::Result;

/// What can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// A kernel, busybox and dropbear: boots in seconds.
    Tiny,
    /// Debian 12 as for clouds: cloud-init, guest agent, SSH server.
    Debian12 {
        /// Where its packages come from, each the address of a mirror or a line of `sources.list`. Empty: from where this
        /// machine has them, if it has Debian 12's, else from Debian.
        mirrors: Vec<String>,
    },
}

impl Recipe {
    /// The recipe of an image, with the mirrors of [`Recipe::Debian12`].
    #[must_use]
    pub fn named(name: &str, mirrors: Vec<String>) -> Option<Self> {
        [Self::Tiny, Self::Debian12 { mirrors }].into_iter().find(|recipe| recipe.name() == name)
    }

    /// The image's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Debian12 { .. } => "debian-12",
        }
    }
}

/// What a recipe has made: a root file system, packed, and what boots it.
pub(super) struct Made {
    pub archive: PathBuf,
    pub init: Init,
    pub cloud_init: bool,
    pub cmdline: String,
}

/// Builds an image. `progress` is told what is being done. What is missing on this machine is named before anything is
/// downloaded; a failure leaves nothing behind.
///
/// # Errors
/// [`HostError::UNSUPPORTED`] with what is missing, [`HostError::DISK_FULL`], [`HostError::ENGINE`].
pub fn build(store: &ImageStore, recipe: &Recipe, progress: &mut dyn FnMut(&str)) -> Result<Image> {
    if !rustix::process::geteuid().is_root() {
        return Err(HostError::new(HostError::UNSUPPORTED, "building an image needs root"));
    }
    if std::env::consts::ARCH != "x86_64" {
        return Err(HostError::new(HostError::UNSUPPORTED, "images are built on 64-bit x86 only"));
    }
    need::all(match recipe {
        Recipe::Tiny => tiny::PROGRAMS,
        Recipe::Debian12 { .. } => debian::PROGRAMS,
    })?;
    store.sweep_begun()?;
    let slot = store.begin(recipe.name())?;
    // Beside the images, where it outlives the failure that it explains.
    let log = store.root().join(format!(".{}.log", recipe.name()));
    match fill(&slot, recipe, &log, progress) {
        Ok(manifest) => store.commit(slot, &manifest),
        Err(error) => {
            // The failure is what counts; what cannot be removed now is swept later.
            let _ = store.abandon(slot);
            Err(error)
        }
    }
}

fn fill(slot: &Slot, recipe: &Recipe, log: &Path, progress: &mut dyn FnMut(&str)) -> Result<Manifest> {
    let work = slot.path.join("work");
    std::fs::create_dir(&work).map_err(|error| failed(&work, &error))?;
    let made = match recipe {
        Recipe::Tiny => tiny::make(&work, &slot.path, progress),
        Recipe::Debian12 { mirrors } => debian::make(mirrors, &work, log, progress),
    }?;
    progress("unpacking the root file system for containers");
    let packed = std::fs::File::open(&made.archive).and_then(|file| digest::copy(file, std::io::sink()));
    let (_, sha256) = packed.map_err(|error| failed(&made.archive, &error))?;
    shifted::unpack(&made.archive, None, &slot.path)?;
    if matches!(recipe, Recipe::Debian12 { .. }) {
        debian::boot_files(&slot.path)?;
    }
    std::fs::remove_dir_all(&work).map_err(|error| failed(&work, &error))?;
    let (min_disk_gb, size_mb) = shifted::measure(&slot.path)?;
    progress("writing the disk for virtual machines");
    shifted::disk(&slot.path, min_disk_gb)?;
    Ok(Manifest {
        origin: Origin::Built,
        sha256,
        architecture: Architecture::X86,
        runtimes: vec![Runtime::Container, Runtime::Machine],
        boot: BootBy::Kernel { cmdline: made.cmdline },
        init: made.init,
        cloud_init: made.cloud_init,
        min_disk_gb,
        size_mb,
    })
}
