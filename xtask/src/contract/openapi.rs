//! Reads an OpenAPI 3.0 document as JSON.
//!
//! Invariant: references are resolved; an object that came from a named component keeps its name under [`NAME`],
//! which the definitions pass turns into a reference of the output file.

use serde_json::{Map, Value, json};

use super::Operation;

/// The member that carries the name of a component until definitions are factored out.
pub(super) const NAME: &str = "$name";
/// How deep references and schemas may nest; the documents stay far below, a cycle does not.
const MAX_DEPTH: usize = 32;
/// What is kept of a schema besides its structure, in the order of the output.
const SCALARS: [&str; 10] =
    ["nullable", "enum", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern"];
/// The phrase by which the 2023 document and the blueprint mark a repeatable parameter.
pub(super) const REPEATS: &str = "multiple times";

/// The operations of the document in document order.
pub(super) fn distil(text: &str) -> Result<Vec<Operation>, String> {
    let document: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let empty = Map::new();
    let components = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&empty);
    let paths = document.get("paths").and_then(Value::as_object).ok_or("there are no paths")?;
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for method in ["get", "post", "put", "delete"] {
            let Some(operation) = methods.get(method) else { continue };
            let distilled = distil_operation(method, path, operation, components);
            operations.push(distilled.map_err(|e| format!("{method} {path}: {e}"))?);
        }
    }
    Ok(operations)
}

fn distil_operation(
    method: &str,
    path: &str,
    operation: &Value,
    components: &Map<String, Value>,
) -> Result<Operation, String> {
    let body = |of: &Value| of.pointer("/content/application~1json/schema").cloned();
    let parameters = operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let query = parameters
        .iter()
        .filter(|p| p.get("in").and_then(Value::as_str) == Some("query"))
        .map(|p| distil_parameter(p, components))
        .collect::<Result<_, _>>()?;
    let request = match operation.get("requestBody").and_then(body) {
        Some(schema) => Some(distil_schema(&schema, components, 0)?),
        None => None,
    };
    let mut responses = Vec::new();
    for (status, response) in operation.get("responses").and_then(Value::as_object).ok_or("no responses")? {
        if status.starts_with('2') {
            let schema = body(response).map(|s| distil_schema(&s, components, 0)).transpose()?;
            responses.push((status.clone(), schema.unwrap_or(Value::Null)));
        }
    }
    Ok(Operation { method: method.to_uppercase(), path: path.to_owned(), query, request, responses })
}

/// A parameter as one flat object: `name`, `type`, then what applies.
fn distil_parameter(parameter: &Value, components: &Map<String, Value>) -> Result<Value, String> {
    let schema = parameter.get("schema").ok_or("a parameter without a schema")?;
    let (item, array) = match schema.get("items") {
        Some(items) => (items, true),
        None => (schema, false),
    };
    let prose = parameter.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut out = Map::new();
    out.insert("name".into(), parameter.get("name").cloned().unwrap_or_default());
    if let Value::Object(distilled) = distil_schema(item, components, 0)? {
        out.extend(distilled.into_iter().filter(|(key, _)| key != NAME));
    }
    if let Some(default) = schema.get("default") {
        out.insert("default".into(), default.clone());
    }
    if array || prose.contains(REPEATS) {
        out.insert("repeatable".into(), json!(true));
    }
    if parameter.get("required") == Some(&json!(true)) {
        out.insert("required".into(), json!(true));
    }
    Ok(Value::Object(out))
}

fn distil_schema(schema: &Value, components: &Map<String, Value>, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err("the schemas nest too deeply, or form a cycle".into());
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return distil_reference(reference, components, depth);
    }
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        let mut merged = distil_schema(only, components, depth + 1)?;
        if let (Some(nullable), Some(members)) = (schema.get("nullable"), merged.as_object_mut()) {
            members.insert("nullable".into(), nullable.clone());
        }
        return Ok(merged);
    }
    let mut out = Map::new();
    match (schema.get("type"), schema.get("oneOf").and_then(Value::as_array)) {
        (Some(kind), _) => out.insert("type".into(), kind.clone()),
        (None, Some(any)) => out.insert("type".into(), any.iter().filter_map(|s| s.get("type").cloned()).collect()),
        (None, None) => return Err(format!("a schema without a type: {schema}")),
    };
    for key in SCALARS {
        if let Some(value) = schema.get(key).filter(|v| **v != json!(false)) {
            out.insert(key.into(), value.clone());
        }
    }
    if let Some(items) = schema.get("items") {
        out.insert("items".into(), distil_schema(items, components, depth + 1)?);
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let mut kept = Map::new();
        for (name, property) in properties {
            let distilled = distil_schema(property, components, depth + 1);
            kept.insert(name.clone(), distilled.map_err(|e| format!("{name}: {e}"))?);
        }
        out.insert("properties".into(), Value::Object(kept));
        if let Some(required) = schema.get("required") {
            out.insert("required".into(), required.clone());
        }
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(open)) => drop(out.insert("additionalProperties".into(), json!(open))),
        Some(values) => {
            drop(out.insert("additionalProperties".into(), distil_schema(values, components, depth + 1)?));
        }
        None => {}
    }
    if let Some(default) = schema.get("default") {
        out.insert("default".into(), default.clone());
    }
    Ok(Value::Object(out))
}

/// Objects keep the name of their component; envelopes (`*_request`, `*_response`) and scalars are inlined.
fn distil_reference(reference: &str, components: &Map<String, Value>, depth: usize) -> Result<Value, String> {
    let name = reference.rsplit('/').next().unwrap_or_default();
    let component = components.get(name).ok_or_else(|| format!("{reference} does not exist"))?;
    let mut distilled = distil_schema(component, components, depth + 1)?;
    let envelope = name.ends_with("_request") || name.ends_with("_response");
    if let (false, Some(members)) = (envelope, distilled.as_object_mut())
        && (members.contains_key("properties") || members.contains_key("additionalProperties"))
    {
        members.insert(NAME.into(), json!(name));
    }
    Ok(distilled)
}
