//! One run of a machine: the files in `run/`, and the process that they stand for.
//!
//! **Invariants:** a process is ours when its command line names our process id file, so a number that was given to somebody
//! else is never taken for it. A marker says that a run was ended on purpose before it is ended: who dies in between leaves
//! a machine that is off, not one that was lost.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use wolke_host::HostError;

use super::{POLITE, failed};
use crate::engine::Result;
use crate::layout::ServerDir;

/// The longest path of a socket: 108 bytes with the zero at its end.
const SOCKET_MAX: usize = 107;
/// How long a killed process may take to vanish: it has to give back its memory.
const GONE: Duration = Duration::from_secs(30);

/// The sockets of a monitor: one conversation at a time on each, so that none waits for another that takes long.
#[derive(Clone, Copy, Debug)]
pub enum Monitor {
    /// Questions and orders that are answered at once.
    Control,
    /// Reboots: waiting for a guest.
    Power,
    /// Snapshots: waiting for a disk.
    Job,
}

impl Monitor {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Control, Self::Power, Self::Job];

    /// The name of its socket.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "qmp",
            Self::Power => "power",
            Self::Job => "job",
        }
    }
}

/// The directory of a run.
#[derive(Clone, Debug)]
pub struct Run {
    path: PathBuf,
}

impl Run {
    /// The run of a server, whether there is one or not.
    #[must_use]
    pub fn of(server: &ServerDir) -> Self {
        Self { path: server.run() }
    }

    /// The file with the process id.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.path.join("pid")
    }

    /// A socket of the monitor.
    #[must_use]
    pub fn monitor(&self, which: Monitor) -> PathBuf {
        self.path.join(which.name())
    }

    /// The socket of the guest agent.
    #[must_use]
    pub fn agent(&self) -> PathBuf {
        self.path.join("agent")
    }

    /// There while the guest's file systems may be frozen.
    #[must_use]
    pub fn frozen(&self) -> PathBuf {
        self.path.join("frozen")
    }

    fn ended(&self) -> PathBuf {
        self.path.join("ended")
    }

    /// Whether QEMU was started and nobody has ended it on purpose.
    #[must_use]
    pub fn was_begun(&self) -> bool {
        self.pid_file().exists() && !self.ended().exists()
    }

    /// Makes the directory of a new run.
    ///
    /// # Errors
    /// [`HostError::ENGINE`], also when its path is too long for sockets.
    pub fn make(&self) -> Result<()> {
        let longest = Monitor::ALL.into_iter().map(|which| self.monitor(which)).chain([self.agent()]);
        if let Some(path) = longest.into_iter().find(|path| path.as_os_str().len() > SOCKET_MAX) {
            let why = format!("the path is longer than {SOCKET_MAX} bytes; choose a shorter state directory");
            return Err(failed(&format!("socket {}", path.display()), &why));
        }
        fs::create_dir_all(&self.path).map_err(|error| self.broken(&error))
    }

    /// Writes down that this run ends on purpose.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    pub fn mark_ended(&self) -> Result<()> {
        if !self.path.exists() {
            return Ok(());
        }
        fs::write(self.ended(), b"").map_err(|error| self.broken(&error))
    }

    /// Nothing of the run is left.
    ///
    /// # Errors
    /// [`HostError::ENGINE`].
    pub fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.broken(&error)),
            _ => Ok(()),
        }
    }

    /// The process of this run, by its process id file.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        Process::open(text.trim().parse().ok()?, &self.pid_file())
    }

    /// Every process that was started for this directory, also one that has not come to write its id down.
    pub fn processes(&self) -> impl Iterator<Item = Process> {
        let pid_file = self.pid_file();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(move |pid| Process::open(pid, &pid_file))
    }

    fn broken(&self, error: &std::io::Error) -> HostError {
        failed(&self.path.display().to_string(), &error.to_string())
    }
}

/// A process that is known to be a QEMU of one run.
#[derive(Debug)]
pub struct Process {
    id: Pid,
    descriptor: OwnedFd,
}

impl Process {
    /// The process with this id, if it is the QEMU that was told to write its id into this file.
    fn open(pid: i32, pid_file: &Path) -> Option<Self> {
        // First held, then looked at: what is looked at cannot be replaced by another one any more.
        let id = Pid::from_raw(pid).filter(|pid| !pid.is_init())?;
        let descriptor = pidfd_open(id, PidfdFlags::empty()).ok()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0).skip_while(|word| *word != b"-pidfile");
        let told = words.nth(1)?;
        (told == pid_file.as_os_str().as_bytes()).then_some(Self { id, descriptor })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Pid {
        self.id
    }

    /// Waits until it is gone; whether it is.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).ok();
        let mut descriptors = [PollFd::new(&self.descriptor, PollFlags::IN)];
        poll(&mut descriptors, limit.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// Ends it: asked, so that it writes out what it holds of the disk, and killed when it does not listen.
    ///
    /// # Errors
    /// [`HostError::ENGINE`] when even that does not help.
    pub fn end(&self) -> Result<()> {
        for (signal, limit) in [(Signal::TERM, POLITE), (Signal::KILL, GONE)] {
            // An error says that it is gone already.
            let _ = pidfd_send_signal(self.descriptor.as_fd(), signal);
            if self.wait(limit) {
                return Ok(());
            }
        }
        Err(failed(
            &format!("QEMU with the process id {}", self.id.as_raw_nonzero()),
            "it does not end when it is killed",
        ))
    }

    /// Processor time in clock ticks, of all its threads; `None` when it has gone.
    #[must_use]
    pub fn ticks(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id.as_raw_nonzero())).ok()?;
        ticks(&stat)
    }
}

/// The sum of `utime` and `stime`. The name of the program, in parentheses, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    // `state` is the third field, `utime` the fourteenth.
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let utime: u64 = fields.next()?.parse().ok()?;
    let stime: u64 = fields.next()?.parse().ok()?;
    Some(utime + stime)
}

#[cfg(test)]
mod tests {
    use super::{Process, ticks};
    use std::path::Path;

    #[test]
    fn processor_time_is_read_past_odd_names() {
        let stat = "42 (wolke) 1 2) S 1 42 42 0 -1 4194624 100 0 0 0 700 33 0 0 20 0 5 0 99 1000 50";
        assert_eq!(ticks(stat), Some(733));
        assert_eq!(ticks("42 (short) S 1"), None);
    }

    #[test]
    fn somebody_elses_process_is_not_ours() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(Process::open(own, Path::new("/nowhere/run/pid")).is_none());
        assert!(Process::open(1, Path::new("/nowhere/run/pid")).is_none());
    }
}
