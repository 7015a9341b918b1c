//! `GET /v1/openapi.json`: what the server answers in its default dialect, as an OpenAPI 3.1 document. Operations come from the
//! table, schemas and codes from the contract.
//!
//! **Invariant:** the document promises what the oracle of the tests demands of answers, and no more of requests than the
//! walker takes; a tool that knows only the document finds no difference.

use crate::api::Api;
use crate::operation::Operation;
use crate::table::OPERATIONS;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderName, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use wolke_wire::contract::{Contract, OperationContract, QueryKind, QueryParam, Side, error_answers};
use wolke_wire::paging::PAGE_MAX;
use wolke_wire::{Dialect, ErrorCode, ID_MAX};

/// Answers with the document; it names nothing of a project and needs no token. It is made once: it is long.
pub async fn serve(State(api): State<Arc<Api>>) -> ([(HeaderName, &'static str); 1], Bytes) {
    let text = api.document.get_or_init(|| Bytes::from(document(api.settings.dialect).to_string()));
    ([(http::header::CONTENT_TYPE, "application/json")], text.clone())
}

/// The operations of a dialect as an OpenAPI document.
#[must_use]
pub fn document(dialect: Dialect) -> Value {
    let mut shared = Shared::default();
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let Some(contract) = Contract::of(dialect).operation(operation.id).filter(|c| c.ended.is_none()) else {
            continue;
        };
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.verb.as_str().to_ascii_lowercase()] = shared.operation(operation, contract);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Wolke", "version": env!("CARGO_PKG_VERSION"), "x-dialect": dialect.name()},
        "servers": [{"url": crate::PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": shared.schemas,
            "responses": shared.responses,
        },
    })
}

/// Parts that stand once in the document.
#[derive(Default)]
struct Shared {
    schemas: Map<String, Value>,
    responses: BTreeMap<String, Value>,
}

impl Shared {
    fn operation(&mut self, operation: &Operation, contract: &OperationContract) -> Value {
        let mut parameters: Vec<Value> = in_path(operation).collect();
        parameters.extend(contract.query.iter().map(in_query));
        let mut told = json!({
            "operationId": operation.id,
            "tags": [operation.target.plural()],
            "parameters": parameters,
            "responses": self.answers(contract),
            "x-mutating": operation.mutating(),
            "x-rate-class": operation.rate().as_str(),
            "x-action": operation.command,
            "x-target": operation.target.singular(),
        });
        if let Some(request) = &contract.request {
            let schema = request.describe(Side::Request, &mut |name, part| self.share(name, part));
            let required = request.member_names().any(|name| request.requires(name));
            // Clients send null where they have nothing to say (fact sheet §1).
            let schema = if required { schema } else { json!({"anyOf": [schema, {"type": "null"}]}) };
            told["requestBody"] = json!({"required": required, "content": {"application/json": {"schema": schema}}});
        }
        told
    }

    fn answers(&mut self, contract: &OperationContract) -> Value {
        let mut answers = Map::new();
        for (status, schema) in &contract.responses {
            let mut answer = json!({"description": reason(*status)});
            if let Some(schema) = schema {
                let schema = schema.describe(Side::Answer, &mut |name, part| self.share(name, part));
                answer["content"] = json!({"application/json": {"schema": schema}});
            }
            answers.insert(status.to_string(), answer);
        }
        for (status, codes) in error_answers(&contract.id, contract.dialect) {
            answers.insert(status.to_string(), self.refusal(status, &codes));
        }
        Value::Object(answers)
    }

    /// A part under its name, or under a numbered one where another part has that name.
    fn share(&mut self, name: &str, part: Value) -> Value {
        let numbered = |number: usize| if number == 1 { name.to_owned() } else { format!("{name}_{number}") };
        // As many names are tried as there are parts: one of them is free.
        let free = (1..=self.schemas.len() + 1).map(numbered).find(|n| self.schemas.get(n).is_none_or(|p| *p == part));
        let Some(free) = free else { return part };
        let reference = json!({"$ref": format!("#/components/schemas/{free}")});
        self.schemas.entry(free).or_insert(part);
        reference
    }

    /// An error answer; those with the same codes stand once.
    fn refusal(&mut self, status: u16, codes: &[ErrorCode]) -> Value {
        let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let name = codes.join("-");
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        self.responses.entry(name).or_insert_with(|| {
            let schema = json!({"type": "object", "properties": {"error": envelope(&codes)}, "required": ["error"]});
            json!({"description": reason(status), "content": {"application/json": {"schema": schema}}})
        });
        reference
    }
}

fn envelope(codes: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": {
            "code": {"type": "string", "enum": codes},
            "message": {"type": "string"},
            "details": {"type": ["object", "null"]},
        },
        "required": ["code", "message"],
    })
}

/// What a status is called: OpenAPI demands a description.
fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

fn in_path(operation: &Operation) -> impl Iterator<Item = Value> {
    let names = operation.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| {
        let is_text = name.starts_with("id_or_") || name.starts_with("rr_");
        let id = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": ID_MAX});
        let schema = if is_text { json!({"type": "string", "minLength": 1}) } else { id };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    })
}

fn in_query(parameter: &QueryParam) -> Value {
    let range = |most: i64| json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": most});
    let mut one = match (parameter.name.as_str(), parameter.kind) {
        ("page", _) => range(i64::from(PAGE_MAX)),
        ("per_page", _) => range(i64::from(parameter.longest_page)),
        ("id", _) => range(ID_MAX),
        (_, QueryKind::Integer) => json!({"type": "integer", "format": "int64"}),
        (_, QueryKind::Number) => json!({"type": "number"}),
        (_, QueryKind::Boolean) => json!({"type": "boolean"}),
        (_, QueryKind::String) => json!({"type": "string"}),
    };
    if !parameter.values.is_empty() {
        one["enum"] = json!(parameter.values);
    }
    if let Some(default) = &parameter.default {
        one["default"] = default.clone();
    }
    let schema = if parameter.repeatable { json!({"type": "array", "items": one}) } else { one };
    json!({"name": parameter.name, "in": "query", "required": parameter.required, "schema": schema})
}

#[cfg(test)]
mod tests {
    use super::document;
    use serde_json::Value;
    use wolke_wire::Dialect;

    #[test]
    fn holds_what_the_dialect_has() {
        let compat = document(Dialect::Compat);
        let create = &compat["paths"]["/servers"]["post"];
        assert_eq!(create["operationId"], "create_server");
        assert_eq!(create["x-mutating"], true);
        assert_eq!(create["requestBody"]["required"], true);
        let body = &create["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(body["properties"]["name"]["type"], "string");
        let refusal = create["responses"]["409"]["$ref"].as_str().unwrap();
        let refusal = compat.pointer(refusal.trim_start_matches('#')).unwrap();
        assert_eq!(refusal["description"], "Conflict");
        let protection = &compat["paths"]["/servers/{id}/actions/change_protection"]["post"]["requestBody"];
        assert_eq!(protection["required"], false);
        assert_eq!(protection["content"]["application/json"]["schema"]["anyOf"][1]["type"], "null");
        assert!(document(Dialect::D2018_04)["paths"].get("/primary_ips").is_none());
    }

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        for dialect in Dialect::ALL {
            let whole = document(*dialect);
            let mut found = Vec::new();
            references(&whole, &mut found);
            assert!(found.len() > 100, "{dialect}");
            let lost = |at: &&str| whole.pointer(at.trim_start_matches('#')).is_none();
            assert_eq!(found.into_iter().find(lost), None, "{dialect}");
        }
    }

    #[test]
    fn it_is_not_too_long_for_a_reader() {
        let length = document(Dialect::Compat).to_string().len();
        assert!(length < 600_000, "{length}");
    }
}
