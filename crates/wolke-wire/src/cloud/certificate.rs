//! Certificates (fact sheet §3.8).

use serde::{Deserialize, Deserializer, Serialize};

use super::{Labels, Secret, form};
use crate::{Id, Kind, Timestamp};

text_enum! {
    /// Where a certificate comes from.
    CertificateType {
        /// Its owner has brought it.
        Uploaded = "uploaded",
        /// The service asks an authority for it, and renews it.
        Managed = "managed",
    }
}

text_enum! {
    /// How far the first issue of a managed certificate is.
    Issuance {
        /// Under way.
        Pending = "pending",
        /// There is a certificate.
        Completed = "completed",
        /// There is none.
        Failed = "failed",
    }
}

text_enum! {
    /// How far the next issue of a managed certificate is.
    Renewal {
        /// It is not time yet.
        Unavailable = "unavailable",
        /// It is about to begin.
        Scheduled = "scheduled",
        /// Under way.
        Pending = "pending",
        /// It did not come about.
        Failed = "failed",
    }
}

/// Why an issue did not come about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateError {
    /// The contract's code.
    pub code: String,
    /// For people.
    pub message: String,
}

/// How a managed certificate is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateStatus {
    /// The first issue.
    pub issuance: Issuance,
    /// The next one.
    pub renewal: Renewal,
    /// What happened, when one of them has failed.
    pub error: Option<CertificateError>,
}

/// Somebody who uses a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its id.
    pub id: Id,
    /// What it is: a load balancer.
    #[serde(rename = "type")]
    pub kind: Kind,
}

/// A certificate. Its private key is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Where it comes from.
    #[serde(rename = "type")]
    pub kind: CertificateType,
    /// Certificate and chain in PEM, each certifying the one before; none of a managed one that was not issued yet.
    pub certificate: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is valid.
    pub not_valid_before: Option<Timestamp>,
    /// Until when it is valid.
    pub not_valid_after: Option<Timestamp>,
    /// The domains that it is for.
    pub domain_names: Vec<String>,
    /// SHA-256 of the certificate: upper-case pairs joined by colons.
    pub fingerprint: Option<String>,
    /// How a managed one is doing; none of an uploaded one.
    pub status: Option<CertificateStatus>,
    /// Who uses it.
    pub used_by: Vec<User>,
}

/// The request of `POST /certificates`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateCertificate {
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
    /// Where it comes from.
    #[serde(rename = "type", default = "uploaded", deserialize_with = "kind")]
    pub kind: CertificateType,
    /// Certificate and chain in PEM, each certifying the one before; of an uploaded one.
    #[serde(default, deserialize_with = "form::null_default")]
    pub certificate: String,
    /// The private key in PEM; of an uploaded one.
    #[serde(default, deserialize_with = "form::null_default")]
    pub private_key: Secret,
    /// The domains that it shall be for; of a managed one.
    #[serde(default, deserialize_with = "form::null_default")]
    pub domain_names: Vec<String>,
}

const fn uploaded() -> CertificateType {
    CertificateType::Uploaded
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CertificateType, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(CertificateType::Uploaded))
}

/// The request of `PUT /certificates/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateCertificate {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

#[cfg(test)]
mod tests {
    use super::{CertificateType, CreateCertificate};

    #[test]
    fn least_and_null_requests_take_defaults() {
        let least: CreateCertificate = serde_json::from_str(r#"{"name":"a"}"#).unwrap();
        let nulls =
            r#"{"name":"a","type":null,"labels":null,"certificate":null,"private_key":null,"domain_names":null}"#;
        assert_eq!(serde_json::from_str::<CreateCertificate>(nulls).unwrap(), least);
        assert_eq!(least.kind, CertificateType::Uploaded);
        let managed: CreateCertificate = serde_json::from_str(r#"{"name":"a","type":"managed"}"#).unwrap();
        assert_eq!(managed.kind, CertificateType::Managed);
    }

    #[test]
    fn a_private_key_is_not_printed() {
        let request: CreateCertificate = serde_json::from_str(r#"{"name":"a","private_key":"hunter2"}"#).unwrap();
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
