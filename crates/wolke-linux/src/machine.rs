//! Virtual machines: an [`Engine`] for QEMU.
//!
//! One QEMU process per running server, on its own since the moment of its start: it outlives this process and is found
//! again by its files in `run/` (the module `run`). Everything is asked and told over its monitor (the module `qmp`).
//!
//! **Invariants:** a guest that has switched itself off leaves its QEMU standing (`-no-shutdown`), so that off and lost can
//! be told apart whoever watched; [`Engine::stop`] leaves neither process nor file. Whoever reads the disk of a machine for
//! a snapshot gives way to its start and stop.

pub mod acceleration;
mod agent;
mod command_line;
mod disk;
mod lines;
mod power;
mod qmp;
mod run;
mod snapshot;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wolke_domain::clock::Clock;
use wolke_host::plan::Guest;
use wolke_host::{HostError, Runtime};

use self::acceleration::{Acceleration, Choice};
use self::command_line::DISK_NODE;
use self::power::Status;
use self::run::{Monitor, Run};
use crate::cgroup::{self, Cgroups};
use crate::engine::{Boot, Counters, Engine, Reboot, Result, Wanted};
use crate::gate::Gates;
use crate::image::{Image, ImageStore, Slot};
use crate::layout::{Layout, ServerDir};

/// How long a process may take to end when it is asked to: it writes out what it holds of the disk.
const POLITE: Duration = Duration::from_secs(10);
/// Milliseconds of a second.
const MS: u64 = 1000;

/// The virtual machines of a host.
pub struct Machines {
    clock: Arc<dyn Clock>,
    cgroups: Cgroups,
    /// With what the names of control groups begin.
    prefix: String,
    gates: Gates,
    acceleration: Acceleration,
}

impl Machines {
    /// Adopts what runs below this directory. Finds out how processors are run, which boots an image once and may take as
    /// long as [`acceleration::PROBE_TIME`]; without an image that is put off until the next start of a server.
    ///
    /// # Errors
    /// [`HostError::ENGINE`] when the directory of the servers cannot be read.
    pub fn open(layout: &Layout, images: ImageStore, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::with(layout, images, clock, Choice::Probe)
    }

    /// The same, with what the operator wishes for the processors.
    ///
    /// # Errors
    /// As [`Machines::open`].
    pub fn with(layout: &Layout, images: ImageStore, clock: Arc<dyn Clock>, choice: Choice) -> Result<Self> {
        let acceleration = Acceleration::new(layout.clone(), images, choice);
        let prefix = cgroup::prefix(&cgroup::fingerprint(layout.state()));
        let machines = Self { clock, cgroups: Cgroups::find()?, prefix, gates: Gates::default(), acceleration };
        machines.acceleration.decide();
        for server in servers(layout)? {
            machines.adopt(&server);
        }
        Ok(machines)
    }

    /// What the guest has written to its serial port since it was last asked for, at most the newest 64 KiB.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    pub fn console(&self, server: &ServerDir) -> Result<String> {
        let arguments = json!({ "device": command_line::CONSOLE, "size": command_line::CONSOLE_SIZE });
        let read = self.monitor(server, Monitor::Control).and_then(|mut qmp| qmp.execute("ringbuf-read", &arguments));
        read.map(|text| text.as_str().unwrap_or_default().to_owned()).map_err(|failure| failure.of("ringbuf-read"))
    }
}

impl Machines {
    /// The name from which the control group of a server is named.
    fn group(&self, server: &ServerDir) -> String {
        format!("{}-{}", self.prefix, server.id)
    }
}

impl Engine for Machines {
    fn runtime(&self) -> Runtime {
        Runtime::Machine
    }

    fn fill_disk(&self, directory: &Path, image: &Image, size_gb: u32) -> Result<()> {
        disk::fill(directory, image, size_gb)
    }

    fn grow_disk(&self, server: &ServerDir, directory: &Path, size_gb: u32) -> Result<()> {
        self.grow(server, directory, size_gb)
    }

    fn release_disk(&self, server: &ServerDir, _: &Path) -> Result<()> {
        // A copy holds the file, and so does the QEMU of a guest that went off by itself.
        let _switching = self.gates.of(server.id).switch();
        self.clear(server)
    }

    fn guest(&self, server: &ServerDir) -> Result<Guest> {
        self.guest_of(server)
    }

    fn start(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        self.start_machine(server, boot)
    }

    fn stop(&self, server: &ServerDir) -> Result<()> {
        let _switching = self.gates.of(server.id).switch();
        self.clear(server)
    }

    fn press_power(&self, server: &ServerDir) -> Result<()> {
        self.power_button(server)
    }

    fn reset(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        self.reset_machine(server, boot)
    }

    fn reboot(&self, server: &ServerDir, _: &Boot<'_>) -> Result<Reboot> {
        self.reboot_machine(server)
    }

    fn set_password(&self, server: &ServerDir, hash: &str) -> Result<()> {
        agent::set_password(&Run::of(server).agent(), &self.clock, hash)
    }

    fn snapshot(
        &self,
        server: &ServerDir,
        directory: &Path,
        base: &Image,
        slot: &Slot,
        wanted: Wanted<'_>,
    ) -> Result<u64> {
        self.copy_disk(server, directory, base, slot, wanted)
    }

    fn counters(&self, server: &ServerDir) -> Result<Counters> {
        let Some(process) = Run::of(server).process() else { return Ok(Counters::default()) };
        let asked = self.monitor(server, Monitor::Control).and_then(|mut qmp| {
            let running = Status::ask(&mut qmp)? != Status::Shutdown;
            Ok((running, qmp.execute("query-blockstats", &json!({}))?))
        });
        match (asked, process.ticks()) {
            (Ok((true, blocks)), Some(ticks)) => Ok(counters(&blocks, ticks)),
            // Off by itself, or gone while it was asked.
            (Ok(_), _) | (Err(_), None) => Ok(Counters::default()),
            (Err(failure), Some(_)) => Err(failure.of("query-blockstats")),
        }
    }
}

/// The servers below a state directory, whatever they run as.
fn servers(layout: &Layout) -> Result<Vec<ServerDir>> {
    let entries = match std::fs::read_dir(layout.servers()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&layout.servers().display().to_string(), &error.to_string())),
    };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(ids.map(|id| layout.server(id)).collect())
}

fn counters(blocks: &Value, ticks: u64) -> Counters {
    let is_disk = |block: &&Value| block.get("node-name").and_then(Value::as_str) == Some(DISK_NODE);
    let stats = blocks.as_array().into_iter().flatten().find(is_disk).and_then(|block| block.get("stats"));
    let count = |name: &str| stats.and_then(|stats| stats.get(name)).and_then(Value::as_u64).unwrap_or(0);
    Counters {
        cpu_ms: ticks.saturating_mul(MS) / rustix::param::clock_ticks_per_second().max(1),
        disk_read_ops: count("rd_operations"),
        disk_write_ops: count("wr_operations"),
        disk_read_bytes: count("rd_bytes"),
        disk_write_bytes: count("wr_bytes"),
    }
}

fn failed(attempt: &str, why: &str) -> HostError {
    HostError::new(HostError::ENGINE, format!("{attempt}: {why}"))
}
