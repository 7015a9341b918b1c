//! Power: is it running, start, stop, and the ways to start again.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use wolke_host::plan::Guest;
use wolke_host::{Architecture, HostError};

use super::agent;
use super::command_line::{self, AGENT};
use super::qmp::{Event, Failure, Qmp};
use super::run::{Monitor, Run};
use super::{Machines, failed};
use crate::engine::{Boot, REBOOT_TIME, Reboot, Result};
use crate::layout::ServerDir;

/// How long QEMU may take until its monitor listens: a fraction of a second, and many may start at once.
const START_TIME: Duration = Duration::from_secs(60);
/// How long a reset may take to arrive: the next turn of QEMU's main loop.
const RESET_TIME: Duration = Duration::from_secs(20);
/// What QEMU takes beside the memory of its guest, in MiB: 100 to 150 itself, [`super::acceleration::TRANSLATIONS_MB`] when it
/// translates, and the kernel's pages for both. More is a fault or an attack.
pub const OVERHEAD_MB: u64 = 512;
/// Bytes of a MiB, as a shift.
const MIB_SHIFT: u32 = 20;
/// How often a guest is asked to reboot within [`REBOOT_TIME`].
const REBOOT_TRIES: u32 = 3;

/// What QEMU says of its machine (`query-status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The guest runs, or is about to.
    Running,
    /// The guest has switched itself off.
    Shutdown,
    /// It waits, because the host's file system was full.
    OutOfSpace,
    /// It stands still and can be told to go on.
    Paused,
    /// It stands still for good: the accelerator has failed.
    Broken,
}

impl Status {
    /// Asks a monitor.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn ask(qmp: &mut Qmp) -> std::result::Result<Self, Failure> {
        let answer = qmp.execute("query-status", &json!({}))?;
        Ok(match answer.get("status").and_then(Value::as_str).unwrap_or_default() {
            "shutdown" => Self::Shutdown,
            "io-error" => Self::OutOfSpace,
            "paused" | "prelaunch" | "suspended" => Self::Paused,
            "internal-error" | "guest-panicked" => Self::Broken,
            _ => Self::Running,
        })
    }

    const fn guest(self) -> Guest {
        match self {
            Self::Running | Self::OutOfSpace | Self::Paused => Guest::Running,
            Self::Shutdown => Guest::Off,
            Self::Broken => Guest::Lost,
        }
    }
}

impl Machines {
    /// What QEMU says of a machine; `None` when no QEMU runs for it.
    pub(super) fn status(&self, server: &ServerDir) -> Result<Option<Status>> {
        let run = Run::of(server);
        if run.process().is_none() {
            return Ok(None);
        }
        let asked = self.monitor(server, Monitor::Control).and_then(|mut qmp| Status::ask(&mut qmp));
        match asked {
            Ok(status) => Ok(Some(status)),
            // It may have gone between the two questions.
            Err(_) if run.process().is_none() => Ok(None),
            Err(failure) => Err(failure.of("query-status")),
        }
    }

    pub(super) fn guest_of(&self, server: &ServerDir) -> Result<Guest> {
        // Read before the process is looked for: what ends on purpose is marked first.
        let begun = Run::of(server).was_begun();
        let status = self.status(server)?;
        if status == Some(Status::OutOfSpace) {
            self.room_again(server);
        }
        Ok(match status {
            Some(status) => status.guest(),
            None if begun && Run::of(server).was_begun() => Guest::Lost,
            None => Guest::Off,
        })
    }

    /// Lets a guest go on that waits for room on the host's file system; if there is none, it stops again at once.
    fn room_again(&self, server: &ServerDir) {
        tracing::warn!(
            server = server.id,
            "the file system of the disk was full: the machine waited, and is told to go on"
        );
        let told = self.monitor(server, Monitor::Control).and_then(|mut qmp| qmp.execute("cont", &json!({})));
        if let Err(failure) = told {
            tracing::warn!(server = server.id, %failure, "the machine cannot be told to go on");
        }
    }

    pub(super) fn start_machine(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        match self.status(server)? {
            Some(Status::Running) => return Ok(()),
            Some(Status::OutOfSpace | Status::Paused) => return self.go_on(server),
            Some(Status::Shutdown | Status::Broken) | None => {}
        }
        if boot.definition.architecture != Architecture::X86 {
            return Err(HostError::new(HostError::CAPACITY, "virtual machines of this host are x86 only"));
        }
        let _switching = self.gates.of(server.id).switch();
        self.clear(server)?;
        let run = Run::of(server);
        run.make()?;
        let accelerator = self.acceleration.decide();
        let program = command_line::program(server, boot, accelerator).timeout(START_TIME);
        let started = program.run().and_then(|_| self.enclose(server, boot));
        if let Err(error) = started {
            self.clear(server)?;
            return Err(no_memory(error));
        }
        match self.status(server)? {
            Some(Status::Running) => Ok(()),
            seen => {
                self.clear(server)?;
                Err(failed(command_line::QEMU, &format!("the machine did not start to run: {seen:?}")))
            }
        }
    }

    /// QEMU is in a control group of its own: it does not end with the service that runs us, and has the memory of its guest and
    /// what it needs itself, not more.
    fn enclose(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        let Some(process) = Run::of(server).process() else { return Ok(()) };
        let memory = u64::from(boot.definition.memory_mb) + OVERHEAD_MB;
        self.cgroups.enclose(&self.group(server), process.id(), Some(memory << MIB_SHIFT))
    }

    fn go_on(&self, server: &ServerDir) -> Result<()> {
        let told = self.monitor(server, Monitor::Control).and_then(|mut qmp| qmp.execute("cont", &json!({})));
        told.map(drop).map_err(|failure| failure.of("cont"))
    }

    /// No process and no file of a run is left.
    pub(super) fn clear(&self, server: &ServerDir) -> Result<()> {
        let run = Run::of(server);
        run.mark_ended()?;
        for process in run.processes() {
            process.end()?;
        }
        self.cgroups.clear(&self.group(server), self.clock.as_ref())?;
        run.remove()
    }

    pub(super) fn power_button(&self, server: &ServerDir) -> Result<()> {
        let pressed =
            self.monitor(server, Monitor::Control).and_then(|mut qmp| qmp.execute("system_powerdown", &json!({})));
        pressed.map(drop).map_err(|failure| failure.of("system_powerdown"))
    }

    pub(super) fn reset_machine(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        match self.status(server)? {
            None | Some(Status::Broken) => self.start_machine(server, boot),
            Some(_) => {
                let mut qmp = self.power_monitor(server)?;
                reset(&mut qmp)
            }
        }
    }

    pub(super) fn reboot_machine(&self, server: &ServerDir) -> Result<Reboot> {
        let mut qmp = self.power_monitor(server)?;
        let mut left = None;
        // A guest that is still booting hears neither its agent nor the button; one that is going down ignores them.
        for _ in 0..REBOOT_TRIES {
            let asked = self.agent_listens(server) && agent::reboot(&Run::of(server).agent(), &self.clock).is_ok();
            if !asked {
                self.power_button(server)?;
            }
            left = qmp.event(REBOOT_TIME / REBOOT_TRIES, Left::of).map_err(|failure| failure.of("reboot"))?;
            if left.is_some() {
                break;
            }
        }
        match left {
            Some(Left::Reset) => Ok(Reboot::Done),
            Some(Left::Off) => reset(&mut qmp).map(|()| Reboot::Done),
            None => Ok(Reboot::Asked),
        }
    }

    fn power_monitor(&self, server: &ServerDir) -> Result<Qmp> {
        self.monitor(server, Monitor::Power).map_err(|failure| failure.of("QEMU's monitor"))
    }

    /// Whether something in the guest has opened the agent's port. Asking it costs the agent's whole limit when nothing has.
    pub(super) fn agent_listens(&self, server: &ServerDir) -> bool {
        let Ok(mut qmp) = self.monitor(server, Monitor::Control) else { return false };
        let devices = qmp.execute("query-chardev", &json!({})).unwrap_or_default();
        devices
            .as_array()
            .into_iter()
            .flatten()
            .any(|device| device["label"] == AGENT && device["frontend-open"] == true)
    }

    /// A conversation with the QEMU of a server.
    pub(super) fn monitor(&self, server: &ServerDir, which: Monitor) -> std::result::Result<Qmp, Failure> {
        let path = Run::of(server).monitor(which);
        Qmp::connect(Path::new(&path), &self.clock)
    }
}

/// How a guest went down.
enum Left {
    /// It has started anew by itself.
    Reset,
    /// It has switched itself off.
    Off,
}

impl Left {
    fn of(event: &Event) -> Option<Self> {
        match event.name.as_str() {
            "RESET" => Some(Self::Reset),
            "SHUTDOWN" => Some(Self::Off),
            _ => None,
        }
    }
}

/// Resets the machine and lets it run, also when its guest has switched itself off.
fn reset(qmp: &mut Qmp) -> Result<()> {
    let attempt = "system_reset";
    qmp.execute("system_reset", &json!({})).map_err(|failure| failure.of(attempt))?;
    // `cont` is refused until the main loop has carried the reset out.
    let done =
        qmp.event(RESET_TIME, |event| (event.name == "RESET").then_some(())).map_err(|failure| failure.of(attempt))?;
    if done.is_none() {
        return Err(failed(attempt, &format!("the machine was not reset within {} s", RESET_TIME.as_secs())));
    }
    qmp.execute("cont", &json!({})).map(drop).map_err(|failure| failure.of("cont"))
}

/// A start that failed for want of memory is a matter of the host's size.
fn no_memory(error: HostError) -> HostError {
    let memory = ["cannot set up guest memory", "Cannot allocate memory"];
    if memory.iter().any(|words| error.message.contains(words)) {
        return HostError::new(HostError::CAPACITY, error.message);
    }
    error
}
