//! Ranges: their text, RFC 1918, and which addresses nobody gets.

use crate::FieldError;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// The gateway of every public interface: no network hands it out, and no route concerns it (dialects D.1).
pub const RESERVED: Ipv4Addr = Ipv4Addr::new(172, 31, 1, 1);

/// The longest prefix of a whole network.
const NETWORK_PREFIX_MAX: u8 = 24;

/// The private ranges of RFC 1918.
const PRIVATE: [Ipv4Net; 3] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
];

/// A range in CIDR form, given by its first address and in no other way than it is shown.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn parse(text: &str) -> Result<Ipv4Net, String> {
    let net: Ipv4Net = text.parse().map_err(|_| "must be an IPv4 range in CIDR form, like 10.0.0.0/16".to_owned())?;
    if net.trunc() != net {
        return Err(format!("must begin at its network address: {}", net.trunc()));
    }
    if net.to_string() == text { Ok(net) } else { Err(format!("must be written as {net}")) }
}

/// Whether a range lies in one of those of RFC 1918.
pub(super) fn is_private(range: &Ipv4Net) -> bool {
    PRIVATE.iter().any(|private| private.contains(range))
}

/// The range of a whole network: private, and at least a /24 (dialects D.1).
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_network(text: &str) -> Result<Ipv4Net, String> {
    let net = parse(text)?;
    if !is_private(&net) {
        return Err(NOT_PRIVATE.to_owned());
    }
    if net.prefix_len() > NETWORK_PREFIX_MAX {
        return Err(format!("must be a /{NETWORK_PREFIX_MAX} or larger"));
    }
    Ok(net)
}

/// What is said of a range that is not private.
pub(super) const NOT_PRIVATE: &str = "must lie in one of the private ranges of RFC 1918";

/// The first address that a host could have.
pub(super) fn first(range: &Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(range.network()).saturating_add(1))
}

/// Whether two ranges have an address in common.
pub(super) fn overlaps(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(b) || b.contains(a)
}

/// A message as an error of a field.
pub(super) fn wrong<T>(field: &str, checked: Result<T, String>) -> Result<T, FieldError> {
    checked.map_err(|message| FieldError::new(field, message))
}

#[cfg(test)]
mod tests {
    use super::{first, of_network, parse};

    #[test]
    fn a_range_has_one_text() {
        for good in ["10.0.0.0/8", "192.168.0.0/24", "10.0.0.1/32", "0.0.0.0/0"] {
            assert_eq!(parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/0", "10.0.0.0/8 ", "010.0.0.0/8", "x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse("10.0.2.0/16").unwrap_err(), "must begin at its network address: 10.0.0.0/16");
        assert!(parse("10.0.0.0/08").is_err());
    }

    #[test]
    fn networks_are_private_and_at_least_a_24() {
        let good = ["10.0.0.0/8", "10.1.0.0/24", "172.16.0.0/12", "172.31.0.0/16", "192.168.0.0/16", "192.168.7.0/24"];
        for good in good {
            assert!(of_network(good).is_ok(), "{good}");
        }
        for bad in ["10.0.0.0/7", "8.0.0.0/8", "172.0.0.0/8", "172.32.0.0/16", "192.168.0.0/15", "11.0.0.0/24"] {
            assert!(of_network(bad).is_err(), "{bad}");
        }
        assert_eq!(of_network("10.0.0.0/25").unwrap_err(), "must be a /24 or larger");
        assert_eq!(of_network("10.0.0.128/25").unwrap_err(), "must be a /24 or larger");
    }

    #[test]
    fn the_first_address_is_behind_the_network_address() {
        assert_eq!(first(&"10.0.16.0/24".parse().unwrap()).to_string(), "10.0.16.1");
    }
}
