//! Rate limits: a token bucket for each project, and for each source address of requests without a valid token.
//!
//! A bucket holds an hour's requests and gets them back evenly, at 3600 one a second (dialects D.1). It is kept as the one
//! instant at which it will be full again. Counters are in memory and may be lost (design §1.3).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use wolke_wire::{Id, Timestamp};

/// Requests an hour that are counted when nothing is enforced (fact sheet §1).
pub const LIMIT_DEFAULT: u32 = 3600;
/// Buckets that are kept; beyond, newcomers share one.
pub const BUCKETS_MAX: usize = 10_000;

/// An hour in microseconds: the unit of buckets, so that limits which do not divide an hour are not rounded away.
const HOUR_US: i64 = 3_600_000_000;
/// Full buckets are thrown out at most so often.
const SWEEP_US: i64 = 1_000_000;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A project.
    Project(Id),
    /// Whoever has no valid token, by address; IPv6 by its /64, because one host has all of that.
    Address(IpAddr),
    /// The newcomers when there are too many.
    Rest,
}

impl Source {
    /// The source of requests from an address.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => IpAddr::V4(v4),
                None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            },
        })
    }
}

/// The three figures of the headers, and whether the request is within the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `RateLimit-Limit`: requests an hour.
    pub limit: u32,
    /// `RateLimit-Remaining`: requests that can be made at once.
    pub remaining: u32,
    /// `RateLimit-Reset`: the Unix second at which all are back.
    pub reset: i64,
    /// Whether this request may not be served.
    pub exceeded: bool,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each bucket is full again, in microseconds.
    full_at: HashMap<Source, i64>,
    swept_at: i64,
}

/// The limiter of a process.
#[derive(Debug)]
pub struct RateLimits {
    limit: u32,
    enforced: bool,
    buckets: Mutex<Buckets>,
}

impl RateLimits {
    /// Enforces a limit per hour, at least one; or counts against [`LIMIT_DEFAULT`] and refuses nobody.
    #[must_use]
    pub fn new(enforce: Option<u32>) -> Self {
        let limit = enforce.unwrap_or(LIMIT_DEFAULT).max(1);
        Self { limit, enforced: enforce.is_some(), buckets: Mutex::default() }
    }

    /// Counts a request. A refused one costs nothing.
    pub fn count(&self, source: Source, cost: u32, now: Timestamp) -> Standing {
        let now = now.0.saturating_mul(1000);
        let price = HOUR_US / i64::from(self.limit);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let source = buckets.place(source, now);
        let full_at = buckets.full_at.entry(source).or_insert(now);
        // A clock that was set back must not lock anybody out for longer than an empty bucket would.
        let before = (*full_at).clamp(now, now + HOUR_US);
        let after = before + price.saturating_mul(i64::from(cost));
        let exceeded = self.enforced && after - now > HOUR_US;
        *full_at = if exceeded { before } else { after.min(now + HOUR_US) };
        let used = *full_at - now;
        Standing {
            limit: self.limit,
            remaining: u32::try_from((HOUR_US - used) / price).unwrap_or(0).min(self.limit),
            reset: full_at.saturating_add(999_999) / 1_000_000,
            exceeded,
        }
    }
}

impl Buckets {
    /// Where a source is counted: in its own bucket as long as there is room.
    fn place(&mut self, source: Source, now: i64) -> Source {
        if self.full_at.len() < BUCKETS_MAX || self.full_at.contains_key(&source) {
            return source;
        }
        if now - self.swept_at >= SWEEP_US || now < self.swept_at {
            self.swept_at = now;
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        if self.full_at.len() < BUCKETS_MAX { source } else { Source::Rest }
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS_MAX, RateLimits, Source};
    use std::net::{IpAddr, Ipv4Addr};
    use wolke_wire::Timestamp;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn one_request_a_second_comes_back() {
        let limits = RateLimits::new(Some(3600));
        let mine = Source::Project(1);
        let first = limits.count(mine, 1, NOW);
        assert_eq!((first.limit, first.remaining, first.reset, first.exceeded), (3600, 3599, 1_700_000_001, false));
        for _ in 1..3600 {
            assert!(!limits.count(mine, 1, NOW).exceeded);
        }
        let refused = limits.count(mine, 1, NOW);
        assert_eq!((refused.remaining, refused.reset, refused.exceeded), (0, 1_700_003_600, true));
        assert!(!limits.count(Source::Project(2), 1, NOW).exceeded, "each project has its own bucket");
        assert!(limits.count(mine, 1, NOW.plus_ms(999)).exceeded);
        assert!(!limits.count(mine, 1, NOW.plus_ms(1000)).exceeded, "a second later one request is back");
        assert!(limits.count(mine, 1, NOW.plus_ms(1000)).exceeded);
        assert_eq!(limits.count(mine, 1, NOW.plus_ms(4_000_000)).remaining, 3599, "an hour later all are back");
    }

    #[test]
    fn nothing_is_refused_by_default() {
        let limits = RateLimits::new(None);
        let last = (0..4000).map(|_| limits.count(Source::Project(1), 1, NOW)).last().unwrap();
        assert_eq!((last.remaining, last.exceeded), (0, false));
        assert_eq!(limits.count(Source::Project(1), 1, NOW.plus_ms(10_000)).remaining, 9);
    }

    #[test]
    fn odd_limits_and_clocks() {
        let limits = RateLimits::new(Some(7));
        let standings: Vec<_> = (0..8).map(|_| limits.count(Source::Project(1), 1, NOW)).collect();
        assert!(standings.iter().take(7).all(|s| !s.exceeded) && standings[7].exceeded);
        assert!(limits.count(Source::Project(1), 1, NOW.plus_ms(-9_000_000)).exceeded);
        assert!(!limits.count(Source::Project(1), 1, NOW.plus_ms(-9_000_000 + 600_000)).exceeded);
        assert!(!RateLimits::new(Some(0)).count(Source::Rest, 1, NOW).exceeded, "zero would serve nobody");
    }

    #[test]
    fn memory_is_bounded() {
        let limits = RateLimits::new(Some(10));
        for n in 0..u32::try_from(BUCKETS_MAX).unwrap() + 500 {
            limits.count(Source::address(IpAddr::V4(Ipv4Addr::from_bits(n))), 1, NOW);
        }
        assert_eq!(limits.buckets.lock().unwrap().full_at.len(), BUCKETS_MAX + 1);
        let newcomer = Source::address(IpAddr::V4(Ipv4Addr::BROADCAST));
        assert!(limits.count(newcomer, 1, NOW).exceeded, "the rest shares a bucket");
        assert!(!limits.count(newcomer, 1, NOW.plus_ms(400_000)).exceeded, "full buckets make room");
    }

    #[test]
    fn one_ipv6_network_is_one_source() {
        let of = |text: &str| Source::address(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
