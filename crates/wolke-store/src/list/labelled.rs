//! Lists of labelled resources.
//!
//! A selector is a conjunction of sets, each "has the key, with one of the values", some of them negated; counters know the
//! size of each. The **total** of several terms is counted from the smallest set; where that is negated, what it takes away
//! is counted. A **page** is found along the order of the list, testing each resource (a walk), or from the label index, sorting
//! what is found (a drive). A walk is cheap where many match, unless they are all at the far end: so it goes only so far at
//! first. What negated sets leave over has no index; it is found by merging what there is with what is taken away.

use super::compose::{Builder, Window, id_order};
use super::sets::{Set, sets};
use super::{ListPage, ListQuery, count, entries};
use crate::resource;
use crate::tx::Tx;
use crate::value::Value;
use wolke_domain::Result;
use wolke_wire::selector::Selector;
use wolke_wire::sort::Direction;
use wolke_wire::{Id, Kind};

/// What it costs to fetch a resource by its id and sort it, in tests of a walk.
const FETCH_COST: i64 = 3;

/// How much longer than expected a first walk may be.
const SPREAD: i64 = 16;

/// Where one way of finding a page gives way to another. A page is the same whatever they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Resources that a walk tests before it gives way to a drive: a few milliseconds.
    pub walk: i64,
    /// A drive of up to this cost, in tests of a walk, is done without asking what a walk would cost: it does not depend on
    /// where the matches are.
    pub drive: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { walk: 8_000, drive: 6_000 }
    }
}

/// Reads a page.
///
/// # Errors
/// The engine's failure.
pub(super) fn page(tx: &mut dyn Tx, query: &ListQuery, limits: &Limits) -> Result<ListPage> {
    let Some(mut sets) = sets(&query.selector.terms) else {
        return Ok(ListPage { total: 0, entries: Vec::new() });
    };
    sets.iter_mut().try_for_each(|set| set.measure(tx, query))?;
    // The smallest first: the cheapest to count from, and the first to be tested.
    sets.sort_by_key(|set| set.size);
    let all = resource::count(tx, query.kind, query.project)?;
    let total = if query.filters.is_empty() {
        matches(tx, query, all, &sets.iter().collect::<Vec<_>>())?
    } else {
        count(tx, walk(query, &sets, None, None))?
    };
    let Some(window) = Window::new(query.offset, query.limit, total) else {
        return Ok(ListPage { total, entries: Vec::new() });
    };
    let entries = find(tx, query, &sets, &Sizes { all, total, limits: *limits }, &window)?;
    Ok(ListPage { total, entries })
}

/// How many match all sets, which are in the order of their sizes.
fn matches(tx: &mut dyn Tx, query: &ListQuery, all: i64, sets: &[&Set<'_>]) -> Result<i64> {
    match sets {
        [] => return Ok(all),
        [set] => return Ok(if set.negative { all - set.size } else { set.size }),
        _ => {}
    }
    let taken_away: i64 = sets.iter().filter(|set| set.negative).map(|set| set.size).sum();
    let positive = sets.iter().position(|set| !set.negative);
    // What the negated sets take away is counted one by one, as long as that is less than counting what stays.
    let peeled = sets.iter().position(|set| set.negative);
    let peeled = peeled.filter(|_| taken_away <= positive.map_or(all, |index| sets[index].size));
    let Some(index) = peeled.or(positive) else {
        let owned: Vec<Set<'_>> = sets.iter().map(|set| (*set).clone()).collect();
        return count(tx, walk(query, &owned, None, None));
    };
    let (driver, mut rest) = (sets[index], sets.to_vec());
    rest.remove(index);
    let inside = if driver.size == 0 { 0 } else { count(tx, drive(query, driver, &rest, None))? };
    if driver.negative { Ok(matches(tx, query, all, &rest)? - inside) } else { Ok(inside) }
}

/// The statement that notes the servers of a project that a selector matches; none when its terms contradict each other.
pub(super) fn select_into(
    tx: &mut dyn Tx,
    selection: Id,
    project: Id,
    selector: &Selector,
    limit: i64,
) -> Result<Option<Builder>> {
    let query = of_servers(project, limit);
    let Some(mut sets) = sets(&selector.terms) else { return Ok(None) };
    sets.iter_mut().try_for_each(|set| set.measure(tx, &query))?;
    sets.sort_by_key(|set| (set.negative, set.size));
    Ok(Some(selecting(&query, selection, &sets)))
}

pub(super) fn of_servers(project: Id, limit: i64) -> ListQuery {
    let (selector, filters, sort) = (Selector::default(), Vec::new(), Vec::new());
    ListQuery { kind: Kind::Server, project, filters, of: None, selector, sort, offset: 0, limit }
}

/// From the label index of the first set, or over all servers where that is negated: every one is written to, so it is no
/// more work to test every one.
pub(super) fn selecting(query: &ListQuery, selection: Id, sets: &[Set<'_>]) -> Builder {
    let mut b = Builder::new("INSERT INTO selected (selection, server) SELECT CAST(");
    b.param(selection).text(" AS BIGINT), ");
    let (id, rest) = match sets.split_first() {
        Some((first, rest)) if !first.negative => {
            b.text("d.id FROM label d WHERE d.kind = ").param(query.kind.singular());
            b.text(" AND d.project = ").param(query.project);
            first.condition(&mut b, "d.");
            ("d.id", rest)
        }
        _ => {
            b.text("t.id FROM ").text(query.kind.plural()).text(" t WHERE t.project = ").param(query.project);
            ("t.id", sets)
        }
    };
    rest.iter().for_each(|set| set.test(&mut b, query, id));
    b.text(" LIMIT ").param(query.limit).text(" RETURNING server");
    b
}

/// What the ways of finding a page are chosen by.
struct Sizes {
    /// Resources of the project.
    all: i64,
    /// Those that match.
    total: i64,
    /// Where to change the way.
    limits: Limits,
}

/// The entries of a page, found in the cheapest way.
fn find(
    tx: &mut dyn Tx,
    query: &ListQuery,
    sets: &[Set<'_>],
    sizes: &Sizes,
    window: &Window,
) -> Result<Vec<(i64, i64)>> {
    if sets.is_empty() || !query.filters.is_empty() {
        return entries(tx, walk(query, sets, Some(window), None), window);
    }
    let driver = sets.iter().find(|set| !set.negative);
    let cost = driver.map_or(i64::MAX, |set| drive_cost(query, set, sizes, window));
    let expected = window.depth().saturating_mul(sizes.all) / sizes.total.max(1);
    let driven = |set: &Set<'_>| {
        let rest: Vec<&Set<'_>> = sets.iter().filter(|other| !std::ptr::eq(*other, set)).collect();
        drive(query, set, &rest, Some(window))
    };
    if let Some(set) = driver.filter(|_| cost <= sizes.limits.drive || cost <= expected) {
        return entries(tx, driven(set), window);
    }
    // Nearly always the matches are spread, and the shorter walk finds the page.
    let short = expected.saturating_mul(SPREAD);
    for reach in [short, sizes.limits.walk] {
        if expected <= reach / 2
            && reach <= sizes.limits.walk
            && sizes.all > reach
            && let Some(end) = end_of_walk(tx, query, window, reach)?
        {
            let found = entries(tx, walk(query, sets, Some(window), Some(end)), window)?;
            if found.len() as i64 == window.limit {
                return Ok(found);
            }
        }
    }
    let subtracted = sets.iter().rev().find(|set| set.negative && set.is_ordered());
    let few = id_order(&query.sort).is_some() || sizes.total.saturating_mul(FETCH_COST) <= sizes.all;
    let statement = match (driver, subtracted) {
        (Some(set), _) if cost <= sizes.all => driven(set),
        (None, Some(set)) if few => subtract(query, set, sets, sizes.all, window),
        _ => walk(query, sets, Some(window), None),
    };
    entries(tx, statement, window)
}

/// What a drive costs, in tests of a walk.
fn drive_cost(query: &ListQuery, set: &Set<'_>, sizes: &Sizes, window: &Window) -> i64 {
    match id_order(&query.sort) {
        // The index gives the order: it ends with the page.
        Some(_) if set.is_ordered() => window.depth().saturating_mul(set.size) / sizes.total.max(1),
        Some(_) => set.size,
        None => set.size.saturating_mul(FETCH_COST),
    }
}

/// Where a walk ends that goes only so far: the value of the first sort key there.
fn end_of_walk(tx: &mut dyn Tx, query: &ListQuery, window: &Window, reach: i64) -> Result<Option<Value>> {
    let (sql, params) = end_of_walk_statement(query, window, reach).finish();
    Ok(tx.query_composed(&sql, &params)?.into_iter().next().and_then(|row| row.0.into_iter().next()))
}

pub(super) fn end_of_walk_statement(query: &ListQuery, window: &Window, reach: i64) -> Builder {
    let mut b = Builder::new("SELECT t.");
    b.text(first_column(query)).text(" FROM ").text(query.kind.plural());
    b.text(" t WHERE t.project = ").param(query.project).order(&query.sort, window.reversed);
    b.window(&Window { offset: reach, limit: 1, reversed: window.reversed });
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
        set.test(&mut b, query, "t.id");
    }
    if let Some(window) = window {
        b.order(&query.sort, window.reversed).window(window);
    }
    b
}

/// From all resources without those of a set, both in the order of ids: merging the two takes a third of the time of a test
/// per resource, and does not depend on how many stay. `all` is how many there can be.
pub(super) fn subtract(query: &ListQuery, set: &Set<'_>, sets: &[Set<'_>], all: i64, window: &Window) -> Builder {
    let table = query.kind.plural();
    let mut b = Builder::new("SELECT t.id, t.rev FROM (SELECT s.id FROM ");
    b.text(table).text(" s WHERE s.project = ").param(query.project);
    b.text(" EXCEPT SELECT d.id FROM label d WHERE d.kind = ").param(query.kind.singular());
    b.text(" AND d.project = ").param(query.project);
    set.condition(&mut b, "d.");
    let direction = id_order(&query.sort).filter(|_| sets.len() == 1);
    let is_descending = direction.is_some_and(|direction| (direction == Direction::Descending) != window.reversed);
    // SQLite merges only what must be in order, and keeps an order only for a limit.
    b.text(if is_descending { " ORDER BY id DESC" } else { " ORDER BY id" });
    b.window(&if direction.is_some() { *window } else { Window { offset: 0, limit: all, reversed: false } });
    b.text(") driver CROSS JOIN ").text(table).text(" t WHERE t.id = driver.id");
    for other in sets.iter().filter(|other| !std::ptr::eq(*other, set)) {
        other.test(&mut b, query, "driver.id");
    }
    b.order(&query.sort, window.reversed);
    if direction.is_none() {
        b.window(window);
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
            other.test(b, query, "d.id");
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
        // Without an index that gives the order, SQLite must not look for one: it would walk all labels of the kind.
        b.text(if set.is_ordered() { " ORDER BY d.id" } else { " ORDER BY +d.id" })
            .text(if (direction == Direction::Descending) == window.reversed { "" } else { " DESC" });
        b.window(window).text(") driver").text(&join).text(" WHERE t.id = driver.id");
        b.order(&query.sort, window.reversed);
    } else {
        labelled(&mut b, &format!("SELECT t.id, t.rev FROM label d{join}"));
        b.text(" AND t.id = d.id").order(&query.sort, window.reversed).window(window);
    }
    b
}
