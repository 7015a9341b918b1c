//! A machine's screen and keyboard behind one connection: still without sockets and clocks.

use super::rfb::{Ended, Greeting, Rfb};
use wolke_domain::console::{Dialogue, Machine, Screen, screen};
use wolke_wire::Timestamp;

/// One connection to a machine.
pub struct Terminal {
    rfb: Rfb,
    machine: Machine,
    dialogue: Dialogue,
    screen: Screen,
    /// World time of the last look at the machine.
    seen: Timestamp,
}

impl Terminal {
    /// A connection that begins; `out` gets the first bytes.
    pub fn new(greeting: &Greeting<'_>, (machine, seen): (Machine, Timestamp), out: &mut Vec<u8>) -> Self {
        let dialogue = Dialogue::default();
        let screen = screen(&machine, &dialogue, seen);
        Self { rfb: Rfb::new(greeting, out), machine, dialogue, screen, seen }
    }

    /// Whether the client has shown that it knows the password.
    pub fn is_running(&self) -> bool {
        self.rfb.is_running()
    }

    /// Takes bytes of the client.
    ///
    /// # Errors
    /// When the connection is over; `out` holds what has still to be said.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Ended> {
        let mut keys = Vec::new();
        self.rfb.feed(bytes, out, &mut keys)?;
        if !keys.is_empty() && self.machine.prompts(self.seen) {
            for key in keys {
                self.dialogue.press(key, &self.machine.name);
            }
            self.draw();
        }
        self.rfb.paint(&self.screen, out);
        Ok(())
    }

    /// Shows what has become of the machine. What was typed belongs to a boot and goes with it.
    pub fn observe(&mut self, machine: Machine, now: Timestamp, out: &mut Vec<u8>) {
        if machine.power.boot() != self.machine.power.boot() {
            self.dialogue = Dialogue::default();
        }
        (self.machine, self.seen) = (machine, now);
        self.draw();
        self.rfb.paint(&self.screen, out);
    }

    fn draw(&mut self) {
        self.screen = screen(&self.machine, &self.dialogue, self.seen);
    }
}
