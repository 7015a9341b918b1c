//! Load balancer types and their prices (fact sheet §3.13, §8.4).

use serde::Serialize;

use super::Deprecation;
use super::server_type::LocationPrice;
use crate::{Id, Timestamp};

/// A size of load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadBalancerType {
    /// Its id.
    pub id: Id,
    /// Its name: `lb11`.
    pub name: String,
    /// For people: `LB11`.
    pub description: String,
    /// Connections at the same time.
    pub max_connections: u32,
    /// Services that one can have.
    pub max_services: u32,
    /// Targets that one can have.
    pub max_targets: u32,
    /// Certificates that one can use.
    pub max_assigned_certificates: u32,
    /// Legacy: `deprecation.announced`.
    pub deprecated: Option<Timestamp>,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
    /// What it costs, by location.
    pub prices: Vec<LocationPrice>,
}
