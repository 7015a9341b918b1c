//! Whether an authority may issue for a domain, from what the project's DNS zones hold (dialects D.1).
//!
//! The service proves by DNS that a domain is its owner's: it puts a record beside the others of the zone. So the zone must
//! be here, be primary, be what the parent points to, and neither forbid the authority nor give the name away.

use super::{AuthorityName, issue_text};
use crate::action::Failure;
use crate::zone::lex::words;
use crate::zone::{APEX, Record};
use std::collections::BTreeMap;
use wolke_wire::ErrorCode;
use wolke_wire::cloud::rrset::RrsetType;
use wolke_wire::cloud::zone::{DelegationStatus, ZoneMode};

/// What CAA records call the authority: as that of the real service, so that zones need no other records here.
pub const ISSUER: &str = "letsencrypt.org";
/// How the authority asks for its proof, as `validationmethods` of CAA records calls it (RFC 8657 §4).
const METHOD: &str = "dns-01";
/// What stands in front of a domain for the proof (RFC 8555 §8.4).
const CHALLENGE: &str = "_acme-challenge";
/// Bit of a CAA record that says: whoever does not understand it must not issue (RFC 8659 §4.1).
const CRITICAL: u8 = 128;
/// CAA properties that are understood; those that are not about TLS certificates change nothing.
const KNOWN_TAGS: [&str; 7] = ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];
/// The parts of a zone's name: a domain right below a public suffix.
const ZONE_PARTS: std::ops::RangeInclusive<usize> = 2..=3;

/// A zone as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Where its records come from.
    pub mode: ZoneMode,
    /// What its parent says.
    pub delegation: DelegationStatus,
}

/// Sets of a zone, by name and type.
pub type Sets = BTreeMap<(String, RrsetType), Vec<Record>>;

/// A domain without the star that it may begin with.
fn base(domain: &str) -> &str {
    domain.strip_prefix("*.").unwrap_or(domain)
}

/// The names of zones that a domain can lie in, the longest first.
#[must_use]
pub fn zones(domain: &str) -> Vec<&str> {
    let base = base(domain);
    let mut starts = vec![0];
    starts.extend(base.match_indices('.').map(|(at, _)| at + 1));
    let parts = starts.len();
    starts.retain({
        let mut position = 0;
        move |_| {
            position += 1;
            ZONE_PARTS.contains(&(parts + 1 - position))
        }
    });
    starts.into_iter().map(|start| &base[start..]).collect()
}

/// The names from a domain up to its zone, as sets of the zone are called.
fn climb<'a>(domain: &'a str, zone: &str) -> Vec<&'a str> {
    let below = base(domain).strip_suffix(zone).unwrap_or_default().trim_end_matches('.');
    let mut names = Vec::new();
    let mut rest = below;
    while !rest.is_empty() {
        names.push(rest);
        rest = rest.split_once('.').map_or("", |(_, above)| above);
    }
    names.push(APEX);
    names
}

/// The set that the proof would stand in.
fn challenge(domain: &str, zone: &str) -> String {
    match climb(domain, zone).first() {
        Some(&APEX) | None => CHALLENGE.to_owned(),
        Some(name) => format!("{CHALLENGE}.{name}"),
    }
}

/// The sets that [`check`] asks for.
#[must_use]
pub fn wanted(domain: &str, zone: &str) -> Vec<(String, RrsetType)> {
    let names = climb(domain, zone).into_iter();
    let mut wanted: Vec<_> =
        names.flat_map(|name| [RrsetType::Caa, RrsetType::Ns].map(|kind| (name.to_owned(), kind))).collect();
    wanted.push((challenge(domain, zone), RrsetType::Cname));
    wanted
}

/// Whether the authority can issue for a domain.
///
/// # Errors
/// Why not, with the documented code.
pub fn check(domain: &str, zone: Option<&Zone>, sets: &Sets) -> Result<(), Failure> {
    let fail = |code| Err(Failure::new(code, format!("{}: '{domain}'", issue_text(code).unwrap_or_default())));
    let Some(zone) = zone else { return fail(ErrorCode::DnsZoneNotFound) };
    if zone.mode == ZoneMode::Secondary {
        return fail(ErrorCode::DnsZoneIsSecondaryZone);
    }
    // As long as nobody has asked the parent, it says nothing against it.
    let is_delegated = matches!(
        zone.delegation,
        DelegationStatus::Unknown | DelegationStatus::Valid | DelegationStatus::PartiallyValid
    );
    if !is_delegated {
        return fail(ErrorCode::CouldNotVerifyDomainDelegatedToZone);
    }
    let names = climb(domain, &zone.name);
    let has = |name: &str, kind| sets.contains_key(&(name.to_owned(), kind));
    let is_given_away = names.iter().any(|name| *name != APEX && has(name, RrsetType::Ns));
    if is_given_away || has(&challenge(domain, &zone.name), RrsetType::Cname) {
        return fail(ErrorCode::CaDnsValidationFailed);
    }
    // The nearest set counts alone (RFC 8659 §3).
    let nearest = names.iter().find_map(|name| sets.get(&((*name).to_owned(), RrsetType::Caa)));
    if nearest.is_some_and(|records| !allows(records, domain.starts_with("*."))) {
        return fail(ErrorCode::CaaRecordDoesNotAllowCa);
    }
    Ok(())
}

/// Whether a set of CAA records lets the authority issue (RFC 8659 §4).
fn allows(records: &[Record], is_wildcard: bool) -> bool {
    let (mut issue, mut wild) = (Vec::new(), Vec::new());
    for record in records {
        let Some((flags, tag, value)) = property(&record.value) else { return false };
        match tag.as_str() {
            "issue" => issue.push(value),
            "issuewild" => wild.push(value),
            tag if flags & CRITICAL != 0 && !KNOWN_TAGS.contains(&tag) => return false,
            _ => {}
        }
    }
    let relevant = if is_wildcard && !wild.is_empty() { wild } else { issue };
    relevant.is_empty() || relevant.iter().any(|value| names_us(value))
}

/// Flags, tag and value of a CAA record.
fn property(value: &str) -> Option<(u8, String, String)> {
    let words = words(value).ok()?;
    let [flags, tag, value] = words.as_slice() else { return None };
    let text = String::from_utf8(value.bytes().ok()?).ok()?;
    Some((flags.raw.parse().ok()?, tag.raw.to_ascii_lowercase(), text))
}

/// Whether the value of `issue` or `issuewild` is about this authority, its method and no account: that of the service is
/// nobody's to name (RFC 8657).
fn names_us(value: &str) -> bool {
    let mut pieces = value.split(';').map(str::trim);
    let issuer = pieces.next().unwrap_or_default();
    issuer.eq_ignore_ascii_case(ISSUER)
        && pieces.filter_map(|piece| piece.split_once('=')).all(|(name, value)| match name.trim() {
            "validationmethods" => value.split(',').any(|method| method.trim() == METHOD),
            "accounturi" => false,
            _ => true,
        })
}

/// The name of the authority as people read it in certificates.
#[must_use]
pub const fn title(authority: AuthorityName) -> &'static str {
    match authority {
        AuthorityName::Production => "Wolke Test CA",
        AuthorityName::Staging => "(STAGING) Wolke Test CA",
    }
}

#[cfg(test)]
mod tests {
    use super::{Record, RrsetType, Sets, Zone, check, wanted, zones};
    use wolke_wire::ErrorCode::{self, *};
    use wolke_wire::cloud::zone::{DelegationStatus, ZoneMode};

    fn zone() -> Zone {
        Zone { name: "example.com".into(), mode: ZoneMode::Primary, delegation: DelegationStatus::Unknown }
    }

    /// The code for a domain in `example.com` with these sets: name, type, records.
    fn code(domain: &str, sets: &[(&str, RrsetType, &[&str])]) -> Option<ErrorCode> {
        let records = |values: &[&str]| values.iter().map(|value| Record::new(*value)).collect::<Vec<_>>();
        let asked = wanted(domain, "example.com");
        let sets: Sets = sets
            .iter()
            .map(|(name, kind, values)| (((*name).to_owned(), *kind), records(values)))
            .filter(|(key, _)| asked.contains(key))
            .collect();
        check(domain, Some(&zone()), &sets).err().map(|failure| failure.code)
    }

    #[test]
    fn a_domain_lies_in_a_zone_of_two_or_three_parts() {
        assert_eq!(zones("example.com"), ["example.com"]);
        assert_eq!(zones("*.example.com"), ["example.com"]);
        assert_eq!(zones("a.b.example.co.uk"), ["example.co.uk", "co.uk"]);
    }

    #[test]
    fn what_is_asked_for() {
        let names: Vec<String> = wanted("*.a.b.example.com", "example.com").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.b", "a.b", "b", "b", "@", "@", "_acme-challenge.a.b"]);
        assert_eq!(wanted("example.com", "example.com").last().unwrap().0, "_acme-challenge");
    }

    #[test]
    fn the_zone_must_be_here_primary_and_delegated() {
        let of =
            |zone: Option<Zone>| check("a.example.com", zone.as_ref(), &Sets::new()).err().map(|failure| failure.code);
        assert_eq!(of(None), Some(DnsZoneNotFound));
        assert_eq!(of(Some(Zone { mode: ZoneMode::Secondary, ..zone() })), Some(DnsZoneIsSecondaryZone));
        for delegation in DelegationStatus::ALL {
            use DelegationStatus as D;
            let good = matches!(delegation, D::Unknown | D::Valid | D::PartiallyValid);
            let expected = (!good).then_some(CouldNotVerifyDomainDelegatedToZone);
            assert_eq!(of(Some(Zone { delegation: *delegation, ..zone() })), expected, "{delegation}");
        }
        let failure = check("a.example.com", None, &Sets::new()).unwrap_err();
        assert_eq!(failure.message, "DNS zone not found: 'a.example.com'");
    }

    #[test]
    fn the_proof_must_be_possible() {
        use RrsetType::{Cname, Ns};
        assert_eq!(code("a.example.com", &[("@", Ns, &["ns."])]), None, "the zone's own nameservers");
        assert_eq!(code("x.a.example.com", &[("a", Ns, &["ns."])]), Some(CaDnsValidationFailed));
        assert_eq!(code("b.example.com", &[("a", Ns, &["ns."])]), None);
        assert_eq!(code("a.example.com", &[("_acme-challenge.a", Cname, &["x."])]), Some(CaDnsValidationFailed));
        assert_eq!(code("*.a.example.com", &[("_acme-challenge.a", Cname, &["x."])]), Some(CaDnsValidationFailed));
        assert_eq!(code("b.example.com", &[("_acme-challenge.a", Cname, &["x."])]), None);
    }

    #[test]
    fn caa_records_may_forbid_it() {
        use RrsetType::Caa;
        let at = |name: &'static str, records: &[&str], domain: &str| code(domain, &[(name, Caa, records)]);
        let no = Some(CaaRecordDoesNotAllowCa);
        assert_eq!(at("@", &["0 issue \"letsencrypt.org\""], "a.example.com"), None);
        assert_eq!(at("@", &["0 issue \"LetsEncrypt.org; validationmethods=dns-01\""], "a.example.com"), None);
        assert_eq!(at("@", &["0 issue \"letsencrypt.org; validationmethods=http-01\""], "a.example.com"), no);
        assert_eq!(at("@", &["0 issue \"letsencrypt.org; accounturi=https://x.test/1\""], "a.example.com"), no);
        assert_eq!(at("@", &["0 issue \"other.test\""], "a.example.com"), no);
        assert_eq!(at("@", &["0 issue \";\""], "a.example.com"), no);
        assert_eq!(at("@", &["0 issue \"other.test\"", "0 issue \"letsencrypt.org\""], "example.com"), None);
        assert_eq!(at("@", &["0 iodef \"mailto:a@b.test\""], "a.example.com"), None, "it says nothing of issuers");
        assert_eq!(at("@", &["128 future \"x\""], "a.example.com"), no);
        assert_eq!(at("@", &["0 future \"x\""], "a.example.com"), None);
        assert_eq!(at("@", &["0 issuewild \";\""], "a.example.com"), None);
        assert_eq!(at("@", &["0 issuewild \";\""], "*.example.com"), no);
        assert_eq!(at("@", &["0 issue \";\"", "0 issuewild \"letsencrypt.org\""], "*.example.com"), None);
        assert_eq!(at("@", &["0 issue \";\""], "*.example.com"), no, "without issuewild issue counts");
        let both: &[(&str, RrsetType, &[&str])] =
            &[("a", Caa, &["0 issue \"letsencrypt.org\""]), ("@", Caa, &["0 issue \";\""])];
        assert_eq!((code("x.a.example.com", both), code("b.example.com", both)), (None, no), "the nearest counts");
    }
}
