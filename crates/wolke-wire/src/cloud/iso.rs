//! ISOs (fact sheet §3.10).

use serde::Serialize;

use super::{Architecture, Deprecation};
use crate::{Id, Timestamp};

text_enum! {
    /// Who sees an ISO.
    IsoType {
        /// Everybody.
        Public = "public",
        /// One project.
        Private = "private",
    }
}

/// A CD image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Iso {
    /// Its id.
    pub id: Id,
    /// Its name; null for private ones (dialects D.1).
    pub name: Option<String>,
    /// For people.
    pub description: String,
    /// Who sees it.
    #[serde(rename = "type")]
    pub kind: IsoType,
    /// Legacy: `deprecation.unavailable_after`; from then on it cannot be attached (dialects A.2).
    pub deprecated: Option<Timestamp>,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
    /// The instruction set; null for any.
    pub architecture: Option<Architecture>,
}
