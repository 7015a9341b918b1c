//! Query parameters and their checker.
//!
//! Unknown parameters are ignored, as on the real service (fact sheet §1.1); known ones are checked wholly.

use super::path::FieldViolation;
use super::request::one_of;
use crate::ID_MAX;
use crate::paging::PAGE_MAX;

/// The type of a query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryKind {
    /// Any text.
    String,
    /// A whole number; `id`, `page` and `per_page` have their own ranges.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// A query parameter of an operation.
#[derive(Clone, Debug)]
pub struct QueryParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: QueryKind,
    /// The values of its enumeration; empty when any value is allowed.
    pub values: Box<[Box<str>]>,
    /// Whether the key may be given several times; then its values are alternatives (or sort keys in order).
    pub repeatable: bool,
    /// Whether one value may hold several, joined by commas (types of metrics: dialects A.4).
    pub comma_separated: bool,
    /// The largest value of `per_page`; of no meaning to other parameters.
    pub longest_page: u32,
    /// Whether it must be given.
    pub required: bool,
    /// The value that stands for an absent one, where the document states it.
    pub default: Option<serde_json::Value>,
}

impl QueryParam {
    /// What is wrong with one value.
    fn check(&self, value: &str) -> Option<String> {
        let range = |max: i64| {
            let number = value.parse::<i64>().ok().filter(|n| (1..=max).contains(n));
            number.is_none().then(|| format!("must be a number from 1 to {max}"))
        };
        match (self.name.as_str(), self.kind) {
            ("page", _) => range(i64::from(PAGE_MAX)),
            ("per_page", _) => range(i64::from(self.longest_page)),
            ("id", _) => range(ID_MAX),
            (_, QueryKind::Integer) => value.parse::<i64>().is_err().then(|| "must be an integer".to_owned()),
            (_, QueryKind::Number) => {
                let number = value.parse::<f64>().ok().filter(|n| n.is_finite());
                number.is_none().then(|| "must be a number".to_owned())
            }
            (_, QueryKind::Boolean) => {
                // Python's client writes them with a capital.
                let is_known = ["true", "false"].iter().any(|known| value.eq_ignore_ascii_case(known));
                (!is_known).then(|| "must be 'true' or 'false'".to_owned())
            }
            (_, QueryKind::String) if value.contains('\0') => Some("must not contain the character U+0000".to_owned()),
            (_, QueryKind::String) if self.values.is_empty() => None,
            (_, QueryKind::String) => {
                let known = |word: &str| self.values.iter().any(|v| **v == *word);
                let ok = if self.comma_separated { value.split(',').all(known) } else { known(value) };
                (!ok).then(|| one_of(&self.values))
            }
        }
    }
}

/// Everything that is wrong with the decoded pairs of a query string, at most one violation for each parameter.
pub(super) fn check(parameters: &[QueryParam], pairs: &[(String, String)]) -> Vec<FieldViolation> {
    let mut violations = Vec::new();
    for parameter in parameters {
        let mut given = pairs.iter().filter(|(name, _)| *name == parameter.name).peekable();
        let message = match given.peek() {
            None => parameter.required.then(|| "is required".to_owned()),
            Some(_) => given.find_map(|(_, value)| parameter.check(value)),
        };
        if let Some(message) = message {
            violations.push(FieldViolation { path: parameter.name.clone(), message });
        }
    }
    violations
}
