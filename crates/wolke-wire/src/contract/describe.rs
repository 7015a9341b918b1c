//! A schema in the words of JSON Schema 2020-12, as OpenAPI 3.1 documents have it: for `/v1/openapi.json` and for tests that make
//! requests out of it.
//!
//! Two forms, because the house reads requests leniently and answers strictly: a request may hold what the document does
//! not know, and null for what is optional (`contract/decisions.json`); an answer may not.

use serde_json::{Map, Value, json};

use super::raw::Refers;
use super::schema::{Additional, Format, Limits, Node, Pattern, Schema, Types};
use crate::ID_MAX;

/// What a schema is asked to describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What a client may send.
    Request,
    /// What it gets.
    Answer,
}

impl Schema {
    /// This schema as JSON Schema.
    ///
    /// `share` is told of every part that has a name in its document, and gives what stands in its place: a reference, or
    /// the part itself.
    #[must_use]
    pub fn describe(&self, side: Side, share: &mut dyn FnMut(&str, Value) -> Value) -> Value {
        let described = self.node.describe(side, share);
        match &self.node.name {
            Some(name) => {
                let shared = share(name, described);
                if self.nullable { or_null(shared) } else { shared }
            }
            None if self.nullable => or_null(described),
            None => described,
        }
    }

    /// This schema as JSON Schema, in one piece.
    #[must_use]
    pub fn describe_whole(&self, side: Side) -> Value {
        self.describe(side, &mut |_, part| part)
    }
}

impl Node {
    fn describe(&self, side: Side, share: &mut dyn FnMut(&str, Value) -> Value) -> Value {
        let mut told = Map::new();
        if side == Side::Request && self.refers == Refers::IdOrName {
            let id = json!({"type": "integer", "minimum": 1, "maximum": ID_MAX});
            return json!({"anyOf": [{"type": "string", "minLength": 1}, id]});
        }
        let names = self.types.names();
        match names.as_slice() {
            [one] => told.insert("type".into(), json!(one)),
            several => told.insert("type".into(), json!(several)),
        };
        if !self.values.is_empty() {
            told.insert("enum".into(), json!(self.values));
        }
        if self.format == Format::DateTime {
            told.insert("format".into(), json!("date-time"));
        }
        if let Some(default) = &self.default {
            told.insert("default".into(), default.clone());
        }
        self.describe_numbers(side, &mut told);
        if let Some(limits) = self.limits.as_deref() {
            limits.describe(&mut told);
        }
        if let Some(items) = &self.items {
            told.insert("items".into(), items.describe(side, share));
        }
        if self.types.has(Types::OBJECT) {
            self.describe_members(side, share, &mut told);
        }
        Value::Object(told)
    }

    /// The range that every integer has, unless the document has a narrower one.
    fn describe_numbers(&self, side: Side, told: &mut Map<String, Value>) {
        if !self.types.has(Types::INTEGER) {
            return;
        }
        told.insert("format".into(), json!("int64"));
        if side == Side::Request {
            let minimum = if self.refers == Refers::Id { 1 } else { -ID_MAX };
            told.insert("minimum".into(), json!(minimum));
            told.insert("maximum".into(), json!(ID_MAX));
        }
    }

    fn describe_members(&self, side: Side, share: &mut dyn FnMut(&str, Value) -> Value, told: &mut Map<String, Value>) {
        if !self.properties.is_empty() {
            let mut members = Map::new();
            for property in &self.properties {
                let described = property.schema.describe(side, share);
                // Null for what is optional is absence.
                let lenient = side == Side::Request && !property.required && !property.schema.nullable;
                members.insert(property.name.to_string(), if lenient { or_null(described) } else { described });
            }
            told.insert("properties".into(), Value::Object(members));
            let required: Vec<&str> = self.properties.iter().filter(|p| p.required).map(|p| &*p.name).collect();
            if !required.is_empty() {
                told.insert("required".into(), json!(required));
            }
        }
        let additional = match &self.additional {
            Additional::Values(values) => Some(values.describe(side, share)),
            Additional::Refused => Some(json!(false)),
            Additional::Undocumented if side == Side::Answer => Some(json!(false)),
            Additional::Undocumented | Additional::Anything => None,
        };
        if let Some(additional) = additional {
            told.insert("additionalProperties".into(), additional);
        }
    }
}

impl Limits {
    fn describe(&self, told: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                told.insert(name.into(), value);
            }
        };
        put("minimum", self.minimum.map(number));
        put("maximum", self.maximum.map(number));
        put("minLength", self.min_length.map(Value::from));
        put("maxLength", self.max_length.map(Value::from));
        put("minItems", self.min_items.map(Value::from));
        put("maxItems", self.max_items.map(Value::from));
        put("pattern", self.pattern.and_then(Pattern::text).map(Value::from));
    }
}

/// A limit without a fraction where it has none.
fn number(limit: f64) -> Value {
    let whole = format!("{limit:.0}").parse::<i64>().ok();
    whole.filter(|_| limit.fract() == 0.0).map_or_else(|| json!(limit), Value::from)
}

/// The same, or null.
fn or_null(mut schema: Value) -> Value {
    if let Some(alternatives) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        alternatives.push(json!({"type": "null"}));
        return schema;
    }
    let is_plain = schema.get("type").is_some_and(Value::is_string) && schema.get("enum").is_none();
    if !is_plain {
        return json!({"anyOf": [schema, {"type": "null"}]});
    }
    let one = schema["type"].take();
    schema["type"] = json!([one, "null"]);
    schema
}

#[cfg(test)]
mod tests {
    use super::Side;
    use crate::Dialect;
    use crate::contract::Contract;
    use serde_json::{Value, json};

    #[test]
    fn requests_are_lenient_and_answers_strict() {
        let contract = Contract::of(Dialect::Compat);
        let create = contract.operation("create_server").unwrap();
        let asked = create.request.as_ref().unwrap().describe_whole(Side::Request);
        assert_eq!(asked["required"], json!(["image", "name", "server_type"]));
        assert_eq!(asked["properties"]["start_after_create"]["type"], json!(["boolean", "null"]));
        assert_eq!(asked["properties"]["image"]["anyOf"][1]["minimum"], 1);
        assert!(asked.get("additionalProperties").is_none());
        let shown = create.success().unwrap().describe_whole(Side::Answer);
        assert_eq!(shown["additionalProperties"], false);
        assert_eq!(shown["properties"]["server"]["properties"]["id"]["type"], "integer");
    }

    /// What the oracle says of an answer, the description says, too: every shared part is found again.
    #[test]
    fn shared_parts_stand_once() {
        let list = Contract::of(Dialect::Compat).operation("list_servers").unwrap();
        let mut names = Vec::new();
        let described = list.success().unwrap().describe(Side::Answer, &mut |name, _| {
            names.push(name.to_owned());
            json!({"$ref": format!("#/components/schemas/{name}")})
        });
        assert!(names.iter().any(|name| name == "server"), "{names:?}");
        assert_eq!(described["properties"]["servers"]["items"]["$ref"], "#/components/schemas/server");
    }

    #[test]
    fn limits_have_no_needless_fractions() {
        let ttl = Contract::of(Dialect::Compat).operation("zone_change_ttl").unwrap();
        let ttl = ttl.request.as_ref().unwrap().describe_whole(Side::Request)["properties"]["ttl"].clone();
        assert_eq!((&ttl["minimum"], &ttl["maximum"]), (&Value::from(60), &Value::from(2_147_483_647_i64)));
    }
}
