//! Lists of labelled resources.
//!
//! A selector is a conjunction of sets, each "has the key, with one of the values", some of them negated; counters know the
//! size of each. The **total** of several terms is counted from the smallest set; where that is negated, what it takes away
//! is counted. A **page** is found along the order of the list, testing each resource (a walk), or from the label index, sorting
//! what is found (a drive). A walk is cheap where many match, unless they are all at the far end: so it goes only so far at first.

use super::compose::{Builder, Window, id_order};
use super::{ListPage, ListQuery, count, entries};
use crate::tx::Tx;
use crate::value::Value;
use crate::{label, resource};
use wolke_domain::Result;
use wolke_wire::Kind;
use wolke_wire::selector::Term;
use wolke_wire::sort::Direction;

/// Resources that a walk tests before it gives way to a drive: a few milliseconds.
const WALK_MAX: i64 = 8_000;
/// What it costs to fetch a resource by its id and sort it, in tests of a walk.
const FETCH_COST: i64 = 3;
/// A drive of up to this cost is done without asking what a walk would cost: it does not depend on where the matches are.
const DRIVE_AT_ONCE: i64 = 6_000;

/// The resources that have a key, with one of some values; or those that have not.
pub(super) struct Set<'a> {
    key: &'a str,
    /// Any, when there are none.
    values: Vec<&'a str>,
    negative: bool,
    /// How many have it.
    size: i64,
}

impl<'a> Set<'a> {
    pub(super) fn new(term: &'a Term) -> Self {
        let (key, values, negative): (&str, &[String], bool) = match term {
            Term::Equals(key, value) => (key, std::slice::from_ref(value), false),
            Term::NotEquals(key, value) => (key, std::slice::from_ref(value), true),
            Term::In(key, values) => (key, values, false),
            Term::NotIn(key, values) => (key, values, true),
            Term::Exists(key) => (key, &[], false),
            Term::NotExists(key) => (key, &[], true),
        };
        let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
        values.sort_unstable();
        values.dedup();
        Self { key, values, negative, size: 0 }
    }

    fn measured(mut self, tx: &mut dyn Tx, query: &ListQuery) -> Result<Self> {
        let (kind, project) = (query.kind, query.project);
        self.size = match self.values.as_slice() {
            [] => label::count_key(tx, kind, project, self.key)?,
            values => {
                values.iter().map(|value| label::count_pair(tx, kind, project, self.key, value)).sum::<Result<_>>()?
            }
        };
        Ok(self)
    }

    /// ` AND [l.]key = … [AND [l.]value …]`
    fn condition(&self, b: &mut Builder, alias: &str) {
        b.text(" AND ").text(alias).text("key = ").param(self.key);
        match self.values.as_slice() {
            [] => {}
            // An equation, not a list of one: then the index gives the order of ids.
            [value] => {
                b.text(" AND ").text(alias).text("value = ").param(*value);
            }
            values => {
                b.text(" AND ").text(alias).text("value IN ").params(values.iter().map(|value| Value::from(*value)));
            }
        }
    }

    /// ` AND [NOT ]EXISTS …` for the resource whose id is `id`.
    fn test(&self, b: &mut Builder, kind: Kind, id: &str) {
        b.text(if self.negative { " AND NOT EXISTS " } else { " AND EXISTS " });
        b.text("(SELECT 1 FROM label l WHERE l.kind = ").param(kind.singular()).text(" AND l.id = ").text(id);
        self.condition(b, "l.");
        b.text(")");
    }
}

/// Reads a page.
///
/// # Errors
/// The engine's failure.
pub(super) fn page(tx: &mut dyn Tx, query: &ListQuery) -> Result<ListPage> {
    let sets: Vec<Set<'_>> = query.selector.terms.iter().map(Set::new).collect();
    let sets: Vec<Set<'_>> = sets.into_iter().map(|set| set.measured(tx, query)).collect::<Result<_>>()?;
    let borrowed: Vec<&Set<'_>> = sets.iter().collect();
    let all = resource::count(tx, query.kind, query.project)?;
    let total = if query.filters.is_empty() {
        matches(tx, query, all, &borrowed)?
    } else {
        count(tx, walk(query, &sets, None, None))?
    };
    let Some(window) = Window::new(query.offset, query.limit, total) else {
        return Ok(ListPage { total, entries: Vec::new() });
    };
    let entries = find(tx, query, &sets, &Sizes { all, total }, &window)?;
    Ok(ListPage { total, entries })
}

/// How many match all sets.
fn matches(tx: &mut dyn Tx, query: &ListQuery, all: i64, sets: &[&Set<'_>]) -> Result<i64> {
    let (smallest, rest) = match sets {
        [] => return Ok(all),
        [set] => return Ok(if set.negative { all - set.size } else { set.size }),
        _ => split_smallest(sets),
    };
    let inside = if smallest.size == 0 { 0 } else { count(tx, drive(query, smallest, &rest, None))? };
    if smallest.negative { Ok(matches(tx, query, all, &rest)? - inside) } else { Ok(inside) }
}

/// The smallest of several sets and the others.
fn split_smallest<'a, 'b>(sets: &[&'a Set<'b>]) -> (&'a Set<'b>, Vec<&'a Set<'b>>) {
    let mut rest = sets.to_vec();
    let smallest = rest.iter().enumerate().min_by_key(|(_, set)| set.size).map_or(0, |(index, _)| index);
    (rest.swap_remove(smallest), rest)
}

/// What the counters say.
struct Sizes {
    /// Resources of the project.
    all: i64,
    /// Those that match.
    total: i64,
}

/// The entries of a page, found in the cheapest way.
fn find(
    tx: &mut dyn Tx,
    query: &ListQuery,
    sets: &[Set<'_>],
    sizes: &Sizes,
    window: &Window,
) -> Result<Vec<(i64, i64)>> {
    let whole_walk = walk(query, sets, Some(window), None);
    if sets.is_empty() || !query.filters.is_empty() {
        return entries(tx, whole_walk, window);
    }
    let driver = sets.iter().filter(|set| !set.negative).min_by_key(|set| set.size);
    let cost = driver.map_or(i64::MAX, |set| drive_cost(query, set, sizes, window));
    let expected = window.depth().saturating_mul(sizes.all) / sizes.total.max(1);
    let driven = |set: &Set<'_>| {
        let rest: Vec<&Set<'_>> = sets.iter().filter(|other| !std::ptr::eq(*other, set)).collect();
        drive(query, set, &rest, Some(window))
    };
    if let Some(set) = driver.filter(|_| cost <= DRIVE_AT_ONCE || cost <= expected) {
        return entries(tx, driven(set), window);
    }
    if expected <= WALK_MAX / 2
        && sizes.all > WALK_MAX
        && let Some(end) = end_of_walk(tx, query, window)?
    {
        let found = entries(tx, walk(query, sets, Some(window), Some(end)), window)?;
        if found.len() as i64 == window.limit {
            return Ok(found);
        }
    }
    match driver {
        Some(set) if cost <= sizes.all => entries(tx, driven(set), window),
        _ => entries(tx, whole_walk, window),
    }
}

/// What a drive costs, in tests of a walk.
fn drive_cost(query: &ListQuery, set: &Set<'_>, sizes: &Sizes, window: &Window) -> i64 {
    match (id_order(&query.sort), set.values.len()) {
        // The index gives the order: it ends with the page.
        (Some(_), 1) => window.depth().saturating_mul(set.size) / sizes.total.max(1),
        (Some(_), _) => set.size,
        (None, _) => set.size.saturating_mul(FETCH_COST),
    }
}

/// Where a walk ends that goes only so far: the value of the first sort key there.
fn end_of_walk(tx: &mut dyn Tx, query: &ListQuery, window: &Window) -> Result<Option<Value>> {
    let (sql, params) = end_of_walk_statement(query, window).finish();
    Ok(tx.query_composed(&sql, &params)?.into_iter().next().and_then(|row| row.0.into_iter().next()))
}

pub(super) fn end_of_walk_statement(query: &ListQuery, window: &Window) -> Builder {
    let mut b = Builder::new("SELECT t.");
    b.text(first_column(query)).text(" FROM ").text(query.kind.plural());
    b.text(" t WHERE t.project = ").param(query.project).order(&query.sort, window.reversed);
    b.window(&Window { offset: WALK_MAX, limit: 1, reversed: window.reversed });
    b
}

fn first_column(query: &ListQuery) -> &'static str {
    query.sort.first().map_or("id", |key| key.field)
}

/// Along the order of the list, to its end or to a value of the first sort key; without a window, a count.
pub(super) fn walk(query: &ListQuery, sets: &[Set<'_>], window: Option<&Window>, end: Option<Value>) -> Builder {
    let mut b = Builder::new(if window.is_some() { "SELECT t.id, t.rev FROM " } else { "SELECT count(*) FROM " });
    b.text(query.kind.plural()).text(" t WHERE t.project = ").param(query.project);
    b.filters(&query.filters);
    if let (Some(end), Some(window)) = (end, window) {
        let descending = query.sort.first().is_some_and(|key| key.direction == Direction::Descending);
        b.text(" AND t.").text(first_column(query)).text(if descending == window.reversed { " <= " } else { " >= " });
        b.param(end);
    }
    for set in sets {
        set.test(&mut b, query.kind, "t.id");
    }
    if let Some(window) = window {
        b.order(&query.sort, window.reversed).window(window);
    }
    b
}

/// From the label index: what is in a set that is not negated, tested for the rest; without a window, a count.
pub(super) fn drive(query: &ListQuery, set: &Set<'_>, rest: &[&Set<'_>], window: Option<&Window>) -> Builder {
    let labelled = |b: &mut Builder, tables: &str| {
        b.text(tables).text(" WHERE d.kind = ").param(query.kind.singular());
        b.text(" AND d.project = ").param(query.project);
        set.condition(b, "d.");
        for other in rest {
            other.test(b, query.kind, "d.id");
        }
    };
    let mut b = Builder::default();
    let Some(window) = window else {
        labelled(&mut b, "SELECT count(*) FROM label d");
        return b;
    };
    // CROSS JOIN keeps SQLite from turning the join around.
    let join = format!(" CROSS JOIN {} t", query.kind.plural());
    if let Some(direction) = id_order(&query.sort) {
        // Nothing is looked up for the entries that are skipped.
        labelled(&mut b, "SELECT t.id, t.rev FROM (SELECT d.id FROM label d");
        b.text(" ORDER BY d.id").text(if (direction == Direction::Descending) == window.reversed {
            ""
        } else {
            " DESC"
        });
        b.window(window).text(") driver").text(&join).text(" WHERE t.id = driver.id");
        b.order(&query.sort, window.reversed);
    } else {
        labelled(&mut b, &format!("SELECT t.id, t.rev FROM label d{join}"));
        b.text(" AND t.id = d.id").order(&query.sort, window.reversed).window(window);
    }
    b
}
