//! List pages: (id, rev) of one page and the total, for any resource, filter, selector and order.
//!
//! Three things keep a page fast at 100,000 resources. Totals come from counters wherever one says them (no filter, or a
//! selector of one term). A page past the middle is read from the other end. A selector that few resources carry drives
//! the query from the label index; any other is tested along the index of the order.

use crate::label;
use crate::resource;
use crate::tx::Tx;
use crate::value::Value;
use std::fmt::Write as _;
use wolke_domain::{Error, Result};
use wolke_wire::selector::{Selector, Term};
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Kind};

/// Up to this many matches a query is driven by the label index and sorts what it finds.
const SELECTIVE_MAX: i64 = 2000;

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Which resources.
    pub kind: Kind,
    /// Whose.
    pub project: Id,
    /// Column filters: the column must have one of the values.
    pub filters: Vec<(&'static str, Vec<Value>)>,
    /// Only actions of this resource.
    pub of: Option<(Kind, Option<Id>)>,
    /// Label selector.
    pub selector: Selector,
    /// Order; ids break ties.
    pub sort: Vec<SortKey>,
    /// Entries before the page.
    pub offset: i64,
    /// Entries of the page.
    pub limit: i64,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// How many there are on all pages.
    pub total: i64,
    /// The page: ids with their revs, in order.
    pub entries: Vec<(Id, i64)>,
}

/// Reads a page.
///
/// # Errors
/// The engine's failure.
pub fn page(tx: &mut dyn Tx, query: &ListQuery) -> Result<ListPage> {
    let matches = selector_matches(tx, query)?;
    let total = match &matches {
        Some(total) if query.filters.is_empty() && query.of.is_none() => *total,
        _ => count(tx, query)?,
    };
    if query.offset >= total {
        return Ok(ListPage { total, entries: Vec::new() });
    }
    let limit = query.limit.min(total - query.offset);
    let from_end = query.offset > total / 2;
    let offset = if from_end { total - query.offset - limit } else { query.offset };
    let driver = driving_term(query, matches);
    let (sql, params) = compose(query, Want::Page { offset, limit, reversed: from_end }, driver);
    let rows = tx.query_composed(&sql, &params)?;
    let mut entries = rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect::<Result<Vec<_>>>()?;
    if from_end {
        entries.reverse();
    }
    Ok(ListPage { total, entries })
}

/// How many match the selector alone, where counters say it.
fn selector_matches(tx: &mut dyn Tx, query: &ListQuery) -> Result<Option<i64>> {
    let (kind, project) = (query.kind, query.project);
    if kind == Kind::Action {
        return Ok(None);
    }
    let all = resource::count(tx, kind, project)?;
    let [term] = query.selector.terms.as_slice() else {
        return Ok(query.selector.terms.is_empty().then_some(all));
    };
    let mut pairs = |key: &str, values: &[String]| -> Result<i64> {
        let mut distinct: Vec<&String> = values.iter().collect();
        distinct.sort();
        distinct.dedup();
        distinct.into_iter().map(|value| label::count_pair(tx, kind, project, key, value)).sum()
    };
    Ok(Some(match term {
        Term::Equals(key, value) => pairs(key, std::slice::from_ref(value))?,
        Term::In(key, values) => pairs(key, values)?,
        Term::NotEquals(key, value) => all - pairs(key, std::slice::from_ref(value))?,
        Term::NotIn(key, values) => all - pairs(key, values)?,
        Term::Exists(key) => label::count_key(tx, kind, project, key)?,
        Term::NotExists(key) => all - label::count_key(tx, kind, project, key)?,
    }))
}

fn count(tx: &mut dyn Tx, query: &ListQuery) -> Result<i64> {
    let (sql, params) = compose(query, Want::Count, None);
    let rows = tx.query_composed(&sql, &params)?;
    rows.first().ok_or_else(|| Error::internal("a count answered nothing"))?.int(0)
}

/// The term whose label index should drive the query: the only term, positive, with few matches.
fn driving_term(query: &ListQuery, matches: Option<i64>) -> Option<&Term> {
    match query.selector.terms.as_slice() {
        [term @ (Term::Equals(..) | Term::In(..) | Term::Exists(_))] if matches? <= SELECTIVE_MAX => Some(term),
        _ => None,
    }
}

enum Want {
    Count,
    Page { offset: i64, limit: i64, reversed: bool },
}

/// A statement under construction; parameters are numbered in the order in which they appear.
#[derive(Default)]
struct Builder {
    sql: String,
    params: Vec<Value>,
}

impl Builder {
    fn text(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    fn param(&mut self, value: impl Into<Value>) -> &mut Self {
        self.params.push(value.into());
        let _ = write!(self.sql, "${}", self.params.len());
        self
    }

    fn params(&mut self, values: impl IntoIterator<Item = Value>) -> &mut Self {
        self.text("(");
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                self.text(", ");
            }
            self.param(value);
        }
        self.text(")")
    }
}

fn compose(query: &ListQuery, want: Want, driver: Option<&Term>) -> (String, Vec<Value>) {
    let mut b = Builder::default();
    b.text(match want {
        Want::Count => "SELECT count(*) FROM ",
        Want::Page { .. } => "SELECT t.id, t.rev FROM ",
    });
    if let Some(term) = driver {
        // CROSS JOIN keeps SQLite from turning the join around.
        b.text("(SELECT DISTINCT id FROM label WHERE kind = ").param(query.kind.singular());
        b.text(" AND project = ").param(query.project);
        label_condition(&mut b, "", term);
        b.text(") driver CROSS JOIN ");
    }
    b.text(query.kind.plural()).text(" t WHERE ");
    if driver.is_some() {
        b.text("t.id = driver.id AND ");
    }
    b.text("t.project = ").param(query.project);
    for (column, values) in &query.filters {
        b.text(" AND t.").text(column).text(" IN ").params(values.iter().cloned());
    }
    if let Some((kind, id)) = query.of {
        b.text(" AND EXISTS (SELECT 1 FROM action_resource r WHERE r.kind = ").param(kind.singular());
        if let Some(id) = id {
            b.text(" AND r.resource = ").param(id);
        }
        b.text(" AND r.action = t.id)");
    }
    if driver.is_none() {
        for term in &query.selector.terms {
            selector_condition(&mut b, query.kind, term);
        }
    }
    if let Want::Page { offset, limit, reversed } = want {
        order(&mut b, &query.sort, reversed);
        b.text(" LIMIT ").param(limit).text(" OFFSET ").param(offset);
    }
    (b.sql, b.params)
}

/// `AND [l.]key = … [AND [l.]value …]` for the positive half of a term.
fn label_condition(b: &mut Builder, alias: &str, term: &Term) {
    let (key, values): (&str, &[String]) = match term {
        Term::Equals(key, value) | Term::NotEquals(key, value) => (key, std::slice::from_ref(value)),
        Term::In(key, values) | Term::NotIn(key, values) => (key, values),
        Term::Exists(key) | Term::NotExists(key) => (key, &[]),
    };
    b.text(" AND ").text(alias).text("key = ").param(key);
    if !values.is_empty() {
        b.text(" AND ").text(alias).text("value IN ").params(values.iter().map(Value::from));
    }
}

fn selector_condition(b: &mut Builder, kind: Kind, term: &Term) {
    let negative = matches!(term, Term::NotEquals(..) | Term::NotIn(..) | Term::NotExists(_));
    b.text(if negative { " AND NOT EXISTS " } else { " AND EXISTS " });
    b.text("(SELECT 1 FROM label l WHERE l.kind = ").param(kind.singular()).text(" AND l.id = t.id");
    label_condition(b, "l.", term);
    b.text(")");
}

/// The order; ids, ascending unless they are asked for otherwise, make it total.
fn order(b: &mut Builder, sort: &[SortKey], reversed: bool) {
    b.text(" ORDER BY ");
    let mut has_id = false;
    for key in sort {
        // What follows a unique key can't matter, and an index serves the shorter order.
        if has_id {
            break;
        }
        has_id = key.field == "id";
        let descending = (key.direction == Direction::Descending) != reversed;
        let nulls = match (key.field, descending) {
            ("finished", true) => " DESC NULLS FIRST",
            ("finished", false) => " NULLS LAST",
            (_, true) => " DESC",
            (_, false) => "",
        };
        b.text("t.").text(key.field).text(nulls).text(", ");
    }
    if has_id {
        b.sql.truncate(b.sql.len() - 2);
    } else {
        // The last key's direction carries over to the ids, so that one index gives the order both ways.
        let descending = sort.last().is_some_and(|key| key.direction == Direction::Descending);
        b.text("t.id").text(if descending != reversed { " DESC" } else { "" });
    }
}

/// Every shape of statement that this file composes, for the tests that prepare and explain them.
#[must_use]
pub fn samples() -> Vec<(String, Vec<Value>)> {
    let pair = || ("env".to_owned(), "prod".to_owned());
    let values = || vec!["a".to_owned(), "b".to_owned()];
    let terms = [
        None,
        Some(Term::Equals(pair().0, pair().1)),
        Some(Term::NotEquals(pair().0, pair().1)),
        Some(Term::Exists(pair().0)),
        Some(Term::NotExists(pair().0)),
        Some(Term::In(pair().0, values())),
        Some(Term::NotIn(pair().0, values())),
    ];
    let mut all = Vec::new();
    for (kind, fields) in [
        (Kind::Server, &["id", "name", "created"][..]),
        (Kind::SshKey, &["id", "name"]),
        (Kind::PrimaryIp, &["id", "created"]),
    ] {
        for term in &terms {
            for field in fields {
                for direction in [Direction::Ascending, Direction::Descending] {
                    let query = ListQuery {
                        kind,
                        project: 1,
                        filters: Vec::new(),
                        of: None,
                        selector: Selector { terms: term.iter().cloned().collect() },
                        sort: vec![SortKey { field, direction }],
                        offset: 0,
                        limit: 25,
                    };
                    all.push(compose(&query, Want::Page { offset: 0, limit: 25, reversed: false }, None));
                    if let Some(driver) = driving_term(&query, Some(1)) {
                        all.push(compose(
                            &query,
                            Want::Page { offset: 0, limit: 25, reversed: true },
                            Some(&driver.clone()),
                        ));
                    }
                    all.push(compose(&query, Want::Count, None));
                }
            }
        }
    }
    all.extend(action_samples());
    all
}

fn action_samples() -> Vec<(String, Vec<Value>)> {
    let mut all = Vec::new();
    for field in ["id", "command", "status", "progress", "started", "finished"] {
        for of in [None, Some((Kind::Server, None)), Some((Kind::Server, Some(1)))] {
            let query = ListQuery {
                kind: Kind::Action,
                project: 1,
                filters: vec![("status", vec!["running".into()]), ("id", vec![1.into(), 2.into()])],
                of,
                selector: Selector::default(),
                sort: vec![SortKey { field, direction: Direction::Descending }],
                offset: 0,
                limit: 25,
            };
            all.push(compose(&query, Want::Page { offset: 0, limit: 25, reversed: false }, None));
            all.push(compose(&query, Want::Count, None));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn parameters_appear_in_order() {
        for (sql, params) in samples() {
            let mut next = 1;
            for piece in sql.split('$').skip(1) {
                let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
                assert_eq!(digits, next.to_string(), "{sql}");
                next += 1;
            }
            assert_eq!(next - 1, params.len(), "{sql}");
        }
    }
}
