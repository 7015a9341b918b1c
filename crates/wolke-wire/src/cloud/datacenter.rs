//! Data centers: legacy since 2025-12, still asked for by older clients (fact sheet §0.2).

use serde::Serialize;

use super::Embed;
use crate::Id;

/// A data center inside a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Datacenter {
    /// Its id.
    pub id: Id,
    /// Its name: `fsn1-dc14`.
    pub name: String,
    /// For people.
    pub description: String,
    /// Where it stands.
    pub location: Embed,
    /// What it offers.
    pub server_types: DatacenterServerTypes,
}

/// `datacenter.server_types`: ids of server types. Lists, never null.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct DatacenterServerTypes {
    /// Could stand here.
    pub supported: Vec<Id>,
    /// Can be ordered here now.
    pub available: Vec<Id>,
    /// A server can be changed to these here now.
    pub available_for_migration: Vec<Id>,
}
