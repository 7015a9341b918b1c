//! Primary IPs (fact sheet §3.2).

use serde::{Deserialize, Serialize};

use super::{DeleteProtection, DnsPtr, Embed, Labels, form};
use crate::{Id, IdOrName, Timestamp};

text_enum! {
    /// The family of an address.
    IpType {
        /// One IPv4 address.
        Ipv4 = "ipv4",
        /// An IPv6 network of 2^64 addresses.
        Ipv6 = "ipv6",
    }
}

text_enum! {
    /// What a primary IP can be assigned to.
    AssigneeType {
        /// A server.
        Server = "server",
        /// A load balancer; only in answers, and only since 2026-10-05: it gets its primary IPs when it is made, for good
        /// (decision 0019).
        LoadBalancer = "load_balancer",
        /// Nothing; only in answers, and only since 2026-08-01 (fact sheet §0.2).
        Unassigned = "unassigned",
    }
}

/// A public address that outlives or accompanies a server or load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrimaryIp {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// `192.0.2.1`, or `2001:db8:1:2::/64`.
    pub ip: String,
    /// Its family.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// What it is assigned to.
    pub assignee_id: Option<Id>,
    /// The kind of what it is assigned to.
    pub assignee_type: AssigneeType,
    /// Whether it is deleted together with its assignee.
    pub auto_delete: bool,
    /// Whether the operator blocked it.
    pub blocked: bool,
    /// Reverse DNS.
    pub dns_ptr: Vec<DnsPtr>,
    /// Where it lives.
    pub location: Embed,
    /// Legacy: where it lives.
    pub datacenter: Embed,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
}

/// The request of `POST /primary_ips`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreatePrimaryIp {
    /// Its name.
    pub name: String,
    /// Its family.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// Where it shall live; excludes `datacenter` and `assignee_id`.
    #[serde(default)]
    pub location: Option<IdOrName>,
    /// Legacy: where it shall live.
    #[serde(default)]
    pub datacenter: Option<IdOrName>,
    /// What it is assigned to at once.
    #[serde(default)]
    pub assignee_id: Option<Id>,
    /// Optional since 2026-04-27.
    #[serde(default)]
    pub assignee_type: Option<AssigneeType>,
    /// Whether it is deleted together with its assignee.
    #[serde(default, deserialize_with = "form::null_default")]
    pub auto_delete: bool,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The answer of `POST /primary_ips`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreatePrimaryIpResponse {
    /// What was made.
    pub primary_ip: Embed,
    /// The assignment, if one was asked for. Absent otherwise: the schemas know no null here (dialects D.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Embed>,
}

/// The request of `PUT /primary_ips/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdatePrimaryIp {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
    /// Whether it is deleted together with its assignee.
    pub auto_delete: Option<bool>,
}

/// The request of `POST /primary_ips/{id}/actions/assign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AssignPrimaryIp {
    /// What it is assigned to.
    pub assignee_id: Id,
    /// The kind of what it is assigned to: nothing but servers, load balancers get theirs when they are made.
    #[serde(default)]
    pub assignee_type: Option<AssigneeType>,
}
