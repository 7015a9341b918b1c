//! Signals between processes: NOTIFY after commit, coalesced, and a thread that listens.
//!
//! The channel is the schema's name. A payload is the sender's mark and letters for what happened; a process ignores its
//! own mark, because its own signals were delivered when it committed. Losing a notification costs time, never
//! correctness: the receivers look at the database now and then. After a gap the listener signals everything.

use super::Shared;
use super::connection::Connection;
use super::failure::Failure;
use super::presence;
use crate::tx::Signal;
use postgres::fallible_iterator::FallibleIterator as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

/// How often the listener looks whether it shall stop or its connection is gone.
const LISTEN_TICK: Duration = Duration::from_secs(1);
/// How long the listener waits before it connects again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// What travels between processes, with its letter. [`Signal::StrandClaimed`] concerns its own process only.
const TRAVELLERS: [(char, Signal); 5] = [
    ('s', Signal::StrandsDue),
    ('c', Signal::ClockChanged),
    ('t', Signal::TokensChanged),
    ('o', Signal::OperatorChanged),
    ('h', Signal::HostChanged),
];

/// The outgoing side, shared by all workers.
pub(crate) struct Signals {
    channel: String,
    /// The mark of this process.
    mark: String,
    /// One bit per traveller that waits to be sent.
    pending: AtomicU8,
    sending: Mutex<()>,
    stopping: AtomicBool,
    /// The listener was woken to see that it shall stop.
    said_goodbye: AtomicBool,
}

impl Signals {
    /// The signals of one schema; `mark` is unique to this process.
    pub(crate) fn new(schema: &str, mark: String) -> Self {
        let (pending, sending) = Default::default();
        let (stopping, said_goodbye) = Default::default();
        Self { channel: schema.to_owned(), mark, pending, sending, stopping, said_goodbye }
    }

    /// The listener shall end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Notifies the other processes. While one worker is sending, what the others have to say travels together in its
    /// next message.
    pub(crate) fn broadcast(&self, connection: &mut Connection, signals: &[Signal]) -> Result<(), Failure> {
        self.pending.fetch_or(bits(signals), Ordering::SeqCst);
        while self.pending.load(Ordering::SeqCst) != 0 {
            // Whoever holds it looks at `pending` again after letting go, so nothing is left behind.
            let Ok(_sending) = self.sending.try_lock() else { return Ok(()) };
            let bits = self.pending.swap(0, Ordering::SeqCst);
            if bits != 0 {
                self.notify(connection, &letters(bits))?;
            }
        }
        Ok(())
    }

    /// Wakes this process's own listener, so that it sees at once that it shall stop.
    pub(crate) fn say_goodbye(&self, connection: &mut Connection) {
        if !self.said_goodbye.swap(true, Ordering::SeqCst) {
            let _ = self.notify(connection, "");
        }
    }

    fn notify(&self, connection: &mut Connection, letters: &str) -> Result<(), Failure> {
        connection.run("notify", &format!("NOTIFY \"{}\", '{}:{letters}'", self.channel, self.mark))
    }

    /// What a payload of another process says.
    fn received(&self, payload: &str) -> Vec<Signal> {
        match payload.split_once(':') {
            Some((mark, letters)) if mark != self.mark => {
                TRAVELLERS.iter().filter(|(letter, _)| letters.contains(*letter)).map(|(_, s)| s.clone()).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn bits(signals: &[Signal]) -> u8 {
    let known = TRAVELLERS.iter().enumerate().filter(|(_, (_, signal))| signals.contains(signal));
    known.fold(0, |bits, (index, _)| bits | 1 << index)
}

fn letters(bits: u8) -> String {
    TRAVELLERS.iter().enumerate().filter(|(index, _)| bits & 1 << index != 0).map(|(_, (letter, _))| letter).collect()
}

/// Listens on a connection from now on, and is present on it; returns whether nobody else is.
pub(crate) fn subscribe(connection: &mut Connection, channel: &str) -> Result<bool, Failure> {
    connection.run("listen", &format!("LISTEN \"{channel}\""))?;
    presence::announce(connection, channel)
}

/// Delivers the signals of other processes until it shall stop. `first` listens already, so that nothing is missed between
/// opening the database and here.
pub(crate) fn deliver(shared: &Shared, first: Connection) {
    let stopping = || shared.signals.stopping.load(Ordering::SeqCst);
    let mut next = Ok(first);
    while !stopping() {
        if let Err(failure) = next.and_then(|connection| deliver_from(shared, connection)) {
            tracing::debug!(reason = %failure.text(), "not listening for notifications");
        }
        if stopping() {
            return;
        }
        std::thread::park_timeout(RECONNECT_PAUSE);
        next = Connection::open(&shared.target, &shared.schema)
            .and_then(|mut connection| subscribe(&mut connection, &shared.signals.channel).map(|_| connection));
        if next.is_ok() {
            // Nobody knows what was said meanwhile.
            (shared.on_commit)(&TRAVELLERS.map(|(_, signal)| signal));
        }
    }
}

/// Delivers until the connection is gone or the listener shall stop.
fn deliver_from(shared: &Shared, mut connection: Connection) -> Result<(), Failure> {
    while !shared.signals.stopping.load(Ordering::SeqCst) && !connection.is_closed() {
        let mut notifications = connection.client().notifications();
        let next = notifications.timeout_iter(LISTEN_TICK).next().map_err(|e| Failure::of("listen", &e))?;
        let signals = next.map(|notification| shared.signals.received(notification.payload())).unwrap_or_default();
        if !signals.is_empty() {
            (shared.on_commit)(&signals);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Signals, bits, letters};
    use crate::tx::Signal;

    #[test]
    fn travel_by_letter_and_ignore_their_sender() {
        let (here, there) = (Signals::new("w", "a".into()), Signals::new("w", "b".into()));
        let sent = [Signal::StrandClaimed(7, Vec::new()), Signal::TokensChanged, Signal::StrandsDue];
        let payload = format!("{}:{}", here.mark, letters(bits(&sent)));
        assert_eq!(there.received(&payload), [Signal::StrandsDue, Signal::TokensChanged]);
        assert_eq!(here.received(&payload), []);
        assert_eq!(there.received("noise"), []);
    }
}
