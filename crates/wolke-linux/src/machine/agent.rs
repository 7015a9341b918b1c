//! The guest agent (`qemu-guest-agent`) inside a machine: JSON in lines over a virtio port.
//!
//! **Invariants:** at the other end is the guest, which may be silent, late or malicious: every wait and every line has a
//! limit, and what is left over from an earlier conversation is thrown away before the first question.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wolke_domain::clock::Clock;
use wolke_host::HostError;

use super::lines::{Broken, Deadline, Lines};
use crate::engine::Result;

/// How long an agent may take to answer at all. A translated Debian on a busy machine needs seconds.
pub const ANSWER_TIME: Duration = Duration::from_secs(15);
/// How long it may take to do something: setting a password runs `chpasswd`, freezing writes out what is not yet on the disk.
const WORK_TIME: Duration = Duration::from_secs(30);
/// With this byte an agent begins the answer to `guest-sync-delimited`; it occurs in no UTF-8 text.
const DELIMITER: u8 = 0xFF;

/// A conversation with an agent that answers.
pub struct Agent {
    lines: Lines,
    clock: Arc<dyn Clock>,
}

impl Agent {
    /// Connects and agrees on where the conversation begins.
    ///
    /// # Errors
    /// [`HostError::GUEST_AGENT`] when none answers within [`ANSWER_TIME`].
    pub fn connect(socket: &Path, clock: &Arc<dyn Clock>) -> Result<Self> {
        let deadline = Deadline::after(clock, ANSWER_TIME);
        let connected = Lines::connect(socket, &deadline).map(|lines| Self { lines, clock: Arc::clone(clock) });
        let mut agent = connected.map_err(|why| unanswered(&why))?;
        agent.synchronise(&deadline).map_err(|why| unanswered(&why))?;
        Ok(agent)
    }

    fn synchronise(&mut self, deadline: &Deadline) -> std::result::Result<(), Broken> {
        // Any number that an earlier conversation is not likely to have used.
        let id = self.clock.wall().0 & i64::from(i32::MAX);
        let question = json!({ "execute": "guest-sync-delimited", "arguments": { "id": id } });
        // The delimiter makes the agent forget a question that somebody has left half asked.
        self.lines.send(&[DELIMITER], deadline)?;
        self.lines.send(format!("{question}\n").as_bytes(), deadline)?;
        loop {
            let line = self.lines.line(deadline)?;
            let Some(at) = line.iter().rposition(|byte| *byte == DELIMITER) else { continue };
            let answer: Value = serde_json::from_slice(&line[at + 1..]).unwrap_or_default();
            if answer.get("return").and_then(Value::as_i64) == Some(id) {
                return Ok(());
            }
        }
    }

    /// Has the agent do something and returns its answer. The arguments may be secret: no message repeats them.
    ///
    /// # Errors
    /// [`HostError::GUEST_AGENT`].
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let deadline = Deadline::after(&self.clock, WORK_TIME);
        self.tell(command, arguments, &deadline)?;
        let broken = |why: &dyn std::fmt::Display| error(&format!("{command}: {why}"));
        let line = self.lines.line(&deadline).map_err(|why| broken(&why))?;
        let mut answer: Value = serde_json::from_slice(&line).map_err(|why| broken(&why))?;
        if let Some(result) = answer.get_mut("return") {
            return Ok(result.take());
        }
        let why = answer.pointer("/error/desc").and_then(Value::as_str).unwrap_or("no reason given");
        Err(broken(&why))
    }

    fn tell(&mut self, command: &str, arguments: &Value, deadline: &Deadline) -> Result<()> {
        let line = format!("{}\n", json!({ "execute": command, "arguments": arguments }));
        self.lines.send(line.as_bytes(), deadline).map_err(|why| error(&format!("{command}: {why}")))
    }
}

/// Gives root a password, as a crypt(3) hash.
///
/// # Errors
/// [`HostError::GUEST_AGENT`].
pub fn set_password(socket: &Path, clock: &Arc<dyn Clock>, hash: &str) -> Result<()> {
    let arguments = json!({ "username": "root", "password": STANDARD.encode(hash), "crypted": true });
    Agent::connect(socket, clock)?.execute("guest-set-user-password", &arguments).map(drop)
}

/// Asks the guest to reboot. There is no answer to it: the agent goes down with the guest.
///
/// # Errors
/// [`HostError::GUEST_AGENT`].
pub fn reboot(socket: &Path, clock: &Arc<dyn Clock>) -> Result<()> {
    let mut agent = Agent::connect(socket, clock)?;
    let deadline = Deadline::after(clock, WORK_TIME);
    agent.tell("guest-shutdown", &json!({ "mode": "reboot" }), &deadline)
}

fn unanswered(why: &Broken) -> HostError {
    error(&format!("no guest agent answers: {why}"))
}

fn error(message: &str) -> HostError {
    HostError::new(HostError::GUEST_AGENT, message)
}
