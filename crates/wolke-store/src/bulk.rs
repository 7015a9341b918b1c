//! Statements that insert many rows at once.
//!
//! A text per number of rows would fill the caches of prepared statements, so there are a few sizes, and any number of rows is
//! made of them: what is not divided by the largest takes less than eight statements of each smaller one.

use crate::stmt::Stmt;
use crate::tx::Tx;
use crate::value::Value;
use std::fmt::Write as _;
use wolke_domain::Result;

/// Rows of one statement, largest first; the last is 1.
const SIZES: [usize; 4] = [512, 64, 8, 1];

/// One insertion in all sizes.
pub(crate) struct Bulk {
    /// Parameters of a row.
    columns: usize,
    statements: [Stmt; SIZES.len()],
}

impl Bulk {
    /// `head` ends with `VALUES `; `row` has a `?` for each of its parameters; `tail` follows the rows. For statics: the texts
    /// live as long as the program.
    pub fn new(name: &str, head: &str, row: &str, tail: &str) -> Self {
        let statements = SIZES.map(|size| Stmt {
            name: String::leak(format!("{name}_{size}")),
            sql: String::leak(text(head, row, tail, size)),
        });
        Self { columns: row.matches('?').count(), statements }
    }

    /// All its statements, for the list of them all.
    pub const fn statements(&self) -> &[Stmt] {
        &self.statements
    }

    /// Inserts rows whose parameters stand one after the other; returns how many rows there are more.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn insert(&self, tx: &mut dyn Tx, mut rows: &[Value]) -> Result<u64> {
        let mut inserted = 0;
        for (size, statement) in SIZES.iter().zip(&self.statements) {
            let width = size * self.columns;
            while rows.len() >= width {
                let (some, rest) = rows.split_at(width);
                inserted += tx.execute(statement, some)?;
                rows = rest;
            }
        }
        Ok(inserted)
    }
}

fn text(head: &str, row: &str, tail: &str, size: usize) -> String {
    let (mut text, mut number) = (head.to_owned(), 0);
    for position in 0..size {
        if position > 0 {
            text.push_str(", ");
        }
        for (before, piece) in row.split('?').enumerate() {
            if before > 0 {
                number += 1;
                let _ = write!(text, "${number}");
            }
            text.push_str(piece);
        }
    }
    text.push_str(tail);
    text
}

#[cfg(test)]
mod tests {
    use super::{Bulk, text};

    #[test]
    fn parameters_are_numbered_through() {
        assert_eq!(text("VALUES ", "('x', ?, ?)", " END", 2), "VALUES ('x', $1, $2), ('x', $3, $4) END");
        let one = Bulk::new("a", "VALUES ", "(?, 1)", "").statements()[3];
        assert_eq!((one.name, one.sql), ("a_1", "VALUES ($1, 1)"));
    }
}
