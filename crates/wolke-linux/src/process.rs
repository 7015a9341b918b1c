//! Processes and waiting: signals, ends, levels with a limit.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use wolke_domain::clock::Clock;
use wolke_host::HostError;

use crate::engine::Result;
use crate::program::Program;

/// How often a level is looked at that tells nobody of its change: cgroups, loop devices, `/proc`.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until a level is reached; says whether it was within the limit.
pub(crate) fn until(clock: &dyn Clock, limit: Duration, mut reached: impl FnMut() -> Result<bool>) -> Result<bool> {
    let end = clock.monotonic_ms().saturating_add(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
    loop {
        if reached()? {
            return Ok(true);
        }
        if clock.monotonic_ms() >= end {
            return Ok(false);
        }
        // Interrupted is as good as over: the level is looked at again.
        let _ = poll(&mut [], Timespec::try_from(LOOK).ok().as_ref());
    }
}

/// Waits for the end of a process; says whether it ended within the limit.
pub(crate) fn ended(pid: Pid, clock: &dyn Clock, limit: Duration) -> Result<bool> {
    let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(true) };
    until(clock, limit, || {
        let look = Timespec::try_from(LOOK).ok();
        Ok(poll(&mut [PollFd::new(&fd.as_fd(), PollFlags::IN)], look.as_ref()).is_ok_and(|ready| ready > 0))
    })
}

/// Kills a process at once; one that is gone already is killed.
pub(crate) fn kill(pid: Pid) -> Result<()> {
    let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
    match pidfd_send_signal(&fd, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(engine(format!("process {} cannot be killed: {error}", pid.as_raw_nonzero()))),
    }
}

/// Sends a signal by its number. A shell does it, because nothing safe sends the real-time signals that systemd takes.
pub(crate) fn signal(pid: Pid, number: u8) -> Result<()> {
    let pid = pid.as_raw_nonzero().to_string();
    Program::new("sh").args(["-c", "kill -\"$1\" \"$2\"", "sh"]).arg(number.to_string()).arg(pid).run().map(|_| ())
}

/// A process id out of a file or directory name.
pub(crate) fn parse(text: &str) -> Option<Pid> {
    text.trim().parse().ok().and_then(Pid::from_raw)
}

/// What this host's programs fail with.
pub(crate) fn engine(message: impl Into<String>) -> HostError {
    HostError::new(HostError::ENGINE, message)
}

/// Turns what a file operation says into an error that names the file.
pub(crate) fn at<'a>(path: &'a std::path::Path, what: &'a str) -> impl Fn(std::io::Error) -> HostError + 'a {
    move |error| {
        let full = error.kind() == std::io::ErrorKind::StorageFull;
        let code = if full { HostError::DISK_FULL } else { HostError::ENGINE };
        HostError::new(code, format!("{} cannot be {what}: {error}", path.display()))
    }
}

/// Programs tell a full disk by a sentence only.
pub(crate) fn full_disk(error: HostError) -> HostError {
    let full = error.message.contains("No space left on device");
    if full { HostError::new(HostError::DISK_FULL, error.message) } else { error }
}
