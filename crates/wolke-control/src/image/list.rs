//! The list of images: those of the catalogue and a project's own in one order.
//!
//! The catalogue has few images and they are in memory; own ones may be many and are never read whole. In the merged list at
//! most as many entries of the catalogue stand before an own one as there are; so the own entries of a page lie in a window
//! of the database that is known beforehand. Own images have no names: they come after all names, or before them in
//! descending order, and their ids come after those of the catalogue.

use crate::control::{Caller, Control};
use crate::listing::List;
use crate::view::{Json, View};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use wolke_domain::catalogue::{Catalogue, Image};
use wolke_domain::image::Type;
use wolke_domain::{Result, label};
use wolke_store::Tx;
use wolke_store::list::{self, ListPage, ListQuery};
use wolke_store::value::Value;
use wolke_wire::cloud::Architecture;
use wolke_wire::cloud::image::{ImageStatus, ImageType};
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Kind, Timestamp};

/// Filters of the image list (fact sheet §3.9).
#[derive(Clone, Debug, Default)]
pub struct ImageFilter {
    /// Exact name; own images have none.
    pub name: Option<String>,
    /// `system`, `snapshot`, `backup`, `app`; any when empty.
    pub types: Vec<String>,
    /// `available`, `creating`, `unavailable`; any when empty.
    pub statuses: Vec<String>,
    /// Any when empty.
    pub architectures: Vec<Architecture>,
    /// Servers whose backups are asked for; any when empty.
    pub bound_to: Vec<Id>,
    /// Whether deprecated images are shown, too.
    pub include_deprecated: bool,
    /// Label selector; images of the catalogue have no labels.
    pub selector: Selector,
}

impl ImageFilter {
    fn matches(&self, image: &Image) -> bool {
        let none_or = |values: &[String], value: &str| values.is_empty() || values.iter().any(|v| v == value);
        self.name.as_ref().is_none_or(|name| *name == image.name)
            && none_or(&self.types, image.kind.as_str())
            && none_or(&self.statuses, ImageStatus::Available.as_str())
            && (self.architectures.is_empty() || self.architectures.contains(&image.architecture))
            && self.bound_to.is_empty()
            && label::matches(&self.selector, &wolke_wire::cloud::Labels::new())
    }

    /// The same filter on the columns of own images; none when none of them can match.
    fn columns(&self) -> Option<Vec<(&'static str, Vec<Value>)>> {
        let is_own = |kind: &String| Type::parse(kind).is_some();
        if self.name.is_some() || !self.types.is_empty() && !self.types.iter().any(is_own) {
            return None;
        }
        let texts = |values: &[String]| values.iter().map(Value::from).collect();
        let architectures = self.architectures.iter().map(|a| a.as_str().into()).collect();
        let bound_to = self.bound_to.iter().map(|id| (*id).into()).collect();
        let mut columns = vec![
            ("type", texts(&self.types)),
            ("status", texts(&self.statuses)),
            ("architecture", architectures),
            ("bound_to", bound_to),
        ];
        columns.retain(|(_, values): &(_, Vec<Value>)| !values.is_empty());
        Some(columns)
    }
}

/// How an order places own images among those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blend {
    /// All own ones after all others.
    After,
    /// All own ones before all others.
    Before,
    /// By the time when they were made.
    Created {
        direction: Direction,
        /// Whether own ones come later among those of one time.
        after: bool,
    },
}

impl Blend {
    /// Ids and names put own images on one side; only an order that begins with the time mixes them.
    fn of(sort: &[SortKey]) -> Self {
        // What follows the time is decided by the next key, or by the ids in the last key's direction.
        match sort {
            [SortKey { field: "created", direction }, rest @ ..] => {
                let next = rest.first().map_or(*direction, |key| key.direction);
                Self::Created { direction: *direction, after: next == Direction::Ascending }
            }
            [SortKey { direction: Direction::Descending, .. }, ..] => Self::Before,
            _ => Self::After,
        }
    }

    /// How an entry of the catalogue compares with an own image.
    fn compare(self, entry: &Image, own: Timestamp) -> Ordering {
        match self {
            Self::After => Ordering::Less,
            Self::Before => Ordering::Greater,
            Self::Created { direction, after } => {
                let by_time = entry.created.cmp(&own);
                let by_time = if direction == Direction::Descending { by_time.reverse() } else { by_time };
                by_time.then(if after { Ordering::Less } else { Ordering::Greater })
            }
        }
    }

    /// The own entries that a page can hold: from, and how many. `entries`: how many the catalogue has.
    const fn window(self, offset: i64, limit: i64, entries: i64) -> (i64, i64) {
        let (first, last) = match self {
            Self::After => (offset - entries, offset + limit - entries),
            Self::Before => (offset, offset + limit),
            Self::Created { .. } => (offset - entries, offset + limit),
        };
        let from = if first > 0 { first } else { 0 };
        (from, if last > from { last - from } else { 0 })
    }
}

/// Entries of the catalogue in the order of a list; ids break ties in the direction of the last key, as in the database.
fn sort_entries(entries: &mut [&Image], sort: &[SortKey]) {
    let descending = sort.last().is_some_and(|key| key.direction == Direction::Descending);
    entries.sort_by(|a, b| {
        let by_keys = sort.iter().map(|key| {
            let order = match key.field {
                "name" => a.name.cmp(&b.name),
                "created" => a.created.cmp(&b.created),
                _ => a.id.cmp(&b.id),
            };
            if key.direction == Direction::Descending { order.reverse() } else { order }
        });
        let by_id = if descending { b.id.cmp(&a.id) } else { a.id.cmp(&b.id) };
        by_keys.fold(Ordering::Equal, Ordering::then).then(by_id)
    });
}

/// The order of own images: without the name, which none of them has, but with its say on the ids.
fn own_sort(sort: &[SortKey]) -> Vec<SortKey> {
    let mut keys: Vec<SortKey> = sort.iter().copied().filter(|key| key.field != "name").collect();
    if let Some(last) = sort.last().filter(|last| last.field == "name" && keys.iter().all(|key| key.field != "id")) {
        keys.push(SortKey { field: "id", direction: last.direction });
    }
    keys
}

/// A page before it is rendered: ids, of own images with their revs.
type Entries = Vec<(Id, Option<i64>)>;

/// Merges a page out of the entries of the catalogue and a window of own images that begins at `from`.
fn merge(blend: Blend, entries: &[&Image], own: &Own, from: i64, page: (i64, i64)) -> Entries {
    let (offset, limit) = page;
    // Where the merge begins: at the first entry of the window, which is not behind the page, or behind all of them.
    let mut next = match own.window.first() {
        _ if from == 0 => 0,
        Some((_, _, created)) => entries.iter().take_while(|e| blend.compare(e, *created).is_lt()).count(),
        None if blend == Blend::Before => 0,
        None => return Entries::new(),
    };
    let mut position = from.min(own.total) + i64::try_from(next).unwrap_or(i64::MAX);
    let (mut window, mut merged) = (own.window.iter().peekable(), Entries::new());
    while position < offset.saturating_add(limit) {
        let entry = entries.get(next).copied();
        let entry_is_next = match (entry, window.peek()) {
            (Some(entry), Some((_, _, created))) => blend.compare(entry, *created).is_lt(),
            (entry, _) => entry.is_some(),
        };
        let found = if entry_is_next {
            next += 1;
            entry.map(|entry| (entry.id, None))
        } else {
            window.next().map(|(id, rev, _)| (*id, Some(*rev)))
        };
        let Some(found) = found else { break };
        if position >= offset {
            merged.push(found);
        }
        position += 1;
    }
    merged
}

/// Own images of a window: id, rev and, where the order asks for it, when they were made; and how many there are in all.
struct Own {
    window: Vec<(Id, i64, Timestamp)>,
    total: i64,
}

fn read_own(tx: &mut dyn Tx, query: Option<&ListQuery>, blend: Blend) -> Result<Own> {
    let Some(query) = query else { return Ok(Own { window: Vec::new(), total: 0 }) };
    let ListPage { total, entries } = list::page(tx, query)?;
    let created: HashMap<Id, Timestamp> = if matches!(blend, Blend::Created { .. }) && !entries.is_empty() {
        let ids: Vec<Id> = entries.iter().map(|(id, _)| *id).collect();
        list::created(tx, query.kind, query.project, &ids)?.into_iter().collect()
    } else {
        HashMap::new()
    };
    let time = |id: Id| created.get(&id).copied().unwrap_or(Timestamp(0));
    Ok(Own { window: entries.into_iter().map(|(id, rev)| (id, rev, time(id))).collect(), total })
}

/// The ids of a page, and how many there are on all.
fn page_of(
    tx: &mut dyn Tx,
    catalogue: &Catalogue,
    project: Id,
    filter: &ImageFilter,
    sort: &[SortKey],
    page: Page,
) -> Result<(Entries, i64)> {
    let listed = catalogue.listed_images(tx.now(), filter.include_deprecated);
    let mut entries: Vec<&Image> = listed.filter(|image| filter.matches(image)).collect();
    sort_entries(&mut entries, sort);
    let blend = Blend::of(sort);
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (offset, limit, known) = (number(page.offset()), number(page.limit()), number(entries.len() as u64));
    let (from, length) = blend.window(offset, limit, known);
    let query = filter.columns().map(|filters| ListQuery {
        kind: Kind::Image,
        project,
        filters,
        of: None,
        selector: filter.selector.clone(),
        sort: own_sort(sort),
        offset: from,
        limit: length,
    });
    let own = read_own(tx, query.as_ref(), blend)?;
    Ok((merge(blend, &entries, &own, from, (offset, limit)), own.total + known))
}

impl Control {
    /// The list of images.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_images(
        &self,
        caller: &Caller,
        filter: &ImageFilter,
        sort: &[SortKey],
        page: Page,
    ) -> Result<List> {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        let (mut filter, sort) = (filter.clone(), sort.to_vec());
        // In 2018 there are no apps: they count as system images (dialects A.10).
        let is_system = |kind: &String| kind == ImageType::System.as_str();
        if caller.dialect.counts_apps_as_system() && filter.types.iter().any(is_system) {
            filter.types.push(ImageType::App.as_str().to_owned());
        }
        self.db
            .read(move |tx| {
                let view = View::new(tx, &core, &fragments, &caller);
                let (entries, total) = page_of(tx, &view.catalogue, caller.project, &filter, &sort, page)?;
                let mut json = Json::new();
                for (position, (id, rev)) in entries.iter().enumerate() {
                    if position > 0 {
                        json.push(b',');
                    }
                    match rev {
                        Some(rev) => view.append_rev(tx, &mut json, Kind::Image, *id, *rev)?,
                        None => view.append(tx, &mut json, Kind::Image, *id)?,
                    }
                }
                Ok(List { entries: json.into(), total: u64::try_from(total).unwrap_or(0) })
            })
            .await
    }
}

#[cfg(test)]
mod tests;
