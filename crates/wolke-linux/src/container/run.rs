//! One run of a container: its names, and what it leaves in `run/`.
//!
//! ```text
//! run/token       of the last start; it is there as long as the container was started and not stopped
//! run/top         the directory that its mount namespace hides
//! run/ended       the container went off by itself (written by a hook, also while we are dead)
//! run/init        the kind of its init
//! run/pid         LXC's monitor
//! run/config      for LXC      run/stop run/post-stop   hooks
//! run/cpu.before  processor time before the last reboot inside     run/disk.before   counters of the loop device at start
//! run/lxc.log run/start.log run/console.log
//! ```

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Pid;
use wolke_domain::clock::Clock;
use wolke_host::plan::Guest;

use crate::cgroup::{self, Cgroups};
use crate::engine::Result;
use crate::layout::ServerDir;
use crate::process::{at, engine, parse, until};
use crate::program::Program;

/// Directories that every Debian machine has and that everybody may enter. One of them is hidden, for one container alone,
/// behind what the container is made of.
const TOPS: [&str; 3] = ["/mnt", "/media", "/srv"];
/// How long a start that was held up may hold its turn.
const TURN_MAX: Duration = Duration::from_secs(90);
/// What only we may read.
const SECRET: u32 = 0o600;

/// The directory to hide: one that none of these paths goes through.
pub(super) fn top(paths: &[&Path]) -> Result<&'static str> {
    let real: Vec<_> = paths.iter().map(|path| fs::canonicalize(path).unwrap_or_else(|_| (*path).to_owned())).collect();
    let free = |top: &&&str| Path::new(top).is_dir() && !real.iter().any(|path| path.starts_with(top));
    TOPS.iter().find(free).copied().ok_or_else(|| engine(format!("none of {} can be used", TOPS.join(", "))))
}

/// The names of a server's run.
pub(super) struct Run {
    /// LXC's name of it.
    pub(super) name: String,
    /// What its control groups are named from.
    pub(super) group: String,
    /// `run/`.
    pub(super) path: PathBuf,
    server: PathBuf,
    fingerprint: String,
}

impl Run {
    pub(super) fn of(server: &ServerDir, fingerprint: &str) -> Self {
        Self {
            name: server.name(),
            group: format!("{}-{}", cgroup::prefix(fingerprint), server.id),
            path: server.run(),
            server: server.path.clone(),
            fingerprint: fingerprint.to_owned(),
        }
    }

    /// The path under which LXC knows it, below the hidden directory.
    pub(super) fn lxc(&self, top: &str) -> String {
        format!("{top}/lxc-{}", self.fingerprint)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Writes a file that only we may read.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.file(name);
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(SECRET).open(&path);
        file.and_then(|mut file| file.write_all(content.as_bytes())).map_err(at(&path, "written"))
    }

    /// From now on it counts as started, also after the machine itself has died.
    pub(super) fn begin(&self, token: &str) -> Result<()> {
        self.write("token", token)?;
        let path = self.file("token");
        let synced = fs::File::open(&path).and_then(|file| file.sync_all());
        synced.and_then(|()| fs::File::open(&self.path)?.sync_all()).map_err(at(&path, "written"))
    }

    /// Holds back every start of this server, also one whose process has outlived another `wolke`.
    pub(super) fn turn(&self, clock: &dyn Clock) -> Result<fs::File> {
        let directory = fs::File::open(&self.server).map_err(at(&self.server, "opened"))?;
        let mine = until(clock, TURN_MAX, || Ok(flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok()))?;
        if mine { Ok(directory) } else { Err(engine(format!("another start of {} does not end", self.name))) }
    }

    /// Empties the directory for a new start, but for the token: what was lost counts as lost until it runs again.
    pub(super) fn renew(&self) -> Result<()> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(at(&self.path, "made"))?;
        for entry in fs::read_dir(&self.path).map_err(at(&self.path, "read"))?.flatten() {
            let path = entry.path();
            if entry.file_name() == "token" {
                continue;
            }
            let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(at(&path, "removed"))?;
        }
        Ok(())
    }

    /// Nothing of it is left.
    pub(super) fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&self.path, "removed")(error)),
            _ => Ok(()),
        }
    }

    /// LXC's process beside the container. Its id may long belong to another, so its control group has to agree.
    pub(super) fn monitor(&self) -> Option<Pid> {
        parse(&self.read("pid")).filter(|pid| Cgroups::is_monitor(*pid, &self.group))
    }

    /// The container's first process, as this machine sees it; none between two boots.
    pub(super) fn init(&self) -> Option<Pid> {
        let monitor = self.monitor()?.as_raw_nonzero();
        let own = fs::read_link(format!("/proc/{monitor}/exe")).ok();
        let children = fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).ok()?;
        children.split_whitespace().filter_map(parse).find(|child| {
            let process = PathBuf::from(format!("/proc/{}", child.as_raw_nonzero()));
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
            // Before it runs the container's own program it is still LXC's.
            let ready = fs::read_link(process.join("exe")).ok() != own;
            ids.split_whitespace().count() > 1 && ids.split_whitespace().last() == Some("1") && ready
        })
    }

    /// A program in the namespaces of the monitor: it sees its mounts, and reaches its socket.
    pub(super) fn beside(monitor: Pid, program: &str) -> Program {
        Program::new("nsenter")
            .arg("--target")
            .arg(monitor.as_raw_nonzero().to_string())
            .args(["--mount", "--net", "--"])
            .arg(program)
    }

    /// What it is doing.
    pub(super) fn guest(&self) -> Guest {
        // The hook speaks before the monitor ends, so this order tells an end from a loss.
        if self.monitor().is_some() {
            return Guest::Running;
        }
        if !self.file("token").exists() || self.file("ended").exists() { Guest::Off } else { Guest::Lost }
    }

    /// Why LXC did not start it, in its own words.
    pub(super) fn complaint(&self) -> String {
        let log = self.read("lxc.log");
        let first = log.lines().find_map(|line| line.split_once(" ERROR ").map(|(_, said)| said));
        first.map_or_else(|| self.read("start.log"), str::to_owned).trim().to_owned()
    }
}
