//! Fields that take an id or a name: a JSON number, a numeric string or a name (fact sheet §1).
//!
//! A numeric string is looked up as an id first and then as a name, because a name may consist of digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Id;

/// What a request calls a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IdOrName {
    /// A JSON number: an id and nothing else.
    Id(Id),
    /// A JSON string: a name, or an id written as digits.
    Name(String),
}

impl IdOrName {
    /// The id to look for first, if it can be one.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Name(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            Self::Name(_) => None,
        }
    }

    /// The name to look for when no id matched, if it can be one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Name(text) => Some(text),
        }
    }
}

impl From<Id> for IdOrName {
    fn from(id: Id) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for IdOrName {
    fn from(text: &str) -> Self {
        Self::Name(text.to_owned())
    }
}

impl std::fmt::Display for IdOrName {
    /// As it was asked, for messages.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(text) => f.write_str(text),
        }
    }
}

impl Serialize for IdOrName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => serializer.serialize_i64(*id),
            Self::Name(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for IdOrName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = IdOrName;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an id or a name")
            }

            fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<IdOrName, E> {
                Ok(IdOrName::Id(id))
            }

            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<IdOrName, E> {
                i64::try_from(id).map(IdOrName::Id).map_err(|_| E::custom("id is too large"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<IdOrName, E> {
                Ok(IdOrName::Name(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::IdOrName;

    #[test]
    fn number_string_and_name() {
        let parse = |json: &str| serde_json::from_str::<IdOrName>(json).unwrap();
        let parts = |json: &str| {
            let value = parse(json);
            (value.id(), value.name().map(str::to_owned))
        };
        assert_eq!(parts("42"), (Some(42), None));
        assert_eq!(parts(r#""42""#), (Some(42), Some("42".into())));
        assert_eq!(parts(r#""fsn1""#), (None, Some("fsn1".into())));
        // Not ids, but possible names: signs, blanks and numbers too large for an id.
        for name in ["", "+4", "-4", " 4", "99999999999999999999"] {
            assert_eq!(parts(&format!("\"{name}\"")), (None, Some(name.into())));
        }
        for json in ["42", r#""42""#, r#""fsn1""#] {
            assert_eq!(serde_json::to_string(&parse(json)).unwrap(), json);
        }
    }

    #[test]
    fn refuses_other_types() {
        for json in ["true", "null", "1.5", "[]", "{}", "18446744073709551615"] {
            assert!(serde_json::from_str::<IdOrName>(json).is_err(), "{json}");
        }
    }
}
