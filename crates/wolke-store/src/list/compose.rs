//! Pieces of composed statements. Parameters are numbered in the order in which they appear.

use crate::value::Value;
use std::fmt::Write as _;
use wolke_wire::sort::{Direction, SortKey};

/// A statement under construction.
#[derive(Default)]
pub(super) struct Builder {
    sql: String,
    params: Vec<Value>,
}

impl Builder {
    /// A statement that begins with a text.
    pub fn new(text: &str) -> Self {
        Self { sql: text.to_owned(), params: Vec::new() }
    }

    /// Appends a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    /// Appends a parameter.
    pub fn param(&mut self, value: impl Into<Value>) -> &mut Self {
        self.params.push(value.into());
        let _ = write!(self.sql, "${}", self.params.len());
        self
    }

    /// Appends a list of parameters in parentheses.
    pub fn params(&mut self, values: impl IntoIterator<Item = Value>) -> &mut Self {
        self.text("(");
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                self.text(", ");
            }
            self.param(value);
        }
        self.text(")")
    }

    /// Appends ` AND t.column IN (…)` per filter.
    pub fn filters(&mut self, filters: &[(&'static str, Vec<Value>)]) -> &mut Self {
        for (column, values) in filters {
            self.text(" AND t.").text(column).text(" IN ").params(values.iter().cloned());
        }
        self
    }

    /// Appends ` ORDER BY …`. Ids, ascending unless they are asked for otherwise, make the order total.
    pub fn order(&mut self, sort: &[SortKey], reversed: bool) -> &mut Self {
        self.text(" ORDER BY ");
        for key in sort {
            let descending = (key.direction == Direction::Descending) != reversed;
            self.text("t.").text(key.field).text(match (key.field, descending) {
                ("finished", true) => " DESC NULLS FIRST",
                ("finished", false) => " NULLS LAST",
                (_, true) => " DESC",
                (_, false) => "",
            });
            // What follows a unique key can't matter, and an index serves the shorter order.
            if key.field == "id" {
                return self;
            }
            self.text(", ");
        }
        // The last key's direction carries over to the ids, so that one index gives the order both ways.
        let descending = sort.last().is_some_and(|key| key.direction == Direction::Descending);
        self.text("t.id").text(if descending != reversed { " DESC" } else { "" })
    }

    /// Appends ` LIMIT … OFFSET …`.
    pub fn window(&mut self, window: &Window) -> &mut Self {
        self.text(" LIMIT ").param(window.limit).text(" OFFSET ").param(window.offset)
    }

    /// The statement and its parameters.
    pub fn finish(self) -> (String, Vec<Value>) {
        (self.sql, self.params)
    }
}

/// The direction of an order that ids alone decide; none when another column comes first.
pub(super) fn id_order(sort: &[SortKey]) -> Option<Direction> {
    match sort.first() {
        None => Some(Direction::Ascending),
        Some(key) => (key.field == "id").then_some(key.direction),
    }
}

/// A page as it is read: from whichever end is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Entries before it, in the direction of reading.
    pub offset: i64,
    /// Entries of it.
    pub limit: i64,
    /// Whether it is read from the end.
    pub reversed: bool,
}

impl Window {
    /// The page of a list of `total` entries; none when it is beyond the end.
    pub fn new(offset: i64, limit: i64, total: i64) -> Option<Self> {
        if offset >= total {
            return None;
        }
        let limit = limit.min(total - offset);
        let reversed = offset > total / 2;
        Some(Self { offset: if reversed { total - offset - limit } else { offset }, limit, reversed })
    }

    /// Matching entries that are read to fill it.
    pub const fn depth(&self) -> i64 {
        self.offset + self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_page_is_read_from_the_nearer_end() {
        assert_eq!(Window::new(0, 25, 0), None);
        assert_eq!(Window::new(100, 25, 100), None);
        assert_eq!(Window::new(25, 25, 100), Some(Window { offset: 25, limit: 25, reversed: false }));
        assert_eq!(Window::new(90, 25, 100), Some(Window { offset: 0, limit: 10, reversed: true }));
        assert_eq!(Window::new(60, 25, 100), Some(Window { offset: 15, limit: 25, reversed: true }));
    }
}
