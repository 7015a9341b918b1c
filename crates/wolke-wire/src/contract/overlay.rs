//! Overlays: small dated patches on top of a document, and the exceptions of the oracle, which have the same form.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::files::OVERLAYS;
use super::raw::{RawAdditional, RawFile, RawOperation, RawSchema, Refers};
use super::tables::EXCEPTIONS;
use crate::Dialect;

/// An overlay file of `contract/overlays`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overlay {
    /// Where the change is described.
    #[allow(dead_code, reason = "part of the format; for readers")]
    source: String,
    pub(super) dialects: Vec<Dialect>,
    pub(super) changes: Vec<Change>,
}

/// One change. `at` is a place: `definitions/NAME/…` or `operations/ID/request|STATUS/…`, then names of members, `[]`
/// for items and `*` for the values of an open map; references are followed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "op", rename_all = "snake_case")]
pub(super) enum Change {
    AddProperty {
        at: String,
        name: String,
        schema: Box<RawSchema>,
        #[serde(default)]
        required: bool,
    },
    RemoveProperty {
        at: String,
        name: String,
    },
    Optional {
        at: String,
        name: String,
    },
    Require {
        at: String,
        name: String,
    },
    Nullable {
        at: String,
    },
    AddValues {
        at: String,
        values: Vec<String>,
    },
    AddOperation {
        operation: Box<RawOperation>,
    },
    EndOperation {
        id: String,
        status: u16,
    },
    ReplaceResponses {
        id: String,
        responses: BTreeMap<String, Option<RawSchema>>,
    },
}

type Parsed<T> = LazyLock<Result<Vec<T>, String>>;

static PARSED: Parsed<(&'static str, Overlay)> = LazyLock::new(|| {
    let parse = |&(name, text): &(&'static str, &'static str)| {
        serde_json::from_str(text).map(|overlay| (name, overlay)).map_err(|e| format!("{name}: {e}"))
    };
    OVERLAYS.iter().map(parse).collect()
});

/// All overlays by date.
pub(super) fn overlays() -> Result<&'static [(&'static str, Overlay)], String> {
    PARSED.as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

/// The first path segment of an operation that an overlay adds; the table of embedded files does not know it.
pub(super) fn added_segment(id: &str) -> Option<&'static str> {
    let changes = overlays().ok()?.iter().flat_map(|(_, overlay)| &overlay.changes);
    changes.into_iter().find_map(|change| match change {
        Change::AddOperation { operation } if operation.id == id => operation.path.split('/').nth(1),
        _ => None,
    })
}

/// Applies every overlay of the dialect to one file.
pub(super) fn apply_overlays(file: &mut RawFile, segment: &str, dialect: Dialect) -> Result<(), String> {
    for (_, overlay) in overlays()?.iter().filter(|(_, overlay)| overlay.dialects.contains(&dialect)) {
        for change in &overlay.changes {
            change.apply(file, segment);
        }
    }
    Ok(())
}

/// Applies the oracle's exceptions of the dialect to one file.
pub(super) fn apply_exceptions(file: &mut RawFile, segment: &str, dialect: Dialect) -> Result<(), String> {
    let exceptions = EXCEPTIONS.as_ref().map_err(Clone::clone)?;
    for exception in exceptions.iter().filter(|exception| exception.dialects.contains(&dialect)) {
        exception.change.apply(file, segment);
    }
    Ok(())
}

/// Marks a scalar of a request as "id or name"; `path` ends in the member, or in `[]` for every item of a list.
pub(super) fn mark_id_or_name(request: &mut RawSchema, path: &str) -> bool {
    let mut at = request;
    for step in path.split('/') {
        let next = if step == "[]" { at.items.as_deref_mut() } else { at.properties.get_mut(step) };
        let Some(next) = next else { return false };
        at = next;
    }
    at.refers = Refers::IdOrName;
    true
}

impl Change {
    /// Applies the change if its place is in this file; tells whether it was.
    pub(super) fn apply(&self, file: &mut RawFile, segment: &str) -> bool {
        match self {
            Self::AddProperty { at, name, schema, required } => edit(file, at, |place| {
                place.properties.insert(name.clone(), (**schema).clone());
                place.required.retain(|other| other != name);
                place.required.extend(required.then(|| name.clone()));
                true
            }),
            Self::RemoveProperty { at, name } => edit(file, at, |place| {
                place.required.retain(|other| other != name);
                place.properties.remove(name).is_some()
            }),
            Self::Optional { at, name } => edit(file, at, |place| {
                let before = place.required.len();
                place.required.retain(|other| other != name);
                place.required.len() < before
            }),
            Self::Require { at, name } => edit(file, at, |place| {
                place.required.push(name.clone());
                place.properties.contains_key(name)
            }),
            Self::Nullable { at } => edit_at(file, at, Last::PlaceOfUse, |place| {
                place.nullable = true;
                true
            }),
            Self::AddValues { at, values } => edit(file, at, |place| {
                place.values.extend(values.iter().cloned());
                true
            }),
            Self::AddOperation { operation } if operation.path.split('/').nth(1) == Some(segment) => {
                file.operations.push((**operation).clone());
                true
            }
            Self::AddOperation { .. } => false,
            Self::EndOperation { id, status } => on_operation(file, id, |operation| operation.ended = Some(*status)),
            Self::ReplaceResponses { id, responses } => {
                on_operation(file, id, |operation| operation.responses.clone_from(responses))
            }
        }
    }
}

fn on_operation(file: &mut RawFile, id: &str, change: impl FnOnce(&mut RawOperation)) -> bool {
    file.operations.iter_mut().find(|operation| operation.id == id).map(change).is_some()
}

/// What a change at a reference means: the definition, or the place that uses it (nullability belongs there).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Definition,
    PlaceOfUse,
}

/// Finds the place `at`, following every reference, and edits it.
fn edit(file: &mut RawFile, at: &str, change: impl FnOnce(&mut RawSchema) -> bool) -> bool {
    edit_at(file, at, Last::Definition, change)
}

fn edit_at(file: &mut RawFile, at: &str, last: Last, change: impl FnOnce(&mut RawSchema) -> bool) -> bool {
    let steps: Vec<&str> = at.split('/').collect();
    let RawFile { operations, definitions } = file;
    let (mut root, mut rest) = match steps.as_slice() {
        ["definitions", name, rest @ ..] => (Root::Definition((*name).to_owned()), rest),
        ["operations", id, part, rest @ ..] => (Root::Operation(id, part), rest),
        _ => return false,
    };
    // A reference leads to another root; the walk starts again there instead of holding two borrows.
    loop {
        let place = match &root {
            Root::Definition(name) => definitions.get_mut(name),
            Root::Operation(id, part) => operations.iter_mut().find(|o| o.id == *id).and_then(|o| match *part {
                "request" => o.request.as_mut(),
                status => o.responses.get_mut(status).and_then(Option::as_mut),
            }),
        };
        let Some(place) = place else { return false };
        match descend(place, rest, last) {
            Walk::At(place) => return change(place),
            Walk::Follow(name, remaining) => (root, rest) = (Root::Definition(name), remaining),
            Walk::Missing => return false,
        }
    }
}

/// Where a walk starts.
enum Root<'a> {
    Definition(String),
    /// The id of an operation, and `request` or a status.
    Operation(&'a str, &'a str),
}

enum Walk<'s, 'p> {
    At(&'s mut RawSchema),
    Follow(String, &'p [&'p str]),
    Missing,
}

fn descend<'s, 'p>(place: &'s mut RawSchema, steps: &'p [&'p str], last: Last) -> Walk<'s, 'p> {
    if let (Some(name), false) = (&place.reference, steps.is_empty() && last == Last::PlaceOfUse) {
        return Walk::Follow(name.clone(), steps);
    }
    let Some((step, rest)) = steps.split_first() else { return Walk::At(place) };
    let next = match (*step, &mut place.additional_properties) {
        ("[]", _) => place.items.as_deref_mut(),
        ("*", Some(RawAdditional::Values(values))) => Some(&mut **values),
        (name, _) => place.properties.get_mut(name),
    };
    next.map_or(Walk::Missing, |next| descend(next, rest, last))
}
