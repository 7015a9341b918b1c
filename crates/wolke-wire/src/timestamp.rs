//! Points in world time, in milliseconds, with the contract's text form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. Stored as is; shown with seconds (fact sheet §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Later by so many milliseconds, saturating.
    #[must_use]
    pub const fn plus_ms(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// The second that it lies in: as precise as the contract shows it, and so what lists sort by.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1000))
    }

    /// The hour that it lies in.
    #[must_use]
    pub const fn whole_hour(self) -> Self {
        Self(self.0 - self.0.rem_euclid(60 * 60 * 1000))
    }

    /// The day that it lies in, in UTC: of the month, from 1 on, and of the week, from 1 (Monday) to 7.
    #[must_use]
    pub fn day(self) -> (i64, i64) {
        let date = jiff::Timestamp::from_millisecond(self.0).map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date());
        // Outside of what can be shown there are no dates.
        date.map_or((1, 1), |date| (i64::from(date.day()), i64::from(date.weekday().to_monday_one_offset())))
    }

    /// `2026-11-21T08-00-00`: as a name, in UTC.
    #[must_use]
    pub fn as_name(self) -> String {
        let text = self.to_string();
        text.split('+').next().unwrap_or_default().replace(':', "-")
    }

    /// The first moment of its month, in UTC.
    #[must_use]
    pub fn month_start(self) -> Self {
        use jiff::tz::TimeZone;
        let month =
            jiff::Timestamp::from_millisecond(self.0).map(|t| t.to_zoned(TimeZone::UTC).date().first_of_month());
        month.and_then(|day| day.to_zoned(TimeZone::UTC)).map_or(self, |t| Self(t.timestamp().as_millisecond()))
    }

    /// Parses RFC 3339, with any offset.
    ///
    /// # Errors
    /// The parser's text when it is no RFC 3339 timestamp.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_millisecond())).map_err(|e| e.to_string())
    }
}

impl std::fmt::Display for Timestamp {
    /// `2024-06-06T08:00:00+00:00`: whole seconds, UTC written as an offset (fact sheet §1).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        let seconds = jiff::Timestamp::from_second(t.as_millisecond().div_euclid(1000)).unwrap_or(t);
        let text = seconds.to_string();
        write!(f, "{}+00:00", text.trim_end_matches('Z'))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn shows_seconds_and_offset() {
        let t = Timestamp::parse("2024-06-06T10:00:00.999+02:00").unwrap();
        assert_eq!(t.to_string(), "2024-06-06T08:00:00+00:00");
        assert_eq!(t.0 % 1000, 999);
    }
}
