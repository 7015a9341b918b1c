//! Storage box types and their prices (fact sheet §4.3).

use serde::Serialize;

use super::Deprecation;
use super::server_type::Price;
use crate::Id;

/// A size of storage box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StorageBoxType {
    /// Its id.
    pub id: Id,
    /// Its name: `bx11`.
    pub name: String,
    /// For people: `BX11`.
    pub description: String,
    /// Snapshots that users can make of one; no end of them when null.
    pub snapshot_limit: Option<i64>,
    /// Snapshots that its plan can keep; no end of them when null.
    pub automatic_snapshot_limit: Option<i64>,
    /// Further accounts of one.
    pub subaccounts_limit: i64,
    /// In bytes.
    pub size: i64,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
    /// What it costs, by location.
    pub prices: Vec<StorageBoxPrice>,
}

/// What a storage box costs in a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StorageBoxPrice {
    /// The location's name.
    pub location: String,
    /// For an hour.
    pub price_hourly: Price,
    /// At most for a month.
    pub price_monthly: Price,
    /// Once.
    pub setup_fee: Price,
}
