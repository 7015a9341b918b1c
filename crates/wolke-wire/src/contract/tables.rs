//! Our own tables beside the documents: decisions, error codes and exceptions (`contract/*.json`).

use std::collections::BTreeMap;
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

/// The error codes (`contract/errors.json`): by operation, and those that every operation may answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Errors {
    /// Code and status of the codes that any operation may answer.
    general: BTreeMap<String, u16>,
    /// Codes of single operations that the 2023 document does not have yet.
    absent_2023: Vec<String>,
    /// General codes that the 2018 document does not have yet.
    absent_2018: Vec<String>,
    /// Codes of single operations since 2023: operation id, code, status.
    operations: BTreeMap<String, BTreeMap<String, u16>>,
    /// Codes of single operations in 2018.
    operations_2018: BTreeMap<String, BTreeMap<String, u16>>,
}

impl Errors {
    /// The status of `code` as an answer of `operation`; `None` when the operation has no such code.
    ///
    /// A code of the operation comes before a general one of the same name.
    pub(super) fn status(&self, operation: &str, code: &str, dialect: Dialect) -> Option<u16> {
        let (own, absent_own, absent): (_, &[String], &[String]) = match dialect.document() {
            Document::D2018 => (&self.operations_2018, &[], &self.absent_2018),
            Document::D2023 => (&self.operations, &self.absent_2023, &[]),
            Document::D2026 => (&self.operations, &[], &[]),
        };
        let unless = |absent: &[String]| !absent.iter().any(|one| one == code);
        let general = || self.general.get(code).filter(|_| unless(absent));
        let own = own.get(operation).and_then(|codes| codes.get(code)).filter(|_| unless(absent_own));
        own.or_else(general).copied()
    }

    /// The operations that have codes of their own.
    #[cfg(test)]
    pub(super) fn operation_ids(&self, document: Document) -> impl Iterator<Item = &String> {
        (if document == Document::D2018 { &self.operations_2018 } else { &self.operations }).keys()
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
