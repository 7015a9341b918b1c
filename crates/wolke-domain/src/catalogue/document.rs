//! Catalogues before they are read: TOML documents that can be laid over each other.
//!
//! An overlay has the form of the built-in file. Each of its entries changes the members that it names of the entry with the
//! same id, else of the same name; one that is not there is added. `remove = true` removes an entry, as it was or with the
//! members that stand beside it: it stays readable by its id. `was` holds entries that had this name before and are gone, too.
//! `false` takes a deprecation back. `offers` are changed location by location.

use serde::de::DeserializeOwned;
use toml::{Table, Value};
use wolke_wire::Kind;

use super::parse::CatalogueError;
use super::{Catalogue, parse};

/// The largest overlay, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// The table that is no list of entries.
pub(super) const PRICING: &str = "pricing";
/// The lists of entries.
const LISTS: [Kind; 7] = [
    Kind::Location,
    Kind::Datacenter,
    Kind::ServerType,
    Kind::LoadBalancerType,
    Kind::StorageBoxType,
    Kind::Image,
    Kind::Iso,
];

/// A catalogue's document: its tables, and what was removed from them.
#[derive(Clone, Debug)]
pub struct Document(Table, Table);

impl Document {
    /// The document inside the binary.
    #[must_use]
    pub fn builtin() -> Self {
        #[allow(clippy::expect_used, reason = "the text is part of the binary and a test reads it")]
        Self::parse(include_str!("../catalogue.toml")).expect("the built-in catalogue is TOML")
    }

    /// Reads a document: TOML with the tables of a catalogue.
    ///
    /// # Errors
    /// [`CatalogueError::Syntax`], with line and column; names what is no table of a catalogue.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(CatalogueError::Syntax(format!("it is longer than {DOCUMENT_BYTES_MAX} bytes")));
        }
        let table: Table = text.parse().map_err(|e: toml::de::Error| CatalogueError::Syntax(e.to_string()))?;
        for (key, value) in &table {
            let is_table = key == PRICING && value.is_table();
            let is_list = LISTS.iter().any(|kind| kind.singular() == key)
                && value.as_array().is_some_and(|list| list.iter().all(Value::is_table));
            if !is_table && !is_list {
                let lists: Vec<String> = LISTS.iter().map(|kind| format!("[[{kind}]]")).collect();
                let known = format!("a catalogue has [{PRICING}] and {}", lists.join(", "));
                return Err(CatalogueError::Syntax(format!("'{key}' is no table of a catalogue: {known}")));
            }
        }
        Ok(Self(table, Table::new()))
    }

    /// Reads one entry of an overlay.
    ///
    /// # Errors
    /// [`CatalogueError::Syntax`] when the text is no JSON object that TOML can hold.
    pub fn entry(kind: Kind, json: &str) -> Result<Self, CatalogueError> {
        let entry: Table = serde_json::from_str(json).map_err(|e| CatalogueError::Syntax(e.to_string()))?;
        let list = Value::Array(vec![Value::Table(entry)]);
        Ok(Self(Table::from_iter([(kind.singular().to_owned(), list)]), Table::new()))
    }

    /// The entries of an overlay, one by one: kind, name and document, as [`Document::entry`] reads it.
    ///
    /// # Errors
    /// [`CatalogueError::Entry`] for an entry without a name, and for prices: these change with the file only.
    pub fn entries(&self) -> Result<Vec<(Kind, String, String)>, CatalogueError> {
        if self.0.contains_key(PRICING) {
            let problem = "can only be changed by the catalogue file of a server".to_owned();
            return Err(CatalogueError::Entry { entry: PRICING.to_owned(), problem });
        }
        let mut entries = Vec::new();
        for kind in LISTS {
            for (position, entry) in list(&self.0, kind.singular()).iter().enumerate() {
                let problem =
                    |problem: String| CatalogueError::Entry { entry: describe(kind.singular(), entry), problem };
                let name = entry.get("name").and_then(Value::as_str);
                let name = name.ok_or_else(|| problem(format!("the entry at position {position} has no name")))?;
                let json = serde_json::to_string(entry).map_err(|e| problem(e.to_string()))?;
                entries.push((kind, name.to_owned(), json));
            }
        }
        Ok(entries)
    }

    /// Lays an overlay over this document.
    ///
    /// # Errors
    /// [`CatalogueError::Entry`] for an entry without id and name, or that removes what is not there.
    pub fn lay(&mut self, overlay: &Self) -> Result<(), CatalogueError> {
        for (key, value) in &overlay.0 {
            match (self.0.get_mut(key), value) {
                (entries, Value::Array(changes)) if LISTS.iter().any(|kind| kind.singular() == key) => {
                    let mut there = entries.and_then(|entries| entries.as_array().cloned()).unwrap_or_default();
                    let gone = self.1.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
                    let Value::Array(gone) = gone else { continue };
                    changes.iter().try_for_each(|change| change_entry(key, (&mut there, gone), change))?;
                    self.0.insert(key.clone(), Value::Array(there));
                }
                (Some(Value::Table(table)), Value::Table(changes)) => merge(table, changes),
                (_, value) => {
                    self.0.insert(key.clone(), value.clone());
                }
            }
        }
        Ok(())
    }

    /// Reads the catalogue.
    ///
    /// # Errors
    /// The first thing that is malformed or breaks an invariant of [`super`].
    pub fn catalogue(&self) -> Result<Catalogue, CatalogueError> {
        parse::catalogue(self)
    }

    /// The entries of one list.
    pub(super) fn read_list<T: DeserializeOwned>(&self, key: &'static str) -> Result<Vec<T>, CatalogueError> {
        list(&self.0, key).iter().map(|entry| read(key, entry)).collect()
    }

    /// The entries that were removed from one list, in the order in which that happened.
    pub(super) fn read_gone<T: DeserializeOwned>(&self, key: &'static str) -> Result<Vec<T>, CatalogueError> {
        list(&self.1, key).iter().map(|entry| read(key, entry)).collect()
    }

    /// The table that is no list.
    pub(super) fn read_pricing<T: DeserializeOwned>(&self) -> Result<T, CatalogueError> {
        read(PRICING, self.0.get(PRICING).unwrap_or(&Value::Table(Table::new())))
    }
}

fn list<'a>(table: &'a Table, key: &str) -> &'a [Value] {
    table.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn read<T: DeserializeOwned>(key: &str, entry: &Value) -> Result<T, CatalogueError> {
    entry.clone().try_into().map_err(|e: toml::de::Error| CatalogueError::Entry {
        entry: describe(key, entry),
        problem: e.to_string().trim_end().replace('\n', " "),
    })
}

/// `server_type 'cpx22'`.
fn describe(key: &str, entry: &Value) -> String {
    match (entry.get("name").and_then(Value::as_str), entry.get("id")) {
        (Some(name), _) => format!("{key} '{name}'"),
        (None, Some(id)) => format!("{key} {id}"),
        (None, None) => key.to_owned(),
    }
}

/// Members that are about the change itself.
const REMOVE: &str = "remove";
const WAS: &str = "was";

/// The entry of a list that a change is about.
fn position(entries: &[Value], change: &Value) -> Option<usize> {
    let member = if change.get("id").is_some() { "id" } else { "name" };
    entries.iter().position(|entry| entry.get(member).is_some() && entry.get(member) == change.get(member))
}

/// An entry with a change over it; the change alone when there is none.
fn changed(entry: Option<&Value>, change: &Table) -> Value {
    let mut table = entry.and_then(Value::as_table).cloned().unwrap_or_default();
    merge(&mut table, change);
    Value::Table(table)
}

fn change_entry(
    key: &str,
    (entries, gone): (&mut Vec<Value>, &mut Vec<Value>),
    change: &Value,
) -> Result<(), CatalogueError> {
    let problem = |problem: &str| CatalogueError::Entry { entry: describe(key, change), problem: problem.to_owned() };
    let mut members = change.as_table().cloned().unwrap_or_default();
    if !members.contains_key("id") && !members.contains_key("name") {
        return Err(problem("an entry needs an id or a name"));
    }
    let removes = match members.remove(REMOVE) {
        None => false,
        Some(remove) => remove.as_bool().ok_or_else(|| problem("remove must be true or false"))?,
    };
    let was = members.remove(WAS).unwrap_or(Value::Array(Vec::new()));
    let was = was.as_array().filter(|was| was.iter().all(Value::is_table));
    for entry in was.ok_or_else(|| problem("was must be a list of entries"))? {
        let before = position(entries, entry).and_then(|position| entries.get(position));
        gone.push(changed(before, entry.as_table().unwrap_or(&Table::new())));
    }
    let says_more = members.keys().any(|member| member != "id" && member != "name");
    match (position(entries, change), removes) {
        (Some(position), true) => {
            let entry = entries.remove(position);
            gone.push(changed(Some(&entry), &members));
        }
        (None, true) if says_more => gone.push(changed(None, &members)),
        // Gone already: by a file that was changed since.
        (None, true) if position(gone, change).is_some() => {}
        (None, true) => return Err(problem("there is no such entry to remove")),
        (Some(position), false) => {
            let new = changed(entries.get(position), &members);
            entries.get_mut(position).into_iter().for_each(|entry| entry.clone_from(&new));
        }
        // Nothing is left of it but what was there before.
        (None, false) if !says_more && change.get(WAS).is_some() => {}
        (None, false) => entries.push(changed(None, &members)),
    }
    Ok(())
}

/// The members that name points in time of an end, and that `false` removes.
const ENDS: [&str; 2] = ["deprecation", "deprecated"];

fn merge(table: &mut Table, changes: &Table) {
    for (key, change) in changes {
        if ENDS.contains(&key.as_str()) && change.as_bool() == Some(false) {
            table.remove(key);
            continue;
        }
        match (table.get_mut(key), change) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "offers" => merge_offers(old, new),
            _ => {
                table.insert(key.clone(), change.clone());
            }
        }
    }
}

/// Offers of several locations are taken apart, so that each can change on its own.
fn apart(offers: &[Value]) -> Vec<Value> {
    let one = |offer: &Value| -> Vec<Value> {
        let at = offer.get("at").and_then(Value::as_array);
        let (Some(at), Some(offer)) = (at, offer.as_table()) else { return vec![offer.clone()] };
        let at_place = |place: &Value| {
            let mut offer = offer.clone();
            offer.insert("at".to_owned(), Value::Array(vec![place.clone()]));
            Value::Table(offer)
        };
        at.iter().map(at_place).collect()
    };
    offers.iter().flat_map(one).collect()
}

fn merge_offers(offers: &mut Vec<Value>, changes: &[Value]) {
    *offers = apart(offers);
    for change in apart(changes) {
        let removes = change.get("remove").and_then(Value::as_bool) == Some(true);
        let position = offers.iter().position(|offer| offer.get("at") == change.get("at"));
        match (position, removes) {
            (Some(position), true) => {
                offers.remove(position);
            }
            (Some(position), false) => {
                if let (Some(Value::Table(offer)), Some(change)) = (offers.get_mut(position), change.as_table()) {
                    merge(offer, change);
                }
            }
            (None, true) => {}
            (None, false) => offers.push(change),
        }
    }
}

#[cfg(test)]
mod tests;
