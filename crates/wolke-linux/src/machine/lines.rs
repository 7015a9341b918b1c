//! A conversation in lines over a unix socket: the part that QEMU's monitor and the guest agent have in common.
//!
//! **Invariants:** no wait without a limit, and no line longer than [`LINE_MAX`]: what is at the other end of an agent's
//! socket is the guest, which may say whatever it likes.

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use socket2::{Domain, SockAddr, Socket, Type};
use wolke_domain::clock::Clock;

/// The longest line. QEMU's longest answers (block nodes with their images) are some ten kilobytes.
pub const LINE_MAX: usize = 1 << 20;
/// How much is read at once.
const CHUNK: usize = 4096;

/// Why a conversation cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The other end did not answer within the limit.
    #[error("no answer in time")]
    Late,
    /// The other end has hung up, or there is none.
    #[error("the connection is closed")]
    Closed,
    /// A line is longer than [`LINE_MAX`].
    #[error("a line is longer than {LINE_MAX} bytes")]
    TooLong,
    /// What came is not what the protocol says.
    #[error("not understood: {0}")]
    Garbled(String),
    /// Anything else.
    #[error("{0}")]
    Io(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Late,
            ErrorKind::ConnectionRefused
            | ErrorKind::NotFound
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// A point in time until which something is waited for.
#[derive(Clone)]
pub struct Deadline {
    clock: Arc<dyn Clock>,
    at_ms: i64,
}

impl Deadline {
    /// This far from now.
    #[must_use]
    pub fn after(clock: &Arc<dyn Clock>, limit: Duration) -> Self {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        Self { clock: Arc::clone(clock), at_ms: clock.monotonic_ms().saturating_add(limit) }
    }

    /// What is left of it; `None` when it has passed.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let left = u64::try_from(self.at_ms.saturating_sub(self.clock.monotonic_ms())).ok()?;
        (left > 0).then(|| Duration::from_millis(left))
    }
}

/// One conversation.
#[derive(Debug)]
pub struct Lines {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Lines {
    /// Connects to a socket. QEMU serves one caller at a time on each: who comes second waits, within the limit.
    ///
    /// # Errors
    /// [`Broken::Closed`] when nobody listens, [`Broken::Late`].
    pub fn connect(path: &Path, deadline: &Deadline) -> Result<Self, Broken> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // A connection to a full queue waits as long as a write would.
        socket.set_write_timeout(Some(deadline.left().ok_or(Broken::Late)?))?;
        socket.connect(&SockAddr::unix(path)?)?;
        let descriptor: std::os::fd::OwnedFd = socket.into();
        Ok(Self::new(UnixStream::from(descriptor)))
    }

    /// On a connected socket.
    #[must_use]
    pub const fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn send(&mut self, bytes: &[u8], deadline: &Deadline) -> Result<(), Broken> {
        self.stream.set_write_timeout(Some(deadline.left().ok_or(Broken::Late)?))?;
        self.stream.write_all(bytes).map_err(Broken::from)
    }

    /// Sends bytes and, with the first of them, an open file (unix(7), `SCM_RIGHTS`).
    ///
    /// # Errors
    /// [`Broken`].
    pub fn send_with(&mut self, bytes: &[u8], file: &File, deadline: &Deadline) -> Result<(), Broken> {
        self.stream.set_write_timeout(Some(deadline.left().ok_or(Broken::Late)?))?;
        let files = [file.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(Broken::Io(ErrorKind::InvalidInput.into()));
        }
        let sent = sendmsg(&self.stream, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::empty());
        let sent = sent.map_err(|error| Broken::from(std::io::Error::from(error)))?;
        self.send(bytes.get(sent..).unwrap_or_default(), deadline)
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// [`Broken`]. After [`Broken::Late`] what has come so far is kept.
    pub fn line(&mut self, deadline: &Deadline) -> Result<Vec<u8>, Broken> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=searched + end).collect();
                line.pop();
                return Ok(line);
            }
            searched = self.buffer.len();
            if searched > LINE_MAX {
                return Err(Broken::TooLong);
            }
            self.stream.set_read_timeout(Some(deadline.left().ok_or(Broken::Late)?))?;
            let mut chunk = [0; CHUNK];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
