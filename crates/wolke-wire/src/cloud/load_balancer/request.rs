//! What requests about load balancers hold. Which members a protocol has, and their defaults, is `wolke-domain`'s word.

use serde::Deserialize;

use super::super::{Labels, form};
use super::{
    Algorithm, AlgorithmType, HealthCheckProtocol, Protocol, TargetIp, TargetSelector, TargetServer, TargetType,
};
use crate::{Id, IdOrName};

/// The request of `POST /load_balancers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateLoadBalancer {
    /// Its name.
    pub name: String,
    /// Its size.
    pub load_balancer_type: IdOrName,
    /// Where it shall stand; excludes `network_zone`.
    #[serde(default)]
    pub location: Option<IdOrName>,
    /// In which zone it shall stand; excludes `location`.
    #[serde(default)]
    pub network_zone: Option<String>,
    /// How connections are spread.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// What it offers.
    #[serde(default, deserialize_with = "form::null_default")]
    pub services: Vec<ChangeService>,
    /// Where connections go.
    #[serde(default, deserialize_with = "form::null_default")]
    pub targets: Vec<ChangeTarget>,
    /// The network that it is attached to.
    #[serde(default)]
    pub network: Option<Id>,
    /// Whether it can be reached from outside.
    #[serde(default = "form::yes", deserialize_with = "form::null_true")]
    pub public_interface: bool,
    /// Its addresses, since 2026-10.
    #[serde(default)]
    pub public_net: Option<CreatePublicNet>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// `public_net` of a create: primary IPs that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CreatePublicNet {
    /// Of IPv4.
    pub ipv4: Option<Id>,
    /// Of IPv6.
    pub ipv6: Option<Id>,
}

/// The request of `PUT /load_balancers/{id}`. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UpdateLoadBalancer {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// A service of a create, of `add_service` or of `update_service`, where what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChangeService {
    /// What it speaks.
    pub protocol: Option<Protocol>,
    /// Where it listens; names the service in `update_service`.
    pub listen_port: Option<i64>,
    /// Where targets listen.
    pub destination_port: Option<i64>,
    /// Whether targets are told the client's address.
    pub proxyprotocol: Option<bool>,
    /// Of HTTP and HTTPS alone.
    pub http: Option<ChangeServiceHttp>,
    /// How targets are checked.
    pub health_check: Option<ChangeHealthCheck>,
}

/// `http` of [`ChangeService`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChangeServiceHttp {
    /// The cookie of sticky sessions.
    pub cookie_name: Option<String>,
    /// How long it lasts, in seconds.
    pub cookie_lifetime: Option<i64>,
    /// Certificates for TLS.
    pub certificates: Option<Vec<Id>>,
    /// Whether port 80 sends clients here.
    pub redirect_http: Option<bool>,
    /// Whether a client stays with its target.
    pub sticky_sessions: Option<bool>,
    /// Seconds without traffic after which a connection is closed.
    pub timeout_idle: Option<i64>,
}

/// `health_check` of [`ChangeService`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChangeHealthCheck {
    /// How.
    pub protocol: Option<HealthCheckProtocol>,
    /// Where.
    pub port: Option<i64>,
    /// Seconds between two checks.
    pub interval: Option<i64>,
    /// Seconds that a check may take.
    pub timeout: Option<i64>,
    /// Failures until a target is unhealthy.
    pub retries: Option<i64>,
    /// Of HTTP checks alone.
    pub http: Option<ChangeHealthCheckHttp>,
}

/// `health_check.http` of [`ChangeService`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChangeHealthCheckHttp {
    /// The Host header. `Some(None)`: null, for none.
    #[serde(deserialize_with = "form::present")]
    pub domain: Option<Option<String>>,
    /// The page.
    pub path: Option<String>,
    /// What the page must hold.
    pub response: Option<String>,
    /// Status codes that are well.
    pub status_codes: Option<Vec<String>>,
    /// Whether the check uses TLS.
    pub tls: Option<bool>,
}

/// A target of a create, of `add_target` or of `remove_target`, where `use_private_ip` has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeTarget {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: TargetType,
    /// Of a server.
    #[serde(default)]
    pub server: Option<TargetServer>,
    /// Of a label selector.
    #[serde(default)]
    pub label_selector: Option<TargetSelector>,
    /// Of an address.
    #[serde(default)]
    pub ip: Option<TargetIp>,
    /// Whether servers are reached through the private network.
    #[serde(default)]
    pub use_private_ip: Option<bool>,
}

/// The request of `delete_service`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct DeleteService {
    /// The service.
    pub listen_port: i64,
}

/// The request of `change_algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeAlgorithm {
    /// The new one.
    #[serde(rename = "type")]
    pub kind: AlgorithmType,
}

/// The request of `change_type`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeLoadBalancerType {
    /// The new one.
    pub load_balancer_type: IdOrName,
}

/// The request of `attach_to_network`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttachToNetwork {
    /// The network.
    pub network: Id,
    /// The address that is wanted.
    #[serde(default)]
    pub ip: Option<String>,
    /// The subnet from which an address is wanted.
    #[serde(default)]
    pub ip_range: Option<String>,
}

/// The request of `detach_from_network`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct DetachFromNetwork {
    /// The network.
    pub network: Id,
}
