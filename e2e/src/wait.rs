//! Waiting for a level: a state is looked at until it holds or a time limit passes.

use std::time::{Duration, Instant};

/// Pause between two looks. Short, since the server settles in milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until `look` answers `Some`, and returns that. `None` after the limit.
pub fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
