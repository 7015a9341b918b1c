//! What an answer can differ in: the values of its enumerations, its flags, and what may be null. For the test that asks of
//! each whether anything brings it about.

use super::schema::{Schema, Types};
use crate::Kind;

impl Schema {
    /// Every alternative below this object: the path of a member and one thing that it may be. Enumerations give their values,
    /// booleans `true` and `false`, what may be null `null`. Objects that are resources of their own are left out.
    #[must_use]
    pub fn alternatives(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found
    }

    fn collect(&self, path: &str, found: &mut Vec<(String, String)>) {
        for property in &self.node.properties {
            let path = if path.is_empty() { property.name.to_string() } else { format!("{path}.{}", property.name) };
            let schema = &property.schema;
            if schema.nullable {
                found.push((path.clone(), "null".to_owned()));
            }
            if schema.node.types.has(Types::BOOLEAN) {
                found.extend(["true", "false"].map(|flag| (path.clone(), flag.to_owned())));
            }
            found.extend(schema.node.values.iter().map(|value| (path.clone(), value.to_string())));
            let is_resource = Kind::from_singular(&property.name).is_some();
            if !is_resource {
                schema.collect(&path, found);
                if let Some(items) = &schema.node.items {
                    items.collect(&format!("{path}[]"), found);
                }
            }
        }
    }
}
