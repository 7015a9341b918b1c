//! Public address pools: which addresses a set of ranges holds, numbered from 0.
//!
//! The store keeps a cursor and a free list of numbers, so that nothing is handed out twice; here is only the
//! bijection between numbers and addresses. Numbers depend on the pools' order: pools may be appended, not reordered.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 ranges when nothing else is configured: benchmarking (RFC 2544), then shared address space (RFC 6598).
/// Neither is ever routed on the internet.
pub const DEFAULT_IPV4_POOLS: &[&str] = &["198.18.0.0/15", "100.64.0.0/10"];

/// IPv6 ranges when nothing else is configured: documentation (RFC 3849).
pub const DEFAULT_IPV6_POOLS: &[&str] = &["2001:db8::/32"];

/// The most ranges of one family.
pub const POOLS_MAX: usize = 64;

/// The shortest prefix of an IPv4 range.
pub const IPV4_PREFIX_MIN: u8 = 8;

/// The shortest prefix of an IPv6 range; keeps every count far inside 64 bits.
pub const IPV6_PREFIX_MIN: u8 = 16;

/// The prefix of what one server gets.
pub const IPV6_SERVER_PREFIX: u8 = 64;

/// A configured range that cannot serve as a pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("address pool '{pool}' {fault}")]
pub struct PoolError {
    /// The range as configured.
    pub pool: String,
    /// What is wrong.
    pub fault: &'static str,
}

/// The IPv4 ranges that public addresses come from. `.0` and `.255` of every /24 are left out, because too much
/// software in the world takes them for network and broadcast addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv4Pools(Vec<Ipv4Net>);

impl Ipv4Pools {
    /// Reads ranges in CIDR form.
    ///
    /// # Errors
    /// The first range that is malformed, too large, not given by its first address, or overlaps an earlier one.
    pub fn parse<S: AsRef<str>>(ranges: &[S]) -> Result<Self, PoolError> {
        let mut pools: Vec<Ipv4Net> = Vec::new();
        for range in ranges {
            let fail = |fault| PoolError { pool: range.as_ref().to_owned(), fault };
            let net: Ipv4Net = range.as_ref().parse().map_err(|_| fail("is no IPv4 range in CIDR form"))?;
            check(
                net.prefix_len() < IPV4_PREFIX_MIN,
                net.trunc() != net,
                pools.iter().any(|other| other.contains(&net) || net.contains(other)),
                pools.len(),
            )
            .map_err(fail)?;
            pools.push(net);
        }
        Ok(Self(pools))
    }

    /// How many addresses there are.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.0.iter().map(usable).sum()
    }

    /// The address with a number; `None` behind the last one.
    #[must_use]
    pub fn nth(&self, mut index: u64) -> Option<Ipv4Addr> {
        for net in &self.0 {
            let count = usable(net);
            if index >= count {
                index -= count;
                continue;
            }
            let offset = match net.prefix_len() {
                ..=24 => index / 254 * 256 + 1 + index % 254,
                25..=30 => index + 1,
                _ => index,
            };
            return Some(Ipv4Addr::from(u32::from(net.network()) + u32::try_from(offset).ok()?));
        }
        None
    }

    /// The number of an address; `None` when the pools do not hold it.
    #[must_use]
    pub fn index_of(&self, address: Ipv4Addr) -> Option<u64> {
        let mut before = 0;
        for net in &self.0 {
            if net.contains(&address) {
                let offset = u64::from(u32::from(address) - u32::from(net.network()));
                let index = match net.prefix_len() {
                    ..=24 if matches!(offset % 256, 0 | 255) => None,
                    ..=24 => Some(offset / 256 * 254 + offset % 256 - 1),
                    25..=30 => offset.checked_sub(1).filter(|index| *index < usable(net)),
                    _ => Some(offset),
                };
                return index.map(|index| before + index);
            }
            before += usable(net);
        }
        None
    }
}

/// How many addresses of a range are handed out.
fn usable(net: &Ipv4Net) -> u64 {
    let size = 1_u64 << (32 - net.prefix_len());
    match net.prefix_len() {
        ..=24 => size / 256 * 254,
        25..=30 => size - 2,
        // Too small for a network of their own (RFC 3021): whoever lists them means the addresses themselves.
        _ => size,
    }
}

/// The IPv6 ranges that the /64 of servers come from. The third and the fourth group are never zero: clients want to
/// see four groups before `::` (fact sheet §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv6Pools(Vec<Ipv6Net>);

impl Ipv6Pools {
    /// Reads ranges in CIDR form.
    ///
    /// # Errors
    /// The first range that is malformed, too large, smaller than a /64, not given by its first address, without a
    /// single usable /64, or overlapping an earlier one.
    pub fn parse<S: AsRef<str>>(ranges: &[S]) -> Result<Self, PoolError> {
        let mut pools: Vec<Ipv6Net> = Vec::new();
        for range in ranges {
            let fail = |fault| PoolError { pool: range.as_ref().to_owned(), fault };
            let net: Ipv6Net = range.as_ref().parse().map_err(|_| fail("is no IPv6 range in CIDR form"))?;
            if net.prefix_len() > IPV6_SERVER_PREFIX {
                return Err(fail("is smaller than the /64 of one server"));
            }
            check(
                net.prefix_len() < IPV6_PREFIX_MIN,
                net.trunc() != net,
                pools.iter().any(|other| other.contains(&net) || net.contains(other)),
                pools.len(),
            )
            .map_err(fail)?;
            if Groups::of(&net).count() == 0 {
                return Err(fail("only holds networks whose third or fourth group is zero"));
            }
            pools.push(net);
        }
        Ok(Self(pools))
    }

    /// How many /64 there are.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.0.iter().map(|net| Groups::of(net).count()).sum()
    }

    /// The /64 with a number; `None` behind the last one.
    #[must_use]
    pub fn nth(&self, mut index: u64) -> Option<Ipv6Net> {
        for net in &self.0 {
            let groups = Groups::of(net);
            if index >= groups.count() {
                index -= groups.count();
                continue;
            }
            let fourth = groups.fourth.nth(index % groups.fourth.count());
            let index = index / groups.fourth.count();
            let third = groups.third.nth(index % groups.third.count());
            let high = groups.high.nth(index / groups.third.count());
            let bits = u128::from(high << 32 | third << 16 | fourth) << 64;
            return Ipv6Net::new(Ipv6Addr::from(bits), IPV6_SERVER_PREFIX).ok();
        }
        None
    }

    /// The number of the /64 that an address lies in; `None` when the pools do not hold it.
    #[must_use]
    pub fn index_of(&self, address: Ipv6Addr) -> Option<u64> {
        let mut before = 0;
        for net in &self.0 {
            let groups = Groups::of(net);
            if net.contains(&address) {
                let bits = u64::try_from(u128::from(address) >> 64).ok()?;
                let high = groups.high.index_of(bits >> 32)?;
                let third = groups.third.index_of(bits >> 16 & 0xffff)?;
                let fourth = groups.fourth.index_of(bits & 0xffff)?;
                return Some(before + (high * groups.third.count() + third) * groups.fourth.count() + fourth);
            }
            before += groups.count();
        }
        None
    }
}

/// The rules that both families share.
fn check(too_large: bool, has_host_bits: bool, overlaps: bool, pools: usize) -> Result<(), &'static str> {
    if too_large {
        Err("is larger than is sensible")
    } else if has_host_bits {
        Err("does not begin at its network address")
    } else if overlaps {
        Err("overlaps another pool")
    } else if pools == POOLS_MAX {
        Err("is one pool too many")
    } else {
        Ok(())
    }
}

/// Consecutive values of a part of an address.
#[derive(Clone, Copy)]
struct Run {
    first: u64,
    count: u64,
}

impl Run {
    /// The values of `width` bits ending at bit `end` (from the left) of a range; without zero if so told.
    fn new(net: &Ipv6Net, end: u8, width: u8, without_zero: bool) -> Self {
        let bits = u64::try_from(u128::from(net.network()) >> (128 - u32::from(end))).unwrap_or(u64::MAX);
        let first = bits & (u64::MAX >> (64 - width));
        let count = 1_u64 << end.saturating_sub(net.prefix_len()).min(width);
        let skip = u64::from(without_zero && first == 0);
        Self { first: first + skip, count: count - skip }
    }

    const fn count(self) -> u64 {
        self.count
    }

    const fn nth(self, index: u64) -> u64 {
        self.first + index
    }

    fn index_of(self, value: u64) -> Option<u64> {
        value.checked_sub(self.first).filter(|index| *index < self.count)
    }
}

/// The parts of a range's /64: the first two groups, the third and the fourth.
struct Groups {
    high: Run,
    third: Run,
    fourth: Run,
}

impl Groups {
    fn of(net: &Ipv6Net) -> Self {
        Self {
            high: Run::new(net, 32, 32, false),
            third: Run::new(net, 48, 16, true),
            fourth: Run::new(net, 64, 16, true),
        }
    }

    const fn count(&self) -> u64 {
        self.high.count() * self.third.count() * self.fourth.count()
    }
}

#[cfg(test)]
mod tests;
