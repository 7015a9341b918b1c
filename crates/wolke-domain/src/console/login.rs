//! The login dialogue: a name, a password that does not show, a refusal, and again.

use super::screen::{Ink, Page};
use std::collections::VecDeque;

/// The most characters of a name or password; more are swallowed.
const INPUT_MAX: usize = 64;
/// How many finished lines are remembered: more than a screen shows.
const PAST_MAX: usize = super::ROWS;

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character, shift and all; what is no printable ASCII is swallowed.
    Character(char),
    /// Takes the last character back.
    Backspace,
    /// Takes the whole line back.
    Clear,
    /// Ends the line.
    Enter,
}

/// What was typed since the boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialogue {
    past: VecDeque<String>,
    /// The name that was given, while the password is asked for.
    name: Option<String>,
    input: String,
}

impl Dialogue {
    /// A key was pressed on the machine that is called `host`.
    pub fn press(&mut self, key: Key, host: &str) {
        match key {
            Key::Character(character) => {
                let fits = character == ' ' || character.is_ascii_graphic();
                if fits && self.input.len() < INPUT_MAX {
                    self.input.push(character);
                }
            }
            Key::Backspace => drop(self.input.pop()),
            Key::Clear => self.input.clear(),
            Key::Enter => self.enter(host),
        }
    }

    fn enter(&mut self, host: &str) {
        let input = std::mem::take(&mut self.input);
        if self.name.take().is_some() {
            self.remember("Password:".into());
            self.remember(String::new());
            self.remember("Login incorrect".into());
            return;
        }
        self.remember(format!("{}{input}", prompt(host)));
        if !input.trim().is_empty() {
            self.name = Some(input);
        }
    }

    fn remember(&mut self, line: String) {
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(line);
    }

    /// Puts the dialogue on the page. A machine that goes down asks nothing any more.
    pub(super) fn show(&self, page: &mut Page, host: &str, asks: bool) {
        for line in &self.past {
            page.line(Ink::Plain, line);
        }
        if !asks {
            return;
        }
        if self.name.is_some() {
            page.line(Ink::Plain, "Password: ");
        } else {
            page.line(Ink::Strong, &prompt(host));
            page.more(Ink::Plain, &self.input);
        }
        page.cursor();
    }
}

fn prompt(host: &str) -> String {
    format!("{host} login: ")
}
