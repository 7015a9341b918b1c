//! DNS zones (fact sheet §4.2).

use serde::{Deserialize, Deserializer, Serialize};

use super::rrset::CreateRrset;
use super::{DeleteProtection, Labels, Secret, form};
use crate::{Id, Timestamp};

/// The port of a primary nameserver that is given without one.
pub const NAMESERVER_PORT: i64 = 53;

text_enum! {
    /// Where the records of a zone come from.
    ZoneMode {
        /// From this API.
        Primary = "primary",
        /// From other nameservers, by zone transfer.
        Secondary = "secondary",
    }
}

text_enum! {
    /// Whether the authoritative nameservers have what the zone holds.
    ZoneStatus {
        /// They have.
        Ok = "ok",
        /// They are about to.
        Updating = "updating",
        /// They could not be told.
        Error = "error",
    }
}

text_enum! {
    /// Who the domain is registered with.
    Registrar {
        /// With the provider.
        Hetzner = "hetzner",
        /// With somebody else.
        Other = "other",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

text_enum! {
    /// What the parent zone says of a zone.
    DelegationStatus {
        /// It delegates to the assigned nameservers.
        Valid = "valid",
        /// It delegates to other nameservers of the provider beside them.
        PartiallyValid = "partially-valid",
        /// It does not delegate to the assigned nameservers.
        Invalid = "invalid",
        /// It delegates to nameservers that do not know the zone.
        Lame = "lame",
        /// The domain is not registered.
        Unregistered = "unregistered",
        /// Nobody has looked yet.
        Unknown = "unknown",
    }
}

text_enum! {
    /// How zone transfers are signed.
    TsigAlgorithm {
        /// HMAC with MD5.
        HmacMd5 = "hmac-md5",
        /// HMAC with SHA-1.
        HmacSha1 = "hmac-sha1",
        /// HMAC with SHA-256.
        HmacSha256 = "hmac-sha256",
    }
}

/// A nameserver that a secondary zone is transferred from; in requests and in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nameserver {
    /// Its address.
    pub address: String,
    /// Its port.
    #[serde(default = "nameserver_port", deserialize_with = "port")]
    pub port: i64,
    /// How transfers are signed; together with the key or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsig_algorithm: Option<TsigAlgorithm>,
    /// The key that they are signed with, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsig_key: Option<Secret>,
}

const fn nameserver_port() -> i64 {
    NAMESERVER_PORT
}

fn port<'de, D: Deserializer<'de>>(d: D) -> Result<i64, D::Error> {
    Ok(Option::<i64>::deserialize(d)?.unwrap_or(NAMESERVER_PORT))
}

/// Who answers for a zone, and what the parent zone says of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthoritativeNameservers {
    /// The provider's nameservers that serve the zone.
    pub assigned: Vec<String>,
    /// The nameservers that the parent zone names.
    pub delegated: Vec<String>,
    /// When the parent zone was asked.
    pub delegation_last_check: Option<Timestamp>,
    /// What came of it.
    pub delegation_status: DelegationStatus,
}

/// A DNS zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// Its id.
    pub id: Id,
    /// Its name: lower case, in Punycode, without a dot at the end.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Where its records come from.
    pub mode: ZoneMode,
    /// The TTL of sets that have none of their own.
    pub ttl: i64,
    /// Its labels.
    pub labels: Labels,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// Where a secondary zone is transferred from; empty for a primary one.
    pub primary_nameservers: Vec<Nameserver>,
    /// Who answers for it.
    pub authoritative_nameservers: AuthoritativeNameservers,
    /// Who the domain is registered with.
    pub registrar: Registrar,
    /// Whether it is published.
    pub status: ZoneStatus,
    /// How many records it holds.
    pub record_count: i64,
}

/// The request of `POST /zones`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateZone {
    /// Its name.
    pub name: String,
    /// Where its records shall come from.
    pub mode: ZoneMode,
    /// The TTL of sets that have none of their own.
    #[serde(default)]
    pub ttl: Option<i64>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
    /// Where a secondary zone is transferred from; ignored for a primary one, as the document says.
    #[serde(default, deserialize_with = "form::null_default")]
    pub primary_nameservers: Vec<Nameserver>,
    /// The sets of a primary zone; excludes `zonefile`. Ignored for a secondary one, as the document says.
    #[serde(default, deserialize_with = "form::null_default")]
    pub rrsets: Vec<CreateRrset>,
    /// The same as a zone file.
    #[serde(default)]
    pub zonefile: Option<String>,
}

/// The request of `PUT /zones/{id_or_name}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateZone {
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /zones/{id_or_name}/actions/change_protection`. What is absent stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeZoneProtection {
    /// Whether deleting it shall be refused.
    pub delete: Option<bool>,
}

/// The request of `POST /zones/{id_or_name}/actions/change_ttl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeZoneTtl {
    /// The new TTL.
    pub ttl: i64,
}

/// The request of `POST /zones/{id_or_name}/actions/change_primary_nameservers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangePrimaryNameservers {
    /// The new ones, all of them.
    pub primary_nameservers: Vec<Nameserver>,
}

/// The request of `POST /zones/{id_or_name}/actions/import_zonefile`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ImportZonefile {
    /// The file.
    pub zonefile: String,
}

/// The answer of `GET /zones/{id_or_name}/zonefile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Zonefile {
    /// The file.
    pub zonefile: String,
}

#[cfg(test)]
mod tests {
    use super::Nameserver;

    #[test]
    fn the_port_of_a_nameserver_may_be_left_out() {
        for json in [r#"{"address":"203.0.113.1"}"#, r#"{"address":"203.0.113.1","port":null,"tsig_key":null}"#] {
            let read: Nameserver = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"address":"203.0.113.1","port":53}"#);
        }
    }
}
