//! Resources that the operator names in a path: `/servers/{id or name}/…`, with `?project=NAME` where that is needed.

use super::Admin;
use crate::query;
use wolke_control::operator::Asked;
use wolke_domain::{Error, FieldError, Result};
use wolke_wire::{Id, IdOrName, Kind};

/// What a path and its query ask for.
///
/// # Errors
/// `invalid_input` for anything else in the query.
fn asked(text: &str, how: Option<&str>) -> Result<Asked> {
    let mut asked = Asked { what: IdOrName::from(text), project: None };
    for (name, value) in query::parse(how.unwrap_or_default()).unwrap_or_default() {
        match name.as_str() {
            "project" if asked.project.is_none() => asked.project = Some(value),
            "project" => return Err(Error::invalid("project", "must not be given twice")),
            _ => return Err(Error::invalid_fields(vec![FieldError::new(name, "is no parameter of this route")])),
        }
    }
    Ok(asked)
}

impl Admin {
    /// The id of a resource that a path and its query name.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`.
    pub(super) async fn find(&self, kind: Kind, text: &str, how: Option<&str>) -> Result<Id> {
        self.control.find(kind, asked(text, how)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn a_path_and_its_query() {
        let found = asked("web 1", Some("project=a%20b")).unwrap();
        assert_eq!((found.what.name(), found.project.as_deref()), (Some("web 1"), Some("a b")));
        assert_eq!(asked("7", None).unwrap().what.id(), Some(7));
        for wrong in ["projekt=a", "project=a&project=b"] {
            assert!(asked("7", Some(wrong)).is_err(), "{wrong}");
        }
    }
}
