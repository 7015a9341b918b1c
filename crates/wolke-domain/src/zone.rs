//! DNS zones: what names, sets and records may look like, zone files, and the serial (fact sheet §4.2; decision 0012).
//!
//! A set ([`Spec`]) is all records of one name and type. Values are kept as they were written, because clients compare
//! what they read with what they sent; whether two are the same is decided by what they mean ([`data::canonical`]).

pub mod data;
pub mod delegation;
pub mod file;
pub mod lex;
pub mod name;
pub mod nameserver;
mod punycode;
pub mod rrset;
pub mod soa;
mod svcb;

use crate::Error;
use serde::{Deserialize, Serialize};
use wolke_wire::cloud::rrset::RrsetType;

/// The name of the sets at the zone's own name.
pub const APEX: &str = "@";
/// The nameservers that every zone is served by, in this order (fact sheet §4.2).
pub const ASSIGNED_NAMESERVERS: [&str; 3] =
    ["hydrogen.ns.hetzner.com.", "oxygen.ns.hetzner.com.", "helium.ns.hetzner.de."];
/// The TTL of a zone that asks for none, in seconds.
pub const TTL_DEFAULT: i64 = 3600;
/// The least TTL, in seconds.
pub const TTL_MIN: i64 = 60;
/// The largest TTL, in seconds: 2^31 - 1 (RFC 2181 §8).
pub const TTL_MAX: i64 = 2_147_483_647;
/// The most sets of a zone.
pub const RRSETS_MAX: usize = 10_000;
/// The most records of a set: what a DNS message holds of the smallest ones, with room to spare.
pub const RECORDS_MAX: usize = 500;
/// The longest value of a record, in bytes: as much as its data can be (RFC 1035 §3.2.1).
pub const VALUE_BYTES_MAX: usize = 65_535;
/// The most bytes of a set's values and comments together: twice what a DNS message holds, because text is escaped.
pub const RRSET_BYTES_MAX: usize = 128 << 10;
/// The most bytes of all sets of a zone as they are stored: whatever a zone file of the longest request comes to.
pub const ZONE_BYTES_MAX: i64 = 4 << 20;
/// The longest comment of a record, in characters.
pub const COMMENT_LENGTH_MAX: usize = 1000;

/// A record of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its data, as it was written.
    #[serde(rename = "v")]
    pub value: String,
    /// What somebody has noted of it.
    #[serde(rename = "c", default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl Record {
    /// A record without a comment.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), comment: String::new() }
    }
}

/// A set of records: what of it is DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name below the zone's, or [`APEX`].
    pub name: String,
    /// Its type.
    pub kind: RrsetType,
    /// Its TTL; none where the zone's holds.
    pub ttl: Option<i64>,
    /// Its records.
    pub records: Vec<Record>,
}

impl Spec {
    /// `NAME/TYPE`.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.name, self.kind)
    }

    /// Whether this is the set that says where the zone begins.
    #[must_use]
    pub fn is_soa(&self) -> bool {
        self.kind == RrsetType::Soa
    }
}

/// How much all sets of a zone are together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Volume {
    /// Sets.
    pub sets: i64,
    /// Bytes of them, as they are stored.
    pub bytes: i64,
}

impl Volume {
    /// Checks what a zone has after it got more.
    ///
    /// # Errors
    /// `resource_limit_exceeded`, naming the limit.
    pub fn check(self) -> Result<(), Error> {
        if self.sets > RRSETS_MAX as i64 {
            return Err(Error::limit("zone_rrset_limit", "RRSet"));
        }
        if self.bytes > ZONE_BYTES_MAX {
            return Err(Error::limit("zone_size_limit", "zone size"));
        }
        Ok(())
    }
}

/// What the contract calls a set: `NAME/TYPE`.
#[must_use]
pub fn key(name: &str, kind: RrsetType) -> String {
    format!("{name}/{kind}")
}

/// The sets that a new primary zone has: its start of authority and its nameservers (fact sheet §4.2).
#[must_use]
pub fn defaults(serial: u32) -> [Spec; 2] {
    let soa = Record::new(soa::default_value(serial));
    [
        Spec { name: APEX.into(), kind: RrsetType::Soa, ttl: None, records: vec![soa] },
        Spec {
            name: APEX.into(),
            kind: RrsetType::Ns,
            ttl: None,
            records: ASSIGNED_NAMESERVERS.map(Record::new).into(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::{RRSETS_MAX, Volume, ZONE_BYTES_MAX};
    use crate::Error;

    #[test]
    fn a_zone_is_bounded_in_sets_and_in_bytes() {
        let full = Volume { sets: RRSETS_MAX as i64, bytes: ZONE_BYTES_MAX };
        assert_eq!(full.check(), Ok(()));
        let limit = |volume: Volume| match volume.check() {
            Err(Error::LimitExceeded { limit, .. }) => limit,
            other => panic!("{other:?}"),
        };
        assert_eq!(limit(Volume { sets: full.sets + 1, ..full }), "zone_rrset_limit");
        assert_eq!(limit(Volume { bytes: full.bytes + 1, ..full }), "zone_size_limit");
    }
}
