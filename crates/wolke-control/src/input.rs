//! What requests of all kinds have in common: names and labels, and that everything wrong is named at once.

use wolke_domain::{Error, FieldError, Result, label};
use wolke_wire::cloud::Labels;

/// A rule for names: [`wolke_domain::name`].
pub(crate) type NameRule = fn(&str, &str) -> Result<(), FieldError>;

/// What is wrong with a name and with labels, as far as they are given.
pub(crate) fn wrong(rule: NameRule, name: Option<&str>, labels: Option<&Labels>) -> Vec<FieldError> {
    let mut fields: Vec<FieldError> = name.and_then(|name| rule("name", name).err()).into_iter().collect();
    fields.extend(labels.map(label::validate).unwrap_or_default());
    fields
}

/// Refuses when anything is wrong.
///
/// # Errors
/// `invalid_input`, naming every field.
pub(crate) fn refuse(wrong: Vec<FieldError>) -> Result<()> {
    if wrong.is_empty() { Ok(()) } else { Err(Error::invalid_fields(wrong)) }
}

/// Takes a new value over where one is given: what is absent from an update stays.
pub(crate) fn set<T: Clone>(value: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        value.clone_from(given);
    }
}
