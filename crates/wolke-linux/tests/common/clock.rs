//! Real time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wolke_domain::clock::Clock;
use wolke_wire::Timestamp;

/// The machine's clocks.
pub struct RealClock(Instant);

impl Default for RealClock {
    #[expect(clippy::disallowed_methods, reason = "these tests run real programs in real time")]
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "these tests run real programs in real time")]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_millis()).unwrap())
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}
