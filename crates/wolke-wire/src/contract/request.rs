//! The request walker: collects every violation of a request body.
//!
//! Rules that the documents leave open are decided in `contract/decisions.json`: unknown members are ignored and
//! counted (design §1.7); null for an optional member means that it is absent; integers are JSON integers.

use serde_json::{Map, Value};

use super::path::{FieldViolation, Path};
use super::raw::Refers;
use super::schema::{Additional, Node, Schema, Types};
use crate::ID_MAX;

/// No more violations than this are reported; a body with more is wrong beyond help.
pub const MAX_VIOLATIONS: usize = 100;
/// No more unknown members than this are named; all are counted.
pub const MAX_UNKNOWN_NAMED: usize = 16;

/// What the walker found in a request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestReport {
    /// Everything that is wrong, in the order of the body, absent members last; at most [`MAX_VIOLATIONS`].
    pub violations: Vec<FieldViolation>,
    /// How many members the contract does not know. They are ignored.
    pub unknown: usize,
    /// The paths of the first [`MAX_UNKNOWN_NAMED`] of them.
    pub unknown_names: Vec<String>,
}

impl RequestReport {
    /// Whether the body may be used.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.violations.is_empty()
    }
}

impl Schema {
    /// Checks a request body against this schema.
    #[must_use]
    pub fn check_request(&self, body: &Value) -> RequestReport {
        let mut walker = Walker { report: RequestReport::default() };
        walker.value(self, body, &Path::Root);
        walker.report
    }
}

struct Walker {
    report: RequestReport,
}

impl Walker {
    fn refuse(&mut self, path: &Path<'_>, message: impl Into<String>) {
        if self.report.violations.len() < MAX_VIOLATIONS {
            self.report.violations.push(path.violation(message));
        }
    }

    fn value(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        let node = &*schema.node;
        match value {
            Value::Null if schema.nullable => {}
            Value::Null => self.refuse(path, "must not be null"),
            _ if node.refers == Refers::IdOrName => self.id_or_name(value, path),
            Value::Bool(_) if node.types.has(Types::BOOLEAN) => {}
            Value::Number(number) => self.number(node, number, path),
            Value::String(text) if node.types.has(Types::STRING) => self.string(node, text, path),
            Value::Array(items) if node.types.has(Types::ARRAY) => self.array(node, items, path),
            Value::Object(members) if node.types.has(Types::OBJECT) => self.object(node, members, path),
            _ => self.refuse(path, format!("must be {}", node.types.describe())),
        }
    }

    fn number(&mut self, node: &Node, number: &serde_json::Number, path: &Path<'_>) {
        let fits = node.types.has(Types::NUMBER) || node.types.has(Types::INTEGER) && !number.is_f64();
        let exact = number.as_i64().filter(|n| (-ID_MAX..=ID_MAX).contains(n));
        let value = number.as_f64().unwrap_or_default();
        let limits = node.limits.as_deref();
        let minimum = limits.and_then(|l| l.minimum).filter(|minimum| value < *minimum);
        let maximum = limits.and_then(|l| l.maximum).filter(|maximum| value > *maximum);
        if !fits {
            self.refuse(path, format!("must be {}", node.types.describe()));
        } else if node.refers == Refers::Id && exact.is_none_or(|n| n < 1) {
            self.refuse(path, format!("must be an id from 1 to {ID_MAX}"));
        } else if node.types.has(Types::INTEGER) && exact.is_none() {
            self.refuse(path, format!("must be an integer of at most {ID_MAX}"));
        } else if let Some(minimum) = minimum {
            self.refuse(path, format!("must be at least {minimum}"));
        } else if let Some(maximum) = maximum {
            self.refuse(path, format!("must be at most {maximum}"));
        }
    }

    /// "ID or name": a number, a numeric string or a name (fact sheet §1).
    fn id_or_name(&mut self, value: &Value, path: &Path<'_>) {
        match value {
            Value::Number(number) if number.as_i64().is_some_and(|id| (1..=ID_MAX).contains(&id)) => {}
            Value::Number(_) => self.refuse(path, format!("must be an id from 1 to {ID_MAX}")),
            Value::String(text) if text.is_empty() => self.refuse(path, "must not be empty"),
            Value::String(text) => self.text(text, path),
            _ => self.refuse(path, "must be an id or a name"),
        }
    }

    fn string(&mut self, node: &Node, text: &str, path: &Path<'_>) {
        self.text(text, path);
        if !node.values.is_empty() && !node.values.iter().any(|value| **value == *text) {
            return self.refuse(path, one_of(&node.values));
        }
        let Some(limits) = node.limits.as_deref() else { return };
        let length = text.chars().count();
        if limits.min_length.is_some_and(|min| length < min) {
            self.refuse(path, format!("must have at least {} characters", limits.min_length.unwrap_or_default()));
        } else if limits.max_length.is_some_and(|max| length > max) {
            self.refuse(path, format!("must have at most {} characters", limits.max_length.unwrap_or_default()));
        } else if limits.pattern.is_some_and(|pattern| !pattern.matches(text)) {
            self.refuse(path, "has a wrong format");
        }
    }

    /// U+0000 cannot be stored in either database (design §4), so it is refused everywhere.
    fn text(&mut self, text: &str, path: &Path<'_>) {
        if text.contains('\0') {
            self.refuse(path, "must not contain the character U+0000");
        }
    }

    fn array(&mut self, node: &Node, items: &[Value], path: &Path<'_>) {
        if let Some(limits) = node.limits.as_deref() {
            if limits.min_items.is_some_and(|min| items.len() < min) {
                self.refuse(path, format!("must have at least {} items", limits.min_items.unwrap_or_default()));
            } else if limits.max_items.is_some_and(|max| items.len() > max) {
                return self.refuse(path, format!("must have at most {} items", limits.max_items.unwrap_or_default()));
            }
        }
        for (index, item) in items.iter().enumerate() {
            match &node.items {
                Some(schema) => self.value(schema, item, &Path::Index(path, index)),
                None => self.unknown_value(item, &Path::Index(path, index)),
            }
        }
    }

    fn object(&mut self, node: &Node, members: &Map<String, Value>, path: &Path<'_>) {
        for (name, member) in members {
            let at = Path::Member(path, name);
            self.text(name, &at);
            match (node.property(name), &node.additional) {
                // Null for an optional member means that it is absent (contract/decisions.json).
                (Some(property), _) if member.is_null() && !property.required => {}
                (Some(property), _) => self.value(&property.schema, member, &at),
                (None, Additional::Values(schema)) => self.value(schema, member, &at),
                (None, Additional::Refused) => self.refuse(&at, "is not known"),
                (None, Additional::Undocumented) => {
                    self.report.unknown += 1;
                    if self.report.unknown_names.len() < MAX_UNKNOWN_NAMED {
                        self.report.unknown_names.push(at.to_string());
                    }
                    self.unknown_value(member, &at);
                }
                (None, Additional::Anything) => self.unknown_value(member, &at),
            }
        }
        for property in node.properties.iter().filter(|p| p.required && !members.contains_key(&*p.name)) {
            self.refuse(&Path::Member(path, &property.name), "is required");
        }
    }

    /// Ignored values are still searched for U+0000; the JSON parser bounds their depth.
    fn unknown_value(&mut self, value: &Value, path: &Path<'_>) {
        match value {
            Value::String(text) => self.text(text, path),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.unknown_value(item, &Path::Index(path, index));
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let at = Path::Member(path, name);
                    self.text(name, &at);
                    self.unknown_value(member, &at);
                }
            }
            _ => {}
        }
    }
}

/// `must be one of 'a', 'b'`.
pub(super) fn one_of(values: &[Box<str>]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    format!("must be one of {}", quoted.join(", "))
}
