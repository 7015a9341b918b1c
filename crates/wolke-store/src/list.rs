//! List pages: (id, rev) of one page and the total, for any resource, filter, selector and order.
//!
//! What keeps a page fast at 100,000 resources: totals come from counters, or from the smallest set that a counter names;
//! a page past the middle is read from the other end; and how the page is found is chosen by what it costs (`labelled`,
//! `actions`).

mod actions;
mod compose;
mod labelled;
mod samples;
mod sets;

use crate::tx::Tx;
use crate::value::Value;
use compose::{Builder, Window};
pub use labelled::Limits;
pub use samples::samples;
use wolke_domain::{Error, Result};
use wolke_wire::selector::Selector;
use wolke_wire::sort::SortKey;
use wolke_wire::{Id, Kind, Timestamp};

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
    page_within(tx, query, &Limits::default())
}

/// As [`page`], with other limits: tests of small lists go every way.
///
/// # Errors
/// The engine's failure.
pub fn page_within(tx: &mut dyn Tx, query: &ListQuery, limits: &Limits) -> Result<ListPage> {
    if query.kind == Kind::Action { actions::page(tx, query) } else { labelled::page(tx, query, limits) }
}

/// Notes at most `limit` servers of a project that a selector matches as those of a selection, in one statement; returns
/// them in the order of their ids.
///
/// # Errors
/// The engine's failure.
pub(crate) fn select_into(
    tx: &mut dyn Tx,
    selection: Id,
    project: Id,
    selector: &Selector,
    limit: i64,
) -> Result<Vec<Id>> {
    let Some(statement) = labelled::select_into(tx, selection, project, selector, limit)? else {
        return Ok(Vec::new());
    };
    let (sql, params) = statement.finish();
    let mut servers = tx.query_composed(&sql, &params)?.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
    servers.sort_unstable();
    Ok(servers)
}

/// When resources of a page were made, in no order: for whoever merges the page with what is in no table.
///
/// # Errors
/// The engine's failure.
pub fn created(tx: &mut dyn Tx, kind: Kind, project: Id, ids: &[Id]) -> Result<Vec<(Id, Timestamp)>> {
    let (sql, params) = created_statement(kind, project, ids).finish();
    tx.query_composed(&sql, &params)?.iter().map(|r| Ok((r.int(0)?, r.time(1)?))).collect()
}

/// The ids of a project's resources of a kind that come after one, in order: for whoever goes through all of them.
///
/// # Errors
/// The engine's failure.
pub(crate) fn after(tx: &mut dyn Tx, kind: Kind, project: Id, after: Id, limit: i64) -> Result<Vec<Id>> {
    let (sql, params) = after_statement(kind, project, after, limit).finish();
    tx.query_composed(&sql, &params)?.iter().map(|row| row.int(0)).collect()
}

fn after_statement(kind: Kind, project: Id, after: Id, limit: i64) -> Builder {
    let mut b = Builder::new("SELECT t.id FROM ");
    b.text(kind.plural()).text(" t WHERE t.project = ").param(project);
    b.text(" AND t.id > ").param(after).text(" ORDER BY t.id LIMIT ").param(limit);
    b
}

fn created_statement(kind: Kind, project: Id, ids: &[Id]) -> Builder {
    let mut b = Builder::new("SELECT t.id, t.created FROM ");
    b.text(kind.plural()).text(" t WHERE t.project = ").param(project);
    b.text(" AND t.id IN ").params(ids.iter().copied().map(Value::from));
    b
}

/// The first number of an answer.
fn count(tx: &mut dyn Tx, statement: Builder) -> Result<i64> {
    let (sql, params) = statement.finish();
    let rows = tx.query_composed(&sql, &params)?;
    rows.first().ok_or_else(|| Error::internal("a count answered nothing"))?.int(0)
}

/// The entries of a page, in the order of the list.
fn entries(tx: &mut dyn Tx, statement: Builder, window: &Window) -> Result<Vec<(Id, i64)>> {
    let (sql, params) = statement.finish();
    let rows = tx.query_composed(&sql, &params)?;
    let mut entries = rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect::<Result<Vec<_>>>()?;
    if window.reversed {
        entries.reverse();
    }
    Ok(entries)
}
