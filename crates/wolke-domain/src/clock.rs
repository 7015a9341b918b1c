//! The two clocks (design §5): world time, which tests control, and real time, which leases and waits use.

use serde::{Deserialize, Serialize};
use wolke_wire::Timestamp;

/// How world time moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// As the wall clock, plus a fixed offset.
    #[default]
    Wall,
    /// As the wall clock, faster or slower by `rate_permille`.
    Scaled,
    /// Only when told.
    Manual,
    /// As the wall clock, but simulated work takes no time whatever its latency profile says.
    Instant,
}

/// The state of a world's clock: one database row. World time is a pure function of it and of real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// How it moves.
    pub mode: ClockMode,
    /// World time at `anchor_real`.
    pub anchor_world: Timestamp,
    /// Real time when the state was last changed.
    pub anchor_real: Timestamp,
    /// World milliseconds per real second, for [`ClockMode::Scaled`].
    pub rate_permille: i64,
}

/// The largest accepted rate: one real second is at most this many world milliseconds (about eleven days).
pub const RATE_PERMILLE_MAX: i64 = 1_000_000_000;

/// The end of world time, 9999-12-31T23:59:59Z: the last year that the contract's timestamps can show.
pub const WORLD_TIME_MAX: Timestamp = Timestamp(253_402_300_799_000);

impl ClockState {
    /// A clock that follows the wall.
    #[must_use]
    pub const fn wall() -> Self {
        Self { mode: ClockMode::Wall, anchor_world: Timestamp(0), anchor_real: Timestamp(0), rate_permille: 1000 }
    }

    /// World time at a point in real time. Never runs backwards between two changes of state.
    #[must_use]
    pub fn world_at(&self, real: Timestamp) -> Timestamp {
        let elapsed = (real.0 - self.anchor_real.0).max(0);
        let world = match self.mode {
            ClockMode::Wall | ClockMode::Instant => self.anchor_world.plus_ms(elapsed),
            ClockMode::Manual => self.anchor_world,
            ClockMode::Scaled => {
                let world = i128::from(elapsed) * i128::from(self.rate_permille) / 1000;
                self.anchor_world.plus_ms(i64::try_from(world).unwrap_or(i64::MAX / 4))
            }
        };
        world.min(WORLD_TIME_MAX)
    }

    /// The same clock in another mode, continuous at `real`.
    #[must_use]
    pub fn with_mode(&self, real: Timestamp, mode: ClockMode, rate_permille: i64) -> Self {
        Self { mode, anchor_world: self.world_at(real), anchor_real: real, rate_permille }
    }

    /// The same clock set to `world` at `real`.
    #[must_use]
    pub fn set(&self, real: Timestamp, world: Timestamp) -> Self {
        Self { anchor_world: world, anchor_real: real, ..*self }
    }

    /// How long to wait in real milliseconds until `world` is reached; `None` when only a command can bring it about.
    #[must_use]
    pub fn real_ms_until(&self, real: Timestamp, world: Timestamp) -> Option<i64> {
        let missing = (world.0 - self.world_at(real).0).max(0);
        match self.mode {
            ClockMode::Wall | ClockMode::Instant => Some(missing),
            ClockMode::Manual => (missing == 0).then_some(0),
            ClockMode::Scaled if self.rate_permille <= 0 => None,
            ClockMode::Scaled => {
                let rate = i128::from(self.rate_permille);
                // Rounded up, so that the wait is long enough; signed `div_ceil` is not stable yet.
                let real_ms = (i128::from(missing) * 1000 + rate - 1) / rate;
                i64::try_from(real_ms).ok()
            }
        }
    }
}

/// Real time, from outside: the wall clock in milliseconds and a monotonic clock for waits.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn wall(&self) -> Timestamp;
    /// Monotonic milliseconds from an arbitrary start.
    fn monotonic_ms(&self) -> i64;
}

#[cfg(test)]
mod tests {
    use super::{ClockMode, ClockState};
    use wolke_wire::Timestamp;

    #[test]
    fn modes_are_continuous() {
        let wall = ClockState::wall();
        let scaled = wall.with_mode(Timestamp(10_000), ClockMode::Scaled, 60_000);
        assert_eq!(scaled.world_at(Timestamp(10_000)), Timestamp(10_000));
        assert_eq!(scaled.world_at(Timestamp(11_000)), Timestamp(70_000));
        assert_eq!(scaled.real_ms_until(Timestamp(10_000), Timestamp(70_000)), Some(1000));
        let manual = scaled.with_mode(Timestamp(11_000), ClockMode::Manual, 1000);
        assert_eq!(manual.world_at(Timestamp(99_000)), Timestamp(70_000));
        assert_eq!(manual.real_ms_until(Timestamp(99_000), Timestamp(70_001)), None);
    }
}
