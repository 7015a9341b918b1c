//! The text screen: cells of one character and one colour, filled from lines that wrap and scroll.

/// Characters in a row.
pub const COLUMNS: usize = 80;
/// Rows of the screen.
pub const ROWS: usize = 25;

/// The colour of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Ordinary text.
    Plain,
    /// What only matters when something is wrong.
    Dim,
    /// What went well.
    Good,
    /// What a person looks for.
    Strong,
}

/// A character with its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Printable ASCII.
    pub symbol: u8,
    /// Its colour.
    pub ink: Ink,
}

impl Cell {
    const BLANK: Self = Self { symbol: b' ', ink: Ink::Plain };
}

/// A whole screen.
#[derive(Clone, PartialEq, Eq)]
pub struct Screen {
    cells: Vec<[Cell; COLUMNS]>,
    cursor: Option<(usize, usize)>,
    lit: bool,
}

impl Screen {
    /// The screen of a machine that stands still.
    #[must_use]
    pub fn dark() -> Self {
        Self { cells: vec![[Cell::BLANK; COLUMNS]; ROWS], cursor: None, lit: false }
    }

    /// Whether the machine puts anything out.
    #[must_use]
    pub const fn is_lit(&self) -> bool {
        self.lit
    }

    /// A row from the top; blank below the last one.
    #[must_use]
    pub fn row(&self, row: usize) -> &[Cell; COLUMNS] {
        self.cells.get(row).unwrap_or(&[Cell::BLANK; COLUMNS])
    }

    /// Whether the cursor stands in a cell.
    #[must_use]
    pub fn has_cursor(&self, row: usize, column: usize) -> bool {
        self.cursor == Some((row, column))
    }

    /// The rows as text, without colours and trailing space; the cursor as `_`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for row in 0..ROWS {
            let cells = self.row(row).iter().enumerate();
            let symbols = cells.map(|(column, cell)| if self.has_cursor(row, column) { b'_' } else { cell.symbol });
            let line: String = symbols.map(char::from).collect();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// Lines of any number and length, of which the screen shows the last rows.
#[derive(Default)]
pub(super) struct Page {
    rows: Vec<Vec<Cell>>,
    cursor: bool,
}

impl Page {
    /// Begins a line.
    pub(super) fn line(&mut self, ink: Ink, text: &str) {
        self.rows.push(Vec::new());
        self.more(ink, text);
    }

    /// Goes on in the last line; wraps at the edge. What is no printable ASCII becomes a question mark.
    pub(super) fn more(&mut self, ink: Ink, text: &str) {
        for symbol in text.chars().map(printable) {
            match self.rows.last_mut() {
                Some(row) if row.len() < COLUMNS => row.push(Cell { symbol, ink }),
                _ => self.rows.push(vec![Cell { symbol, ink }]),
            }
        }
    }

    /// Puts the cursor behind the last character.
    pub(super) fn cursor(&mut self) {
        if self.rows.last().is_none_or(|row| row.len() == COLUMNS) {
            self.rows.push(Vec::new());
        }
        self.cursor = true;
    }

    /// What is on the screen in the end.
    pub(super) fn into_screen(self) -> Screen {
        let mut screen = Screen { lit: true, ..Screen::dark() };
        let hidden = self.rows.len().saturating_sub(ROWS);
        for (row, cells) in screen.cells.iter_mut().zip(&self.rows[hidden..]) {
            for (cell, shown) in row.iter_mut().zip(cells) {
                *cell = *shown;
            }
        }
        if let (true, Some(last)) = (self.cursor, self.rows.last()) {
            screen.cursor = Some((self.rows.len() - hidden - 1, last.len()));
        }
        screen
    }
}

fn printable(symbol: char) -> u8 {
    u8::try_from(symbol).ok().filter(|byte| (b' '..=b'~').contains(byte)).unwrap_or(b'?')
}
