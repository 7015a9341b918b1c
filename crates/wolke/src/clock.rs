//! Real time of this machine. The only place of the house that asks the operating system for it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wolke_domain::clock::Clock;
use wolke_wire::Timestamp;

/// The system's clocks.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic side starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else takes its time from")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else takes its time from")]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::SystemClock;
    use wolke_domain::clock::Clock as _;

    #[test]
    fn is_of_this_century_and_starts_at_zero() {
        let clock = SystemClock::new();
        assert!((0..60_000).contains(&clock.monotonic_ms()));
        assert!(clock.wall().0 > 1_700_000_000_000);
    }
}
