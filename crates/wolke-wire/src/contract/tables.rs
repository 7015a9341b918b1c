//! Our own tables beside the documents: decisions, error codes and exceptions (`contract/*.json`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::overlay::Change;
use super::raw::{RawAdditional, RawSchema, RawType, Refers};
use crate::Dialect;
use crate::dialect::Document;

/// What the documents leave open, decided (`contract/decisions.json`; its prose is for readers).
#[derive(Deserialize)]
pub(super) struct Decisions {
    /// Members of requests that take a number, a numeric string or a name: `OPERATION/path`.
    pub(super) id_or_name: Vec<String>,
    /// Names of integer members of requests that are ids of resources.
    ids: Vec<String>,
    /// Query parameters whose absence the handler answers itself: `OPERATION/name`.
    pub(super) query_checked_elsewhere: Vec<String>,
    /// Query parameters whose values may be joined by commas: `OPERATION/name`.
    pub(super) query_comma_separated: Vec<String>,
    /// The largest `per_page` of lists whose pages may be longer than others'.
    pub(super) longest_page: BTreeMap<String, u32>,
}

impl Decisions {
    /// Marks every integer below `schema` that is an id by its name.
    pub(super) fn mark_ids(&self, schema: &mut RawSchema) {
        for (name, property) in &mut schema.properties {
            let named = self.ids.iter().any(|id| id == name);
            if named && is_integer(property) {
                property.refers = Refers::Id;
            }
            if let Some(items) = property.items.as_deref_mut().filter(|items| named && is_integer(items)) {
                items.refers = Refers::Id;
            }
            self.mark_ids(property);
        }
        if let Some(items) = schema.items.as_deref_mut() {
            self.mark_ids(items);
        }
        if let Some(RawAdditional::Values(values)) = &mut schema.additional_properties {
            self.mark_ids(values);
        }
    }
}

fn is_integer(schema: &RawSchema) -> bool {
    matches!(&schema.kind, Some(RawType::One(kind)) if kind == "integer")
}

/// Operation id to codes.
pub(super) type Codes = BTreeMap<String, BTreeSet<String>>;

/// The error codes (`contract/errors.json`): by operation, and those that every operation may answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Errors {
    /// Code and status of the codes that any operation may answer.
    general: BTreeMap<String, u16>,
    /// General codes that the 2018 document does not have yet.
    absent_2018: Vec<String>,
    /// The codes of single operations in any dialect: operation id, code, status.
    pub(super) operations: BTreeMap<String, BTreeMap<String, u16>>,
    /// Which of them a document lists.
    pub(super) documents: BTreeMap<Dialect, Codes>,
    /// Which of them no document lists for the operation, and why we answer them stands in the decisions. A document has them
    /// where it knows the word from another operation; `compat` and `newest` have them all, because their clients do.
    pub(super) beyond: Codes,
    /// What stands for a code where a dialect does not have it; for all others `service_error`.
    pub(super) instead: BTreeMap<String, String>,
}

impl Errors {
    /// The status of `code` as an answer of `operation`; `None` when the operation has no such code.
    ///
    /// A code of the operation comes before a general one of the same name.
    pub(super) fn status(&self, operation: &str, code: &str, dialect: Dialect) -> Option<u16> {
        let is_absent = dialect.document() == Document::D2018 && self.absent_2018.iter().any(|one| one == code);
        let general = || self.general.get(code).filter(|_| !is_absent);
        let own = self.operations.get(operation).and_then(|codes| codes.get(code));
        own.filter(|_| self.has(operation, code, dialect)).or_else(general).copied()
    }

    /// Whether a code of an operation is one in the dialect.
    fn has(&self, operation: &str, code: &str, dialect: Dialect) -> bool {
        let Some(document) = self.documents.get(&preset(dialect.document())) else { return false };
        let lists = |codes: &Codes| codes.get(operation).is_some_and(|codes| codes.contains(code));
        lists(document)
            || lists(&self.beyond)
                && match dialect {
                    Dialect::D2018_04 => false,
                    Dialect::D2023_07 | Dialect::D2026_02 => document.values().any(|codes| codes.contains(code)),
                    Dialect::Compat | Dialect::Newest => true,
                }
    }
}

/// The dialect that is a document and nothing else.
pub(super) const fn preset(document: Document) -> Dialect {
    match document {
        Document::D2018 => Dialect::D2018_04,
        Document::D2023 => Dialect::D2023_07,
        Document::D2026 => Dialect::D2026_02,
    }
}

/// Where clients need something else than the schema says (`contract/exceptions.json`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    pub(super) dialects: Vec<Dialect>,
    pub(super) change: Change,
    /// Why; never empty.
    #[allow(dead_code, reason = "part of the format; for readers, and a test demands it")]
    pub(super) reason: String,
}

/// The decisions; an error would be a bug that the tests of this module find.
pub(super) static DECISIONS: LazyLock<Result<Decisions, String>> =
    LazyLock::new(|| parse("decisions", include_str!("../../../../contract/decisions.json")));

/// The error table.
pub(super) static ERRORS: LazyLock<Result<Errors, String>> =
    LazyLock::new(|| parse("errors", include_str!("../../../../contract/errors.json")));

/// The exceptions of the oracle.
pub(super) static EXCEPTIONS: LazyLock<Result<Vec<Exception>, String>> =
    LazyLock::new(|| parse("exceptions", include_str!("../../../../contract/exceptions.json")));

fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|e| format!("{name}: {e}"))
}
