//! Lists of any kind: filters, selector, order and page, from the database or from the catalogue.

use crate::control::{Caller, Control};
use crate::pages::{Question, Seen, total};
use crate::view::{Json, Moment, View};
use bytes::Bytes;
use std::sync::Arc;
use wolke_domain::Result;
use wolke_domain::catalogue::Catalogue;
use wolke_store::list::{ListQuery, page};
use wolke_store::primary_ip::NO_LOAD_BALANCER;
use wolke_store::value::Value;
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Kind};

/// Room for an entry when a page is joined; a server takes about this much.
const ENTRY_BYTES_GUESS: usize = 4096;

/// Values of one filter parameter: one of them must match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// A text column.
    Text(&'static str, Vec<String>),
    /// A number column.
    Number(&'static str, Vec<i64>),
}

/// What a list asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListRequest {
    /// Which resources.
    pub kind: Kind,
    /// Only actions of resources of this kind, or of this one.
    pub of: Option<(Kind, Option<Id>)>,
    /// Filters by column.
    pub filters: Vec<Filter>,
    /// Label selector.
    pub selector: Selector,
    /// Order.
    pub sort: Vec<SortKey>,
    /// Page.
    pub page: Page,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The entries, joined by commas.
    pub entries: Bytes,
    /// How many there are on all pages.
    pub total: u64,
}

impl Control {
    /// Reads a page of a list.
    ///
    /// # Errors
    /// `not_found` when `of` names a resource that is not the caller's.
    pub async fn list(&self, caller: &Caller, request: ListRequest) -> Result<List> {
        let (core, fragments, pages) = (Arc::clone(&self.core), Arc::clone(&self.fragments), Arc::clone(&self.pages));
        let (caller, question) = (*caller, Question { project: caller.project, dialect: caller.dialect, request });
        // Counted before the page is read: a commit in between makes the page look older than it is, never newer.
        let commits = (!self.db.is_shared()).then(|| self.db.commits());
        if let Some(now) = self.db.world_now() {
            let moment = Moment::at(&self.core.catalogue(), now);
            if let Some((entries, total)) = pages.unchanged(&question, Seen { commits, moment }) {
                return Ok(List { entries, total });
            }
        }
        self.db
            .read(move |tx| {
                let Question { request, .. } = &question;
                let view = View::new(tx, &core, &fragments, &caller);
                let seen = Seen { commits, moment: view.moment };
                if let Some((kind, Some(id))) = request.of {
                    crate::action::check_owner(tx, &view.catalogue, &caller, kind, id)?;
                }
                let found = page(tx, &query(request, &caller))?;
                let total = total(&found);
                let embedded = view.as_of_now(tx, pages.embedded(&question))?;
                if let Some(entries) = pages.get(&question, &found, seen, &embedded) {
                    return Ok(List { entries, total });
                }
                let mut json = Json::with_capacity(found.entries.len() * ENTRY_BYTES_GUESS);
                for (position, (id, rev)) in found.entries.iter().enumerate() {
                    if position > 0 {
                        json.push(b',');
                    }
                    view.append_rev(tx, &mut json, request.kind, *id, *rev)?;
                }
                let entries = Bytes::from(json);
                pages.put(question.clone(), found, &entries, seen, view.embedded());
                Ok(List { entries, total })
            })
            .await
    }

    /// Renders a page of objects that are in memory, with the catalogue that the ids were read from.
    pub(crate) async fn list_ids(
        &self,
        caller: &Caller,
        catalogue: Arc<Catalogue>,
        (kind, ids): (Kind, Vec<Id>),
        page: Page,
    ) -> Result<List> {
        let (fragments, core, caller) = (Arc::clone(&self.fragments), Arc::clone(&self.core), *caller);
        self.db
            .read(move |tx| {
                let parts = (Arc::clone(&catalogue), core.real(), Arc::clone(&core.sealer));
                let view = View::of(tx, parts, &fragments, &caller);
                let mut entries = Json::new();
                let from = usize::try_from(page.offset()).unwrap_or(usize::MAX);
                let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
                for (position, id) in ids.iter().skip(from).take(limit).enumerate() {
                    if position > 0 {
                        entries.push(b',');
                    }
                    view.append(tx, &mut entries, kind, *id)?;
                }
                Ok(List { entries: entries.into(), total: ids.len() as u64 })
            })
            .await
    }
}

fn query(request: &ListRequest, caller: &Caller) -> ListQuery {
    let hidden = request.kind == Kind::PrimaryIp && caller.dialect.hides_primary_ips_of_load_balancers();
    let hidden = hidden.then(|| ("load_balancer", vec![Value::from(NO_LOAD_BALANCER)]));
    let filters = request.filters.iter().map(|filter| match filter {
        Filter::Text(column, values) => (*column, values.iter().map(Value::from).collect()),
        Filter::Number(column, values) => (*column, values.iter().copied().map(Value::from).collect()),
    });
    ListQuery {
        kind: request.kind,
        project: caller.project,
        filters: filters.chain(hidden).collect(),
        of: request.of,
        selector: request.selector.clone(),
        sort: request.sort.clone(),
        offset: i64::try_from(request.page.offset()).unwrap_or(i64::MAX),
        limit: i64::try_from(request.page.limit()).unwrap_or(i64::MAX),
    }
}

/// Orders objects in memory as the database would: by the keys, ids breaking ties.
pub(crate) fn sort_by_keys<T>(items: &mut [T], sort: &[SortKey], compare: impl Fn(&T, &T, &str) -> std::cmp::Ordering) {
    items.sort_by(|a, b| {
        for key in sort {
            let order = compare(a, b, key.field);
            let order = if key.direction == Direction::Descending { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        compare(a, b, "id")
    });
}
