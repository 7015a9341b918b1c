//! Load balancers: what answers show (fact sheet §3.7). Requests: `load_balancer/request.rs`.

mod request;

pub use request::*;

use serde::{Deserialize, Serialize};

use super::{DeleteProtection, Embed, Labels};
use crate::{Id, Timestamp};

text_enum! {
    /// How connections are spread over targets.
    AlgorithmType {
        /// In turns.
        RoundRobin = "round_robin",
        /// To whoever has the fewest.
        LeastConnections = "least_connections",
    }
}

text_enum! {
    /// What a service speaks.
    Protocol {
        /// Bytes.
        Tcp = "tcp",
        /// HTTP.
        Http = "http",
        /// HTTP over TLS that ends at the load balancer, or passes through it when there is no certificate.
        Https = "https",
    }
}

text_enum! {
    /// How targets are checked.
    HealthCheckProtocol {
        /// A connection is opened.
        Tcp = "tcp",
        /// A page is asked for.
        Http = "http",
    }
}

text_enum! {
    /// What a target is.
    TargetType {
        /// A server.
        Server = "server",
        /// Whichever servers have the labels.
        LabelSelector = "label_selector",
        /// An address of a dedicated server.
        Ip = "ip",
    }
}

text_enum! {
    /// What the last health checks of a target have found.
    HealthStatus {
        /// It takes connections.
        Healthy = "healthy",
        /// It gets none.
        Unhealthy = "unhealthy",
        /// Not checked yet.
        Unknown = "unknown",
    }
}

text_enum! {
    /// Why a target is unhealthy (fact sheet §3.7).
    HealthDetail {
        /// No reason is known.
        Unspecified = "unspecified",
        /// The connection was refused, or there is no way there.
        Layer4NoConnection = "layer4_no_connection",
        /// Nobody answered the connection.
        Layer4Timeout = "layer4_timeout",
        /// Nobody answered the request.
        Layer7Timeout = "layer7_timeout",
        /// The status code was not among those expected.
        UnexpectedHttpStatus = "unexpected_http_status",
        /// The page does not hold the text expected.
        UnexpectedHttpContent = "unexpected_http_content",
    }
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadBalancer {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its public side.
    pub public_net: PublicNet,
    /// Its private interface, at most one.
    pub private_net: Vec<PrivateNet>,
    /// Where it stands.
    pub location: Embed,
    /// Its size.
    pub load_balancer_type: Embed,
    /// What is refused.
    pub protection: DeleteProtection,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
    /// What it offers, by port.
    pub services: Vec<Service>,
    /// Where connections go.
    pub targets: Vec<Target>,
    /// How they are spread.
    pub algorithm: Algorithm,
    /// Bytes out in this month.
    pub outgoing_traffic: Option<u64>,
    /// Bytes in in this month.
    pub ingoing_traffic: Option<u64>,
    /// Bytes out that cost nothing.
    pub included_traffic: u64,
}

/// `load_balancer.algorithm`, also the request of `change_algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Algorithm {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: AlgorithmType,
}

/// `load_balancer.public_net`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicNet {
    /// Whether it can be reached there.
    pub enabled: bool,
    /// The IPv4 address.
    pub ipv4: PublicAddress,
    /// The IPv6 address: one, not a network.
    pub ipv6: PublicAddress,
}

/// A public address of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicAddress {
    /// The primary IP, since 2026-10. Absent only of a load balancer that an earlier release makes beside this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The address.
    pub ip: Option<String>,
    /// Whether the operator blocked it.
    pub blocked: bool,
    /// Reverse DNS.
    pub dns_ptr: Option<String>,
}

/// `load_balancer.private_net[]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrivateNet {
    /// The network's id.
    pub network: Id,
    /// The address.
    pub ip: String,
}

/// What a load balancer offers at one port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens.
    pub listen_port: u16,
    /// Where targets listen.
    pub destination_port: u16,
    /// Whether targets are told the client's address by the PROXY protocol.
    pub proxyprotocol: bool,
    /// Of HTTP and HTTPS alone; absent otherwise (dialects D.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<ServiceHttp>,
    /// How targets are checked.
    pub health_check: HealthCheck,
}

/// `services[].http`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceHttp {
    /// The cookie of sticky sessions.
    pub cookie_name: String,
    /// How long it lasts, in seconds.
    pub cookie_lifetime: u32,
    /// Certificates for TLS; none lets TLS through to the targets.
    pub certificates: Vec<Id>,
    /// Whether port 80 sends clients here.
    pub redirect_http: bool,
    /// Whether a client stays with its target.
    pub sticky_sessions: bool,
    /// Seconds without traffic after which a connection is closed.
    pub timeout_idle: u32,
}

/// `services[].health_check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// How.
    pub protocol: HealthCheckProtocol,
    /// Where.
    pub port: u16,
    /// Seconds between two checks.
    pub interval: u32,
    /// Seconds that a check may take.
    pub timeout: u32,
    /// Failures until a target is unhealthy, and successes until it is healthy again.
    pub retries: u32,
    /// Of HTTP checks alone; absent otherwise (dialects D.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HealthCheckHttp>,
}

/// `services[].health_check.http`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheckHttp {
    /// The Host header; null for none.
    pub domain: Option<String>,
    /// The page.
    pub path: String,
    /// What the page must hold; empty for whatever.
    pub response: String,
    /// Status codes that are well; `?` stands for a digit, `*` for any number of them.
    pub status_codes: Vec<String>,
    /// Whether the check uses TLS.
    pub tls: bool,
}

/// Where connections go. Members that do not belong to its type are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: TargetType,
    /// Of a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<TargetServer>,
    /// Of a label selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<TargetSelector>,
    /// Of an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<TargetIp>,
    /// Whether servers are reached through the private network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_private_ip: Option<bool>,
    /// By port of the service; of a label selector its servers have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_status: Option<Vec<TargetHealth>>,
    /// Of a label selector: the servers that it selects now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<Target>>,
}

/// `targets[].server`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetServer {
    /// The server.
    pub id: Id,
}

/// `targets[].label_selector`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSelector {
    /// The selector.
    pub selector: String,
}

/// `targets[].ip`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetIp {
    /// The address.
    pub ip: String,
}

/// What checks of one service have found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TargetHealth {
    /// The service.
    pub listen_port: u16,
    /// How the target is.
    pub status: HealthStatus,
    /// Why it is unhealthy; only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<HealthDetail>,
    /// The status code that was not expected; only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status_code: Option<u16>,
}
