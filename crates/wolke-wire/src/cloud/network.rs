//! Private networks, and how servers join them (fact sheet §3.5).

use serde::{Deserialize, Serialize};

use super::{DeleteProtection, Labels, form};
use crate::{Id, Timestamp};

text_enum! {
    /// What a subnet is for.
    SubnetType {
        /// Servers and load balancers.
        Cloud = "cloud",
        /// The same by its older name.
        Server = "server",
        /// Dedicated servers behind a vSwitch.
        Vswitch = "vswitch",
    }
}

impl SubnetType {
    /// Whether servers and load balancers get addresses of it (dialects D.1).
    #[must_use]
    pub const fn is_for_members(self) -> bool {
        matches!(self, Self::Cloud | Self::Server)
    }
}

/// A private network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The range that holds all of its subnets: `10.0.0.0/16`.
    pub ip_range: String,
    /// Its parts, in the order in which they were added.
    pub subnets: Vec<Subnet>,
    /// Its routes, in the order in which they were added.
    pub routes: Vec<Route>,
    /// Attached servers, in the order of their ids.
    pub servers: Vec<Id>,
    /// Attached load balancers, in the order of their ids.
    pub load_balancers: Vec<Id>,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
    /// Whether dedicated servers behind a vSwitch learn the routes.
    pub expose_routes_to_vswitch: bool,
}

/// A part of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subnet {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: SubnetType,
    /// Its range: `10.0.1.0/24`.
    pub ip_range: String,
    /// Where its members are: `eu-central`.
    pub network_zone: String,
    /// Where its members send what is for other subnets.
    pub gateway: String,
    /// The vSwitch; null for every other type.
    pub vswitch_id: Option<Id>,
}

/// Where packets to a destination go: in answers, in [`CreateNetwork`], and the request of `add_route` and `delete_route`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// A range: `10.100.1.0/24`.
    pub destination: String,
    /// An address of the network.
    pub gateway: String,
}

/// The request of `POST /networks`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateNetwork {
    /// Its name.
    pub name: String,
    /// The range that shall hold all of its subnets.
    pub ip_range: String,
    /// Its parts.
    #[serde(default, deserialize_with = "form::null_default")]
    pub subnets: Vec<NewSubnet>,
    /// Its routes.
    #[serde(default, deserialize_with = "form::null_default")]
    pub routes: Vec<Route>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
    /// Whether dedicated servers behind a vSwitch learn the routes.
    #[serde(default, deserialize_with = "form::null_default")]
    pub expose_routes_to_vswitch: bool,
}

/// A subnet of [`CreateNetwork`], and the request of `POST /networks/{id}/actions/add_subnet`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewSubnet {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: SubnetType,
    /// Its range; the first free /24 when absent.
    #[serde(default)]
    pub ip_range: Option<String>,
    /// Where its members are.
    pub network_zone: String,
    /// The vSwitch; only together with that type, and required for it.
    #[serde(default)]
    pub vswitch_id: Option<Id>,
}

/// The request of `PUT /networks/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateNetwork {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
    /// Whether dedicated servers behind a vSwitch learn the routes.
    pub expose_routes_to_vswitch: Option<bool>,
}

/// The request of `change_ip_range` and of `delete_subnet`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IpRange {
    /// The range.
    pub ip_range: String,
}

/// The request of `POST /networks/{id}/actions/change_protection`. What is absent stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeNetworkProtection {
    /// Whether deleting is refused.
    pub delete: Option<bool>,
}

text_enum! {
    /// What is attached to a network.
    MemberType {
        /// A server.
        Server = "server",
        /// A load balancer.
        LoadBalancer = "load_balancer",
    }
}

text_enum! {
    /// How a member stands to its network.
    MemberStatus {
        /// It is reached.
        Ok = "ok",
        /// It is about to be reached.
        Attaching = "attaching",
        /// It is about to go.
        Detaching = "detaching",
        /// Its addresses change.
        Updating = "updating",
        /// It could not be brought where it should be.
        Error = "error",
    }
}

/// An entry of `GET /networks/{id}/members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The member's id.
    pub id: Id,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: MemberType,
    /// Its address.
    pub ip: String,
    /// More addresses, in the order in which they were asked for.
    pub alias_ips: Vec<String>,
    /// The range of the subnet that holds its address.
    pub subnet: String,
    /// How it stands to the network.
    pub status: MemberStatus,
}

/// The request of `POST /servers/{id}/actions/attach_to_network`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttachToNetwork {
    /// The network to join.
    pub network: Id,
    /// The address to have; the lowest free one when absent.
    #[serde(default)]
    pub ip: Option<String>,
    /// More addresses.
    #[serde(default, deserialize_with = "form::null_default")]
    pub alias_ips: Vec<String>,
    /// The subnet to be in; the first with room when absent. Since 2025-09.
    #[serde(default)]
    pub ip_range: Option<String>,
}

/// The request of `POST /servers/{id}/actions/detach_from_network`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct DetachFromNetwork {
    /// The network to leave.
    pub network: Id,
}

/// The request of `POST /servers/{id}/actions/change_alias_ips`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeAliasIps {
    /// The network.
    pub network: Id,
    /// All aliases from now on.
    pub alias_ips: Vec<String>,
}
