//! Rows of tables with a column for each dialect.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use wolke_wire::Dialect;

/// The cells of a row, one for each of [`Dialect::ALL`].
pub type Cells = Vec<String>;

/// It is there.
pub const THERE: &str = "✓";
/// It is not there, and what it would be part of is.
pub const ABSENT: &str = "–";
/// What it would be part of is not there either.
pub const NOWHERE: &str = "";

/// A cell for each dialect.
pub fn cells(of: impl Fn(Dialect) -> &'static str) -> Cells {
    Dialect::ALL.iter().map(|dialect| of(*dialect).to_owned()).collect()
}

/// Whether the dialects in which it could be there differ.
pub fn differ(cells: &Cells) -> bool {
    let mut said = cells.iter().filter(|cell| *cell != NOWHERE);
    let first = said.next();
    said.any(|cell| Some(cell) != first)
}

/// The head of a table: one column for names, one for what they have, then the dialects.
pub fn head(first: &[&str]) -> String {
    let mut text = String::from("|");
    for name in first {
        let _ = write!(text, " {name} |");
    }
    for dialect in Dialect::ALL {
        let _ = write!(text, " {dialect} |");
    }
    text.push_str("\n|");
    text.push_str(&" --- |".repeat(first.len()));
    text.push_str(&" :-: |".repeat(Dialect::ALL.len()));
    text.push('\n');
    text
}

/// A row.
pub fn row(first: &[&str], cells: &Cells) -> String {
    let mut text = String::from("|");
    for cell in first.iter().copied().chain(cells.iter().map(String::as_str)) {
        let _ = write!(text, " {cell} |");
    }
    text = text.replace("|  |", "| |").replace("|  |", "| |");
    text.push('\n');
    text
}

/// Rows of the same place and the same cells, joined into one.
#[derive(Default)]
pub struct Groups(BTreeMap<(String, Cells), Vec<String>>);

impl Groups {
    /// Adds a name, where the dialects differ in it.
    pub fn add(&mut self, place: &str, cells: Cells, name: String) {
        if differ(&cells) {
            self.0.entry((place.to_owned(), cells)).or_default().push(name);
        }
    }

    /// The table.
    pub fn table(&self, first: &[&str]) -> String {
        let mut text = head(first);
        for ((place, cells), names) in &self.0 {
            text.push_str(&row(&[&format!("`{place}`"), &quoted(names)], cells));
        }
        text
    }

    /// The groups, for those who join further.
    pub fn into_rows(self) -> impl Iterator<Item = ((String, Cells), Vec<String>)> {
        self.0.into_iter()
    }
}

/// Names in a cell.
pub fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
