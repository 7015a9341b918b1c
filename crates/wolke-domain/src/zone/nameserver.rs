//! The nameservers that a secondary zone is transferred from.

use super::data::base64;
use crate::FieldError;
use std::net::{IpAddr, Ipv6Addr};
use wolke_wire::cloud::zone::Nameserver;

/// The most of one zone.
pub const NAMESERVERS_MAX: usize = 10;
/// The longest TSIG key, in bytes: far beyond what any of the algorithms uses.
const KEY_BYTES_MAX: usize = 512;

/// Everything that is wrong with the nameservers of a secondary zone. Fields are named `primary_nameservers[0].address`.
#[must_use]
pub fn check(all: &[Nameserver]) -> Vec<FieldError> {
    const FIELD: &str = "primary_nameservers";
    if all.is_empty() {
        return vec![FieldError::new(FIELD, "must not be empty for a zone in secondary mode")];
    }
    if all.len() > NAMESERVERS_MAX {
        return vec![FieldError::new(FIELD, format!("must not have more than {NAMESERVERS_MAX} entries"))];
    }
    let mut wrong = Vec::new();
    for (position, one) in all.iter().enumerate() {
        let mut refuse = |member: &str, fault: String| {
            wrong.push(FieldError::new(format!("{FIELD}[{position}].{member}"), fault));
        };
        match one.address.parse::<IpAddr>() {
            Ok(ip) if is_public(ip) => {}
            _ => refuse("address", "must be a public IPv4 or IPv6 address".into()),
        }
        if !(1..=i64::from(u16::MAX)).contains(&one.port) {
            refuse("port", format!("must be a number from 1 to {}", u16::MAX));
        }
        if all.iter().take(position).any(|other| (&other.address, other.port) == (&one.address, one.port)) {
            refuse("address", "must not be given more than once".into());
        }
        let key = one.tsig_key.as_ref().map(|key| base64(key.expose()));
        if key.is_some_and(|bytes| bytes.is_none_or(|bytes| bytes.len() > KEY_BYTES_MAX)) {
            refuse("tsig_key", format!("must be 1 to {KEY_BYTES_MAX} bytes in base64"));
        }
        match (one.tsig_algorithm, &one.tsig_key) {
            (Some(_), None) => refuse("tsig_key", "must be given together with tsig_algorithm".into()),
            (None, Some(_)) => refuse("tsig_algorithm", "must be given together with tsig_key".into()),
            _ => {}
        }
    }
    wrong
}

/// Whether an address can be reached from everywhere. Those of documentation count: examples are made of them.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast())
        }
        IpAddr::V6(ip) => {
            let first = ip.segments().first().copied().unwrap_or_default();
            let is_local = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80;
            !(is_local || ip.is_multicast() || ip == Ipv6Addr::LOCALHOST || ip.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use wolke_wire::cloud::zone::Nameserver;

    fn of(json: &str) -> Vec<String> {
        let all: Vec<Nameserver> = serde_json::from_str(json).unwrap();
        check(&all).into_iter().map(|field| field.name.replace("primary_nameservers", "")).collect()
    }

    #[test]
    fn nameservers() {
        let good = r#"[{"address":"203.0.113.1"},{"address":"203.0.113.1","port":5353},
            {"address":"2001:db8::1","tsig_algorithm":"hmac-sha256","tsig_key":"c2VjcmV0"}]"#;
        assert!(of(good).is_empty());
        assert_eq!(of("[]"), [""]);
        assert_eq!(
            of(r#"[{"address":"10.0.0.1","port":0},{"address":"ns1.example.com"}]"#),
            ["[0].address", "[0].port", "[1].address"]
        );
        assert_eq!(of(r#"[{"address":"fd00::1","port":65536}]"#), ["[0].address", "[0].port"]);
        assert_eq!(of(r#"[{"address":"192.0.2.1"},{"address":"192.0.2.1","port":53}]"#), ["[1].address"]);
        assert_eq!(of(r#"[{"address":"192.0.2.1","tsig_key":"!"}]"#), ["[0].tsig_key", "[0].tsig_algorithm"]);
        assert_eq!(of(r#"[{"address":"192.0.2.1","tsig_algorithm":"hmac-md5"}]"#), ["[0].tsig_key"]);
        let many: Vec<String> = (0..11).map(|n| format!(r#"{{"address":"192.0.2.{n}"}}"#)).collect();
        assert_eq!(of(&format!("[{}]", many.join(","))), [""]);
    }
}
