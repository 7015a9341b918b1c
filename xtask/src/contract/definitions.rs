//! Factors repeated objects of a file out into its table of definitions.
//!
//! An object is a definition when its document names it, or when it occurs twice with at least [`MIN_PROPERTIES`]
//! members. A definition without a name in the document is called after the property that holds it, in the singular.
//! Nullability and defaults belong to the place of use, not to the definition.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::Operation;
use super::ids::singular;
use super::openapi::NAME;

/// Smaller objects stay where they are used.
const MIN_PROPERTIES: usize = 2;

/// The content of one file.
pub(super) fn factor(ids: &[String], operations: Vec<Operation>) -> Value {
    let mut pass = Pass::default();
    for operation in &operations {
        for schema in operation.request.iter().chain(operation.responses.iter().map(|(_, s)| s)) {
            pass.count(schema);
        }
    }
    let mut list = Vec::new();
    for (id, operation) in ids.iter().zip(operations) {
        let mut out = Map::new();
        out.insert("id".into(), json!(id));
        out.insert("method".into(), json!(operation.method));
        out.insert("path".into(), json!(operation.path));
        if !operation.query.is_empty() {
            out.insert("query".into(), Value::Array(operation.query));
        }
        if let Some(request) = &operation.request {
            out.insert("request".into(), pass.shrink(request, "request", true));
        }
        let responses = operation.responses.iter().map(|(s, v)| (s.clone(), pass.shrink(v, "response", true)));
        out.insert("responses".into(), Value::Object(responses.collect()));
        list.push(Value::Object(out));
    }
    let definitions: Map<String, Value> = pass.definitions.into_iter().collect();
    json!({ "operations": list, "definitions": definitions })
}

#[derive(Default)]
struct Pass {
    /// How often each object occurs, by its canonical text.
    occurrences: HashMap<String, usize>,
    /// The name of each definition, by the canonical text of the object.
    names: HashMap<String, String>,
    definitions: BTreeMap<String, Value>,
}

impl Pass {
    fn count(&mut self, schema: &Value) {
        if is_candidate(schema) {
            *self.occurrences.entry(canonical(schema)).or_default() += 1;
        }
        each_child(schema, &mut |_, child| self.count(child));
    }

    /// `schema` with every definition in it replaced by a reference; `top` keeps envelopes in place.
    fn shrink(&mut self, schema: &Value, holder: &str, top: bool) -> Value {
        let named = schema.get(NAME).and_then(Value::as_str);
        let text = canonical(schema);
        let repeated = is_candidate(schema) && self.occurrences.get(&text).is_some_and(|n| *n > 1);
        if top || (named.is_none() && !repeated) {
            return self.shrink_children(schema, holder);
        }
        let name = match self.names.get(&text) {
            Some(name) => name.clone(),
            None => {
                let name = self.free_name(named.unwrap_or(holder));
                self.names.insert(text, name.clone());
                let mut content = self.shrink_children(schema, &name);
                if let Some(members) = content.as_object_mut() {
                    members.retain(|key, _| key != "nullable" && key != "default");
                }
                self.definitions.insert(name.clone(), content);
                name
            }
        };
        let mut reference = Map::new();
        reference.insert("$ref".into(), json!(name));
        for key in ["nullable", "default"] {
            if let Some(value) = schema.get(key) {
                reference.insert(key.into(), value.clone());
            }
        }
        Value::Object(reference)
    }

    fn shrink_children(&mut self, schema: &Value, holder: &str) -> Value {
        let Value::Object(members) = schema else { return schema.clone() };
        let mut out = Map::new();
        for (key, value) in members.iter().filter(|(key, _)| *key != NAME) {
            let shrunk = match key.as_str() {
                "items" => self.shrink(value, &singular(holder), false),
                "additionalProperties" if value.is_object() => self.shrink(value, holder, false),
                "properties" => {
                    let properties = value.as_object().into_iter().flatten();
                    Value::Object(properties.map(|(name, p)| (name.clone(), self.shrink(p, name, false))).collect())
                }
                _ => value.clone(),
            };
            out.insert(key.clone(), shrunk);
        }
        Value::Object(out)
    }

    fn free_name(&self, wanted: &str) -> String {
        let taken = |name: &String| self.names.values().any(|n| n == name);
        let numbered = (2..).map(|n| format!("{wanted}_{n}"));
        std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }
}

fn is_candidate(schema: &Value) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|p| p.len() >= MIN_PROPERTIES)
}

/// The text that identifies an object: without its nullability, its default and the names in it.
fn canonical(schema: &Value) -> String {
    fn strip(value: &Value, top: bool) -> Value {
        match value {
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .filter(|(key, _)| *key != NAME && !(top && (*key == "nullable" || *key == "default")))
                    .map(|(key, value)| (key.clone(), strip(value, false)))
                    .collect::<BTreeMap<_, _>>()
                    .into_iter()
                    .collect(),
            ),
            Value::Array(items) => Value::Array(items.iter().map(|item| strip(item, false)).collect()),
            other => other.clone(),
        }
    }
    let name = schema.get(NAME).and_then(Value::as_str).unwrap_or_default();
    format!("{name} {}", strip(schema, true))
}

fn each_child(schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    for key in ["items", "additionalProperties"] {
        if let Some(child) = schema.get(key).filter(|c| c.is_object()) {
            visit(key, child);
        }
    }
    for (name, child) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        visit(name, child);
    }
}
