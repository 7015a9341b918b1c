//! Reverse DNS of public addresses (fact sheet §3.1, §7; dialects D.1).
//!
//! An IPv4 address always has an entry, by default one made of its octets; an address of an IPv6 network has one only when
//! somebody set it. Entries are kept by the canonical text of their address (RFC 5952), so that every spelling of an address
//! means the same entry. Whoever has public addresses keeps its [`Entries`], shows them by [`shown`] and changes them by a
//! [`Change`].

use crate::name::host_name;
use crate::{Error, FieldError, Result};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use wolke_wire::Kind;
use wolke_wire::cloud::{ChangeDnsPtr, DnsPtr};

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

/// The entries of an address or network as the contract shows them: an IPv4 address has one always, an IPv6 network none by
/// itself.
#[must_use]
pub fn shown(own: &str, entries: &Entries) -> Vec<DnsPtr> {
    if let (true, Ok(address)) = (entries.is_empty(), own.parse()) {
        return vec![DnsPtr { ip: own.to_owned(), dns_ptr: default_name(address) }];
    }
    entries.iter().map(|(ip, name)| DnsPtr { ip: ip.clone(), dns_ptr: name.clone() }).collect()
}

/// A change of an entry, checked as far as that can be without knowing whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    address: IpAddr,
    /// None resets.
    name: Option<String>,
}

impl Change {
    /// Reads a request.
    ///
    /// # Errors
    /// `invalid_input` on `ip`, `dns_ptr`, or both.
    pub fn check(request: &ChangeDnsPtr) -> Result<Self> {
        let address = address(&request.ip);
        let name = match &request.dns_ptr {
            None => Err(FieldError::new("dns_ptr", "is required")),
            Some(None) => Ok(None),
            Some(Some(name)) => check_name(name).map(|()| Some(rootless(name).to_owned())),
        };
        match (address, name) {
            (Ok(address), Ok(name)) => Ok(Self { address, name }),
            (address, name) => Err(Error::invalid_fields(address.err().into_iter().chain(name.err()).collect())),
        }
    }

    /// Whether it is about an address of this one, or of this network.
    #[must_use]
    pub fn is_within(&self, own: &str) -> bool {
        network(own).is_some_and(|own| own.contains(&self.address))
    }

    /// Refuses a change of an address that is not its owner's.
    ///
    /// # Errors
    /// `invalid_input` on `ip`.
    pub fn check_within(&self, own: &str, owner: Kind) -> Result<()> {
        if self.is_within(own) { Ok(()) } else { Err(Self::foreign(owner)) }
    }

    /// The refusal of an address that is not its owner's.
    #[must_use]
    pub fn foreign(owner: Kind) -> Error {
        Error::invalid("ip", format!("does not belong to the {}", owner.label()))
    }

    /// Changes the entry of an address of these: to its name, or back to what it was before anybody set one.
    ///
    /// # Errors
    /// `resource_limit_exceeded` for one more than [`ENTRIES_PER_IPV6_MAX`].
    pub fn apply(&self, entries: &mut Entries) -> Result<()> {
        let key = self.address.to_string();
        let Some(name) = &self.name else {
            entries.remove(&key);
            return Ok(());
        };
        if !entries.contains_key(&key) && entries.len() >= ENTRIES_PER_IPV6_MAX {
            let message = format!("an IPv6 network cannot have more than {ENTRIES_PER_IPV6_MAX} reverse DNS entries");
            return Err(Error::LimitExceeded { limit: "dns_ptr_limit".into(), message });
        }
        entries.insert(key, name.clone());
        Ok(())
    }
}

fn address(text: &str) -> Result<IpAddr, FieldError> {
    text.parse().map_err(|_| FieldError::new("ip", "is not a valid IP address"))
}

fn check_name(text: &str) -> Result<(), FieldError> {
    // A name in the DNS may be written with its root.
    host_name("dns_ptr", rootless(text))
}

fn rootless(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

/// What a public address stands for: itself, or its IPv6 network.
fn network(ip: &str) -> Option<IpNet> {
    ip.parse().ok().or_else(|| ip.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::{Change, ENTRIES_PER_IPV6_MAX, Entries, address, check_name, default_name, network, shown};
    use crate::Error;
    use wolke_wire::Kind;
    use wolke_wire::cloud::ChangeDnsPtr;

    /// Names an address, or resets it.
    fn change(entries: &mut Entries, ip: &str, name: Option<&str>) -> Result<(), Error> {
        Change::check(&request(ip, Some(name))).unwrap().apply(entries)
    }

    fn request(ip: &str, name: Option<Option<&str>>) -> ChangeDnsPtr {
        ChangeDnsPtr { ip: ip.into(), dns_ptr: name.map(|name| name.map(str::to_owned)) }
    }

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
    fn every_wrong_field_is_named() {
        let wrong = |ip, name| match Change::check(&request(ip, name)) {
            Err(Error::InvalidInput { fields, .. }) => fields.into_iter().map(|field| field.name).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(wrong("x", Some(Some("a b"))), ["ip", "dns_ptr"]);
        assert_eq!(wrong("198.18.0.1", None), ["dns_ptr"]);
        assert_eq!(wrong("198.18.0.1/32", Some(None)), ["ip"]);
    }

    #[test]
    fn addresses_belong_to_networks() {
        for (own, inside, outside) in [
            ("198.18.0.1", "198.18.0.1", "198.18.0.2"),
            ("2001:db8:1:1::/64", "2001:DB8:1:1::17", "2001:db8:1:2::1"),
            ("198.18.0.1", "198.18.0.1", "::ffff:198.18.0.1"),
        ] {
            let of = |ip| Change::check(&request(ip, Some(None))).unwrap();
            assert!(of(inside).is_within(own) && of(inside).check_within(own, Kind::FloatingIp).is_ok());
            let refused = of(outside).check_within(own, Kind::FloatingIp).unwrap_err();
            assert_eq!(
                refused.message(),
                "invalid input in field 'ip': does not belong to the floating IP",
                "{outside}"
            );
        }
        for bad in ["", "x", "198.18.0.1/32", "1.2.3", "2001:db8::g"] {
            assert_eq!(address(bad).unwrap_err().name, "ip", "{bad}");
        }
        assert_eq!(network("x"), None);
    }

    #[test]
    fn every_spelling_means_one_entry() {
        let mut entries = Entries::new();
        change(&mut entries, "2001:DB8:1:1:0:0:0:A", Some("a.example.com.")).unwrap();
        assert_eq!(entries, Entries::from([("2001:db8:1:1::a".into(), "a.example.com".into())]));
        change(&mut entries, "2001:db8:1:1::a", Some("b.example.com")).unwrap();
        assert_eq!(entries["2001:db8:1:1::a"], "b.example.com");
        change(&mut entries, "2001:db8:1:1::b", None).unwrap();
        change(&mut entries, "2001:db8:1:1:0::a", None).unwrap();
        assert!(entries.is_empty());
    }

    #[test]
    fn an_ipv4_address_has_an_entry_always() {
        let mut entries = Entries::new();
        let of = |own: &str, entries: &Entries| {
            shown(own, entries).into_iter().map(|entry| (entry.ip, entry.dns_ptr)).collect::<Vec<_>>()
        };
        let entry = |ip: &str, name: &str| (ip.to_owned(), name.to_owned());
        assert_eq!(of("198.18.3.4", &entries), [entry("198.18.3.4", "static.4.3.18.198.clients.your-server.de")]);
        assert_eq!(of("2001:db8:1:1::/64", &entries), []);
        change(&mut entries, "198.18.3.4", Some("a.example.com")).unwrap();
        assert_eq!(of("198.18.3.4", &entries), [entry("198.18.3.4", "a.example.com")]);
    }

    #[test]
    fn a_network_has_so_many() {
        let mut entries = Entries::new();
        let at = |n: usize| format!("2001:db8:1:1::{n:x}");
        for n in 1..=ENTRIES_PER_IPV6_MAX {
            change(&mut entries, &at(n), Some("a.de")).unwrap();
        }
        let one_more = change(&mut entries, &at(ENTRIES_PER_IPV6_MAX + 1), Some("a.de"));
        assert!(matches!(one_more, Err(Error::LimitExceeded { .. })));
        change(&mut entries, &at(1), Some("b.de")).unwrap();
        change(&mut entries, &at(1), None).unwrap();
        change(&mut entries, &at(ENTRIES_PER_IPV6_MAX + 1), Some("a.de")).unwrap();
    }
}
