//! Floating IPs (fact sheet §3.3).

use serde::{Deserialize, Serialize};

use super::primary_ip::IpType;
use super::{DeleteProtection, DnsPtr, Embed, Labels, form};
use crate::{Id, IdOrName, Timestamp};

/// A public address that moves between servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloatingIp {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// For people; null when there is none.
    pub description: Option<String>,
    /// `192.0.2.1`, or `2001:db8:1:2::/64`.
    pub ip: String,
    /// Its family.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// The server that it is assigned to.
    pub server: Option<Id>,
    /// Reverse DNS.
    pub dns_ptr: Vec<DnsPtr>,
    /// Where its traffic is routed best; it can be assigned to servers anywhere.
    pub home_location: Embed,
    /// Whether the operator blocked it.
    pub blocked: bool,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
}

/// The request of `POST /floating_ips`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateFloatingIp {
    /// Its family.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// Its name; generated when there is none.
    #[serde(default)]
    pub name: Option<String>,
    /// The server that it is assigned to at once; excludes `home_location`.
    #[serde(default)]
    pub server: Option<Id>,
    /// Where its traffic shall be routed best.
    #[serde(default)]
    pub home_location: Option<IdOrName>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /floating_ips/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateFloatingIp {
    /// The new name.
    pub name: Option<String>,
    /// The new description. `Some(None)`: null, which removes it (since 2026).
    #[serde(deserialize_with = "form::present")]
    pub description: Option<Option<String>>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /floating_ips/{id}/actions/assign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AssignFloatingIp {
    /// The server that shall have it. The document of 2026 allows null, which names none and is refused.
    pub server: Option<Id>,
}

#[cfg(test)]
mod tests {
    use super::UpdateFloatingIp;

    #[test]
    fn a_description_that_is_null_is_not_absent() {
        let parse = |json| serde_json::from_str::<UpdateFloatingIp>(json).unwrap().description;
        assert_eq!(parse("{}"), None);
        assert_eq!(parse(r#"{"description":null}"#), Some(None));
        assert_eq!(parse(r#"{"description":"x"}"#), Some(Some("x".into())));
    }
}
