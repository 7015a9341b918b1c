//! Places in a body: what its schema knows there.

use serde_json::{Value, json};

/// A place in the body: how the contract's messages write it, how a JSON pointer does, and the schema there.
pub struct Spot {
    pub field: String,
    pub pointer: String,
    pub schema: Value,
    pub required: bool,
}

pub fn collect(schema: &Value, value: &Value, field: &str, pointer: &str, spots: &mut Vec<Spot>) {
    let schema = plain(schema);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let (inner, required) = match schema["properties"].get(name) {
                    Some(inner) => (inner, schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)))),
                    None if schema["additionalProperties"].is_object() => (&schema["additionalProperties"], true),
                    None => continue,
                };
                let field = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                spots.push(Spot { field: field.clone(), pointer: pointer.clone(), schema: inner.clone(), required });
                collect(inner, member, &field, &pointer, spots);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let (field, pointer) = (format!("{field}[{at}]"), format!("{pointer}/{at}"));
                let inner = schema["items"].clone();
                spots.push(Spot { field: field.clone(), pointer: pointer.clone(), schema: inner, required: true });
                collect(&schema["items"], item, &field, &pointer, spots);
            }
        }
        _ => {}
    }
}

/// The schema without the null that stands beside it.
pub fn plain(schema: &Value) -> &Value {
    let alternatives = schema["anyOf"].as_array();
    let others: Vec<&Value> = alternatives.into_iter().flatten().filter(|one| one["type"] != "null").collect();
    if let [one] = others.as_slice() { one } else { schema }
}

/// The types that a place takes.
pub fn types(schema: &Value) -> Vec<&str> {
    let of = |schema: &'_ Value| match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let all: Vec<String> = match schema["anyOf"].as_array() {
        Some(alternatives) => alternatives.iter().flat_map(of).collect(),
        None => of(schema),
    };
    ["null", "boolean", "integer", "number", "string", "array", "object"]
        .into_iter()
        .filter(|t| all.iter().any(|a| a == t))
        .collect()
}

pub fn takes(schema: &Value, name: &str) -> bool {
    types(schema).contains(&name)
}

pub fn is_only(schema: &Value, name: &str) -> bool {
    types(schema).iter().all(|one| *one == name || *one == "null") && takes(schema, name)
}
