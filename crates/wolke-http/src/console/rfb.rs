//! The server's side of RFB 3.8 (RFC 6143), and of 3.3 and 3.7: bytes in, bytes and keys out.
//!
//! No socket, no clock: whoever drives it passes on what came and what is answered. One picture is owed for each request
//! at most, so what a client does not read it does not get.
//!
//! **Invariants:** no input panics; what is kept of the input is shorter than the longest message ([`ENCODINGS_MAX`]).

use super::auth::{CHALLENGE_LENGTH, is_same, response};
use super::keys::Keyboard;
use super::paint::{self, HEIGHT, RRE, Stale, WIDTH};
use super::pixel::{FORMAT_LENGTH, PixelFormat};
use wolke_domain::console::{Key, ROWS, Screen};

/// The most encodings that a client may offer. Usual ones offer two dozen.
const ENCODINGS_MAX: u16 = 256;
/// The longest clipboard that a client may send, in bytes. Nobody reads it.
const CUT_TEXT_MAX: u32 = 1 << 20;
/// The version that is offered.
const VERSION: &[u8; 12] = b"RFB 003.008\n";
/// VNC authentication (RFC 6143 §7.2.2): the one security type.
const VNC_AUTHENTICATION: u8 = 2;

/// Why a connection is over: a text for the closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended(pub &'static str);

/// The password was wrong.
pub const WRONG_PASSWORD: Ended = Ended("wrong password");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Minor {
    Three,
    Seven,
    Eight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Version,
    Security,
    Response,
    Init,
    Running,
}

/// What a server has to know before a client comes.
pub struct Greeting<'a> {
    /// The password.
    pub password: &'a str,
    /// What the client encrypts with it.
    pub challenge: [u8; CHALLENGE_LENGTH],
    /// The desktop's name.
    pub name: &'a str,
}

/// One connection.
pub struct Rfb {
    stage: Stage,
    minor: Minor,
    challenge: [u8; CHALLENGE_LENGTH],
    expected: [u8; CHALLENGE_LENGTH],
    name: String,
    /// The beginning of a message whose end has not come.
    input: Vec<u8>,
    /// Bytes of a clipboard that are still to come.
    skip: u32,
    keyboard: Keyboard,
    format: PixelFormat,
    reads_rre: bool,
    /// What the client shows, as far as it is not stale.
    shown: Screen,
    stale: Stale,
    /// Whether a picture is owed, and whether even one without changes.
    owed: Option<bool>,
}

impl Rfb {
    /// A connection that begins; `out` gets the version.
    pub fn new(greeting: &Greeting<'_>, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(VERSION);
        Self {
            stage: Stage::Version,
            minor: Minor::Eight,
            challenge: greeting.challenge,
            expected: response(greeting.password, &greeting.challenge),
            name: greeting.name.to_owned(),
            input: Vec::new(),
            skip: 0,
            keyboard: Keyboard::default(),
            format: PixelFormat::NATIVE,
            reads_rre: false,
            shown: Screen::dark(),
            stale: [true; ROWS],
            owed: None,
        }
    }

    /// Whether the client has shown that it knows the password.
    pub fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    /// Takes bytes as they come; answers and keys are appended, even when the connection is over after them.
    ///
    /// # Errors
    /// When the connection is over.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>, keys: &mut Vec<Key>) -> Result<(), Ended> {
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut rest = input.as_slice();
        while let Some(after) = self.message(rest, out, keys)? {
            rest = after;
        }
        self.input = rest.to_vec();
        Ok(())
    }

    /// Takes one message off the front; none when it is not complete.
    fn message<'a>(
        &mut self,
        input: &'a [u8],
        out: &mut Vec<u8>,
        keys: &mut Vec<Key>,
    ) -> Result<Option<&'a [u8]>, Ended> {
        match self.stage {
            Stage::Version => front(input, |version| self.version(version, out)),
            Stage::Security => front(input, |[kind]: &[u8; 1]| self.security(*kind, out)),
            Stage::Response => front(input, |response| self.authenticate(response, out)),
            // Whether others may look on makes no difference: each connection is a terminal of its own.
            Stage::Init => front(input, |_: &[u8; 1]| {
                self.initialise(out);
                Ok(())
            }),
            Stage::Running => self.running(input, keys),
        }
    }

    /// Versions that were never published count as 3.3 (RFC 6143 §7.1.1).
    fn version(&mut self, version: &[u8; 12], out: &mut Vec<u8>) -> Result<(), Ended> {
        let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        let [b'R', b'F', b'B', b' ', a, b, c, b'.', d, e, f, b'\n'] = version else {
            return Err(Ended("this is no RFB client"));
        };
        if !is_number(&[*a, *b, *c, *d, *e, *f]) {
            return Err(Ended("this is no RFB client"));
        }
        self.minor = match version {
            b"RFB 003.008\n" => Minor::Eight,
            b"RFB 003.007\n" => Minor::Seven,
            _ => Minor::Three,
        };
        if self.minor == Minor::Three {
            out.extend_from_slice(&u32::from(VNC_AUTHENTICATION).to_be_bytes());
            self.challenge(out);
        } else {
            out.extend_from_slice(&[1, VNC_AUTHENTICATION]);
            self.stage = Stage::Security;
        }
        Ok(())
    }

    fn security(&mut self, kind: u8, out: &mut Vec<u8>) -> Result<(), Ended> {
        if kind == VNC_AUTHENTICATION {
            self.challenge(out);
            return Ok(());
        }
        let ended = Ended("this server asks for VNC authentication");
        self.refuse(ended, out);
        Err(ended)
    }

    fn challenge(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.challenge);
        self.stage = Stage::Response;
    }

    fn authenticate(&mut self, response: &[u8; CHALLENGE_LENGTH], out: &mut Vec<u8>) -> Result<(), Ended> {
        if !is_same(&self.expected, response) {
            self.refuse(WRONG_PASSWORD, out);
            return Err(WRONG_PASSWORD);
        }
        out.extend_from_slice(&0_u32.to_be_bytes());
        self.stage = Stage::Init;
        Ok(())
    }

    /// A failed security handshake; the reason came with 3.8 (RFC 6143 §7.1.3).
    fn refuse(&self, ended: Ended, out: &mut Vec<u8>) {
        out.extend_from_slice(&1_u32.to_be_bytes());
        if self.minor == Minor::Eight {
            append_text(out, ended.0);
        }
    }

    fn initialise(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&WIDTH.to_be_bytes());
        out.extend_from_slice(&HEIGHT.to_be_bytes());
        out.extend_from_slice(&self.format.to_bytes());
        append_text(out, &self.name);
        self.stage = Stage::Running;
    }

    /// The messages of a client (RFC 6143 §7.5).
    fn running<'a>(&mut self, input: &'a [u8], keys: &mut Vec<Key>) -> Result<Option<&'a [u8]>, Ended> {
        if self.skip > 0 {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(input.len());
            self.skip -= u32::try_from(skipped).unwrap_or(self.skip);
            return Ok((skipped > 0).then(|| &input[skipped..]));
        }
        match input.first() {
            None => Ok(None),
            Some(0) => front(input, |message| self.set_format(message)),
            Some(2) => self.set_encodings(input),
            Some(3) => front(input, |message| {
                self.update_request(message);
                Ok(())
            }),
            Some(4) => front(input, |[_, down, _, _, a, b, c, d]: &[u8; 8]| {
                keys.extend(self.keyboard.press(u32::from_be_bytes([*a, *b, *c, *d]), *down != 0));
                Ok(())
            }),
            // A text screen has no pointer.
            Some(5) => front(input, |_: &[u8; 6]| Ok(())),
            Some(6) => front(input, |[_, _, _, _, a, b, c, d]: &[u8; 8]| {
                self.skip = u32::from_be_bytes([*a, *b, *c, *d]);
                if self.skip > CUT_TEXT_MAX { Err(Ended("the clipboard is too long")) } else { Ok(()) }
            }),
            Some(_) => Err(Ended("unknown message")),
        }
    }

    fn set_format(&mut self, message: &[u8; 4 + FORMAT_LENGTH]) -> Result<(), Ended> {
        let format = message.last_chunk::<FORMAT_LENGTH>().and_then(PixelFormat::parse);
        self.format = format.ok_or(Ended("only true colour of 8, 16 or 32 bits is supported"))?;
        // What the client shows has been decoded in another format.
        self.stale = [true; ROWS];
        Ok(())
    }

    fn set_encodings<'a>(&mut self, input: &'a [u8]) -> Result<Option<&'a [u8]>, Ended> {
        let Some((&[_, _, a, b], rest)) = input.split_first_chunk() else { return Ok(None) };
        let count = u16::from_be_bytes([a, b]);
        if count > ENCODINGS_MAX {
            return Err(Ended("too many encodings"));
        }
        let Some((encodings, rest)) = rest.split_at_checked(usize::from(count) * 4) else { return Ok(None) };
        self.reads_rre = encodings.as_chunks().0.iter().any(|encoding| i32::from_be_bytes(*encoding) == RRE);
        Ok(Some(rest))
    }

    fn update_request(&mut self, message: &[u8; 10]) {
        let [_, incremental, _, _, y1, y0, _, _, h1, h0] = *message;
        let is_whole = incremental == 0;
        if is_whole {
            let (y, height) = (u16::from_be_bytes([y1, y0]), u16::from_be_bytes([h1, h0]));
            let row_height = HEIGHT / ROWS as u16;
            let rows = y / row_height..y.saturating_add(height).div_ceil(row_height);
            for (row, stale) in (0_u16..).zip(&mut self.stale) {
                *stale |= rows.contains(&row);
            }
        }
        self.owed = Some(self.owed.unwrap_or(false) || is_whole);
    }

    /// Appends the picture that is owed, when there is something to show.
    pub fn paint(&mut self, screen: &Screen, out: &mut Vec<u8>) {
        let Some(even_unchanged) = self.owed else { return };
        let header = out.len();
        out.extend_from_slice(&[0, 0, 0, 0]);
        let rectangles = paint::changes(out, (&self.shown, &self.stale), screen, (self.format, self.reads_rre));
        if rectangles == 0 && !even_unchanged {
            out.truncate(header);
            return;
        }
        out[header + 2..header + 4].copy_from_slice(&rectangles.to_be_bytes());
        self.owed = None;
        self.stale = [false; ROWS];
        self.shown.clone_from(screen);
    }
}

/// Takes an array off the front and hands it over; none when there are not enough bytes.
fn front<const N: usize>(
    input: &[u8],
    take: impl FnOnce(&[u8; N]) -> Result<(), Ended>,
) -> Result<Option<&[u8]>, Ended> {
    match input.split_first_chunk() {
        Some((message, rest)) => take(message).map(|()| Some(rest)),
        None => Ok(None),
    }
}

/// A text with its length before it.
fn append_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests;
