//! What the parent zone says of a zone: whose nameservers it names (fact sheet §4.2).

use super::lex::Word;
use super::{ASSIGNED_NAMESERVERS, name};
use crate::FieldError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use wolke_wire::Timestamp;
use wolke_wire::cloud::zone::DelegationStatus;

/// The most nameservers that a parent zone names.
pub const DELEGATED_MAX: usize = 13;
/// How the names of all nameservers of the provider end.
const OWN_SUFFIXES: [&str; 2] = [".ns.hetzner.com.", ".ns.hetzner.de."];

/// What was found when the parent zone was last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// When that was.
    pub checked: Timestamp,
    /// Whether the domain is registered.
    pub is_registered: bool,
    /// The nameservers that the parent zone names, absolute and in lower case.
    pub nameservers: Vec<String>,
}

/// The status that follows from what was found; unknown as long as nobody has looked.
#[must_use]
pub fn status(found: Option<&Delegation>) -> DelegationStatus {
    let Some(found) = found else { return DelegationStatus::Unknown };
    if !found.is_registered {
        return DelegationStatus::Unregistered;
    }
    let assigned = BTreeSet::from(ASSIGNED_NAMESERVERS);
    let delegated: BTreeSet<&str> = found.nameservers.iter().map(String::as_str).collect();
    let is_own = |name: &&str| OWN_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if delegated == assigned {
        DelegationStatus::Valid
    } else if delegated.is_superset(&assigned) && delegated.iter().all(is_own) {
        DelegationStatus::PartiallyValid
    } else if !delegated.is_empty() && delegated.is_disjoint(&assigned) && delegated.iter().all(is_own) {
        // The provider's nameservers, and none of those that know the zone.
        DelegationStatus::Lame
    } else {
        DelegationStatus::Invalid
    }
}

/// The names of nameservers as they are kept: absolute, in lower case, each once.
///
/// # Errors
/// What is wrong with each, by its place.
pub fn nameservers(names: &[String]) -> Result<Vec<String>, Vec<FieldError>> {
    const FIELD: &str = "nameservers";
    if names.len() > DELEGATED_MAX {
        return Err(vec![FieldError::new(FIELD, format!("must not have more than {DELEGATED_MAX} entries"))]);
    }
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for (position, text) in names.iter().enumerate() {
        let raw = format!("{}.", text.strip_suffix('.').unwrap_or(text));
        if raw == "." {
            wrong.push(FieldError::new(format!("{FIELD}[{position}]"), "must not be empty"));
            continue;
        }
        match name::in_data(&Word { raw: &raw }, "") {
            Ok(name) if !good.contains(&name) => good.push(name),
            Ok(_) => {}
            Err(fault) => wrong.push(FieldError::new(format!("{FIELD}[{position}]"), fault)),
        }
    }
    if wrong.is_empty() { Ok(good) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::{ASSIGNED_NAMESERVERS, Delegation, nameservers, status};
    use wolke_wire::Timestamp;
    use wolke_wire::cloud::zone::DelegationStatus::{self, *};

    fn of(names: &[&str]) -> DelegationStatus {
        let nameservers = names.iter().map(|name| (*name).to_owned()).collect();
        status(Some(&Delegation { checked: Timestamp(0), is_registered: true, nameservers }))
    }

    #[test]
    fn follows_from_the_nameservers() {
        let [a, b, c] = ASSIGNED_NAMESERVERS;
        assert_eq!(status(None), Unknown);
        assert_eq!(of(&[c, a, b]), Valid);
        assert_eq!(of(&[a, b, c, "robotns2.ns.hetzner.de."]), PartiallyValid);
        assert_eq!(of(&[a, b, c, "ns.example.org."]), Invalid);
        assert_eq!(of(&[a, b]), Invalid);
        assert_eq!(of(&["ns1.example.org."]), Invalid);
        assert_eq!(of(&[]), Invalid);
        assert_eq!(of(&["ns1.ns.hetzner.com."]), Lame);
        let gone = Delegation { checked: Timestamp(0), is_registered: false, nameservers: Vec::new() };
        assert_eq!(status(Some(&gone)), Unregistered);
    }

    #[test]
    fn names_are_kept_in_one_form() {
        let of = |names: &[&str]| nameservers(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["NS1.example.org", "ns1.example.org."]).unwrap(), ["ns1.example.org."]);
        assert_eq!(of(&["a b", "c", ""]).unwrap_err().len(), 2);
        assert_eq!(of(&["a"; 14]).unwrap_err()[0].name, "nameservers");
    }
}
