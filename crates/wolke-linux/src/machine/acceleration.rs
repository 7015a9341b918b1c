//! How guests' processors are run: by KVM where it works, else translated (TCG).
//!
//! That `/dev/kvm` can be opened proves nothing: on machines that are virtual themselves, kernels hang or die under it, at
//! the first instruction that the layer below does not carry out. So a kernel is booted under it once, up to a shell that
//! starts processes (which saves and restores the extended registers, and runs code that uses them). The verdict is
//! remembered as long as kernel, QEMU and processor are the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wolke_host::Runtime;

use super::command_line::QEMU;
use super::{disk, failed};
use crate::engine::Result;
use crate::image::cpio::Archive;
use crate::image::{BootBy, Image, ImageStore, Init};
use crate::layout::Layout;
use crate::program::Program;

/// How long a boot under KVM may take. Where it works, it takes a second.
pub const PROBE_TIME: Duration = Duration::from_secs(20);
/// The memory of the probe's machine in MiB: initial file systems of distributions are large when unpacked.
const PROBE_MEMORY: &str = "512M";
/// The device.
const KVM: &str = "/dev/kvm";
/// The file of the verdict, in the state directory.
const REMEMBERED: &str = "acceleration.json";
/// The probe's initial file system, in the state directory while it runs.
const INITRD: &str = "acceleration.initrd";
/// The first program of the probe.
const FIRST: &str = "wolke-probe";
/// What it says when it has come to its end; computed there, so that no echo of the program can be taken for it.
const MARK: &str = "wolke-42-userland";
/// What it does.
const SCRIPT: &str = "i=0\nwhile [ $i -lt 50 ]; do i=$(echo $((i + 1))); done\necho \"wolke-$((i - 8))-userland\"\n";

/// What runs the processors of guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// QEMU's translation.
    Tcg,
}

impl Accelerator {
    /// QEMU's arguments.
    #[must_use]
    pub const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Tcg => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }
}

/// What the operator wishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// KVM where it has proved to work.
    #[default]
    Probe,
    /// Translation, whatever there is.
    Tcg,
}

/// What is used, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is used.
    pub accelerator: Accelerator,
    /// Why, as half a sentence for people.
    pub reason: String,
    /// Whether it stands as long as the machine stays what it is; otherwise asking again may change it.
    #[serde(skip)]
    pub is_final: bool,
}

/// A verdict, with what it depends on.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    kernel: String,
    qemu: String,
    processor: String,
    verdict: Verdict,
}

/// The verdict that remains for the life of the process.
pub(super) struct Acceleration {
    layout: Layout,
    images: ImageStore,
    choice: Choice,
    decided: Mutex<Option<Accelerator>>,
}

impl Acceleration {
    pub(super) const fn new(layout: Layout, images: ImageStore, choice: Choice) -> Self {
        Self { layout, images, choice, decided: Mutex::new(None) }
    }

    /// What the next machine is run by. May boot something, once.
    pub(super) fn decide(&self) -> Accelerator {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(accelerator) = *decided {
            return accelerator;
        }
        let verdict = match self.choice {
            Choice::Tcg => tcg("the settings say so", true),
            Choice::Probe => verdict(&self.layout, &self.images).unwrap_or_else(|error| tcg(&error.message, false)),
        };
        tracing::info!(accelerator = ?verdict.accelerator, reason = verdict.reason, "virtual machines");
        if verdict.is_final {
            *decided = Some(verdict.accelerator);
        }
        verdict.accelerator
    }
}

/// By what virtual machines are run here. Boots an image under KVM unless that was done before; takes up to [`PROBE_TIME`].
///
/// # Errors
/// [`wolke_host::HostError::ENGINE`] when it cannot be found out: no QEMU, no room for the probe.
pub fn verdict(layout: &Layout, images: &ImageStore) -> Result<Verdict> {
    if let Err(error) = fs::File::options().read(true).write(true).open(KVM) {
        return Ok(tcg(&format!("{KVM} cannot be opened: {error}"), false));
    }
    let (kernel, qemu, processor) = machine()?;
    let path = layout.state().join(REMEMBERED);
    let known = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Remembered>(&bytes).ok());
    let stands = |known: &Remembered| (&known.kernel, &known.qemu, &known.processor) == (&kernel, &qemu, &processor);
    if let Some(known) = known.filter(stands) {
        return Ok(Verdict { is_final: true, ..known.verdict });
    }
    let bootable = |image: &Image| {
        image.manifest.runtimes.contains(&Runtime::Machine) && matches!(image.manifest.boot, BootBy::Kernel { .. })
    };
    let Some(image) = images.list()?.into_iter().filter(bootable).min_by_key(|image| image.manifest.size_mb) else {
        return Ok(tcg("KVM is not proved to work, for want of an image with a kernel of its own to try", false));
    };
    let verdict = probe(layout, &image)?;
    let remembered = Remembered { kernel, qemu, processor, verdict };
    store(&path, &remembered)?;
    Ok(remembered.verdict)
}

/// What the verdict depends on: the kernel, QEMU and the processor.
fn machine() -> Result<(String, String, String)> {
    let kernel = read(Path::new("/proc/sys/kernel/osrelease"))?.trim().to_owned();
    let qemu = Program::new(QEMU).arg("--version").run()?;
    let qemu = qemu.lines().next().unwrap_or_default().to_owned();
    let processors = read(Path::new("/proc/cpuinfo"))?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let processor = model.map(|model| model.trim_start_matches([' ', '\t', ':']).to_owned()).unwrap_or_default();
    Ok((kernel, qemu, processor))
}

/// Boots an image's kernel under KVM and sees how far it comes.
fn probe(layout: &Layout, image: &Image) -> Result<Verdict> {
    let initrd = layout.state().join(INITRD);
    let written = initial_file_system(image, &initrd);
    let said = written.map(|()| boot(image, &initrd));
    let _ = fs::remove_file(&initrd);
    let reason = match said? {
        Ok(console) if console.contains(MARK) => {
            let reason = format!("{} has booted under KVM", image.artefact);
            return Ok(Verdict { accelerator: Accelerator::Kvm, reason, is_final: true });
        }
        Ok(_) => "its kernel has died".to_owned(),
        Err(error) => error.message,
    };
    Ok(tcg(&format!("{KVM} is there, but {} does not boot under it: {reason}", image.artefact), true))
}

/// The image's own, and before it a program that says how far it has come.
fn initial_file_system(image: &Image, to: &Path) -> Result<()> {
    let shell = match image.manifest.init {
        Init::Busybox => "/bin/busybox sh",
        Init::Systemd => "/bin/sh",
    };
    let from = image.path.join("initrd");
    let written = || {
        let mut archive = Archive::new(Vec::new());
        archive.file(FIRST, 0o755, format!("#!{shell}\n{SCRIPT}").as_bytes())?;
        let mut bytes = archive.finish()?;
        bytes.extend(fs::read(&from)?);
        fs::write(to, bytes)
    };
    written().map_err(|error: std::io::Error| disk::told(failed(&to.display().to_string(), &error.to_string())))
}

/// Runs the probe's machine to its end: when its first program ends the kernel panics, and QEMU leaves.
fn boot(image: &Image, initrd: &Path) -> Result<String> {
    Program::new(QEMU)
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-no-reboot"])
        .args(Accelerator::Kvm.arguments())
        .args(["-m", PROBE_MEMORY, "-serial", "stdio", "-kernel"])
        .arg(image.path.join("vmlinuz"))
        .arg("-initrd")
        .arg(initrd)
        .arg("-append")
        .arg(format!("console=ttyS0 panic=-1 rdinit=/{FIRST}"))
        .timeout(PROBE_TIME)
        .run()
}

fn tcg(reason: &str, is_final: bool) -> Verdict {
    Verdict { accelerator: Accelerator::Tcg, reason: reason.to_owned(), is_final }
}

fn store(path: &Path, remembered: &Remembered) -> Result<()> {
    let broken = |error: &dyn std::fmt::Display| disk::told(failed(&path.display().to_string(), &error.to_string()));
    let bytes = serde_json::to_vec_pretty(remembered).map_err(|error| broken(&error))?;
    let beside: PathBuf = path.with_extension("new");
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(|error| broken(&error))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| failed(&path.display().to_string(), &error.to_string()))
}
