//! System containers: LXC, unprivileged, each in a user namespace.
//!
//! A container is LXC's monitor and what runs below it. Both live in a mount namespace that the start script makes: there, and
//! nowhere else, the disk is mounted (a loop device) and laid over the image. So when the monitor dies, by whatever, nothing of
//! the mounts is left. What else there is bears the server's name: the control groups and `run/`.
//!
//! **Invariants:** a container that runs has a monitor in its control group; LXC's hook writes `run/ended` before the monitor
//! of one that went off ends, so its lack tells a loss; nothing of a container lies outside the server's directory but its
//! control groups (and an empty `/run/lxc`, which is LXC's own).
//!
//! The monitor outlives us. Under systemd it lies in a control group outside of the service's, so no `KillMode` reaches it;
//! `KillMode=process` is still right, for starts that are under way.

mod config;
mod counters;
mod disk;
mod run;
mod snapshot;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wolke_domain::clock::Clock;
use wolke_host::plan::Guest;
use wolke_host::{HostError, Runtime};
use wolke_wire::Id;
use wolke_wire::metadata::NoCloud;

use crate::cgroup::{self, Cgroups};
use crate::engine::{Boot, Counters, Engine, REBOOT_TIME, Reboot, Result, Wanted};
use crate::gate::Gates;
use crate::image::{Image, Init, Slot};
use crate::layout::{Layout, ServerDir};
use crate::program::Program;

use crate::process::{ended, engine, kill, signal, until};
use config::Config;
use run::Run;

/// How long a start may take until the init runs; it takes a tenth of a second.
const START_MAX: Duration = Duration::from_secs(120);
/// How long LXC may take to clear up behind an init that was killed.
const STOP_MAX: Duration = Duration::from_secs(60);
/// How long LXC may take from the end of an init that reboots to the next one.
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// How long a guest whose power button was pressed may take to go off: systemd gives its services 90 s to end. As long it is not
/// held for a copy.
const LEAVE_MAX: Duration = Duration::from_secs(100);
/// How long the guest's programs may take to set a password.
const PASSWORD_MAX: Duration = Duration::from_secs(30);
/// The path of programs inside.
const GUEST_PATH: &str = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
/// What a shell returns for a program that is not there.
const NOT_FOUND: &str = "exit status: 127";

/// The containers of a host.
pub struct Containers {
    fingerprint: String,
    cgroups: Cgroups,
    clock: Arc<dyn Clock>,
    /// Starting and stopping go before copying the disk.
    gates: Gates,
    /// When power buttons were pressed (monotonic milliseconds).
    pressed: Mutex<HashMap<Id, i64>>,
}

impl Containers {
    /// Adopts what runs. A container that was being held for a snapshot when another `wolke` was killed goes on.
    ///
    /// # Errors
    /// [`HostError::ENGINE`] when the control groups of the machine cannot be read.
    pub fn open(layout: &Layout, clock: Arc<dyn Clock>) -> Result<Self> {
        let fingerprint = cgroup::fingerprint(layout.state());
        let cgroups = Cgroups::find()?;
        cgroups.thaw_all(&cgroup::prefix(&fingerprint), clock.as_ref())?;
        Ok(Self { fingerprint, cgroups, clock, gates: Gates::default(), pressed: Mutex::default() })
    }

    fn run(&self, server: &ServerDir) -> Run {
        Run::of(server, &self.fingerprint)
    }

    fn pressed(&self) -> MutexGuard<'_, HashMap<Id, i64>> {
        self.pressed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a server's power button was pressed and it may still be on its way down.
    fn is_leaving(&self, server: Id) -> bool {
        let now = self.clock.monotonic_ms();
        let mut pressed = self.pressed();
        pressed.retain(|_, at| now - *at < i64::try_from(LEAVE_MAX.as_millis()).unwrap_or(i64::MAX));
        pressed.contains_key(&server)
    }

    /// Kills what runs. LXC gives the interface back and clears up, if it is let.
    fn halt(&self, run: &Run) -> Result<()> {
        let Some(monitor) = run.monitor() else { return Ok(()) };
        self.cgroups.freeze(&run.group, false, self.clock.as_ref())?;
        let gone = until(self.clock.as_ref(), STOP_MAX, || {
            // Again and again: it may be between two boots.
            if let Some(init) = run.init() {
                kill(init)?;
            }
            Ok(run.monitor().is_none())
        })?;
        if gone { Ok(()) } else { kill(monitor) }
    }

    /// Nothing of a run is left but its directory.
    fn clear(&self, server: &ServerDir, run: &Run) -> Result<()> {
        self.cgroups.clear(&run.group, self.clock.as_ref())?;
        disk::detach(&server.path, self.clock.as_ref())
    }

    fn start_in_turn(&self, server: &ServerDir, run: &Run, boot: &Boot<'_>) -> Result<()> {
        self.pressed().remove(&server.id);
        let lower = disk::lower(boot.image)?;
        let top = run::top(&[&server.path, boot.disk, &lower])?;
        // A start that another `wolke` has begun is waited for; it may be the one that was wanted.
        let turn = run.turn(self.clock.as_ref())?;
        let before = run.guest();
        if before == Guest::Running {
            return Ok(());
        }
        self.clear(server, run)?;
        disk::catch_up(boot.disk, self.clock.as_ref())?;
        run.renew()?;
        let token = format!("{}-{}", std::process::id(), self.clock.monotonic_ms());
        self.prepare(run, boot, top)?;
        run.begin(&token)?;
        drop(turn);
        let started = self.script(server, run, boot, (top, &lower), &token).and_then(|()| {
            let running =
                until(self.clock.as_ref(), START_MAX, || Ok(run.init().is_some() || run.monitor().is_none()))?;
            let gone_off = run.guest() == Guest::Off;
            if running && (run.monitor().is_some() || gone_off) { Ok(()) } else { Err(engine("its init does not run")) }
        });
        started.map_err(|error| {
            let error = explain(run, error);
            let cleared = self.halt(run).and_then(|()| self.clear(server, run));
            if before == Guest::Off {
                let _ = cleared.and_then(|()| run.remove());
            }
            error
        })
    }

    /// Writes what the start script and LXC read.
    fn prepare(&self, run: &Run, boot: &Boot<'_>, top: &str) -> Result<()> {
        let seed = seed(boot).is_some();
        let config = Config { group: &run.group, top, definition: boot.definition, link: boot.link, seed };
        run.write("config", &config.render(&self.cgroups)?)?;
        run.write("init", init_name(boot.image.manifest.init))?;
        run.write("top", top)?;
        run.write("stop", include_str!("container/stop.sh"))?;
        run.write("post-stop", include_str!("container/post-stop.sh"))
    }

    fn script(
        &self,
        server: &ServerDir,
        run: &Run,
        boot: &Boot<'_>,
        (top, lower): (&str, &Path),
        token: &str,
    ) -> Result<()> {
        // LXC looks for the interface where it is itself.
        let program = match boot.link {
            Some(link) => Program::in_namespace(&link.namespace, "unshare"),
            None => Program::new("unshare"),
        };
        let script = include_str!("container/start.sh");
        let program = program
            .args(["--mount", "--propagation", "slave", "--", "sh", "-c", script, "sh", top])
            .arg(&server.path)
            .arg(&run.path)
            .arg(boot.disk)
            .arg(lower)
            .args([&run.name, &run.lxc(top), token])
            .timeout(START_MAX);
        let seed = seed(boot);
        let program = match seed.as_ref().map(NoCloud::files) {
            Some(files) => program.arg(files.len().to_string()).input(framed(&files)),
            None => program.arg("0"),
        };
        program.run().map(drop)
    }
}

/// What cloud-init in a container reads. It holds secrets, which are never written to a disk: they go through a pipe into the
/// memory of the container's own mount namespace.
fn seed(boot: &Boot<'_>) -> Option<NoCloud> {
    let metadata = boot.metadata.filter(|_| boot.image.manifest.cloud_init)?;
    Some(metadata.nocloud())
}

/// Files as the start script reads them: name and size in a line, then the content.
fn framed(files: &[(&str, &str)]) -> Vec<u8> {
    files.iter().fold(Vec::new(), |mut bytes, (name, content)| {
        bytes.extend(format!("{name} {}\n", content.len()).into_bytes());
        bytes.extend(content.as_bytes());
        bytes
    })
}

impl Engine for Containers {
    fn runtime(&self) -> Runtime {
        Runtime::Container
    }

    fn fill_disk(&self, directory: &Path, image: &Image, size_gb: u32) -> Result<()> {
        disk::fill(directory, image, size_gb)
    }

    fn grow_disk(&self, server: &ServerDir, directory: &Path, size_gb: u32) -> Result<()> {
        let run = self.run(server);
        let _switching = self.gates.of(server.id).switch();
        disk::grow(&run, directory, size_gb, self.clock.as_ref())
    }

    fn release_disk(&self, server: &ServerDir, directory: &Path) -> Result<()> {
        let run = self.run(server);
        let _switching = self.gates.of(server.id).switch();
        // One that went off by itself has left its control groups.
        if run.monitor().is_none() {
            self.cgroups.clear(&run.group, self.clock.as_ref())?;
        }
        disk::detach(directory, self.clock.as_ref())
    }

    fn guest(&self, server: &ServerDir) -> Result<Guest> {
        Ok(self.run(server).guest())
    }

    fn start(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        let run = self.run(server);
        let _switching = self.gates.of(server.id).switch();
        self.start_in_turn(server, &run, boot)
    }

    fn stop(&self, server: &ServerDir) -> Result<()> {
        let run = self.run(server);
        let _switching = self.gates.of(server.id).switch();
        self.halt(&run)?;
        self.clear(server, &run)?;
        run.remove()
    }

    fn press_power(&self, server: &ServerDir) -> Result<()> {
        let run = self.run(server);
        // One that is held for a copy would not hear it.
        let _switching = self.gates.of(server.id).switch();
        let Some(init) = run.init() else { return Ok(()) };
        self.pressed().insert(server.id, self.clock.monotonic_ms());
        signal(init, Signals::of(&run).power)
    }

    fn reset(&self, server: &ServerDir, boot: &Boot<'_>) -> Result<()> {
        let run = self.run(server);
        let _switching = self.gates.of(server.id).switch();
        // Between the two it counts as lost, so it comes back even if we are killed there.
        self.halt(&run)?;
        self.start_in_turn(server, &run, boot)
    }

    fn reboot(&self, server: &ServerDir, _: &Boot<'_>) -> Result<Reboot> {
        let run = self.run(server);
        let _switching = self.gates.of(server.id).switch();
        let init = run.init().ok_or_else(|| engine("the server is not running"))?;
        signal(init, Signals::of(&run).reboot)?;
        if !ended(init, self.clock.as_ref(), REBOOT_TIME)? {
            return Ok(Reboot::Asked);
        }
        let back = until(self.clock.as_ref(), AGAIN_MAX, || {
            Ok(run.monitor().is_none() || run.init().is_some_and(|new| new != init))
        })?;
        match (back, run.monitor()) {
            (true, Some(_)) => Ok(Reboot::Done),
            (true, None) => Err(engine("the server went off instead of rebooting")),
            (false, _) => Err(engine(format!("the server does not come back within {} s", AGAIN_MAX.as_secs()))),
        }
    }

    fn set_password(&self, server: &ServerDir, hash: &str) -> Result<()> {
        let failed = |message: String| HostError::new(HostError::GUEST_AGENT, message);
        let run = self.run(server);
        let monitor = run.monitor().ok_or_else(|| failed("the server is not running".into()))?;
        if hash.chars().any(|c| c == ':' || c.is_control()) {
            return Err(failed("the password is not a crypt(3) hash".into()));
        }
        // What the guest says is nobody's business, and may be without an end.
        Program::new("sh")
            .args(["-c", "exec \"$@\" >/dev/null 2>&1", "sh", "nsenter", "--mount", "--net", "--target"])
            .arg(monitor.as_raw_nonzero().to_string())
            .args(["--", "env", "-i", "PATH=/usr/sbin:/sbin", "/usr/bin/lxc-attach", "--name", &run.name, "--lxcpath"])
            .arg(run.lxc(&run.read("top")))
            .args(["--clear-env", "--set-var", GUEST_PATH, "--", "/bin/sh", "-c", "exec chpasswd -e"])
            .input(format!("root:{hash}\n"))
            .timeout(PASSWORD_MAX)
            .run()
            .map(|_| ())
            .map_err(|error| {
                let lacks = error.message.contains(NOT_FOUND);
                failed(if lacks { "the server has no chpasswd".into() } else { "chpasswd failed in the server".into() })
            })
    }

    fn snapshot(
        &self,
        server: &ServerDir,
        directory: &Path,
        base: &Image,
        slot: &Slot,
        wanted: Wanted<'_>,
    ) -> Result<u64> {
        self.take_snapshot((server.id, &self.run(server)), directory, base, slot, wanted)
    }

    fn counters(&self, server: &ServerDir) -> Result<Counters> {
        counters::read(&self.run(server), &server.path, &self.cgroups, self.clock.as_ref())
    }
}

/// What an init understands.
struct Signals {
    /// Goes off, as by the power button.
    power: u8,
    /// Reboots.
    reboot: u8,
}

impl Signals {
    /// systemd(1), "SIGNALS": SIGRTMIN+4 powers off, SIGRTMIN+5 reboots. busybox's init: SIGUSR2 and SIGTERM.
    const SYSTEMD: Self = Self { power: 34 + 4, reboot: 34 + 5 };
    const BUSYBOX: Self = Self { power: 12, reboot: 15 };

    fn of(run: &Run) -> Self {
        if run.read("init") == init_name(Init::Busybox) { Self::BUSYBOX } else { Self::SYSTEMD }
    }
}

const fn init_name(init: Init) -> &'static str {
    match init {
        Init::Systemd => "systemd",
        Init::Busybox => "busybox",
    }
}

/// LXC's own words instead of the status of its program.
fn explain(run: &Run, error: HostError) -> HostError {
    let said = run.complaint();
    if said.is_empty() { error } else { HostError::new(error.code, format!("the container does not start: {said}")) }
}
