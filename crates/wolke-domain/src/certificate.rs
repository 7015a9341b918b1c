//! The pure rules of certificates: names, sizes, the states of managed ones and when they are renewed (fact sheet §3.8,
//! dialects D.1; decision 0015).
//!
//! What the zones of a project say about a domain stands in `certificate/validation.rs`. Reading and making X.509 is the
//! application's business.

pub mod validation;

use crate::action::Failure;
use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use wolke_wire::cloud::certificate::{Issuance, Renewal};
use wolke_wire::{ErrorCode, Id, Timestamp};

/// The longest certificate with its chain, in bytes of PEM.
pub const CHAIN_BYTES_MAX: usize = 64 * 1024;
/// The most certificates of a chain, the owner's counted.
pub const CHAIN_LENGTH_MAX: usize = 10;
/// The longest private key, in bytes of PEM.
pub const KEY_BYTES_MAX: usize = 16 * 1024;
/// The most domains of a managed certificate, as with the real authority.
pub const DOMAINS_MAX: usize = 100;
/// The most parts of a domain, as with the real authority.
pub const DOMAIN_PARTS_MAX: usize = 10;
/// The most names that are shown of an uploaded certificate.
pub const NAMES_SHOWN_MAX: usize = 1_000;
/// The most users that a certificate shows.
pub const USERS_SHOWN_MAX: i64 = 1_000;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a managed certificate is valid, in world time.
pub const VALIDITY_MS: i64 = 90 * DAY_MS;
/// How long before its end it is renewed.
pub const RENEW_BEFORE_MS: i64 = 30 * DAY_MS;
/// How long before it is renewed it says so.
pub const SCHEDULED_BEFORE_MS: i64 = 7 * DAY_MS;
/// How long after a failed renewal the next is tried.
pub const RENEW_AGAIN_MS: i64 = DAY_MS;

/// Codes with which an issue can fail (fact sheet A.4).
pub const ISSUE_CODES: [ErrorCode; 8] = [
    ErrorCode::DnsZoneNotFound,
    ErrorCode::DnsZoneIsSecondaryZone,
    ErrorCode::CouldNotVerifyDomainDelegatedToZone,
    ErrorCode::CaaRecordDoesNotAllowCa,
    ErrorCode::CaDnsValidationFailed,
    ErrorCode::CaTooManyAuthorizationsFailedRecently,
    ErrorCode::CaTooManyCertificatesIssuedForRegisteredDomain,
    ErrorCode::CaTooManyDuplicateCertificates,
];

/// What an issue that fails says, by its code; none for other codes.
#[must_use]
pub const fn issue_text(code: ErrorCode) -> Option<&'static str> {
    use ErrorCode as C;
    Some(match code {
        C::DnsZoneNotFound => "DNS zone not found",
        C::DnsZoneIsSecondaryZone => "DNS zone is a secondary zone",
        C::CouldNotVerifyDomainDelegatedToZone => "could not verify that the domain is delegated to the zone",
        C::CaaRecordDoesNotAllowCa => "CAA record does not allow the certificate authority",
        C::CaDnsValidationFailed => "the certificate authority could not validate the domain by DNS",
        C::CaTooManyAuthorizationsFailedRecently => {
            "too many authorizations have failed recently at the certificate authority"
        }
        C::CaTooManyCertificatesIssuedForRegisteredDomain => {
            "the certificate authority has issued too many certificates for the registered domain"
        }
        C::CaTooManyDuplicateCertificates => {
            "the certificate authority has issued too many duplicates of the certificate"
        }
        _ => return None,
    })
}

/// The label that asks for the staging authority, and its value (fact sheet §3.8).
const STAGING_LABEL: (&str, &str) = ("HC-Use-Staging-CA", "true");

/// The authorities that issue managed certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityName {
    /// The one that people are asked to trust.
    Production,
    /// The one that nobody shall trust, chosen by a label.
    Staging,
}

impl AuthorityName {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Production, Self::Staging];

    /// How it is called in the database and by the operator.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }

    /// The inverse of [`AuthorityName::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// The one that a certificate with these labels gets.
    #[must_use]
    pub fn chosen_by(labels: &std::collections::BTreeMap<String, String>) -> Self {
        let (key, value) = STAGING_LABEL;
        if labels.get(key).is_some_and(|given| given == value) { Self::Staging } else { Self::Production }
    }
}

/// How a managed certificate is doing. It is shown as `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// How far the first issue is.
    pub issuance: Issuance,
    /// How far the next one is.
    pub renewal: Renewal,
    /// Why one of them has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When the next renewal begins; none while there is nothing to renew or somebody is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<Timestamp>,
    /// The strand that waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Id>,
}

impl Default for Managed {
    /// One that is issued for the first time.
    fn default() -> Self {
        let (issuance, renewal) = (Issuance::Pending, Renewal::Unavailable);
        Self { issuance, renewal, failure: None, renew_at: None, calendar: None }
    }
}

impl Managed {
    /// Whether what is under way, or was last, is a renewal.
    #[must_use]
    pub fn is_issued(&self) -> bool {
        self.issuance == Issuance::Completed
    }

    /// Whether an issue is under way.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.issuance == Issuance::Pending || self.renewal == Renewal::Pending
    }

    /// An issue begins.
    pub fn begin(&mut self) {
        if self.is_issued() {
            self.renewal = Renewal::Pending;
        } else {
            self.issuance = Issuance::Pending;
        }
        self.failure = None;
        self.renew_at = None;
    }

    /// It has come to a certificate that is valid until then.
    pub fn complete(&mut self, not_after: Timestamp) {
        self.issuance = Issuance::Completed;
        self.renewal = Renewal::Unavailable;
        self.failure = None;
        self.renew_at = Some(not_after.plus_ms(-RENEW_BEFORE_MS));
    }

    /// It has failed. A renewal is tried again by itself, a first issue is not (fact sheet §3.8: `retry`).
    pub fn fail(&mut self, failure: Failure, now: Timestamp) {
        if self.is_issued() {
            self.renewal = Renewal::Failed;
            self.renew_at = Some(now.whole_second().plus_ms(RENEW_AGAIN_MS));
        } else {
            self.issuance = Issuance::Failed;
        }
        self.failure = Some(failure);
    }

    /// When something is to be done by itself.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let renew_at = self.renew_at?;
        Some(if self.renewal == Renewal::Unavailable { renew_at.plus_ms(-SCHEDULED_BEFORE_MS) } else { renew_at })
    }

    /// Only what has failed can be tried again.
    ///
    /// # Errors
    /// `unsupported_error`, in the words that clients look for (fact sheet §6.4).
    pub fn check_retry(managed: Option<&Self>) -> Result<()> {
        let failed = |managed: &Self| managed.issuance == Issuance::Failed || managed.renewal == Renewal::Failed;
        if managed.is_some_and(failed) { Ok(()) } else { Err(Error::certificate_not_retryable()) }
    }
}

/// The SHA-256 of a certificate as the contract shows it.
#[must_use]
pub fn fingerprint(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// The domains of a managed certificate in the form in which they are kept: lower case.
///
/// # Errors
/// What is wrong with each, by its place.
pub fn domain_names(names: &[String]) -> Result<Vec<String>, Vec<FieldError>> {
    const FIELD: &str = "domain_names";
    if names.is_empty() {
        return Err(vec![FieldError::new(FIELD, "is required for type managed")]);
    }
    if names.len() > DOMAINS_MAX {
        return Err(vec![FieldError::new(FIELD, format!("must not have more than {DOMAINS_MAX} entries"))]);
    }
    let (mut known, mut wrong) = (BTreeSet::new(), Vec::new());
    let good: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    for (position, name) in good.iter().enumerate() {
        let fault = domain_fault(name).or_else(|| (!known.insert(name)).then(|| "is given twice".to_owned()));
        wrong.extend(fault.map(|fault| FieldError::new(format!("{FIELD}[{position}]"), fault)));
    }
    if wrong.is_empty() { Ok(good) } else { Err(wrong) }
}

/// What keeps a name from being one that a certificate can be issued for.
fn domain_fault(name: &str) -> Option<String> {
    let base = name.strip_prefix("*.").unwrap_or(name);
    let parts: Vec<&str> = base.split('.').collect();
    if crate::name::host_name("", base).is_err() {
        return Some("must be a domain, with '*.' in front where it stands for all names below".into());
    }
    if !(2..=DOMAIN_PARTS_MAX).contains(&parts.len()) {
        return Some(format!("must have 2 to {DOMAIN_PARTS_MAX} parts"));
    }
    let is_number = parts.last().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| "must be a domain, not an address".into())
}

/// Whether a certificate may be deleted: not while somebody uses it (fact sheet §3.8).
///
/// # Errors
/// `resource_in_use`.
pub fn check_unused(id: Id, is_used: bool) -> Result<()> {
    if !is_used {
        return Ok(());
    }
    Err(Error::refused(ErrorCode::ResourceInUse, format!("certificate with ID {id} is still in use")))
}

#[cfg(test)]
mod tests {
    use super::{
        AuthorityName, DAY_MS, DOMAINS_MAX, ISSUE_CODES, Managed, RENEW_AGAIN_MS, VALIDITY_MS, check_unused,
        domain_names, fingerprint, issue_text,
    };
    use crate::action::Failure;
    use std::collections::BTreeMap;
    use wolke_wire::cloud::certificate::{Issuance, Renewal};
    use wolke_wire::{ErrorCode, Timestamp};

    fn of(names: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        domain_names(&names).map_err(|wrong| wrong.into_iter().map(|field| field.name).collect())
    }

    #[test]
    fn domains() {
        assert_eq!(of(&["Example.com", "*.example.com"]).unwrap(), ["example.com", "*.example.com"]);
        assert_eq!(of(&[]).unwrap_err(), ["domain_names"]);
        assert_eq!(of(&vec!["example.com"; DOMAINS_MAX + 1]).unwrap_err(), ["domain_names"]);
        for bad in [
            "",
            "com",
            "*",
            "*.com",
            "a.*.com",
            "*.*.com",
            "a b.com",
            "-a.com",
            "ä.com",
            "192.0.2.1",
            "a..com",
            "a.com.",
        ] {
            assert_eq!(of(&["ok.com", bad]).unwrap_err(), ["domain_names[1]"], "{bad}");
        }
        assert_eq!(of(&["a.com", "b.com", "A.com"]).unwrap_err(), ["domain_names[2]"]);
        assert_eq!(of(&["a.b.c.d.e.f.g.h.i.j.k"]).unwrap_err(), ["domain_names[0]"]);
    }

    #[test]
    fn every_code_has_its_text() {
        assert!(ISSUE_CODES.into_iter().all(|code| issue_text(code).is_some()));
        assert_eq!(issue_text(ErrorCode::ActionFailed), None);
    }

    #[test]
    fn fingerprints_are_pairs() {
        assert_eq!(fingerprint(&[0, 0xab, 0x0f]), "00:AB:0F");
    }

    #[test]
    fn the_label_chooses_the_authority() {
        let labels = |value: &str| BTreeMap::from([("HC-Use-Staging-CA".to_owned(), value.to_owned())]);
        assert_eq!(AuthorityName::chosen_by(&labels("true")), AuthorityName::Staging);
        assert_eq!(AuthorityName::chosen_by(&labels("false")), AuthorityName::Production);
        assert_eq!(AuthorityName::parse("staging"), Some(AuthorityName::Staging));
    }

    #[test]
    fn a_life_of_issues() {
        let failure = || Failure::new(ErrorCode::DnsZoneNotFound, "gone");
        let code = |managed: Option<&Managed>| Managed::check_retry(managed).unwrap_err().code();
        let mut managed = Managed::default();
        assert_eq!((code(Some(&managed)), code(None)), (ErrorCode::UnsupportedError, ErrorCode::UnsupportedError));
        managed.fail(failure(), Timestamp(0));
        assert_eq!((managed.issuance, managed.renewal, managed.next()), (Issuance::Failed, Renewal::Unavailable, None));
        Managed::check_retry(Some(&managed)).unwrap();
        managed.begin();
        assert_eq!((managed.issuance, &managed.failure), (Issuance::Pending, &None));
        managed.complete(Timestamp(VALIDITY_MS));
        assert_eq!((managed.issuance, managed.renewal), (Issuance::Completed, Renewal::Unavailable));
        assert_eq!((managed.next(), managed.renew_at), (Some(Timestamp(53 * DAY_MS)), Some(Timestamp(60 * DAY_MS))));
        managed.renewal = Renewal::Scheduled;
        assert_eq!(managed.next(), managed.renew_at);
        assert!(Managed::check_retry(Some(&managed)).is_err());
        managed.begin();
        assert_eq!((managed.issuance, managed.renewal, managed.next()), (Issuance::Completed, Renewal::Pending, None));
        managed.fail(failure(), Timestamp(5_000));
        assert_eq!((managed.renewal, managed.next()), (Renewal::Failed, Some(Timestamp(5_000 + RENEW_AGAIN_MS))));
        Managed::check_retry(Some(&managed)).unwrap();
    }

    #[test]
    fn what_is_used_stays() {
        assert!(check_unused(7, false).is_ok());
        assert_eq!(check_unused(7, true).unwrap_err().message(), "certificate with ID 7 is still in use");
    }
}
