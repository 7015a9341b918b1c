//! Entries of the catalogue that the operator adds, changes or removes while the cloud runs.
//!
//! A change is a document in the form of the catalogue's file. It is checked by putting the whole catalogue together with it,
//! in the transaction that writes it down: what would break the catalogue is refused and changes nothing.
//!
//! **Invariant:** no change makes an id unknown that was known: what shows it could be shown no more.

use super::change::{self, is_removed};
use super::{Control, Operator, refuse, with_changes};
use serde_json::{Map, Value, json, to_value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use wolke_domain::catalogue::{Catalogue, DEPRECATED_IMAGE_DAYS, Document, OPERATOR_ID_BASE};
use wolke_domain::{Error, Result};
use wolke_store::operator::{self, Change};
use wolke_store::{Counter, Race, Tx};
use wolke_wire::cloud::image::ImageType;
use wolke_wire::cloud::{self, Architecture, Deprecation};
use wolke_wire::{IdOrName, Kind, Timestamp};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Entries that can be changed at the same time.
const CHANGES_MAX: usize = 10_000;

/// A change of the catalogue: what differs of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is an entry of.
    pub kind: Kind,
    /// The entry's name.
    pub name: String,
    /// What differs, in the form of the catalogue's file.
    pub change: Map<String, Value>,
}

/// What a new system or app image shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImage {
    /// System or app.
    pub kind: ImageType,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// `ubuntu`.
    pub os_flavor: String,
    /// `24.04`.
    pub os_version: String,
    /// One image for each.
    pub architectures: Vec<Architecture>,
    /// The smallest disk that it fits on, in GB.
    pub disk_size: u32,
}

/// The end of an entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What it is an entry of.
    pub kind: Kind,
    /// The entry's name.
    pub name: String,
    /// Only there; everywhere when none.
    pub location: Option<String>,
    /// When it ends; none takes an end back.
    pub when: Option<When>,
}

/// When something is announced to end, and when it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Now when none.
    pub announced: Option<Timestamp>,
    /// [`DEPRECATED_IMAGE_DAYS`] after the announcement when none.
    pub unavailable_after: Option<Timestamp>,
}

/// What an ending changes of its entry.
fn ending_change(catalogue: &Catalogue, ending: &Ending, now: Timestamp) -> Result<Map<String, Value>> {
    let asked = IdOrName::from(ending.name.as_str());
    let places = match ending.kind {
        Kind::ServerType => catalogue.server_type(&asked).map(|kind| Some(&kind.offers)),
        Kind::LoadBalancerType => catalogue.load_balancer_type(&asked).map(|kind| Some(&kind.offers)),
        Kind::StorageBoxType => catalogue.storage_box_type(&asked).map(|_| None),
        Kind::Image => catalogue.images.iter().any(|image| image.name == ending.name).then_some(None),
        Kind::Iso => catalogue.iso(&asked).map(|_| None),
        kind => return Err(Error::invalid("kind", format!("a {} does not end", kind.label()))),
    };
    let places = places.ok_or_else(|| Error::not_found_named(ending.kind, &ending.name))?;
    let deprecation = ending.when.map(|when| {
        let announced = when.announced.unwrap_or(now);
        let after = announced.plus_ms(DEPRECATED_IMAGE_DAYS * DAY_MS);
        Deprecation { announced, unavailable_after: when.unavailable_after.unwrap_or(after) }
    });
    if deprecation.is_some_and(|d| d.unavailable_after < d.announced) {
        return Err(Error::invalid("unavailable_after", "lies before the announcement"));
    }
    let value = deprecation.map_or(Value::Bool(false), |deprecation| json!(deprecation));
    let change = match (ending.kind, &ending.location, places) {
        (_, Some(place), Some(offers)) if offers.iter().any(|offer| offer.location_name == *place) => {
            json!({ "offers": [{ "at": [place], "deprecation": value }] })
        }
        (_, Some(_), Some(_)) => return Err(Error::invalid("location", format!("does not offer {}", ending.name))),
        (_, Some(_), None) => return Err(Error::invalid("location", "is not what it differs by")),
        (Kind::Image, None, _) => {
            if ending.when.is_some_and(|when| when.unavailable_after.is_some()) {
                let message = format!("is {DEPRECATED_IMAGE_DAYS} days after the announcement for images");
                return Err(Error::invalid("unavailable_after", message));
            }
            json!({ "deprecated": deprecation.map_or(Value::Bool(false), |deprecation| json!(deprecation.announced)) })
        }
        (_, None, _) => json!({ "deprecation": value }),
    };
    let Value::Object(change) = change else { return Err(Error::internal("an ending is no object")) };
    Ok(change)
}

impl Control {
    /// All changes of the catalogue at run time.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_catalogue_changes(&self) -> Result<Vec<Entry>> {
        let changes = self.db.read(operator::changes).await?;
        let entry =
            |change: &Change| Ok(Entry { kind: change.kind, name: change.name.clone(), change: change::read(change)? });
        changes.iter().map(entry).collect()
    }

    /// Adds or changes entries of the catalogue, all or none. Returns each with all that now differs of it.
    ///
    /// # Errors
    /// `invalid_input`, naming the entry and what is wrong with it.
    pub async fn change_catalogue(&self, entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let core = Arc::clone(&self.core);
        let changed = self.db.write(vec![Race::Database], move |tx| put(tx, &core.operator, &entries)).await?;
        self.operator_changed().await?;
        Ok(changed)
    }

    /// Changes the catalogue as an overlay in TOML says.
    ///
    /// # Errors
    /// `invalid_input`: what is wrong with the text, with line and column, or with an entry, by its name.
    pub async fn apply_catalogue(&self, text: &str) -> Result<Vec<Entry>> {
        let overlay = Document::parse(text).map_err(|error| refuse(&error))?;
        let mut entries = Vec::new();
        for (kind, name, json) in overlay.entries().map_err(|error| refuse(&error))? {
            let change = serde_json::from_str(&json).map_err(|e| Error::internal(format!("an entry as JSON: {e}")))?;
            entries.push(Entry { kind, name, change });
        }
        self.change_catalogue(entries).await
    }

    /// Forgets what was changed of an entry at run time. One that was added is removed: it stays readable by its id.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` when another change needs it.
    pub async fn reset_catalogue(&self, kind: Kind, name: &str) -> Result<()> {
        let (core, name) = (Arc::clone(&self.core), name.to_owned());
        self.db.write(vec![Race::Database], move |tx| reset(tx, &core.operator, kind, &name)).await?;
        self.operator_changed().await
    }

    /// Announces the end of an entry, or takes that back.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for what cannot end, or not on that day.
    pub async fn end_entry(&self, ending: Ending) -> Result<Entry> {
        self.refresh_operator().await?;
        let now = self.db.read(|tx| Ok(tx.now().whole_second())).await?;
        let change = ending_change(&self.core.catalogue(), &ending, now)?;
        let entry = Entry { kind: ending.kind, name: ending.name, change };
        let changed = self.change_catalogue(vec![entry]).await?;
        changed.into_iter().next().ok_or_else(|| Error::internal("a change without an entry"))
    }

    /// Every entry of a kind as clients see it, also those that lists hide.
    ///
    /// # Errors
    /// `invalid_input` for what the catalogue has no entries of.
    pub async fn show_catalogue(&self, kind: Kind) -> Result<Vec<Value>> {
        self.refresh_operator().await?;
        let now = self.db.read(|tx| Ok(tx.now())).await?;
        let catalogue = self.core.catalogue();
        let shown: std::result::Result<Vec<Value>, _> = match kind {
            Kind::Location => {
                catalogue.locations.iter().map(|l| to_value(cloud::location::Location::from(l))).collect()
            }
            Kind::ServerType => catalogue.server_types.iter().map(|t| to_value(t.to_wire(now))).collect(),
            Kind::LoadBalancerType => catalogue.load_balancer_types.iter().map(|t| to_value(t.to_wire(now))).collect(),
            Kind::StorageBoxType => catalogue.storage_box_types.iter().map(|t| to_value(t.to_wire(now))).collect(),
            Kind::Image => catalogue.images.iter().map(|i| to_value(i.to_wire(now))).collect(),
            Kind::Iso => catalogue.isos.iter().map(|i| to_value(i.to_wire(now))).collect(),
            Kind::Datacenter => catalogue
                .datacenters
                .iter()
                .map(|d| {
                    let mut value = to_value(catalogue.datacenter_to_wire(d, now))?;
                    let place = catalogue.location_by_id(d.location).map(|location| location.name.clone());
                    value["location"] = place.into();
                    Ok(value)
                })
                .collect(),
            _ => return Err(Error::invalid("kind", format!("the catalogue has no {}", kind.plural()))),
        };
        shown.map_err(|e| Error::internal(format!("rendering the catalogue: {e}")))
    }

    /// Adds a system or app image. Its ids are given here.
    ///
    /// # Errors
    /// `invalid_input`; `uniqueness_error` when there is one of that name.
    pub async fn add_image(&self, new: NewImage) -> Result<Entry> {
        self.refresh_operator().await?;
        if self.core.catalogue().images.iter().any(|image| image.name == new.name) {
            return Err(Error::name_used());
        }
        wolke_domain::name::resource_name("name", &new.name).map_err(|e| Error::invalid_fields(vec![e]))?;
        if new.architectures.is_empty() {
            return Err(Error::invalid("architectures", "must name at least one"));
        }
        let core = Arc::clone(&self.core);
        let added = self
            .db
            .write(vec![Race::Database], move |tx| {
                let entry = image_entry(tx, &new)?;
                let put = put(tx, &core.operator, std::slice::from_ref(&entry))?;
                put.into_iter().next().ok_or_else(|| Error::internal("a change without an entry"))
            })
            .await?;
        self.operator_changed().await?;
        Ok(added)
    }
}

/// Adds or changes entries; the whole catalogue is looked at once, in the end.
fn put(tx: &mut dyn Tx, operator: &Operator, entries: &[Entry]) -> Result<Vec<Entry>> {
    let mut changes = operator::changes(tx)?;
    let before = operator.catalogue_of(&changes);
    let mut known: HashMap<(Kind, String), usize> =
        changes.iter().enumerate().map(|(at, change)| ((change.kind, change.name.clone()), at)).collect();
    let mut touched = BTreeSet::new();
    for entry in entries {
        let at = *known.entry((entry.kind, entry.name.clone())).or_insert(changes.len());
        let old = changes.get(at).map(change::read).transpose()?.unwrap_or_default();
        let doc = change::lay(old, &entry.name, &entry.change);
        let change = change::write(entry.kind, &entry.name, &doc)?;
        match changes.get_mut(at) {
            Some(known) => *known = change,
            None => changes.push(change),
        }
        touched.insert(at);
    }
    if changes.len() > CHANGES_MAX {
        let message = format!("there are {CHANGES_MAX} changed entries already");
        return Err(Error::LimitExceeded { limit: "catalogue_limit".into(), message });
    }
    check(operator, &before, &changes)?;
    operator::put_changes(tx, touched.iter().filter_map(|at| changes.get(*at)))?;
    let now = |entry: &Entry| {
        let found = known.get(&(entry.kind, entry.name.clone())).and_then(|at| changes.get(*at));
        let change = found.map(change::read).transpose()?.unwrap_or_default();
        Ok(Entry { change, ..entry.clone() })
    };
    entries.iter().map(now).collect()
}

/// Puts the catalogue together with all changes.
fn check(operator: &Operator, before: &Catalogue, changes: &[Change]) -> Result<()> {
    let after = with_changes(&operator.base, changes).map_err(|error| refuse(&error))?;
    let Some((kind, id)) = after.forgotten(before) else { return Ok(()) };
    let problem = "would be unknown, and whatever has it could not be shown: an entry keeps its ids";
    Err(Error::invalid("id", format!("{} {id} {problem}", kind.label())))
}

fn reset(tx: &mut dyn Tx, operator: &Operator, kind: Kind, name: &str) -> Result<()> {
    let unchanged = || Error::NotFound { message: format!("{} '{name}' was not changed", kind.label()) };
    let mut changes = operator::changes(tx)?;
    let before = operator.catalogue_of(&changes);
    let at = changes.iter().position(|change| change.kind == kind && change.name == name).ok_or_else(unchanged)?;
    let old = changes.remove(at);
    let Err(error) = check(operator, &before, &changes) else {
        return operator::delete_change(tx, kind, name).map(|_| ());
    };
    let mut doc = change::read(&old)?;
    if is_removed(&doc) || !change::has_id(&doc) {
        return Err(if is_removed(&doc) { unchanged() } else { error });
    }
    // It was added: what was made from it goes on to show it.
    doc.insert(change::REMOVE.to_owned(), true.into());
    changes.insert(at, change::write(kind, name, &doc)?);
    check(operator, &before, &changes)?;
    operator::put_changes(tx, changes.get(at))
}

fn image_entry(tx: &mut dyn Tx, new: &NewImage) -> Result<Entry> {
    let mut ids = Map::new();
    for architecture in &new.architectures {
        let id = OPERATOR_ID_BASE + tx.next_id(Counter::Operator)?;
        ids.insert(architecture.as_str().to_owned(), id.into());
    }
    let created: Timestamp = tx.now().whole_second();
    let change = json!({
        "type": new.kind, "name": new.name, "description": new.description, "os_flavor": new.os_flavor,
        "os_version": new.os_version, "disk_size": new.disk_size, "created": created, "ids": ids,
    });
    let Value::Object(change) = change else { return Err(Error::internal("an image is no object")) };
    Ok(Entry { kind: Kind::Image, name: new.name.clone(), change })
}
