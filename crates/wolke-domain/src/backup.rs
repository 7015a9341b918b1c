//! Daily backups: the six windows of four hours, and the slots inside them (fact sheet §7, dialects A.6).

use crate::rng::Rng;
use crate::{Error, Result};
use wolke_wire::Timestamp;

/// The windows of the contract, in UTC. The first goes over midnight.
pub const WINDOWS: [&str; 6] = ["22-02", "02-06", "06-10", "10-14", "14-18", "18-22"];

/// A day in milliseconds; world time knows no leap seconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The length of a window in milliseconds.
const WINDOW_MS: i64 = 4 * 60 * 60 * 1000;
/// When the first window begins, in milliseconds after midnight.
const FIRST_MS: i64 = 22 * 60 * 60 * 1000;
/// How far slots are apart, in milliseconds.
const SLOT_MS: i64 = 10 * 60 * 1000;
/// Slots in a window.
const SLOTS: u8 = (WINDOW_MS / SLOT_MS) as u8;

/// One of [`WINDOWS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(u8);

impl Window {
    /// A window by the contract's word for it.
    ///
    /// # Errors
    /// `invalid_input`, naming the windows.
    pub fn parse(text: &str) -> Result<Self> {
        let found = (0_u8..).zip(WINDOWS).find(|(_, known)| *known == text);
        let (at, _) =
            found.ok_or_else(|| Error::invalid("backup_window", format!("must be one of {}", WINDOWS.join(", "))))?;
        Ok(Self(at))
    }

    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        WINDOWS[usize::from(self.0)]
    }

    /// Any window, each equally likely.
    pub fn draw(rng: &mut dyn Rng) -> Self {
        Self(below(rng, 6))
    }

    /// The first point in time after `now` at any slot of the window, each slot equally likely.
    pub fn draw_slot(self, rng: &mut dyn Rng, now: Timestamp) -> Timestamp {
        let slot = i64::from(below(rng, SLOTS)) * SLOT_MS;
        let of_day = FIRST_MS + i64::from(self.0) * WINDOW_MS + slot;
        following(Timestamp(of_day % DAY_MS), now)
    }
}

/// The first point in time after `now` at the time of day of `slot`. However many days have passed, one is left out.
#[must_use]
pub fn following(slot: Timestamp, now: Timestamp) -> Timestamp {
    let since = (now.0 - slot.0).rem_euclid(DAY_MS);
    now.plus_ms(DAY_MS - since)
}

/// A number below `n`, each equally likely.
fn below(rng: &mut dyn Rng, n: u8) -> u8 {
    // Bytes from here on would favour small numbers.
    let end = u8::MAX - u8::MAX % n;
    let mut byte = [0_u8; 1];
    loop {
        rng.fill(&mut byte);
        if byte[0] < end {
            return byte[0] % n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SLOT_MS, SLOTS, WINDOWS, Window, following};
    use crate::rng::Rng;
    use wolke_wire::Timestamp;

    /// Counts up.
    struct Bytes(u8);

    impl Rng for Bytes {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn windows_have_words() {
        for text in WINDOWS {
            assert_eq!(Window::parse(text).unwrap().as_str(), text);
        }
        for wrong in ["", "22-03", "2-6", "02-06 "] {
            assert!(Window::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn slots_lie_inside_their_window_and_after_now() {
        let mut rng = Bytes(0);
        for text in WINDOWS {
            let window = Window::parse(text).unwrap();
            let (begins, ends) = text.split_once('-').unwrap();
            for now in ["2026-11-21T00:00:00Z", "2026-11-21T23:59:59.999Z", "2026-11-21T12:00:00.001Z"].map(at) {
                let mut seen = std::collections::BTreeSet::new();
                for _ in 0..SLOTS {
                    let slot = window.draw_slot(&mut rng, now);
                    assert!(slot > now && slot.0 - now.0 <= 86_400_000 && slot.0 % SLOT_MS == 0, "{text} {slot}");
                    let hour = slot.0.rem_euclid(86_400_000) / 3_600_000;
                    let (begins, ends) = (begins.parse::<i64>().unwrap(), ends.parse::<i64>().unwrap());
                    let inside =
                        if begins < ends { (begins..ends).contains(&hour) } else { hour >= begins || hour < ends };
                    assert!(inside, "{text} {slot}");
                    seen.insert(slot);
                }
                assert_eq!(seen.len(), usize::from(SLOTS), "{text}: every slot is drawn");
            }
        }
    }

    #[test]
    fn the_next_slot_is_one_day_later_however_late_one_was() {
        let slot = at("2026-11-21T03:10:00Z");
        assert_eq!(following(slot, slot), at("2026-11-22T03:10:00Z"));
        assert_eq!(following(slot, at("2026-11-21T03:10:00.001Z")), at("2026-11-22T03:10:00Z"));
        assert_eq!(following(slot, at("2026-12-01T03:09:59.999Z")), at("2026-12-01T03:10:00Z"));
        assert_eq!(following(slot, at("2026-11-20T05:00:00Z")), at("2026-11-21T03:10:00Z"));
    }
}
