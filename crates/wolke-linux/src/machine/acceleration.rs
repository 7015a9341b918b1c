//! How guests' processors are run: by KVM where it works, else translated (TCG).
//!
//! That `/dev/kvm` can be opened proves nothing: on machines that are virtual themselves, kernels hang or die under it, at
//! the first instruction that the layer below does not carry out. So a kernel is booted under it once, up to a shell that
//! starts processes (which saves and restores the extended registers, and runs code that uses them). The verdict belongs to
//! what it was found with (`Machine`) and is found anew when that has changed: a machine that was started again may lie on
//! another one, without knowing it.

use std::fmt;
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
/// Translation, with [`TRANSLATIONS_MB`].
const TCG: &str = "tcg,thread=multi,tb-size=256";
/// What translated code may take, in MiB: QEMU would take up to a GiB, beside the guest's memory.
pub const TRANSLATIONS_MB: u64 = 256;
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
            Self::Tcg => ["-accel", TCG, "-cpu", "max"],
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

/// What is used, and why. Displayed as a sentence for people.
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

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.accelerator {
            Accelerator::Kvm => write!(f, "KVM: yes, because {}", self.reason),
            Accelerator::Tcg => write!(f, "KVM: no, because {}; machines run by TCG", self.reason),
        }
    }
}

/// What a verdict belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Machine {
    /// The release of the kernel.
    kernel: String,
    /// The version of QEMU, as it says it.
    qemu: String,
    /// The model of the processor.
    processor: String,
    /// The number that the kernel has drawn for this boot of the machine.
    boot: String,
}

/// A verdict, with what it was found with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    machine: Machine,
    verdict: Verdict,
}

/// The verdict that remains for the life of the process.
pub(super) struct Acceleration {
    layout: Layout,
    images: ImageStore,
    choice: Choice,
    /// The newest verdict; it stands when it is final.
    decided: Mutex<Option<Verdict>>,
}

impl Acceleration {
    pub(super) const fn new(layout: Layout, images: ImageStore, choice: Choice) -> Self {
        Self { layout, images, choice, decided: Mutex::new(None) }
    }

    /// What the next machine is run by. May boot something, once.
    pub(super) fn decide(&self) -> Accelerator {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = decided.as_ref().filter(|verdict| verdict.is_final) {
            return verdict.accelerator;
        }
        let verdict = match self.choice {
            Choice::Tcg => tcg("the settings say so", true),
            Choice::Probe => verdict(&self.layout, &self.images).unwrap_or_else(|error| tcg(&error.message, false)),
        };
        if decided.as_ref() != Some(&verdict) {
            match (self.choice, verdict.accelerator) {
                // Everything works, some ten times slower: whoever wonders why finds it in the log.
                (Choice::Probe, Accelerator::Tcg) => tracing::warn!("{verdict}"),
                _ => tracing::info!("{verdict}"),
            }
        }
        let accelerator = verdict.accelerator;
        *decided = Some(verdict);
        accelerator
    }
}

/// What is known without trying anything: the verdict of an earlier probe, as long as the machine is what it was, or that there
/// is no KVM; `None` when it has to be tried.
///
/// # Errors
/// [`wolke_host::HostError::ENGINE`] when QEMU does not say its version.
pub fn known(layout: &Layout) -> Result<Option<Verdict>> {
    Ok(match look(layout)? {
        Look::Known(verdict) => Some(verdict),
        Look::Unknown(_) => None,
    })
}

/// What can be told without trying.
enum Look {
    Known(Verdict),
    Unknown(Machine),
}

fn look(layout: &Layout) -> Result<Look> {
    if let Err(error) = fs::File::options().read(true).write(true).open(KVM) {
        return Ok(Look::Known(tcg(&format!("{KVM} cannot be opened: {error}"), false)));
    }
    let machine = Machine::look()?;
    let remembered = fs::read(layout.state().join(REMEMBERED)).ok();
    Ok(match remembered.and_then(|bytes| recall(&bytes, &machine)) {
        Some(verdict) => Look::Known(verdict),
        None => Look::Unknown(machine),
    })
}

/// The verdict that was written down, if it was found with the same machine; what cannot be read was written by an older or
/// newer release, and is no verdict.
fn recall(bytes: &[u8], machine: &Machine) -> Option<Verdict> {
    let remembered: Remembered = serde_json::from_slice(bytes).ok()?;
    (remembered.machine == *machine).then_some(Verdict { is_final: true, ..remembered.verdict })
}

/// By what virtual machines are run here. Boots an image under KVM unless that was done before; takes up to [`PROBE_TIME`].
///
/// # Errors
/// [`wolke_host::HostError::ENGINE`] when it cannot be found out: no QEMU, no room for the probe.
pub fn verdict(layout: &Layout, images: &ImageStore) -> Result<Verdict> {
    let machine = match look(layout)? {
        Look::Known(verdict) => return Ok(verdict),
        Look::Unknown(machine) => machine,
    };
    let bootable = |image: &Image| {
        image.manifest.runtimes.contains(&Runtime::Machine) && matches!(image.manifest.boot, BootBy::Kernel { .. })
    };
    let Some(image) = images.list()?.into_iter().filter(bootable).min_by_key(|image| image.manifest.size_mb) else {
        return Ok(tcg("it is not proved to work, for want of an image with a kernel of its own to try", false));
    };
    let remembered = Remembered { machine, verdict: probe(layout, &image)? };
    store(&layout.state().join(REMEMBERED), &remembered)?;
    Ok(remembered.verdict)
}

impl Machine {
    fn look() -> Result<Self> {
        let qemu = Program::new(QEMU).arg("--version").run()?;
        let processors = read(Path::new("/proc/cpuinfo"))?;
        let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
        Ok(Self {
            kernel: read(Path::new("/proc/sys/kernel/osrelease"))?.trim().to_owned(),
            qemu: qemu.lines().next().unwrap_or_default().to_owned(),
            processor: model.map(|model| model.trim_start_matches([' ', '\t', ':']).to_owned()).unwrap_or_default(),
            boot: read(Path::new("/proc/sys/kernel/random/boot_id"))?.trim().to_owned(),
        })
    }
}

/// Boots an image's kernel under KVM and sees how far it comes.
fn probe(layout: &Layout, image: &Image) -> Result<Verdict> {
    let initrd = layout.state().join(INITRD);
    let written = initial_file_system(image, &initrd);
    let said = written.map(|()| boot(image, &initrd));
    let _ = fs::remove_file(&initrd);
    let reason = match said? {
        Ok(console) if console.contains(MARK) => {
            let reason = format!("{} has booted under it", image.artefact);
            return Ok(Verdict { accelerator: Accelerator::Kvm, reason, is_final: true });
        }
        Ok(_) => "its kernel has died".to_owned(),
        // In one line: it is a part of a sentence.
        Err(error) => error.message.split_whitespace().collect::<Vec<_>>().join(" "),
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

#[cfg(test)]
mod tests {
    use super::{Accelerator, Machine, Remembered, Verdict, recall, tcg};

    fn machine() -> Machine {
        Machine { kernel: "6.1.0".into(), qemu: "QEMU 7.2".into(), processor: "EPYC".into(), boot: "first".into() }
    }

    #[test]
    fn a_verdict_stands_as_long_as_the_machine_is_what_it_was() {
        let written = Remembered { machine: machine(), verdict: tcg("its kernel has died", true) };
        let written = serde_json::to_vec(&written).unwrap();
        let stands = recall(&written, &machine()).unwrap();
        assert!(stands.is_final && stands.accelerator == Accelerator::Tcg, "{stands:?}");
        for other in [
            Machine { kernel: "6.1.1".into(), ..machine() },
            Machine { qemu: "QEMU 10".into(), ..machine() },
            Machine { processor: "Xeon".into(), ..machine() },
            Machine { boot: "second".into(), ..machine() },
        ] {
            assert_eq!(recall(&written, &other), None, "{other:?}");
        }
        // What an older release has written does not say of which boot it is.
        let verdict = serde_json::json!({ "accelerator": "tcg", "reason": "its kernel has died" });
        let older =
            serde_json::json!({ "kernel": "6.1.0", "qemu": "QEMU 7.2", "processor": "EPYC", "verdict": verdict });
        assert_eq!(recall(older.to_string().as_bytes(), &machine()), None);
        assert_eq!(recall(b"{", &machine()), None);
    }

    #[test]
    fn verdicts_are_sentences() {
        let no = tcg("its kernel has died", true);
        assert_eq!(no.to_string(), "KVM: no, because its kernel has died; machines run by TCG");
        let yes = Verdict { accelerator: Accelerator::Kvm, reason: "tiny has booted under it".into(), is_final: true };
        assert_eq!(yes.to_string(), "KVM: yes, because tiny has booted under it");
    }
}
