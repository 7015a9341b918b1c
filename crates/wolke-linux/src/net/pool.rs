//! Addresses of our own, from the link-local range, which nobody routes:
//!
//! ```text
//! 169.254.64.0/18            guests without a public IPv4 address, to reach their metadata
//! 169.254.128.0/19           uplinks: a /30 each; the first address outside, the second inside
//! 169.254.169.254            the metadata service, as guests see it
//! fd57:6f6c:6b65:<n>::/64    uplinks that carry IPv6; each end has an address of the link, too
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::name::fingerprint;
use super::space::failed;
use crate::engine::Result;

/// Where guests without a public IPv4 address get one.
pub(super) const LINK_LOCAL: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 64, 0), 18);
/// Where uplinks get their /30.
pub(super) const UPLINKS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 128, 0), 19);
/// The metadata service.
pub(super) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// What no range of guests may touch.
pub(super) const RESERVED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16);
/// The length of an uplink's prefix.
const UPLINK_PREFIX: u8 = 30;
/// The length of an uplink's IPv6 prefix.
const UPLINK_PREFIX6: u8 = 64;

/// The addresses of an uplink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The end where `wolke` runs.
    pub(super) outside: (Ipv4Net, Ipv6Net),
    /// The end in the namespace.
    pub(super) inside: (Ipv4Net, Ipv6Net),
}

impl Pair {
    /// How many there are.
    const COUNT: u32 = 1 << (UPLINK_PREFIX - UPLINKS.prefix_len());

    fn new(number: u32) -> Self {
        let number = number % Self::COUNT;
        let four = u32::from(UPLINKS.addr()) + number * 4;
        let end = |host: u16| {
            let part = u16::try_from(number).unwrap_or_default();
            let six = Ipv6Addr::new(0xfd57, 0x6f6c, 0x6b65, part, 0, 0, 0, host);
            let four = Ipv4Net::new_assert(Ipv4Addr::from(four + u32::from(host)), UPLINK_PREFIX);
            (four, Ipv6Net::new_assert(six, UPLINK_PREFIX6))
        };
        Self { outside: end(1), inside: end(2) }
    }

    /// The address of the link of an end: with no other one a router cannot ask for its neighbour on behalf of somebody
    /// else (the kernel drops what it has to forward).
    pub(super) fn of_link(end: (Ipv4Net, Ipv6Net)) -> Ipv6Net {
        let host = u128::from(end.1.addr()) & u128::from(end.1.hostmask());
        let link = u128::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0));
        Ipv6Net::new_assert(Ipv6Addr::from(link | host), UPLINK_PREFIX6)
    }

    /// The pair with this address outside.
    pub(super) fn with_outside(address: IpNet) -> Option<Self> {
        let IpNet::V4(net) = address else { return None };
        let inside = UPLINKS.contains(&net.addr());
        let pair = Self::new((u32::from(net.addr()).wrapping_sub(u32::from(UPLINKS.addr()))) / 4);
        (inside && pair.outside.0 == net).then_some(pair)
    }

    /// A pair for a namespace: usually always the same, another one where that is taken.
    pub(super) fn choose(namespace: &str, taken: &[IpNet]) -> Result<Self> {
        let first = u32::try_from(fingerprint(namespace) % u64::from(Self::COUNT)).unwrap_or_default();
        (0..Self::COUNT).map(|step| Self::new(first + step)).find(|pair| pair.is_free(taken)).ok_or_else(|| {
            failed(format!(
                "no address for the uplink: this machine has routes to all of {UPLINKS}, a /30 of which is needed"
            ))
        })
    }

    fn is_free(&self, taken: &[IpNet]) -> bool {
        let (four, six) = (IpNet::from(self.outside.0), IpNet::from(self.outside.1));
        taken.iter().all(|net| {
            let touches = |own: &IpNet| own.contains(net) || net.contains(own);
            // A route to all link-local addresses, or to everything, is less specific than ours.
            let broad = match net {
                IpNet::V4(net) => net.prefix_len() <= RESERVED.prefix_len(),
                IpNet::V6(net) => net.prefix_len() < UPLINK_PREFIX6,
            };
            broad || !(touches(&four) || touches(&six))
        })
    }
}

/// A link-local address for a server that is not taken.
pub(super) fn link_local(server: wolke_wire::Id, taken: &dyn Fn(Ipv4Addr) -> bool) -> Result<Ipv4Addr> {
    // Neither the network's address nor the broadcast address: some guests take them for that.
    let count = (1 << (32 - LINK_LOCAL.prefix_len())) - 2;
    let first = u32::try_from(fingerprint(&server.to_string()) % u64::from(count)).unwrap_or_default();
    (0..count)
        .map(|step| Ipv4Addr::from(u32::from(LINK_LOCAL.addr()) + 1 + (first + step) % count))
        .find(|address| !taken(*address))
        .ok_or_else(|| failed(format!("all addresses of {LINK_LOCAL} are taken by servers without an IPv4 address")))
}

#[cfg(test)]
mod tests {
    use super::{LINK_LOCAL, Pair, link_local};

    #[test]
    fn uplinks_avoid_what_is_routed() {
        let first = Pair::choose("wolke", &[]).unwrap();
        assert_eq!(Pair::with_outside(first.outside.0.into()), Some(first));
        assert_eq!(Pair::with_outside(first.inside.0.into()), None);
        assert_eq!(Pair::of_link(first.inside).to_string(), "fe80::2/64");
        assert_eq!(Pair::with_outside("192.0.2.1/30".parse().unwrap()), None);
        let broad = ["0.0.0.0/0", "169.254.0.0/16", "::/0", "fd00::/8"].map(|net| net.parse().unwrap());
        assert_eq!(Pair::choose("wolke", &broad).unwrap(), first);
        let other = Pair::choose("wolke", &[first.inside.0.trunc().into()]).unwrap();
        assert_ne!(other, first);
        let other = Pair::choose("wolke", &[first.inside.1.into()]).unwrap();
        assert_ne!(other, first);
        let all = Pair::choose("wolke", &["169.254.128.0/17".parse().unwrap()]).unwrap_err();
        assert!(all.message.contains("169.254.128.0/19"), "{all}");
    }

    #[test]
    fn link_local_addresses_are_distinct() {
        let first = link_local(7, &|_| false).unwrap();
        let second = link_local(7, &|address| address == first).unwrap();
        assert!(first != second && LINK_LOCAL.contains(&first) && LINK_LOCAL.contains(&second));
        assert!(link_local(7, &|_| true).is_err());
    }
}
