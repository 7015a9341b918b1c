//! Loading: parse one embedded file, patch it for a dialect, compile it.

use std::sync::OnceLock;

use serde_json::Value;

use super::files::FILES;
use super::operation::{Ended, OperationContract};
use super::overlay;
use super::query::{QueryKind, QueryParam};
use super::raw::{RawFile, RawOperation, RawParameter, RawSchema};
use super::schema::Compiler;
use super::tables::DECISIONS;
use crate::Dialect;
use crate::dialect::Document;
use crate::paging::{PER_PAGE_DEFAULT, PER_PAGE_MAX};

/// A distilled file inside the binary.
pub(super) struct Embedded {
    pub(super) document: Document,
    pub(super) segment: &'static str,
    pub(super) text: &'static str,
    pub(super) ids: &'static [&'static str],
}

/// A file of one dialect; compiled on first use.
pub(super) struct Slot {
    embedded: &'static Embedded,
    operations: OnceLock<Box<[OperationContract]>>,
}

/// The files of the dialect's document, none of them loaded.
pub(super) fn slots(dialect: Dialect) -> Vec<Slot> {
    let files = FILES.iter().filter(|file| file.document == dialect.document());
    files.map(|embedded| Slot { embedded, operations: OnceLock::new() }).collect()
}

impl Slot {
    pub(super) fn segment(&self) -> &'static str {
        self.embedded.segment
    }

    pub(super) fn holds(&self, id: &str) -> bool {
        self.embedded.ids.contains(&id)
    }

    /// The operations, compiled now if they were not before. The files are constants and a test loads every one for
    /// every dialect, so a file that does not compile cannot ship; it would show as a file without operations.
    pub(super) fn operations(&self, dialect: Dialect) -> &[OperationContract] {
        self.operations.get_or_init(|| load(self.embedded, dialect).unwrap_or_default().into())
    }
}

/// Parses, patches and compiles a file.
pub(super) fn load(embedded: &Embedded, dialect: Dialect) -> Result<Vec<OperationContract>, String> {
    let mut file: RawFile = serde_json::from_str(embedded.text).map_err(|e| e.to_string())?;
    if dialect.document() != Document::D2026 {
        add_paging(&mut file)?;
    }
    overlay::apply_overlays(&mut file, embedded.segment, dialect)?;
    decide(&mut file)?;
    overlay::apply_exceptions(&mut file, embedded.segment, dialect)?;
    let mut compiler = Compiler::new(&file.definitions);
    file.operations.iter().map(|raw| compile(&mut compiler, raw, dialect)).collect()
}

/// All lists of 2018 and 2023 have pages, though the documents leave that out of single operations (dialects A.4).
fn add_paging(file: &mut RawFile) -> Result<(), String> {
    const META: &str = r#"{"type": "object", "required": ["pagination"], "properties": {"pagination": {"type": "object",
        "required": ["last_page", "next_page", "page", "per_page", "previous_page", "total_entries"],
        "properties": {"last_page": {"type": "integer", "nullable": true}, "next_page": {"type": "integer", "nullable": true},
        "page": {"type": "integer"}, "per_page": {"type": "integer"},
        "previous_page": {"type": "integer", "nullable": true}, "total_entries": {"type": "integer", "nullable": true}}}}}"#;
    let meta: RawSchema = serde_json::from_str(META).map_err(|e| e.to_string())?;
    for operation in file.operations.iter_mut().filter(|o| o.id.starts_with("list_")) {
        for (name, default) in [("page", 1), ("per_page", PER_PAGE_DEFAULT)] {
            if !operation.query.iter().any(|q| q.name == name) {
                operation.query.push(RawParameter {
                    name: name.to_owned(),
                    kind: "integer".to_owned(),
                    values: Vec::new(),
                    repeatable: false,
                    required: false,
                    default: Some(Value::from(default)),
                    format: None,
                    maximum: None,
                });
            }
        }
        if let Some(Some(response)) = operation.responses.get_mut("200") {
            response.properties.entry("meta".to_owned()).or_insert_with(|| meta.clone());
        }
    }
    Ok(())
}

/// Applies `contract/decisions.json`: what is an id, what is an id or a name, which parameters the handlers check.
fn decide(file: &mut RawFile) -> Result<(), String> {
    let decisions = DECISIONS.as_ref().map_err(Clone::clone)?;
    for operation in &mut file.operations {
        if let Some(request) = &mut operation.request {
            open_labels(request)?;
            decisions.mark_ids(request);
            for (_, path) in
                decisions.id_or_name.iter().filter_map(|at| at.split_once('/')).filter(|(id, _)| *id == operation.id)
            {
                // Older documents lack some of these members.
                overlay::mark_id_or_name(request, path);
            }
        }
        let is_listed = |list: &[String], name: &str| list.iter().any(|at| *at == format!("{}/{name}", operation.id));
        for parameter in &mut operation.query {
            parameter.required &= !is_listed(&decisions.query_checked_elsewhere, &parameter.name);
        }
    }
    for definition in file.definitions.values_mut() {
        decisions.mark_ids(definition);
    }
    Ok(())
}

/// Labels of requests are strings by key, also where the 2023 document says no more than `object`, or shows an example.
fn open_labels(request: &mut RawSchema) -> Result<(), String> {
    const LABELS: &str = r#"{"type": "object", "additionalProperties": {"type": "string"}}"#;
    if let Some(labels) = request.properties.get_mut("labels").filter(|labels| labels.reference.is_none()) {
        *labels = serde_json::from_str(LABELS).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn compile(compiler: &mut Compiler<'_>, raw: &RawOperation, dialect: Dialect) -> Result<OperationContract, String> {
    let context = |e: String| format!("{}: {e}", raw.id);
    let mut responses = Vec::new();
    for (status, schema) in &raw.responses {
        let status = status.parse().map_err(|e| format!("{}: status {status}: {e}", raw.id))?;
        responses.push((status, schema.as_ref().map(|s| compiler.compile(s)).transpose().map_err(context)?));
    }
    Ok(OperationContract {
        id: raw.id.clone(),
        method: raw.method.clone(),
        path: raw.path.clone(),
        query: raw.query.iter().map(|q| parameter(&raw.id, q)).collect::<Result<_, _>>()?,
        request: raw.request.as_ref().map(|s| compiler.compile(s)).transpose().map_err(context)?,
        responses,
        ended: raw.ended.map(|status| Ended { status }),
        dialect,
    })
}

fn parameter(operation: &str, raw: &RawParameter) -> Result<QueryParam, String> {
    let decisions = DECISIONS.as_ref().map_err(Clone::clone)?;
    let kind = match raw.kind.as_str() {
        "string" => QueryKind::String,
        "integer" => QueryKind::Integer,
        "number" => QueryKind::Number,
        "boolean" => QueryKind::Boolean,
        other => return Err(format!("{operation}: parameter {}: unknown type {other}", raw.name)),
    };
    let place = format!("{operation}/{}", raw.name);
    Ok(QueryParam {
        name: raw.name.clone(),
        kind,
        values: raw.values.iter().map(|value| value.as_str().into()).collect(),
        repeatable: raw.repeatable,
        comma_separated: decisions.query_comma_separated.contains(&place),
        longest_page: decisions.longest_page.get(operation).copied().unwrap_or(PER_PAGE_MAX),
        required: raw.required,
        default: raw.default.clone(),
    })
}
