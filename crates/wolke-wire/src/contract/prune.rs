//! The pruner: one superset rendering serves every dialect, and one request type reads every dialect.

use serde_json::Value;

use super::schema::{Additional, Schema};

impl Schema {
    /// Removes every member that the document does not have, at every depth; the order of the rest stays.
    ///
    /// Open maps such as labels keep their keys, objects without documented members keep everything. Values are never
    /// changed and nothing is added.
    pub fn prune(&self, value: &mut Value) {
        match value {
            Value::Object(members) => match &self.node.additional {
                Additional::Anything => {}
                Additional::Values(schema) => {
                    for (name, member) in members.iter_mut() {
                        self.member(name).unwrap_or(schema).prune(member);
                    }
                }
                Additional::Undocumented | Additional::Refused => members.retain(|name, member| {
                    let Some(schema) = self.member(name) else { return false };
                    schema.prune(member);
                    true
                }),
            },
            Value::Array(items) => {
                if let Some(schema) = self.items().filter(|schema| schema.has_structure()) {
                    items.iter_mut().for_each(|item| schema.prune(item));
                }
            }
            _ => {}
        }
    }

    /// Removes every null of a checked request that the document does not allow: it means that the member is absent
    /// (`contract/decisions.json`). Where null is allowed, it means something, and stays.
    pub fn without_nulls(&self, value: &mut Value) {
        match value {
            Value::Object(members) => members.retain(|name, member| {
                let Some(schema) = self.member(name) else { return true };
                schema.without_nulls(member);
                schema.nullable || !member.is_null()
            }),
            Value::Array(items) => {
                if let Some(schema) = self.items().filter(|schema| schema.has_structure()) {
                    items.iter_mut().for_each(|item| schema.without_nulls(item));
                }
            }
            _ => {}
        }
    }

    /// Whether there can be anything to prune below; lists of ids and names need no walk.
    fn has_structure(&self) -> bool {
        !self.node.properties.is_empty()
            || self.node.items.is_some()
            || matches!(self.node.additional, Additional::Values(_))
    }
}
