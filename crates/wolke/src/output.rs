//! What commands print: columns for people, JSON for programs.

use crate::cli::Format;
use crate::failure::{Failure, Result};
use serde_json::Value;
use std::io::Write as _;

/// A column: its heading and the member that it shows.
pub type Column = (&'static str, &'static str);

/// Prints a list of objects, or one object as a list of one.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(format: Format, value: &Value, columns: &[Column]) -> Result<()> {
    match format {
        Format::Json => line(&format!("{value:#}")),
        Format::Table => {
            let rows = match value {
                Value::Array(rows) => rows.as_slice(),
                one => std::slice::from_ref(one),
            };
            line(&table(rows, columns))
        }
    }
}

/// Writes lines to standard output.
///
/// # Errors
/// When it cannot be written; a reader that has gone away is no failure of ours.
pub fn line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    written(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Writes a text to standard output as it is, and ends the line if it does not.
///
/// # Errors
/// As [`line()`].
pub fn text(text: &str) -> Result<()> {
    line(text.strip_suffix('\n').unwrap_or(text))
}

/// Writes a text to standard output byte for byte: it may be a file that someone checks against another.
///
/// # Errors
/// As [`line()`].
pub fn exactly(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// A reader that has gone away is no failure of ours.
fn written(result: std::io::Result<()>) -> Result<()> {
    match result {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(format!("cannot print: {e}"))),
        _ => Ok(()),
    }
}

/// Writes a remark for people to standard error, where it does not get in the way of programs.
pub fn remark(text: &str) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(std::io::stderr(), "wolke: {text}");
}

/// Columns as wide as their widest cell, three spaces apart.
fn table(rows: &[Value], columns: &[Column]) -> String {
    let mut lines = vec![columns.iter().map(|(heading, _)| (*heading).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| columns.iter().map(|(_, member)| cell(&row[*member])).collect()));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let text = lines.iter().map(|line| {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("   ").trim_end().to_owned()
    });
    text.collect::<Vec<_>>().join("\n")
}

/// Text as it is, nothing as a dash, the rest as JSON writes it. Control characters would reach the terminal: they do not.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn columns_line_up() {
        let rows =
            [json!({"id": 1, "name": "default"}), json!({"id": 12, "name": ""}), json!({"id": 3, "name": "a\u{1b}b"})];
        let text = table(&rows, &[("ID", "id"), ("NAME", "name"), ("MORE", "more")]);
        assert_eq!(text, "ID   NAME      MORE\n1    default   -\n12   -         -\n3    a\u{fffd}b       -");
        assert_eq!(table(&[], &[("ID", "id")]), "ID");
    }
}
