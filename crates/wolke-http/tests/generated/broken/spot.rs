//! Places in a body: what its schema knows there.

use serde_json::{Value, json};

/// A place in the body: how the contract's messages write it, how a JSON pointer does, and the schema there.
#[derive(Clone)]
pub struct Spot<'a> {
    pub field: String,
    /// The member's name, of an item that of its list; and the name of the member that this one stands in.
    pub name: String,
    pub parent: String,
    /// Whether an object or a list stands there.
    pub holds_parts: bool,
    pub pointer: String,
    pub schema: &'a Value,
    pub required: bool,
}

impl<'a> Spot<'a> {
    fn new(at: At<'_>, schema: &'a Value, value: &Value, required: bool) -> Self {
        let At { field, pointer, name, parent } = at;
        let [field, pointer, name, parent] = [field, pointer, name, parent].map(str::to_owned);
        let holds_parts = value.is_object() || value.is_array();
        Self { field, pointer, name, parent, holds_parts, schema, required }
    }

    /// Whether it stands within another member.
    pub fn is_deep(&self) -> bool {
        self.pointer.matches('/').count() > 1
    }
}

/// Where a value stands.
#[derive(Clone, Copy, Default)]
pub struct At<'a> {
    pub field: &'a str,
    pub pointer: &'a str,
    pub name: &'a str,
    pub parent: &'a str,
}

pub fn collect<'a>(schema: &'a Value, value: &Value, at: At<'_>, spots: &mut Vec<Spot<'a>>) {
    let schema = plain(schema);
    let At { field, pointer, .. } = at;
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
                let inside = At { field: &field, pointer: &pointer, name, parent: at.name };
                spots.push(Spot::new(inside, inner, member, required));
                collect(inner, member, inside, spots);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let (field, pointer) = (format!("{field}[{number}]"), format!("{pointer}/{number}"));
                let inside = At { field: &field, pointer: &pointer, ..at };
                spots.push(Spot::new(inside, &schema["items"], item, true));
                collect(&schema["items"], item, inside, spots);
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
