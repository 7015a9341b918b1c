//! The start of authority: its default, and the serial that grows with every change (fact sheet §4.2).

use super::lex::words;
use wolke_wire::Timestamp;

/// The place of the serial among the words of SOA data.
const SERIAL: usize = 2;
/// Serials of a day, as of the convention `YYYYMMDDnn`.
const PER_DAY: u64 = 100;

/// The data of a new zone.
#[must_use]
pub fn default_value(serial: u32) -> String {
    format!("hydrogen.ns.hetzner.com. dns.hetzner.com. {serial} 86400 10800 3600000 3600")
}

/// The serial of valid data.
#[must_use]
pub fn serial(value: &str) -> Option<u32> {
    words(value).ok()?.get(SERIAL)?.raw.parse().ok()
}

/// Valid data with another serial, its words one blank apart.
#[must_use]
pub fn with_serial(value: &str, serial: u32) -> String {
    let serial = serial.to_string();
    let words = words(value).unwrap_or_default();
    let raw = words.iter().enumerate().map(|(place, word)| if place == SERIAL { serial.as_str() } else { word.raw });
    raw.collect::<Vec<_>>().join(" ")
}

/// The serial after a change: the first of its day, or one more. It never goes back, whatever the clock does.
#[must_use]
pub fn next(serial: Option<u32>, now: Timestamp) -> u32 {
    let first = first_of_day(now);
    match serial {
        Some(serial) if serial >= first => serial.checked_add(1).unwrap_or(1),
        _ => first,
    }
}

/// `YYYYMMDD00`.
fn first_of_day(now: Timestamp) -> u32 {
    let digits: String = now.to_string().chars().take_while(|c| *c != 'T').filter(char::is_ascii_digit).collect();
    digits.parse::<u64>().ok().and_then(|day| u32::try_from(day * PER_DAY).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::{default_value, next, serial, with_serial};
    use wolke_wire::Timestamp;

    #[test]
    fn the_serial_grows() {
        let day = Timestamp::parse("2026-11-21T23:59:59Z").unwrap();
        assert_eq!(next(None, day), 2_026_112_100);
        assert_eq!(next(Some(2_026_112_100), day), 2_026_112_101);
        assert_eq!(next(Some(2_026_112_199), day), 2_026_112_200, "a busy day borrows from the next one");
        assert_eq!(next(Some(2_026_112_101), day.plus_ms(1000)), 2_026_112_200);
        assert_eq!(next(Some(2_026_112_205), day), 2_026_112_206, "a clock that went back");
        assert_eq!(next(Some(0), day), 2_026_112_100);
        assert_eq!(next(Some(u32::MAX), day), 1, "RFC 1982 goes round");
    }

    #[test]
    fn the_serial_stands_in_the_value() {
        let value = default_value(7);
        assert_eq!(serial(&value), Some(7));
        assert_eq!(with_serial(&value, 8), default_value(8));
        assert_eq!(with_serial("a.  b. 0 1  2 3 4", 9), "a. b. 9 1 2 3 4");
        assert_eq!(serial("a. b."), None);
    }
}
