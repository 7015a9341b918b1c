//! Reverse DNS of public addresses (fact sheet §3.1, §7; dialects D.1).
//!
//! An IPv4 address always has an entry, by default one made of its octets; an address of an IPv6 network has one only when
//! somebody set it. Entries are kept by the canonical text of their address (RFC 5952), so that every spelling of an address
//! means the same entry.

use crate::name::host_name;
use crate::{Error, FieldError, Result};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// The most entries of one IPv6 network (dialects D.1).
pub const ENTRIES_PER_IPV6_MAX: usize = 100;

/// Entries by the canonical text of their address.
pub type Entries = BTreeMap<String, String>;

/// What an IPv4 address resolves to until someone says otherwise; octets reversed as on the real service.
#[must_use]
pub fn default_name(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("static.{d}.{c}.{b}.{a}.clients.your-server.de")
}

/// The address of a request.
///
/// # Errors
/// The field `ip`.
pub fn address(text: &str) -> Result<IpAddr, FieldError> {
    text.parse().map_err(|_| FieldError::new("ip", "is not a valid IP address"))
}

/// Checks the host name of a request.
///
/// # Errors
/// The field `dns_ptr`.
pub fn check_name(text: &str) -> Result<(), FieldError> {
    // A name in the DNS may be written with its root.
    host_name("dns_ptr", rootless(text))
}

fn rootless(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

/// The network that a primary IP stands for: its one IPv4 address, or its IPv6 network.
#[must_use]
pub fn network(ip: &str) -> Option<IpNet> {
    ip.parse().ok().or_else(|| ip.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Changes the entry of an address of `own`: to a name that [`check_name`] has accepted, or back to what it was before anybody
/// set one.
///
/// # Errors
/// `resource_limit_exceeded` for one more than [`ENTRIES_PER_IPV6_MAX`].
pub fn change(entries: &mut Entries, address: IpAddr, name: Option<&str>) -> Result<()> {
    let key = address.to_string();
    let Some(name) = name else {
        entries.remove(&key);
        return Ok(());
    };
    if !entries.contains_key(&key) && entries.len() >= ENTRIES_PER_IPV6_MAX {
        let message = format!("an IPv6 network cannot have more than {ENTRIES_PER_IPV6_MAX} reverse DNS entries");
        return Err(Error::LimitExceeded { limit: "dns_ptr_limit".into(), message });
    }
    entries.insert(key, rootless(name).to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES_PER_IPV6_MAX, Entries, address, change, check_name, default_name, network};
    use crate::Error;

    #[test]
    fn names() {
        assert_eq!(default_name("198.18.3.4".parse().unwrap()), "static.4.3.18.198.clients.your-server.de");
        assert!(check_name("server01.example.com").is_ok());
        assert!(check_name("server01.example.com.").is_ok());
        for bad in ["", ".", "a b", "a..b", "-a.de", "a.."] {
            assert_eq!(check_name(bad).unwrap_err().name, "dns_ptr", "{bad}");
        }
    }

    #[test]
    fn addresses_belong_to_networks() {
        for (own, inside, outside) in [
            ("198.18.0.1", "198.18.0.1", "198.18.0.2"),
            ("2001:db8:1:1::/64", "2001:DB8:1:1::17", "2001:db8:1:2::1"),
            ("198.18.0.1", "198.18.0.1", "::ffff:198.18.0.1"),
        ] {
            let own = network(own).unwrap();
            assert!(own.contains(&address(inside).unwrap()));
            assert!(!own.contains(&address(outside).unwrap()), "{outside}");
        }
        for bad in ["", "x", "198.18.0.1/32", "1.2.3", "2001:db8::g"] {
            assert_eq!(address(bad).unwrap_err().name, "ip", "{bad}");
        }
        assert_eq!(network("x"), None);
    }

    #[test]
    fn every_spelling_means_one_entry() {
        let mut entries = Entries::new();
        let at = |text: &str| address(text).unwrap();
        change(&mut entries, at("2001:DB8:1:1:0:0:0:A"), Some("a.example.com.")).unwrap();
        assert_eq!(entries, Entries::from([("2001:db8:1:1::a".into(), "a.example.com".into())]));
        change(&mut entries, at("2001:db8:1:1::a"), Some("b.example.com")).unwrap();
        assert_eq!(entries["2001:db8:1:1::a"], "b.example.com");
        change(&mut entries, at("2001:db8:1:1::b"), None).unwrap();
        change(&mut entries, at("2001:db8:1:1:0::a"), None).unwrap();
        assert!(entries.is_empty());
    }

    #[test]
    fn a_network_has_so_many() {
        let mut entries = Entries::new();
        let at = |n: usize| address(&format!("2001:db8:1:1::{n:x}")).unwrap();
        for n in 1..=ENTRIES_PER_IPV6_MAX {
            change(&mut entries, at(n), Some("a.de")).unwrap();
        }
        let one_more = change(&mut entries, at(ENTRIES_PER_IPV6_MAX + 1), Some("a.de"));
        assert!(matches!(one_more, Err(Error::LimitExceeded { .. })));
        change(&mut entries, at(1), Some("b.de")).unwrap();
        change(&mut entries, at(1), None).unwrap();
        change(&mut entries, at(ENTRIES_PER_IPV6_MAX + 1), Some("a.de")).unwrap();
    }
}
