//! From a text screen to rectangles of pixels: one for each row of characters that changed, from its first to its last
//! changed character, in the shorter of the encodings that the client reads.

use super::pixel::{Colour, Pixel, PixelFormat};
use font8x8::legacy::BASIC_LEGACY;
use wolke_domain::console::{COLUMNS, Cell, Ink, ROWS, Screen};

/// Width of a character in pixels.
const CELL_WIDTH: usize = 8;
/// Height of a character in pixels: the font has half as many lines.
const CELL_HEIGHT: usize = 16;
/// Lines of pixels that one line of the font becomes.
const LINE_HEIGHT: usize = 2;
/// Width of the screen in pixels.
pub const WIDTH: u16 = (COLUMNS * CELL_WIDTH) as u16;
/// Height of the screen in pixels.
pub const HEIGHT: u16 = (ROWS * CELL_HEIGHT) as u16;

/// The Raw encoding (RFC 6143 §7.7.1): every client reads it.
const RAW: i32 = 0;
/// The RRE encoding (RFC 6143 §7.7.3): a background and rectangles on it.
pub const RRE: i32 = 2;

const DARK: Colour = [0x00, 0x00, 0x00];
const LIT: Colour = [0x0d, 0x14, 0x1c];
const PLAIN: Colour = [0xc9, 0xd3, 0xdc];
const DIM: Colour = [0x6f, 0x86, 0x99];
const GOOD: Colour = [0x5f, 0xd3, 0x8d];
const STRONG: Colour = [0xff, 0xff, 0xff];

const fn colour(ink: Ink) -> Colour {
    match ink {
        Ink::Plain => PLAIN,
        Ink::Dim => DIM,
        Ink::Good => GOOD,
        Ink::Strong => STRONG,
    }
}

/// The rows that a client has to see again whatever they show.
pub type Stale = [bool; ROWS];

/// Appends a rectangle for each row in which `new` differs from what the client shows; returns how many.
pub fn changes(
    out: &mut Vec<u8>,
    (old, stale): (&Screen, &Stale),
    new: &Screen,
    (format, reads_rre): (PixelFormat, bool),
) -> u16 {
    let mut rectangles = 0;
    for (row, stale) in stale.iter().enumerate() {
        let whole = *stale || old.is_lit() != new.is_lit();
        let span = if whole { Some((0, COLUMNS - 1)) } else { changed(old, new, row) };
        if let Some((first, last)) = span {
            Strip { screen: new, row, first, last }.append(out, format, reads_rre);
            rectangles += 1;
        }
    }
    rectangles
}

/// The first and the last column in which a row differs.
fn changed(old: &Screen, new: &Screen, row: usize) -> Option<(usize, usize)> {
    let differs = |column: &usize| {
        let at = *column;
        old.row(row)[at] != new.row(row)[at] || old.has_cursor(row, at) != new.has_cursor(row, at)
    };
    let first = (0..COLUMNS).find(differs)?;
    let last = (0..COLUMNS).rev().find(differs)?;
    Some((first, last))
}

/// Neighbouring characters of one row.
struct Strip<'a> {
    screen: &'a Screen,
    row: usize,
    first: usize,
    last: usize,
}

/// A rectangle of one colour inside a strip, in pixels.
struct Bar {
    x: usize,
    y: usize,
    width: usize,
    colour: Colour,
}

impl Strip<'_> {
    fn append(&self, out: &mut Vec<u8>, format: PixelFormat, reads_rre: bool) {
        let width = (self.last - self.first + 1) * CELL_WIDTH;
        let bars = self.bars();
        let raw_length = width * CELL_HEIGHT * format.length();
        // A count, the background, and a pixel with four numbers for each bar.
        let rre_length = 4 + format.length() + bars.len() * (format.length() + 8);
        let as_rre = reads_rre && rre_length < raw_length;
        for number in [self.first * CELL_WIDTH, self.row * CELL_HEIGHT, width, CELL_HEIGHT] {
            out.extend_from_slice(&short(number));
        }
        out.extend_from_slice(&(if as_rre { RRE } else { RAW }).to_be_bytes());
        let paper = format.pixel(if self.screen.is_lit() { LIT } else { DARK });
        if as_rre {
            append_rre(out, format, paper, &bars);
        } else {
            append_raw(out, format, paper, width, &bars);
        }
    }

    /// What stands out from the background.
    fn bars(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        let cells = &self.screen.row(self.row)[self.first..=self.last];
        for line in 0..CELL_HEIGHT / LINE_HEIGHT {
            for (column, cell) in cells.iter().enumerate() {
                let has_cursor = self.screen.has_cursor(self.row, self.first + column);
                let bits = if has_cursor && line + 1 == CELL_HEIGHT / LINE_HEIGHT { 0xff } else { glyph(cell, line) };
                append_bars(&mut bars, (column, line), bits, colour(cell.ink));
            }
        }
        bars
    }
}

/// A line of a character: bits from the left, lowest first.
fn glyph(cell: &Cell, line: usize) -> u8 {
    BASIC_LEGACY.get(usize::from(cell.symbol)).map_or(0, |glyph| glyph[line])
}

/// The runs of set bits in a line of a character; one that goes on where the last ended is the same bar.
fn append_bars(bars: &mut Vec<Bar>, (column, line): (usize, usize), bits: u8, colour: Colour) {
    for bit in (0..CELL_WIDTH).filter(|bit| bits >> bit & 1 == 1) {
        let (x, y) = (column * CELL_WIDTH + bit, line * LINE_HEIGHT);
        match bars.last_mut() {
            Some(last) if last.y == y && last.x + last.width == x && last.colour == colour => last.width += 1,
            _ => bars.push(Bar { x, y, width: 1, colour }),
        }
    }
}

fn append_rre(out: &mut Vec<u8>, format: PixelFormat, paper: Pixel, bars: &[Bar]) {
    out.extend_from_slice(&u32::try_from(bars.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(paper.bytes());
    for bar in bars {
        out.extend_from_slice(format.pixel(bar.colour).bytes());
        for number in [bar.x, bar.y, bar.width, LINE_HEIGHT] {
            out.extend_from_slice(&short(number));
        }
    }
}

fn append_raw(out: &mut Vec<u8>, format: PixelFormat, paper: Pixel, width: usize, bars: &[Bar]) {
    let start = out.len();
    for _ in 0..width * CELL_HEIGHT {
        out.extend_from_slice(paper.bytes());
    }
    for bar in bars {
        let pixel = format.pixel(bar.colour);
        for y in bar.y..bar.y + LINE_HEIGHT {
            let from = start + (y * width + bar.x) * format.length();
            let to = from + bar.width * format.length();
            for place in out[from..to].chunks_exact_mut(format.length()) {
                place.copy_from_slice(pixel.bytes());
            }
        }
    }
}

/// A number of the screen's size, which has less than sixteen bits.
fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes()
}
