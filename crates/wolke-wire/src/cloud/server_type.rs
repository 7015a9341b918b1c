//! Server types and their prices (fact sheet §3.13).

use serde::Serialize;

use super::{Architecture, Deprecation, form};
use crate::Id;

text_enum! {
    /// Whose the cores are.
    CpuType {
        /// Shared with other servers.
        Shared = "shared",
        /// For this server alone.
        Dedicated = "dedicated",
    }
}

text_enum! {
    /// Where the disk lives.
    StorageType {
        /// On the host.
        Local = "local",
        /// In a storage cluster.
        Network = "network",
    }
}

/// A size of server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerType {
    /// Its id.
    pub id: Id,
    /// Its name: `cpx22`.
    pub name: String,
    /// For people: `CPX 22`.
    pub description: String,
    /// `regular_purpose`, `cost_optimized`, …
    pub category: String,
    /// Number of cores.
    pub cores: u32,
    /// Memory in GB.
    #[serde(serialize_with = "form::number")]
    pub memory: f64,
    /// Disk in GB.
    pub disk: u32,
    /// Whether it is deprecated everywhere.
    pub deprecated: bool,
    /// Since when it is deprecated everywhere.
    pub deprecation: Option<Deprecation>,
    /// Where it is offered.
    pub locations: Vec<ServerTypeLocation>,
    /// What it costs, by location.
    pub prices: Vec<LocationPrice>,
    /// Where the disk lives.
    pub storage_type: StorageType,
    /// Whose the cores are.
    pub cpu_type: CpuType,
    /// The instruction set.
    pub architecture: Architecture,
    /// Legacy, always 0 since 2024-08: traffic is included by location (fact sheet §2).
    pub included_traffic: u64,
}

/// A location in which a type is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerTypeLocation {
    /// The location's id.
    pub id: Id,
    /// The location's name.
    pub name: String,
    /// Whether the type goes away here.
    pub deprecation: Option<Deprecation>,
    /// Whether it is in stock.
    pub available: bool,
    /// Whether it is the one to take here.
    pub recommended: bool,
}

/// What a type costs in a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocationPrice {
    /// The location's name.
    pub location: String,
    /// For an hour.
    pub price_hourly: Price,
    /// At most for a month.
    pub price_monthly: Price,
    /// Bytes of outgoing traffic that cost nothing.
    pub included_traffic: u64,
    /// For each TB (10^12 bytes) after that.
    pub price_per_tb_traffic: Price,
}

/// A price as decimal strings, without and with VAT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Without VAT.
    pub net: String,
    /// With VAT.
    pub gross: String,
}
