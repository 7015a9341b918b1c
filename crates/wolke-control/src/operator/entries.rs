//! Entries of the catalogue that the operator adds, changes or removes while the cloud runs.
//!
//! A change is a document in the form of the catalogue's file. It is checked by putting the whole catalogue together with it,
//! in the transaction that writes it down: what would break the catalogue is refused and changes nothing.

use super::{Control, refuse, with_changes};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use wolke_domain::catalogue::{Document, OPERATOR_ID_BASE};
use wolke_domain::{Error, Result};
use wolke_store::operator::{self, Change};
use wolke_store::{Counter, Race, Tx};
use wolke_wire::cloud::Architecture;
use wolke_wire::cloud::image::ImageType;
use wolke_wire::{Kind, Timestamp};

/// Entries that can be changed at the same time.
const CHANGES_MAX: usize = 10_000;
/// The largest change, in bytes.
const CHANGE_BYTES_MAX: usize = 64 * 1024;

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

/// Lays the members of a change over an earlier one of the same entry.
fn merge(old: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (key, value) in new {
        match (old.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "offers" => old.extend(new.iter().cloned()),
            _ => {
                old.insert(key.clone(), value.clone());
            }
        }
    }
}

fn read(change: &Change) -> Result<Map<String, Value>> {
    serde_json::from_str(&change.doc)
        .map_err(|e| Error::internal(format!("{} '{}': broken change: {e}", change.kind, change.name)))
}

fn put(tx: &mut dyn Tx, base: &Document, entry: &Entry) -> Result<Map<String, Value>> {
    let old = operator::change(tx, entry.kind, &entry.name)?;
    let mut document = old.as_ref().map(read).transpose()?.unwrap_or_default();
    // What was removed and is named again is there again, from scratch.
    if document.get("remove") == Some(&Value::Bool(true)) {
        document = Map::new();
    }
    merge(&mut document, &entry.change);
    document.insert("name".to_owned(), entry.name.clone().into());
    let doc = Value::Object(document.clone()).to_string();
    if doc.len() > CHANGE_BYTES_MAX {
        return Err(Error::invalid("change", format!("must not be longer than {CHANGE_BYTES_MAX} bytes")));
    }
    let change = Change { kind: entry.kind, name: entry.name.clone(), doc };
    let mut changes = operator::changes(tx)?;
    match changes.iter_mut().find(|known| known.kind == change.kind && known.name == change.name) {
        Some(known) => *known = change.clone(),
        None => changes.push(change.clone()),
    }
    if changes.len() > CHANGES_MAX {
        let message = format!("there are {CHANGES_MAX} changed entries already");
        return Err(Error::LimitExceeded { limit: "catalogue_limit".into(), message });
    }
    with_changes(base, &changes).map_err(|error| refuse(&error))?;
    operator::put_change(tx, &change)?;
    Ok(document)
}

impl Control {
    /// All changes of the catalogue at run time.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_catalogue_changes(&self) -> Result<Vec<Entry>> {
        let changes = self.db.read(operator::changes).await?;
        let entry = |change: &Change| Ok(Entry { kind: change.kind, name: change.name.clone(), change: read(change)? });
        changes.iter().map(entry).collect()
    }

    /// Adds or changes entries of the catalogue, all or none. Returns each with all that now differs of it.
    ///
    /// # Errors
    /// `invalid_input`, naming the entry and what is wrong with it.
    pub async fn change_catalogue(&self, entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let core = Arc::clone(&self.core);
        let changed = self
            .db
            .write(vec![Race::Database], move |tx| {
                let put_one = |entry: &Entry, tx: &mut dyn Tx| {
                    let change = put(tx, &core.operator.base, entry)?;
                    Ok(Entry { change, ..entry.clone() })
                };
                entries.iter().map(|entry| put_one(entry, tx)).collect::<Result<Vec<_>>>()
            })
            .await?;
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

    /// Forgets what was changed of an entry at run time.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` when another change needs it.
    pub async fn reset_catalogue(&self, kind: Kind, name: &str) -> Result<()> {
        let (core, name) = (Arc::clone(&self.core), name.to_owned());
        self.db
            .write(vec![Race::Database], move |tx| {
                if !operator::delete_change(tx, kind, &name)? {
                    return Err(Error::NotFound { message: format!("{} '{name}' was not changed", kind.label()) });
                }
                let rest = operator::changes(tx)?;
                with_changes(&core.operator.base, &rest).map(|_| ()).map_err(|error| refuse(&error))
            })
            .await?;
        self.operator_changed().await
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
                let change = put(tx, &core.operator.base, &entry)?;
                Ok(Entry { change, ..entry })
            })
            .await?;
        self.operator_changed().await?;
        Ok(added)
    }
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
