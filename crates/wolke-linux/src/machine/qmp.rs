//! QEMU's monitor protocol: commands with ids, their answers, and the events in between, kept apart.
//!
//! **Invariants:** the only place that speaks to a monitor. An answer belongs to the command whose id it bears; what else
//! arrives is an event and waits, bounded by [`EVENTS_MAX`], for whoever asks for it.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wolke_domain::clock::Clock;
use wolke_host::HostError;

use super::lines::{Broken, Deadline, Lines};

/// How long a command may take, the connection included. They take milliseconds; QEMU starting many guests at once on a
/// busy machine, seconds.
pub const COMMAND_TIME: Duration = Duration::from_secs(20);
/// How many events wait; of more the oldest go. A monitor that is listened to has a handful.
const EVENTS_MAX: usize = 256;

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The conversation broke off.
    #[error("{0}")]
    Broken(#[from] Broken),
    /// QEMU refuses it, in its words.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// As an error of the host: what was attempted, and why it failed.
    #[must_use]
    pub fn of(&self, attempt: &str) -> HostError {
        super::failed(attempt, &self.to_string())
    }
}

/// Something that has happened in QEMU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name: `SHUTDOWN`, `RESET`, `BLOCK_JOB_COMPLETED`.
    pub name: String,
    /// What it tells besides.
    pub data: Value,
}

/// A connection to a monitor.
pub struct Qmp {
    lines: Lines,
    clock: Arc<dyn Clock>,
    last: u64,
    events: VecDeque<Event>,
}

impl Qmp {
    /// Connects and leaves the negotiation behind.
    ///
    /// # Errors
    /// [`Failure::Broken`].
    pub fn connect(path: &Path, clock: &Arc<dyn Clock>) -> Result<Self, Failure> {
        let deadline = Deadline::after(clock, COMMAND_TIME);
        let lines = Lines::connect(path, &deadline)?;
        Self::greet(lines, clock, &deadline)
    }

    fn greet(lines: Lines, clock: &Arc<dyn Clock>, deadline: &Deadline) -> Result<Self, Failure> {
        let mut qmp = Self { lines, clock: Arc::clone(clock), last: 0, events: VecDeque::new() };
        let greeting = qmp.message(deadline)?;
        if greeting.get("QMP").is_none() {
            return Err(Broken::Garbled(format!("no greeting: {greeting}")).into());
        }
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and returns its result.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value, Failure> {
        self.ask(command, arguments, None)
    }

    /// Runs a command and hands an open file over with it.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn hand(&mut self, command: &str, arguments: &Value, file: &File) -> Result<Value, Failure> {
        self.ask(command, arguments, Some(file))
    }

    fn ask(&mut self, command: &str, arguments: &Value, file: Option<&File>) -> Result<Value, Failure> {
        let deadline = Deadline::after(&self.clock, COMMAND_TIME);
        self.last += 1;
        let id = self.last;
        let line = format!("{}\n", json!({ "execute": command, "arguments": arguments, "id": id }));
        match file {
            Some(file) => self.lines.send_with(line.as_bytes(), file, &deadline)?,
            None => self.lines.send(line.as_bytes(), &deadline)?,
        }
        loop {
            let mut message = self.message(&deadline)?;
            if message.get("id").and_then(Value::as_u64) != Some(id) {
                // The answer to a command that was given up: nobody waits for it.
                continue;
            }
            if let Some(result) = message.get_mut("return") {
                return Ok(result.take());
            }
            let why = message.pointer("/error/desc").and_then(Value::as_str).unwrap_or("no reason given");
            return Err(Failure::Refused(why.to_owned()));
        }
    }

    /// Waits for an event that is accepted; `None` when none came within the limit. What is not accepted is dropped.
    ///
    /// # Errors
    /// [`Failure::Broken`].
    pub fn event<T>(
        &mut self,
        limit: Duration,
        mut accept: impl FnMut(&Event) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let deadline = Deadline::after(&self.clock, limit);
        loop {
            while let Some(event) = self.events.pop_front() {
                if let Some(found) = accept(&event) {
                    return Ok(Some(found));
                }
            }
            match self.next(&deadline) {
                Err(Failure::Broken(Broken::Late)) => return Ok(None),
                // An answer that comes now belongs to a command that was given up.
                other => drop(other?),
            }
        }
    }

    /// The next message that is not an event.
    fn message(&mut self, deadline: &Deadline) -> Result<Value, Failure> {
        loop {
            if let Some(message) = self.next(deadline)? {
                return Ok(message);
            }
        }
    }

    /// The next message; an event is put aside.
    fn next(&mut self, deadline: &Deadline) -> Result<Option<Value>, Failure> {
        let line = self.lines.line(deadline)?;
        let message: Value = serde_json::from_slice(&line).map_err(|error| Broken::Garbled(error.to_string()))?;
        let Some(name) = message.get("event").and_then(Value::as_str) else {
            return Ok(Some(message));
        };
        let data = message.get("data").cloned().unwrap_or_default();
        self.events.push_back(Event { name: name.to_owned(), data });
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
