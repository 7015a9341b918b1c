//! `GET /v1/openapi.json`: the operations of the server's default dialect that this server has, derived from the table.

use crate::api::Api;
use crate::operation::Operation;
use crate::table::OPERATIONS;
use axum::extract::State;
use http::HeaderName;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use wolke_wire::Dialect;
use wolke_wire::contract::{Contract, OperationContract, QueryKind};

/// Answers with the listing; it names nothing of a project and needs no token.
pub async fn serve(State(api): State<Arc<Api>>) -> ([(HeaderName, &'static str); 1], String) {
    ([(http::header::CONTENT_TYPE, "application/json")], listing(api.settings.dialect).to_string())
}

/// The operations of a dialect as an OpenAPI document: paths, ids, parameters and what the table knows of them.
#[must_use]
pub fn listing(dialect: Dialect) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let Some(contract) = Contract::of(dialect).operation(operation.id).filter(|c| c.ended.is_none()) else {
            continue;
        };
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.verb.as_str().to_ascii_lowercase()] = describe(operation, contract);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Wolke", "version": env!("CARGO_PKG_VERSION"), "x-dialect": dialect.name()},
        "servers": [{"url": crate::PREFIX}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
        "paths": paths,
    })
}

fn describe(operation: &Operation, contract: &OperationContract) -> Value {
    let in_path = operation.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')).map(|name| {
        let is_id = name == "id" || name == "action_id";
        let schema = if is_id { json!({"type": "integer", "format": "int64"}) } else { json!({"type": "string"}) };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let in_query = contract.query.iter().map(|parameter| {
        let kind = match parameter.kind {
            QueryKind::String => "string",
            QueryKind::Integer => "integer",
            QueryKind::Number => "number",
            QueryKind::Boolean => "boolean",
        };
        let one = if parameter.values.is_empty() {
            json!({"type": kind})
        } else {
            json!({"type": kind, "enum": parameter.values})
        };
        let schema = if parameter.repeatable { json!({"type": "array", "items": one}) } else { one };
        json!({"name": parameter.name, "in": "query", "required": parameter.required, "schema": schema})
    });
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    json!({
        "operationId": operation.id,
        "parameters": parameters,
        "responses": {contract.success_status().to_string(): {"description": ""}},
        "x-mutating": operation.mutating(),
        "x-rate-class": operation.rate().as_str(),
        "x-action": operation.command,
        "x-target": operation.target.singular(),
    })
}

#[cfg(test)]
mod tests {
    use super::listing;
    use wolke_wire::Dialect;

    #[test]
    fn holds_what_the_dialect_has() {
        let compat = listing(Dialect::Compat);
        assert_eq!(compat["paths"]["/servers"]["post"]["operationId"], "create_server");
        assert_eq!(compat["paths"]["/servers"]["post"]["x-mutating"], true);
        assert!(listing(Dialect::D2018_04)["paths"].get("/primary_ips").is_none());
    }
}
