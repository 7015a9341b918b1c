//! The oracle of answers, for tests: strict where the request walker is lenient.

use serde_json::{Map, Value};

use super::operation::OperationContract;
use super::path::{FieldViolation, Path};
use super::request::one_of;
use super::schema::{Additional, Format, Node, Schema, Types};
use super::tables::ERRORS;

/// Everything in which the answer departs from the contract.
pub(super) fn check(operation: &OperationContract, status: u16, body: &Value) -> Vec<FieldViolation> {
    let mut oracle = Oracle { violations: Vec::new() };
    let documented = operation.responses.iter().find(|(s, _)| *s == status);
    match (status, documented) {
        (400.., _) => oracle.error(operation, status, body),
        _ if operation.ended.is_some() => oracle.refuse(&Path::Root, "the operation has ended in this dialect"),
        (_, Some((_, Some(schema)))) => oracle.value(schema, body, &Path::Root),
        (_, Some((_, None))) if body.is_null() => {}
        (_, Some((_, None))) => oracle.refuse(&Path::Root, "the answer must have no body"),
        (_, None) => oracle.refuse(&Path::Root, format!("the status {status} is not documented")),
    }
    oracle.violations
}

impl Schema {
    /// Checks a value strictly: undocumented and missing members, types, enumerations, nulls, limits and formats.
    #[must_use]
    pub fn check_strictly(&self, value: &Value) -> Vec<FieldViolation> {
        let mut oracle = Oracle { violations: Vec::new() };
        oracle.value(self, value, &Path::Root);
        oracle.violations
    }
}

struct Oracle {
    violations: Vec<FieldViolation>,
}

impl Oracle {
    fn refuse(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.violations.push(path.violation(message));
    }

    fn value(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        let node = &*schema.node;
        let fits = match value {
            Value::Null if schema.nullable => return,
            Value::Null => return self.refuse(path, "must not be null"),
            Value::Bool(_) => node.types.has(Types::BOOLEAN),
            Value::Number(number) => {
                node.types.has(Types::NUMBER) || node.types.has(Types::INTEGER) && !number.is_f64()
            }
            Value::String(_) => node.types.has(Types::STRING),
            Value::Array(_) => node.types.has(Types::ARRAY),
            Value::Object(_) => node.types.has(Types::OBJECT),
        };
        match value {
            _ if !fits => self.refuse(path, format!("must be {}", node.types.describe())),
            Value::Number(number) => self.number(node, number.as_f64().unwrap_or_default(), path),
            Value::String(text) => self.string(node, text, path),
            Value::Array(items) => self.array(node, items, path),
            Value::Object(members) => self.object(node, members, path),
            _ => {}
        }
    }

    fn number(&mut self, node: &Node, number: f64, path: &Path<'_>) {
        let Some(limits) = node.limits.as_deref() else { return };
        if limits.minimum.is_some_and(|min| number < min) || limits.maximum.is_some_and(|max| number > max) {
            self.refuse(path, format!("{number} is out of range"));
        }
    }

    fn string(&mut self, node: &Node, text: &str, path: &Path<'_>) {
        if !node.values.is_empty() && !node.values.iter().any(|value| **value == *text) {
            return self.refuse(path, format!("'{text}' {}", one_of(&node.values)));
        }
        let formatted = match node.format {
            Format::None => true,
            Format::DateTime => text.parse::<jiff::Timestamp>().is_ok(),
            Format::Decimal => text.parse::<f64>().is_ok(),
        };
        let length = text.chars().count();
        let limited = node.limits.as_deref().is_none_or(|limits| {
            limits.min_length.is_none_or(|min| length >= min)
                && limits.max_length.is_none_or(|max| length <= max)
                && limits.pattern.is_none_or(|pattern| pattern.matches(text))
        });
        if !formatted || !limited {
            self.refuse(path, format!("'{text}' has a wrong format or length"));
        }
    }

    fn array(&mut self, node: &Node, items: &[Value], path: &Path<'_>) {
        if let Some(limits) = node.limits.as_deref()
            && (limits.min_items.is_some_and(|min| items.len() < min)
                || limits.max_items.is_some_and(|max| items.len() > max))
        {
            self.refuse(path, format!("must not have {} items", items.len()));
        }
        if let Some(schema) = &node.items {
            for (index, item) in items.iter().enumerate() {
                self.value(schema, item, &Path::Index(path, index));
            }
        }
    }

    fn object(&mut self, node: &Node, members: &Map<String, Value>, path: &Path<'_>) {
        for (name, member) in members {
            let at = Path::Member(path, name);
            match (node.property(name), &node.additional) {
                (Some(property), _) => self.value(&property.schema, member, &at),
                (None, Additional::Values(schema)) => self.value(schema, member, &at),
                (None, Additional::Anything) => {}
                (None, Additional::Undocumented | Additional::Refused) => self.refuse(&at, "is not documented"),
            }
        }
        for property in node.properties.iter().filter(|p| p.required && !members.contains_key(&*p.name)) {
            self.refuse(&Path::Member(path, &property.name), "is missing");
        }
    }

    /// The envelope `{"error": {"code", "message", "details"?}}` and the table of codes.
    fn error(&mut self, operation: &OperationContract, status: u16, body: &Value) {
        let Some(error) = body.get("error").and_then(Value::as_object) else {
            return self.refuse(&Path::Root, "must be an error envelope");
        };
        for name in body.as_object().into_iter().flat_map(Map::keys).filter(|name| *name != "error") {
            self.refuse(&Path::Member(&Path::Root, name), "is not documented");
        }
        let at = Path::Member(&Path::Root, "error");
        for name in error.keys().filter(|name| !["code", "message", "details"].contains(&name.as_str())) {
            self.refuse(&Path::Member(&at, name), "is not documented");
        }
        if error.get("message").and_then(Value::as_str).is_none_or(str::is_empty) {
            self.refuse(&Path::Member(&at, "message"), "must be a message");
        }
        let code = error.get("code").and_then(Value::as_str).unwrap_or_default();
        let known = ERRORS.as_ref().ok().and_then(|errors| errors.status(&operation.id, code, operation.dialect));
        match known {
            None => self.refuse(&Path::Member(&at, "code"), format!("'{code}' is no code of {}", operation.id)),
            Some(expected) if expected != status => {
                self.refuse(&Path::Member(&at, "code"), format!("'{code}' has the status {expected}, not {status}"));
            }
            Some(_) => {}
        }
        self.details(code, error.get("details").unwrap_or(&Value::Null), &Path::Member(&at, "details"));
    }

    /// The payloads of fact sheet §6.2.
    fn details(&mut self, code: &str, details: &Value, path: &Path<'_>) {
        let list = match (details, code) {
            (Value::Null, _) => return,
            (Value::Object(_), "invalid_input" | "uniqueness_error") => "fields",
            (Value::Object(_), "resource_limit_exceeded") => "limits",
            (Value::Object(_), "deprecated_api_endpoint") => {
                if !details.get("announcement").is_some_and(Value::is_string) {
                    self.refuse(path, "must have an announcement");
                }
                return;
            }
            (Value::Object(_), _) => return,
            _ => return self.refuse(path, "must be an object or null"),
        };
        let at = Path::Member(path, list);
        let Some(items) = details.get(list).and_then(Value::as_array) else {
            return self.refuse(&at, "must be a list");
        };
        for (index, item) in items.iter().enumerate() {
            let messages =
                item.get("messages").and_then(Value::as_array).is_some_and(|m| m.iter().all(Value::is_string));
            if !item.get("name").is_some_and(Value::is_string) || (code == "invalid_input" && !messages) {
                self.refuse(&Path::Index(&at, index), "must have a name, and messages where a field is invalid");
            }
        }
    }
}
