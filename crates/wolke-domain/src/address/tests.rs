//! Numbers and addresses correspond, and the defaults are what the fact sheet asks for.

use super::{DEFAULT_IPV4_POOLS, DEFAULT_IPV6_POOLS, Ipv4Pools, Ipv6Pools};
use proptest::prelude::*;
use std::collections::HashSet;

fn v4(ranges: &[&str]) -> Ipv4Pools {
    Ipv4Pools::parse(ranges).unwrap()
}

fn v6(ranges: &[&str]) -> Ipv6Pools {
    Ipv6Pools::parse(ranges).unwrap()
}

#[test]
fn default_addresses() {
    let pools = v4(DEFAULT_IPV4_POOLS);
    let text = |index| pools.nth(index).unwrap().to_string();
    assert_eq!(text(0), "198.18.0.1");
    assert_eq!(text(253), "198.18.0.254");
    assert_eq!(text(254), "198.18.1.1");
    assert_eq!(text(512 * 254 - 1), "198.19.255.254");
    assert_eq!(text(512 * 254), "100.64.0.1");
    assert_eq!(pools.capacity(), (512 + 16384) * 254);
    assert_eq!(text(pools.capacity() - 1), "100.127.255.254");
    assert_eq!(pools.nth(pools.capacity()), None);
    for outside in ["198.18.0.0", "198.18.7.255", "198.20.0.1", "10.0.0.1"] {
        assert_eq!(pools.index_of(outside.parse().unwrap()), None, "{outside}");
    }
}

#[test]
fn default_networks() {
    let pools = v6(DEFAULT_IPV6_POOLS);
    let text = |index| pools.nth(index).unwrap().to_string();
    assert_eq!(text(0), "2001:db8:1:1::/64");
    assert_eq!(text(65534), "2001:db8:1:ffff::/64");
    assert_eq!(text(65535), "2001:db8:2:1::/64");
    assert_eq!(pools.capacity(), 65535 * 65535);
    assert_eq!(text(pools.capacity() - 1), "2001:db8:ffff:ffff::/64");
    assert_eq!(pools.nth(pools.capacity()), None);
    assert_eq!(pools.index_of("2001:db8:2:1::17".parse().unwrap()), Some(65535));
    for outside in ["2001:db8:0:1::", "2001:db8:1::", "2001:db9:1:1::"] {
        assert_eq!(pools.index_of(outside.parse().unwrap()), None, "{outside}");
    }
}

#[test]
fn small_ranges_are_exhausted_exactly() {
    let pools = v4(&["203.0.113.0/29", "203.0.113.128/31", "192.0.2.7/32"]);
    let all: Vec<String> = (0..pools.capacity()).map(|n| pools.nth(n).unwrap().to_string()).collect();
    assert_eq!(
        all,
        [
            "203.0.113.1",
            "203.0.113.2",
            "203.0.113.3",
            "203.0.113.4",
            "203.0.113.5",
            "203.0.113.6",
            "203.0.113.128",
            "203.0.113.129",
            "192.0.2.7"
        ]
    );
    assert_eq!(pools.index_of("203.0.113.7".parse().unwrap()), None);
    let pools = v6(&["2001:db8:1::/62", "2001:db8:2:4::/62", "2001:db8:3:9::/64"]);
    let all: Vec<String> = (0..pools.capacity()).map(|n| pools.nth(n).unwrap().addr().to_string()).collect();
    assert_eq!(
        all,
        [
            "2001:db8:1:1::",
            "2001:db8:1:2::",
            "2001:db8:1:3::",
            "2001:db8:2:4::",
            "2001:db8:2:5::",
            "2001:db8:2:6::",
            "2001:db8:2:7::",
            "2001:db8:3:9::"
        ]
    );
}

#[test]
fn refused_ranges() {
    let v4_fault = |ranges: &[&str]| Ipv4Pools::parse(ranges).unwrap_err().to_string();
    assert_eq!(v4_fault(&["nonsense"]), "address pool 'nonsense' is no IPv4 range in CIDR form");
    assert!(v4_fault(&["10.0.0.1/24"]).contains("network address"));
    assert!(v4_fault(&["10.0.0.0/8", "10.1.0.0/16"]).contains("'10.1.0.0/16' overlaps"));
    assert!(v4_fault(&["0.0.0.0/0"]).contains("larger"));
    let v6_fault = |ranges: &[&str]| Ipv6Pools::parse(ranges).unwrap_err().to_string();
    assert!(v6_fault(&["10.0.0.0/8"]).contains("is no IPv6 range"));
    assert!(v6_fault(&["2001:db8::/65"]).contains("smaller"));
    assert!(v6_fault(&["::/0"]).contains("larger"));
    assert!(v6_fault(&["2001:db8::/48"]).contains("zero"));
    assert!(v6_fault(&["2001:db8:1::/64"]).contains("zero"));
    assert!(v6_fault(&["2001:db8::/32", "2001:db8:1::/48"]).contains("overlaps"));
}

fn any_v4_pools() -> impl Strategy<Value = Ipv4Pools> {
    // The first octet keeps the ranges apart.
    prop::collection::vec((any::<u32>(), 8_u8..=32), 1..5).prop_map(|ranges| {
        let texts: Vec<String> = ranges
            .iter()
            .enumerate()
            .map(|(n, (bits, prefix))| {
                let address = (bits & 0x00ff_ffff | u32::try_from(n + 1).unwrap() << 24) & (u32::MAX << (32 - prefix));
                format!("{}/{prefix}", std::net::Ipv4Addr::from(address))
            })
            .collect();
        Ipv4Pools::parse(&texts).unwrap()
    })
}

proptest! {
    #[test]
    fn v4_numbers_and_addresses_correspond(pools in any_v4_pools(), share in 0.0..1.0_f64) {
        let index = (pools.capacity() as f64 * share) as u64;
        let address = pools.nth(index).unwrap();
        prop_assert_eq!(pools.index_of(address), Some(index));
        prop_assert_eq!(pools.nth(pools.capacity()), None);
    }

    #[test]
    fn v4_addresses_map_back(pools in any_v4_pools(), bits in any::<u32>()) {
        let address = std::net::Ipv4Addr::from(bits & 0x07ff_ffff);
        if let Some(index) = pools.index_of(address) {
            prop_assert_eq!(pools.nth(index), Some(address));
        }
    }

    #[test]
    fn v6_numbers_and_networks_correspond(prefix in 16_u8..=64, bits in any::<u64>(), share in 0.0..1.0_f64) {
        let bits = (bits | 1 << 32 | 1 << 16 | 1) & (u64::MAX << (64 - prefix));
        let text = format!("{}/{prefix}", std::net::Ipv6Addr::from(u128::from(bits) << 64));
        if let Ok(pools) = Ipv6Pools::parse(&[text]) {
            let index = (pools.capacity() as f64 * share) as u64;
            let net = pools.nth(index).unwrap();
            let groups = net.addr().segments();
            prop_assert!(groups[2] != 0 && groups[3] != 0);
            prop_assert_eq!(net.prefix_len(), 64);
            prop_assert_eq!(pools.index_of(net.addr()), Some(index));
            prop_assert_eq!(pools.nth(pools.capacity()), None);
        }
    }

    #[test]
    fn neighbours_differ(start in 0..1_000_000_u64) {
        let (a, b) = (v4(DEFAULT_IPV4_POOLS), v6(DEFAULT_IPV6_POOLS));
        let seen: HashSet<_> = (start..start + 600).map(|n| (a.nth(n), b.nth(n))).collect();
        prop_assert_eq!(seen.len(), 600);
    }
}
