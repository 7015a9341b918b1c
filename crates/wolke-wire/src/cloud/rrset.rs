//! Sets of DNS records: all records of one name and type in a zone (fact sheet §4.2).

use serde::{Deserialize, Serialize};

use super::{Labels, form};
use crate::Id;

text_enum! {
    /// The types that zones hold.
    RrsetType {
        /// An IPv4 address.
        A = "A",
        /// An IPv6 address.
        Aaaa = "AAAA",
        /// Who may issue certificates (RFC 8659).
        Caa = "CAA",
        /// Another name for a name.
        Cname = "CNAME",
        /// The key of a delegated zone (RFC 4034).
        Ds = "DS",
        /// Hardware and operating system.
        Hinfo = "HINFO",
        /// How to reach a web service (RFC 9460).
        Https = "HTTPS",
        /// A mail exchanger.
        Mx = "MX",
        /// A nameserver.
        Ns = "NS",
        /// The name of an address.
        Ptr = "PTR",
        /// Who is responsible (RFC 1183).
        Rp = "RP",
        /// The start of authority.
        Soa = "SOA",
        /// Where a service is (RFC 2782).
        Srv = "SRV",
        /// How to reach a service (RFC 9460).
        Svcb = "SVCB",
        /// The certificate of a service (RFC 6698).
        Tlsa = "TLSA",
        /// Text.
        Txt = "TXT",
    }
}

/// `protection` of a set; also the request of its `change_protection`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeProtection {
    /// Changing it is refused.
    pub change: bool,
}

/// A record as it is shown; also as `update_records` asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its data, in the form of zone files.
    pub value: String,
    /// What somebody has noted of it; empty when nothing.
    pub comment: String,
}

/// A record of a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewRecord {
    /// Its data, in the form of zone files.
    pub value: String,
    /// A note.
    #[serde(default, deserialize_with = "form::null_default")]
    pub comment: String,
}

/// A set of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rrset {
    /// `NAME/TYPE`.
    pub id: String,
    /// Its name below the zone's; `@` for the zone's own.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: RrsetType,
    /// Its TTL; null where the zone's holds.
    pub ttl: Option<i64>,
    /// Its labels.
    pub labels: Labels,
    /// Whether changing it is refused.
    pub protection: ChangeProtection,
    /// Its records.
    pub records: Vec<Record>,
    /// Its zone.
    pub zone: Id,
}

/// The request of `POST /zones/{id_or_name}/rrsets`; also a set of a new zone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateRrset {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: RrsetType,
    /// Its TTL.
    #[serde(default)]
    pub ttl: Option<i64>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
    /// Its records.
    pub records: Vec<NewRecord>,
}

/// The request of `PUT /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateRrset {
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `…/actions/change_ttl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeRrsetTtl {
    /// The new TTL; null for the zone's.
    pub ttl: Option<i64>,
}

/// The request of `…/actions/set_records` and `…/actions/remove_records`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewRecords {
    /// The records.
    pub records: Vec<NewRecord>,
}

/// The request of `…/actions/add_records`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AddRecords {
    /// The records.
    pub records: Vec<NewRecord>,
    /// The TTL of the set.
    #[serde(default)]
    pub ttl: Option<i64>,
}

/// The request of `…/actions/update_records`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UpdateRecords {
    /// The values of records with their new comments.
    pub records: Vec<Record>,
}
