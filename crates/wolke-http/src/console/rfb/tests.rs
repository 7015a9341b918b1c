//! The protocol without sockets: handshakes of all versions, pictures in all formats, and bytes of every sort.

use super::*;
use crate::console::pixel::Colour;
use proptest::prelude::*;
use wolke_domain::console::{Dialogue, Machine, PROMPT_AFTER_MS, Power, Source, screen};
use wolke_wire::Timestamp;

const CHALLENGE: [u8; 16] = [7; 16];
const PASSWORD: &str = "s3cret12";
const RGB332: [u8; 16] = [8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 5, 2, 0, 0, 0, 0];
const RGB565_BIG: [u8; 16] = [16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];

fn machine() -> Machine {
    Machine {
        name: "web-1".into(),
        power: Power::On { since: Timestamp(0), stopping: false },
        source: Source::Disk(None),
        server_type: "cpx22".into(),
        architecture: "x86".into(),
        cores: 2,
        memory_mb: 4096,
        disk_gb: 80,
        addresses: Vec::new(),
        volumes: Vec::new(),
    }
}

/// The screen of a machine with a prompt and what was typed there.
fn prompt(typed: &str) -> Screen {
    let mut dialogue = Dialogue::default();
    typed.chars().for_each(|key| dialogue.press(Key::Character(key), "web-1"));
    screen(&machine(), &dialogue, Timestamp(PROMPT_AFTER_MS))
}

/// A connection with what came of it.
struct Client {
    rfb: Rfb,
    out: Vec<u8>,
    keys: Vec<Key>,
}

impl Client {
    fn new() -> Self {
        let mut out = Vec::new();
        let rfb = Rfb::new(&Greeting { password: PASSWORD, challenge: CHALLENGE, name: "web-1" }, &mut out);
        Self { rfb, out, keys: Vec::new() }
    }

    fn says(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.rfb.feed(bytes, &mut self.out, &mut self.keys)
    }

    /// What was answered since the last time.
    fn hears(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// A connection whose client has shown its password.
    fn running() -> Self {
        let mut client = Self::new();
        client.says(b"RFB 003.008\n").unwrap();
        client.says(&[VNC_AUTHENTICATION]).unwrap();
        client.says(&response(PASSWORD, &CHALLENGE)).unwrap();
        client.says(&[1]).unwrap();
        assert!(client.rfb.is_running());
        client.hears();
        client
    }

    fn asks(&mut self, incremental: bool) {
        let [w1, w0] = WIDTH.to_be_bytes();
        let [h1, h0] = HEIGHT.to_be_bytes();
        self.says(&[3, u8::from(incremental), 0, 0, 0, 0, w1, w0, h1, h0]).unwrap();
    }

    fn sets_format(&mut self, format: [u8; 16]) -> Result<(), Ended> {
        self.says(&[&[0, 0, 0, 0], format.as_slice()].concat())
    }

    fn paints(&mut self, screen: &Screen) -> Vec<u8> {
        self.rfb.paint(screen, &mut self.out);
        self.hears()
    }
}

/// What a client draws: the reverse of `paint`.
struct Canvas {
    format: PixelFormat,
    pixels: Vec<Vec<u8>>,
}

impl Canvas {
    fn new(format: PixelFormat) -> Self {
        Self { format, pixels: vec![Vec::new(); usize::from(WIDTH) * usize::from(HEIGHT)] }
    }

    /// Draws a whole message; returns how many rectangles it had.
    fn draw(&mut self, message: &[u8]) -> usize {
        let [0, 0, count1, count0, rest @ ..] = message else { panic!("no update: {message:?}") };
        let count = usize::from(u16::from_be_bytes([*count1, *count0]));
        let mut rest = rest;
        for _ in 0..count {
            let (head, after) = rest.split_at(12);
            let number = |at: usize| usize::from(u16::from_be_bytes([head[at], head[at + 1]]));
            let area = (number(0), number(2), number(4), number(6));
            rest = match head[11] {
                0 => self.draw_raw(after, area),
                2 => self.draw_rre(after, area),
                other => panic!("encoding {other}"),
            };
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
        count
    }

    fn fill(&mut self, (x, y, width, height): (usize, usize, usize, usize), pixel: &[u8]) {
        for line in y..y + height {
            for place in &mut self.pixels[line * usize::from(WIDTH) + x..][..width] {
                *place = pixel.to_vec();
            }
        }
    }

    fn draw_raw<'a>(&mut self, bytes: &'a [u8], (x, y, width, height): (usize, usize, usize, usize)) -> &'a [u8] {
        let (pixels, rest) = bytes.split_at(width * height * self.format.length());
        for (n, pixel) in pixels.chunks(self.format.length()).enumerate() {
            self.fill((x + n % width, y + n / width, 1, 1), pixel);
        }
        rest
    }

    fn draw_rre<'a>(&mut self, bytes: &'a [u8], area: (usize, usize, usize, usize)) -> &'a [u8] {
        let length = self.format.length();
        let (count, bytes) = bytes.split_at(4);
        let (paper, mut bytes) = bytes.split_at(length);
        self.fill(area, paper);
        for _ in 0..u32::from_be_bytes(count.try_into().unwrap()) {
            let (bar, rest) = bytes.split_at(length + 8);
            let number = |at: usize| usize::from(u16::from_be_bytes([bar[length + at], bar[length + at + 1]]));
            let inside = number(0) + number(4) <= area.2 && number(2) + number(6) <= area.3;
            assert!(inside, "a bar sticks out");
            self.fill((area.0 + number(0), area.1 + number(2), number(4), number(6)), &bar[..length]);
            bytes = rest;
        }
        bytes
    }

    fn count(&self, colour: Colour) -> usize {
        let pixel = self.format.pixel(colour);
        self.pixels.iter().filter(|shown| *shown == pixel.bytes()).count()
    }
}

#[test]
fn a_handshake_of_3_8() {
    let mut client = Client::new();
    assert_eq!(client.hears(), b"RFB 003.008\n");
    client.says(b"RFB 003.008\n").unwrap();
    assert_eq!(client.hears(), [1, 2]);
    client.says(&[2]).unwrap();
    assert_eq!(client.hears(), CHALLENGE);
    client.says(&response(PASSWORD, &CHALLENGE)).unwrap();
    assert_eq!(client.hears(), [0; 4]);
    client.says(&[0]).unwrap();
    let init = client.hears();
    assert_eq!(init[..4], [0x02, 0x80, 0x01, 0x90]);
    assert_eq!(init[4..20], PixelFormat::NATIVE.to_bytes());
    assert_eq!(&init[20..], b"\0\0\0\x05web-1");
}

#[test]
fn older_versions_and_those_that_never_were() {
    let mut seven = Client::new();
    seven.says(b"RFB 003.007\n").unwrap();
    seven.hears();
    seven.says(&[2]).unwrap();
    seven.hears();
    assert_eq!(seven.says(&[0; 16]), Err(WRONG_PASSWORD));
    assert_eq!(seven.hears(), [0, 0, 0, 1], "3.7 has no reasons");
    for version in [b"RFB 003.003\n", b"RFB 003.005\n", b"RFB 003.889\n", b"RFB 004.001\n"] {
        let mut client = Client::new();
        client.hears();
        client.says(version).unwrap();
        assert_eq!(client.hears(), [&[0, 0, 0, 2], CHALLENGE.as_slice()].concat());
        client.says(&response(PASSWORD, &CHALLENGE)).unwrap();
        assert_eq!(client.hears(), [0; 4]);
    }
    for version in [b"RFB 003.00x\n", b"GET / HTTP/1", b"RFB 003.008\0"] {
        assert!(Client::new().says(version).is_err());
    }
}

#[test]
fn a_wrong_password_is_refused_with_a_reason() {
    let mut client = Client::new();
    client.says(b"RFB 003.008\n").unwrap();
    client.says(&[2]).unwrap();
    client.hears();
    let wrong = response("s3cret13", &CHALLENGE);
    assert_eq!(client.says(&wrong), Err(WRONG_PASSWORD));
    assert_eq!(client.hears(), b"\0\0\0\x01\0\0\0\x0ewrong password");
    assert!(!client.rfb.is_running());
}

#[test]
fn another_security_type_is_refused() {
    let mut client = Client::new();
    client.says(b"RFB 003.008\n").unwrap();
    client.hears();
    assert!(client.says(&[1]).is_err());
    assert!(client.hears().starts_with(&[0, 0, 0, 1, 0, 0, 0]));
}

#[test]
fn every_format_and_encoding_shows_the_same_picture() {
    let shown = prompt("root");
    let mut lit = Vec::new();
    for format in [PixelFormat::NATIVE.to_bytes(), RGB565_BIG, RGB332] {
        for encodings in [[2, 0, 0, 1, 0, 0, 0, 0].as_slice(), &[2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2]] {
            let mut client = Client::running();
            client.sets_format(format).unwrap();
            client.says(encodings).unwrap();
            client.asks(false);
            let format = PixelFormat::parse(&format).unwrap();
            let mut canvas = Canvas::new(format);
            let picture = client.paints(&shown);
            assert_eq!(canvas.draw(&picture), ROWS);
            let paper = canvas.pixels[0].clone();
            lit.push(canvas.pixels.iter().map(|pixel| *pixel != paper).collect::<Vec<bool>>());
            assert!(canvas.count([0xff; 3]) > 100, "a bright prompt");
            let is_raw = encodings.len() < 12;
            assert!(is_raw == (picture.len() > canvas.pixels.len() * format.length()), "{}", picture.len());
        }
    }
    assert!(lit[0].iter().filter(|lit| **lit).count() > 1000);
    assert!(lit.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn an_update_holds_what_changed_and_comes_when_asked_for() {
    let mut client = Client::running();
    let mut canvas = Canvas::new(PixelFormat::NATIVE);
    assert!(client.paints(&prompt("")).is_empty(), "nobody has asked");
    client.asks(false);
    canvas.draw(&client.paints(&prompt("")));
    assert!(client.paints(&prompt("r")).is_empty(), "one picture for each request");
    client.asks(true);
    let update = client.paints(&prompt("r"));
    assert_eq!(canvas.draw(&update), 1);
    assert!(update.len() <= 16 + 2 * 8 * 16 * 4, "a letter and the cursor");
    client.asks(true);
    assert!(client.paints(&prompt("r")).is_empty(), "nothing has changed: the request stays open");
    canvas.draw(&client.paints(&prompt("ro")));
    let mut whole = Canvas::new(PixelFormat::NATIVE);
    client.asks(false);
    whole.draw(&client.paints(&prompt("ro")));
    assert!(whole.pixels == canvas.pixels, "changes add up to the whole");
    client.asks(true);
    assert_eq!(canvas.draw(&client.paints(&Screen::dark())), ROWS);
    assert_eq!(canvas.count([0; 3]), canvas.pixels.len(), "dark is black");
}

#[test]
fn a_part_that_is_asked_for_again_comes_again() {
    let mut client = Client::running();
    client.asks(false);
    client.paints(&prompt(""));
    // From y 15, two pixels: the end of the first row and the beginning of the second.
    client.says(&[3, 0, 0, 0, 0, 15, 0, 8, 0, 2]).unwrap();
    let mut canvas = Canvas::new(PixelFormat::NATIVE);
    assert_eq!(canvas.draw(&client.paints(&prompt(""))), 2);
    // A part outside is empty, and answered all the same.
    client.says(&[3, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap();
    assert_eq!(client.paints(&prompt("")), [0, 0, 0, 0]);
}

#[test]
fn keys_come_through_and_the_rest_is_swallowed() {
    let mut client = Client::running();
    let cut_text = [&[6, 0, 0, 0, 0, 0, 0, 5][..], b"\x04\x04\x04\x04\x04"].concat();
    let messages = [
        &[4, 1, 0, 0, 0, 0, 0, 0x52][..],
        &[5, 1, 0, 9, 0, 9],
        &[4, 0, 0, 0, 0, 0, 0, 0x52],
        &cut_text,
        &[4, 1, 0, 0, 0, 0, 0xff, 0x0d],
    ]
    .concat();
    for byte in messages {
        client.says(&[byte]).unwrap();
    }
    assert_eq!(client.keys, [Key::Character('R'), Key::Enter]);
    assert!(client.hears().is_empty());
}

#[test]
fn what_is_too_long_or_unknown_ends_the_connection() {
    assert!(Client::running().says(&[6, 0, 0, 0, 0, 0x10, 0, 1]).is_err());
    assert!(Client::running().says(&[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(Client::running().says(&[2, 0, 1, 1]).is_err());
    assert!(Client::running().says(&[255]).is_err());
    let mut colour_map = PixelFormat::NATIVE.to_bytes();
    colour_map[3] = 0;
    assert!(Client::running().sets_format(colour_map).is_err());
}

proptest! {
    /// Bytes of any sort, in pieces of any size: no panic, and no memory that grows.
    #[test]
    fn no_bytes_do_harm(
        known in any::<bool>(),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let mut client = if known { Client::running() } else { Client::new() };
        for piece in pieces {
            if client.says(&piece).is_err() {
                break;
            }
            prop_assert!(client.rfb.input.len() <= 4 + 4 * usize::from(ENCODINGS_MAX));
            client.rfb.paint(&prompt("x"), &mut client.out);
            prop_assert!(client.hears().len() <= 2 << 20);
        }
    }

    /// Messages of a client, cut anywhere: the same keys and pictures as in one piece.
    #[test]
    fn pieces_make_no_difference(
        messages in prop::collection::vec(message(), 1..12),
        cuts in prop::collection::vec(1_usize..30, 1..40),
    ) {
        let bytes = messages.concat();
        let (mut whole, mut cut) = (Client::running(), Client::running());
        let ended = whole.says(&bytes);
        let mut rest = bytes.as_slice();
        let mut sizes = cuts.iter().cycle();
        let mut cut_ended = Ok(());
        while let (false, true, Some(size)) = (rest.is_empty(), cut_ended.is_ok(), sizes.next()) {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            cut_ended = cut.says(piece);
            rest = after;
        }
        prop_assert_eq!(ended, cut_ended);
        prop_assert_eq!(&whole.keys, &cut.keys);
        prop_assert!(whole.paints(&prompt("x")) == cut.paints(&prompt("x")));
    }
}

/// A message that a client may send, well formed but for what is in it.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |kind: u8, length: usize| {
        prop::collection::vec(any::<u8>(), length).prop_map(move |rest| [vec![kind], rest].concat())
    };
    let format = prop::sample::select(vec![PixelFormat::NATIVE.to_bytes(), RGB332, RGB565_BIG, [9; 16]]);
    let encodings = prop::collection::vec(prop::sample::select(vec![0_i32, 2, 5, 16, -239]), 0..8);
    let text = prop::collection::vec(any::<u8>(), 0..50);
    prop_oneof![
        format.prop_map(|format| [&[0; 4], format.as_slice()].concat()),
        encodings.prop_map(|list| {
            let count = [2, 0, 0, u8::try_from(list.len()).unwrap()];
            [count.to_vec(), list.iter().flat_map(|encoding| encoding.to_be_bytes()).collect()].concat()
        }),
        bytes(3, 9),
        (any::<bool>(), 0x20_u32..0x7f)
            .prop_map(|(down, key)| { [[4, u8::from(down), 0, 0].as_slice(), &key.to_be_bytes()].concat() }),
        bytes(5, 5),
        text.prop_map(|text| [&[6, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()], text.as_slice()].concat()),
    ]
}
