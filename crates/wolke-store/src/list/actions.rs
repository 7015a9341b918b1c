//! Lists of actions: of a project, of a kind of resource, of one resource; by id and by status.
//!
//! A resource has few actions (`action::PER_RESOURCE_MAX`), a project has many. The totals of the many come from counters; what
//! runs and what failed has an index of its own, and what has succeeded is the rest.

use super::compose::{Builder, Window, id_order};
use super::{ListPage, ListQuery, count, entries};
use crate::action;
use crate::tx::Tx;
use crate::value::Value;
use wolke_domain::Result;
use wolke_domain::action::Status;
use wolke_wire::Kind;
use wolke_wire::sort::Direction;

/// Up to this many actions that run or failed are found by their index and sorted; more are found along the ids.
const SORT_MAX: i64 = 10_000;
const STATUSES: [Status; 3] = [Status::Running, Status::Success, Status::Error];

/// Reads a page.
///
/// # Errors
/// The engine's failure.
pub(super) fn page(tx: &mut dyn Tx, query: &ListQuery) -> Result<ListPage> {
    let statuses = statuses(query);
    let counted = counted(query, &statuses).map_or(Ok(0), |statement| count(tx, statement))?;
    let total = if is_difference(query, &statuses) {
        let all = action::count(tx, query.project, query.of.map_or(Kind::Action, |(kind, _)| kind))?;
        all - counted
    } else {
        counted
    };
    let Some(window) = Window::new(query.offset, query.limit, total) else {
        return Ok(ListPage { total, entries: Vec::new() });
    };
    let entries = entries(tx, compose(query, &statuses, total, &window), &window)?;
    Ok(ListPage { total, entries })
}

/// Whether the total is what a counter says without what [`counted`] counts.
fn is_difference(query: &ListQuery, statuses: &[Status]) -> bool {
    !is_narrow(query) && statuses.contains(&Status::Success)
}

/// What is counted for the total, if anything: what is on the list, or what is not.
fn counted(query: &ListQuery, statuses: &[Status]) -> Option<Builder> {
    if is_narrow(query) {
        return Some(narrow(query, statuses, None));
    }
    let rest: Vec<Status> = STATUSES.into_iter().filter(|status| !statuses.contains(status)).collect();
    let few = if is_difference(query, statuses) { &rest } else { statuses };
    (!few.is_empty()).then(|| unsuccessful(query, few, None))
}

/// Every statement that a page may need.
pub(super) fn shapes(query: &ListQuery, total: i64, window: &Window) -> impl Iterator<Item = Builder> {
    let statuses = statuses(query);
    [Some(compose(query, &statuses, total, window)), counted(query, &statuses)].into_iter().flatten()
}

/// The statuses that may be on the list, each once.
fn statuses(query: &ListQuery) -> Vec<Status> {
    let asked = |status: &Status| {
        let mut filters = query.filters.iter().filter(|(column, _)| *column == "status");
        filters.all(|(_, values)| values.contains(&Value::from(status.as_str())))
    };
    STATUSES.into_iter().filter(asked).collect()
}

/// Whether ids or a resource leave few actions.
fn is_narrow(query: &ListQuery) -> bool {
    matches!(query.of, Some((_, Some(_)))) || query.filters.iter().any(|(column, _)| *column != "status")
}

/// The statement of a page.
fn compose(query: &ListQuery, statuses: &[Status], total: i64, window: &Window) -> Builder {
    if is_narrow(query) {
        narrow(query, statuses, Some(window))
    } else if statuses.contains(&Status::Success) {
        successful(query, statuses, window)
    } else {
        unsuccessful(query, statuses, Some((total, window)))
    }
}

fn select(window: Option<&Window>) -> Builder {
    Builder::new(if window.is_some() { "SELECT t.id, t.rev FROM " } else { "SELECT count(*) FROM " })
}

fn end(mut b: Builder, query: &ListQuery, window: Option<&Window>) -> Builder {
    if let Some(window) = window {
        b.order(&query.sort, window.reversed).window(window);
    }
    b
}

/// From the resource, or from the ids.
fn narrow(query: &ListQuery, statuses: &[Status], window: Option<&Window>) -> Builder {
    let mut b = select(window);
    if let Some((kind, Some(id))) = query.of {
        // CROSS JOIN keeps SQLite from turning the join around.
        b.text("action_resource r CROSS JOIN actions t WHERE r.project = ").param(query.project);
        b.text(" AND r.kind = ").param(kind.singular()).text(" AND r.resource = ").param(id);
        b.text(" AND t.id = r.action");
    } else {
        b.text("actions t WHERE t.project = ").param(query.project);
        of_kind(&mut b, query);
    }
    for filter in query.filters.iter().filter(|(column, _)| *column != "status") {
        b.filters(std::slice::from_ref(filter));
    }
    status_condition(&mut b, statuses);
    end(b, query, window)
}

/// From the index of what runs and what failed; without a total and a window, a count.
fn unsuccessful(query: &ListQuery, statuses: &[Status], page: Option<(i64, &Window)>) -> Builder {
    let mut b = select(page.map(|(_, window)| window));
    // The first condition is the index's: SQLite does not conclude it from the second.
    b.text("actions t WHERE t.status <> 'success' AND t.project = ").param(query.project);
    status_condition(&mut b, statuses);
    of_kind(&mut b, query);
    match (page, id_order(&query.sort)) {
        // The index orders the ids of each status by itself. SQLite must not look for another that orders them all.
        (Some((total, window)), Some(direction)) if statuses.len() > 1 && total <= SORT_MAX => {
            let ascending = (direction == Direction::Ascending) != window.reversed;
            b.text(if ascending { " ORDER BY +t.id" } else { " ORDER BY +t.id DESC" }).window(window);
            b
        }
        _ => end(b, query, page.map(|(_, window)| window)),
    }
}

/// Along the ids, which are those of the project or of the kind.
fn successful(query: &ListQuery, statuses: &[Status], window: &Window) -> Builder {
    let mut b = select(Some(window));
    let Some((kind, _)) = query.of else {
        b.text("actions t WHERE t.project = ").param(query.project);
        status_condition(&mut b, statuses);
        return end(b, query, Some(window));
    };
    let by_id = id_order(&query.sort).map(|direction| {
        if (direction == Direction::Descending) == window.reversed {
            " ORDER BY r.action"
        } else {
            " ORDER BY r.action DESC"
        }
    });
    let from = "action_resource r";
    let listed = |b: &mut Builder| {
        b.text(" WHERE r.listed = 1 AND r.project = ").param(query.project);
        b.text(" AND r.kind = ").param(kind.singular());
    };
    if let Some(order) = by_id.filter(|_| statuses.len() == STATUSES.len()) {
        // Nothing is looked up for the entries that are skipped.
        b.text("(SELECT r.action AS id FROM ").text(from);
        listed(&mut b);
        b.text(order).window(window).text(") driver CROSS JOIN actions t WHERE t.id = driver.id");
        b.order(&query.sort, window.reversed);
        return b;
    }
    b.text(from).text(" CROSS JOIN actions t");
    listed(&mut b);
    b.text(" AND t.id = r.action");
    status_condition(&mut b, statuses);
    match by_id {
        Some(order) => b.text(order),
        None => b.order(&query.sort, window.reversed),
    };
    b.window(window);
    b
}

/// ` AND EXISTS …`: the action works on a resource of the kind.
fn of_kind(b: &mut Builder, query: &ListQuery) {
    if let Some((kind, _)) = query.of {
        b.text(" AND EXISTS (SELECT 1 FROM action_resource r WHERE r.listed = 1 AND r.project = ").param(query.project);
        b.text(" AND r.kind = ").param(kind.singular()).text(" AND r.action = t.id)");
    }
}

/// ` AND t.status …`, in words and not in parameters, so that the planner sees which index holds them.
fn status_condition(b: &mut Builder, statuses: &[Status]) {
    match statuses {
        // Nothing has no status.
        [] => b.text(" AND t.status = ''"),
        [one] => b.text(" AND t.status = '").text(one.as_str()).text("'"),
        [one, other] => b.text(" AND t.status IN ('").text(one.as_str()).text("', '").text(other.as_str()).text("')"),
        _ => b,
    };
}
