//! Correlation ids: lower-case hexadecimal, one for each request, on the answer and in the log (fact sheet §1).

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes correlation ids: a bijection of a counter, so no two of a process are equal.
#[derive(Debug)]
pub struct Correlations {
    seed: u64,
    next: AtomicU64,
}

impl Correlations {
    /// The seed keeps the ids of processes apart: any number.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    /// The next id: sixteen hexadecimal digits.
    #[must_use]
    pub fn next(&self) -> u64 {
        mix(self.seed.wrapping_add(self.next.fetch_add(1, Ordering::Relaxed)))
    }
}

/// The finaliser of `SplitMix64`: spreads neighbouring numbers, and is invertible.
const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Correlations;
    use std::collections::HashSet;

    #[test]
    fn ids_do_not_repeat() {
        let ids = Correlations::new(7);
        let seen: HashSet<u64> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(seen.len(), 10_000);
    }
}
