//! The pure rules of primary IPs (fact sheet §3.2, dialects D.1).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use wolke_wire::Id;

use crate::name::host_name;
use crate::{Error, FieldError, Result};

/// The most reverse DNS entries of one IPv6 network.
pub const DNS_PTR_PER_IPV6_MAX: usize = 100;

/// The name of a primary IP that was made together with a server.
#[must_use]
pub fn default_name(id: Id) -> String {
    format!("primary_ip-{id}")
}

/// What an IPv4 address resolves to until someone says otherwise; octets reversed as on the real service.
#[must_use]
pub fn default_dns_ptr(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("static.{d}.{c}.{b}.{a}.clients.your-server.de")
}

/// The address that a reverse DNS entry is for: the IPv4 address itself, or any address of the IPv6 network.
///
/// # Errors
/// The field `ip` when the text is no address or not one of `own`.
pub fn dns_ptr_address(own: IpNet, asked: &str) -> Result<IpAddr> {
    let address: IpAddr = asked.parse().map_err(|_| Error::invalid("ip", "is not a valid IP address"))?;
    if own.contains(&address) { Ok(address) } else { Err(Error::invalid("ip", "does not belong to this primary IP")) }
}

/// Checks the host name of a reverse DNS entry.
///
/// # Errors
/// The field `dns_ptr`.
pub fn check_dns_ptr(text: &str) -> Result<(), FieldError> {
    // A name in the DNS may be written with its root.
    host_name("dns_ptr", text.strip_suffix('.').unwrap_or(text))
}

/// Delete protection and deletion together with the assignee exclude each other.
///
/// # Errors
/// The field that was asked to change: `delete` or `auto_delete`.
pub fn check_protection(field: &'static str, protected: bool, auto_delete: bool) -> Result<(), FieldError> {
    if protected && auto_delete {
        Err(FieldError::new(field, "delete protection is only possible while auto_delete is false"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{check_dns_ptr, check_protection, default_dns_ptr, dns_ptr_address};

    #[test]
    fn reverse_names() {
        assert_eq!(default_dns_ptr("198.18.3.4".parse().unwrap()), "static.4.3.18.198.clients.your-server.de");
        assert!(check_dns_ptr("server01.example.com").is_ok());
        assert!(check_dns_ptr("server01.example.com.").is_ok());
        for bad in ["", ".", "a b", "a..b", "-a.de"] {
            assert_eq!(check_dns_ptr(bad).unwrap_err().name, "dns_ptr", "{bad}");
        }
    }

    #[test]
    fn reverse_addresses() {
        let v4 = "198.18.0.1/32".parse().unwrap();
        let v6 = "2001:db8:1:1::/64".parse().unwrap();
        assert!(dns_ptr_address(v4, "198.18.0.1").is_ok());
        assert!(dns_ptr_address(v6, "2001:DB8:1:1::17").is_ok());
        for (own, bad) in [(v4, "198.18.0.2"), (v4, "2001:db8:1:1::1"), (v6, "2001:db8:1:2::1"), (v6, "x"), (v6, "")] {
            assert!(dns_ptr_address(own, bad).unwrap_err().message().contains("field 'ip'"), "{bad}");
        }
    }

    #[test]
    fn protection_excludes_auto_delete() {
        assert_eq!(check_protection("delete", true, true).unwrap_err().name, "delete");
        assert!(check_protection("delete", true, false).is_ok());
        assert!(check_protection("auto_delete", false, true).is_ok());
    }
}
