//! The file format of `contract/` as types. Unknown members are an error, so the format cannot drift.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One file: the operations below one path segment, and the objects that they share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    pub(super) operations: Vec<RawOperation>,
    pub(super) definitions: BTreeMap<String, RawSchema>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOperation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: Vec<RawParameter>,
    #[serde(default)]
    pub(super) request: Option<RawSchema>,
    /// By status; null where there is no body.
    pub(super) responses: BTreeMap<String, Option<RawSchema>>,
    /// The status that the operation answers since it has ended; set by overlays only.
    #[serde(skip)]
    pub(super) ended: Option<u16>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParameter {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, rename = "enum")]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) repeatable: bool,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) default: Option<Value>,
    /// What the documents say beyond the type; ids and paging have their own limits here.
    #[serde(default)]
    #[allow(dead_code, reason = "part of the format")]
    pub(super) format: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "part of the format")]
    pub(super) maximum: Option<f64>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawSchema {
    /// The name of a definition; then only `nullable` and `default` may stand beside it.
    #[serde(default, rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<RawType>,
    #[serde(default)]
    pub(super) nullable: bool,
    #[serde(default, rename = "enum")]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) format: Option<String>,
    #[serde(default)]
    pub(super) minimum: Option<f64>,
    #[serde(default)]
    pub(super) maximum: Option<f64>,
    #[serde(default)]
    pub(super) min_length: Option<usize>,
    #[serde(default)]
    pub(super) max_length: Option<usize>,
    #[serde(default)]
    pub(super) min_items: Option<usize>,
    #[serde(default)]
    pub(super) max_items: Option<usize>,
    #[serde(default)]
    pub(super) pattern: Option<String>,
    #[serde(default)]
    pub(super) items: Option<Box<RawSchema>>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, RawSchema>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    #[serde(default)]
    pub(super) additional_properties: Option<RawAdditional>,
    #[serde(default)]
    pub(super) default: Option<Value>,
    /// Set by the decisions, never in a file: what the value refers to.
    #[serde(skip)]
    pub(super) refers: Refers,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RawType {
    One(String),
    Any(Vec<String>),
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RawAdditional {
    Allowed(bool),
    Values(Box<RawSchema>),
}

/// Whether a scalar of a request names a resource, and how (`contract/decisions.json`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Refers {
    /// A plain value.
    #[default]
    No,
    /// A number from 1 to [`crate::ID_MAX`].
    Id,
    /// A number, a numeric string or a name.
    IdOrName,
}
