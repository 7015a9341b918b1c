//! What everything costs (fact sheet §3.13).

use serde::Serialize;

use super::primary_ip::IpType;
use super::server_type::{LocationPrice, Price};
use crate::Id;

/// `pricing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pricing {
    /// The currency of all prices: `EUR`.
    pub currency: String,
    /// Value added tax in percent: `19.00`.
    pub vat_rate: String,
    /// Snapshots.
    pub image: GbMonth,
    /// Legacy: floating IPs of any kind anywhere.
    pub floating_ip: Monthly,
    /// Floating IPs.
    pub floating_ips: Vec<FloatingIpPrices>,
    /// Primary IPs.
    pub primary_ips: Vec<PrimaryIpPrices>,
    /// Legacy: traffic depends on the location since 2024-08 (fact sheet §2).
    pub traffic: Traffic,
    /// Backups.
    pub server_backup: ServerBackup,
    /// Server types.
    pub server_types: Vec<TypePrices>,
    /// Load balancer types.
    pub load_balancer_types: Vec<TypePrices>,
    /// Volumes.
    pub volume: GbMonth,
}

/// For a GB in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GbMonth {
    /// The price.
    pub price_per_gb_month: Price,
}

/// For a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Monthly {
    /// The price.
    pub price_monthly: Price,
}

/// For traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// For a TB.
    pub price_per_tb: Price,
}

/// For backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerBackup {
    /// Percent of the server's price.
    pub percentage: String,
}

/// Floating IPs of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloatingIpPrices {
    /// IPv4 or IPv6.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// By location.
    pub prices: Vec<FloatingIpPrice>,
}

/// A floating IP in a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloatingIpPrice {
    /// The location's name.
    pub location: String,
    /// For a month.
    pub price_monthly: Price,
}

/// Primary IPs of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrimaryIpPrices {
    /// IPv4 or IPv6.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// By location.
    pub prices: Vec<PrimaryIpPrice>,
}

/// A primary IP in a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrimaryIpPrice {
    /// The location's name.
    pub location: String,
    /// For an hour.
    pub price_hourly: Price,
    /// For a month.
    pub price_monthly: Price,
}

/// A type of server or load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypePrices {
    /// The type's id.
    pub id: Id,
    /// The type's name.
    pub name: String,
    /// By location.
    pub prices: Vec<LocationPrice>,
}
