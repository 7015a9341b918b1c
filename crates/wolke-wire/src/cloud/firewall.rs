//! Firewalls (fact sheet §3.6).

use serde::{Deserialize, Serialize};

use super::{Labels, form};
use crate::{Id, Timestamp};

text_enum! {
    /// Seen from the server.
    Direction {
        /// Comes in.
        In = "in",
        /// Goes out.
        Out = "out",
    }
}

text_enum! {
    /// What a packet carries.
    Protocol {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// ICMP, of both families.
        Icmp = "icmp",
        /// IPsec.
        Esp = "esp",
        /// Tunnels.
        Gre = "gre",
    }
}

text_enum! {
    /// What a firewall can be applied to.
    ResourceType {
        /// One server.
        Server = "server",
        /// All servers whose labels match, now and later.
        LabelSelector = "label_selector",
    }
}

/// What a firewall lets through; in requests, in answers and in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Which way.
    pub direction: Direction,
    /// Carrying what.
    pub protocol: Protocol,
    /// `80`, `80-85` or `any`; only with TCP and UDP.
    #[serde(default)]
    pub port: Option<String>,
    /// From where, when it comes in.
    #[serde(default, deserialize_with = "form::null_default")]
    pub source_ips: Vec<String>,
    /// Where to, when it goes out.
    #[serde(default, deserialize_with = "form::null_default")]
    pub destination_ips: Vec<String>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
}

/// A server by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceId {
    /// The id.
    pub id: Id,
}

/// A selector of labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSelector {
    /// Its text.
    pub selector: String,
}

/// A server that a selector matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AppliedResource {
    /// `server`.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// Which.
    pub server: ResourceId,
}

/// What a firewall is applied to: a server, or a selector with the servers that it matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppliedTo {
    /// Which of the two.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ResourceId>,
    /// The selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<LabelSelector>,
    /// Whom it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_to_resources: Option<Vec<AppliedResource>>,
}

/// A firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Firewall {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
    /// What it lets through, in the order in which it was given.
    pub rules: Vec<Rule>,
    /// Servers by id, then selectors.
    pub applied_to: Vec<AppliedTo>,
}

/// Something that a firewall shall be applied to, or taken off. Clients send what answers have shown: more members are
/// ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Resource {
    /// Which of the two. 2023 could leave it out of actions.
    #[serde(default, rename = "type")]
    pub kind: Option<ResourceType>,
    /// The server.
    #[serde(default)]
    pub server: Option<ResourceId>,
    /// The selector.
    #[serde(default)]
    pub label_selector: Option<LabelSelector>,
}

/// The request of `POST /firewalls`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateFirewall {
    /// Its name.
    pub name: String,
    /// What it lets through.
    #[serde(default, deserialize_with = "form::null_default")]
    pub rules: Vec<Rule>,
    /// What it is applied to at once.
    #[serde(default, deserialize_with = "form::null_default")]
    pub apply_to: Vec<Resource>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /firewalls/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateFirewall {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /firewalls/{id}/actions/set_rules`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SetRules {
    /// The new rules, all of them.
    pub rules: Vec<Rule>,
}

/// The request of `POST /firewalls/{id}/actions/apply_to_resources`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApplyToResources {
    /// What it shall be applied to.
    pub apply_to: Vec<Resource>,
}

/// The request of `POST /firewalls/{id}/actions/remove_from_resources`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RemoveFromResources {
    /// What it shall be taken off.
    pub remove_from: Vec<Resource>,
}

#[cfg(test)]
mod tests {
    use super::{AppliedTo, Resource, ResourceId, ResourceType, Rule};

    #[test]
    fn what_was_shown_can_be_sent_back() {
        let server = AppliedTo {
            kind: ResourceType::Server,
            server: Some(ResourceId { id: 7 }),
            label_selector: None,
            applied_to_resources: None,
        };
        let shown = serde_json::to_string(&server).unwrap();
        assert_eq!(shown, r#"{"type":"server","server":{"id":7}}"#);
        assert_eq!(serde_json::from_str::<Resource>(&shown).unwrap().server, server.server);
        let selector = r#"{"type":"label_selector","label_selector":{"selector":"a=b"},"applied_to_resources":[]}"#;
        let read: Resource = serde_json::from_str(selector).unwrap();
        assert_eq!(
            (read.kind, read.label_selector.unwrap().selector.as_str()),
            (Some(ResourceType::LabelSelector), "a=b")
        );
    }

    #[test]
    fn rules_take_null_for_what_they_lack() {
        let rule =
            r#"{"direction":"in","protocol":"icmp","port":null,"source_ips":["0.0.0.0/0"],"destination_ips":null}"#;
        let rule: Rule = serde_json::from_str(rule).unwrap();
        assert!(rule.port.is_none() && rule.destination_ips.is_empty() && rule.source_ips.len() == 1);
    }
}
