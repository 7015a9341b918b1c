//! Runs programs of the system (`ip`, `nft`, `qemu-img`, `lxc-start` …) with a time limit and readable failures.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use wolke_host::HostError;

use crate::engine::{Result, Wanted};

/// How long a program may take unless it is told otherwise: they take milliseconds, and four times that under load.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is asked whether a program that takes long is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// So much of what a program says on its standard error goes into a message, from the end.
const SAID_MAX: usize = 500;

/// How a program came to its end.
enum End {
    /// By itself.
    Own,
    /// Too late.
    Late,
    /// Because nobody wants it any more.
    Unwanted,
}

/// A program with its arguments.
#[derive(Clone, Debug)]
pub struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    input: Option<Vec<u8>>,
    timeout: Duration,
}

impl Program {
    /// Without arguments.
    #[must_use]
    pub fn new(name: impl AsRef<OsStr>) -> Self {
        Self { name: name.as_ref().to_owned(), arguments: Vec::new(), input: None, timeout: TIMEOUT }
    }

    /// Inside a network namespace (the file under `/run/netns`). Not `ip netns exec`, which hides the cgroups.
    #[must_use]
    pub fn in_namespace(namespace: &std::path::Path, name: impl AsRef<OsStr>) -> Self {
        let mut net = OsString::from("--net=");
        net.push(namespace);
        Self::new("nsenter").arg(net).arg("--").arg(name)
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// What it reads on its standard input; nothing otherwise.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Another time limit.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it and returns what it wrote to its standard output.
    ///
    /// # Errors
    /// [`HostError::ENGINE`]: it cannot be started, fails (with the end of what it said), or takes too long (it is killed).
    pub fn run(&self) -> Result<String> {
        self.run_while(&|| true)
    }

    /// Runs it as long as it is wanted, and returns what it wrote to its standard output.
    ///
    /// # Errors
    /// As [`Program::run`], and [`HostError::ENGINE`] when it is not wanted any more: it is killed then, with what it has
    /// started.
    pub fn run_while(&self, wanted: Wanted<'_>) -> Result<String> {
        let (status, output, said) = self.finish(wanted)?;
        if status.success() {
            return Ok(output);
        }
        let said = said.trim();
        let from = said.char_indices().rev().nth(SAID_MAX).map_or(0, |(at, _)| at);
        Err(self.failed(&format!("{status}: {}", &said[from..])))
    }

    /// Runs it and says whether it succeeded.
    ///
    /// # Errors
    /// [`HostError::ENGINE`]: it cannot be started or takes too long.
    pub fn succeeds(&self) -> Result<bool> {
        self.finish(&|| true).map(|(status, _, _)| status.success())
    }

    fn finish(&self, wanted: Wanted<'_>) -> Result<(std::process::ExitStatus, String, String)> {
        let mut child = Command::new(&self.name)
            .args(&self.arguments)
            .env("LC_ALL", "C")
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it has started ends with it when it takes too long.
            .process_group(0)
            .spawn()
            .map_err(|error| self.failed(&error.to_string()))?;
        let (input, output, said) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // A daemon that it leaves behind must not hold these pipes: whoever starts one redirects it.
        std::thread::scope(|scope| {
            let output = scope.spawn(|| text(output));
            let said = scope.spawn(|| text(said));
            if let (Some(mut pipe), Some(bytes)) = (input, &self.input) {
                // A program that does not read to the end says why by its status.
                scope.spawn(move || drop(pipe.write_all(bytes)));
            }
            let status = self.wait(&mut child, wanted)?;
            Ok((status, output.join().unwrap_or_default(), said.join().unwrap_or_default()))
        })
    }

    fn wait(&self, child: &mut Child, wanted: Wanted<'_>) -> Result<std::process::ExitStatus> {
        let why = match self.attend(child, wanted) {
            End::Own => return child.wait().map_err(|error| self.failed(&error.to_string())),
            End::Late => format!("it took longer than {} s", self.timeout.as_secs()),
            End::Unwanted => "it was not wanted any more".to_owned(),
        };
        if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(self.failed(&why))
    }

    fn attend(&self, child: &Child, wanted: Wanted<'_>) -> End {
        let pid = Pid::from_raw(child.id().cast_signed());
        let Some(fd) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return End::Late };
        let mut left = self.timeout;
        while wanted() {
            let look = left.min(LOOK);
            let limit = Timespec::try_from(look).ok();
            if poll(&mut [PollFd::new(&fd.as_fd(), PollFlags::IN)], limit.as_ref()).is_ok_and(|ready| ready > 0) {
                return End::Own;
            }
            left -= look;
            if left.is_zero() {
                return End::Late;
            }
        }
        End::Unwanted
    }

    fn failed(&self, why: &str) -> HostError {
        let line: Vec<_> = std::iter::once(&self.name).chain(&self.arguments).take(6).collect();
        let line: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
        HostError::new(HostError::ENGINE, format!("{}: {why}", line.join(" ")))
    }
}

fn text(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Program;
    use std::time::Duration;

    #[test]
    fn programs_say_how_they_ended() {
        assert_eq!(Program::new("cat").input("hello").run().unwrap(), "hello");
        let failed = Program::new("ls").arg("/nowhere").run().unwrap_err();
        assert!(failed.message.starts_with("ls /nowhere: exit status: 2: ls: cannot access"), "{failed}");
        assert!(!Program::new("false").succeeds().unwrap());
        assert!(Program::new("no-such-program").run().is_err());
        let late = Program::new("tail").args(["-f", "/dev/null"]).timeout(Duration::from_millis(1)).run();
        assert!(late.unwrap_err().message.ends_with("it took longer than 0 s"));
        let unwanted = Program::new("tail").args(["-f", "/dev/null"]).run_while(&|| false);
        assert!(unwanted.unwrap_err().message.ends_with("it was not wanted any more"));
        // What it has started holds its output, and ends with it.
        let late = Program::new("sh").args(["-c", "tail -f /dev/null & wait"]).timeout(Duration::from_millis(50)).run();
        assert!(late.unwrap_err().message.ends_with("it took longer than 0 s"));
    }
}
