//! When a snapshot plan makes its next snapshot. All times are UTC.
//!
//! The members are those of cron: with a day of the week and a day of the month, each of them is one (decision 0016). Months
//! without the day are left out.

use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use wolke_wire::Timestamp;
use wolke_wire::cloud::storage_box::SnapshotPlan;

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60 * 1000;
/// A day in milliseconds; world time knows no leap seconds.
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Between two days of a month that both have a 29th, 30th or 31st there are never more than these.
const DAYS_MAX: i64 = 62;

/// A plan in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What was asked for.
    #[serde(flatten)]
    pub wish: SnapshotPlan,
    /// When the next snapshot is due.
    pub next: Timestamp,
}

/// Refuses a plan that keeps more than the type allows.
///
/// # Errors
/// `invalid_input` on `max_snapshots`.
pub fn check(wish: &SnapshotPlan, limit: Option<i64>) -> Result<()> {
    let most = limit.unwrap_or(super::SNAPSHOTS_MAX);
    if wish.max_snapshots <= most {
        return Ok(());
    }
    let message = format!("must not be more than the {most} automatic snapshots that the storage box type allows");
    Err(Error::invalid_fields(vec![FieldError::new("max_snapshots", message)]))
}

/// The first point in time after `now` at which a plan makes a snapshot. However many have passed, they are left out.
#[must_use]
pub fn next(wish: &SnapshotPlan, now: Timestamp) -> Timestamp {
    let today = now.0 - now.0.rem_euclid(DAY_MS);
    let of_day = (wish.hour * 60 + wish.minute) * MINUTE_MS;
    let mut slots = (0..=DAYS_MAX).map(|day| Timestamp(today + day * DAY_MS + of_day));
    let found = slots.find(|slot| *slot > now && is_day(wish, *slot));
    // There is always one: the contract has checked the numbers. A day later is later than now in any case.
    found.unwrap_or(Timestamp(today + DAY_MS + of_day))
}

fn is_day(wish: &SnapshotPlan, slot: Timestamp) -> bool {
    let (of_month, of_week) = slot.day();
    match (wish.day_of_month, wish.day_of_week) {
        (None, None) => true,
        (Some(day), None) => day == of_month,
        (None, Some(day)) => day == of_week,
        (Some(month), Some(week)) => month == of_month || week == of_week,
    }
}

#[cfg(test)]
mod tests {
    use super::{check, next};
    use wolke_wire::Timestamp;
    use wolke_wire::cloud::storage_box::SnapshotPlan;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn plan(day_of_week: Option<i64>, day_of_month: Option<i64>) -> SnapshotPlan {
        SnapshotPlan { max_snapshots: 3, minute: 30, hour: 6, day_of_week, day_of_month }
    }

    #[test]
    fn appointments() {
        // 2026-11-21 was a Saturday.
        for (wish, now, expected) in [
            (plan(None, None), "2026-11-21T06:29:59Z", "2026-11-21T06:30:00Z"),
            (plan(None, None), "2026-11-21T06:30:00Z", "2026-11-22T06:30:00Z"),
            (plan(Some(6), None), "2026-11-21T07:00:00Z", "2026-11-28T06:30:00Z"),
            (plan(Some(7), None), "2026-11-21T00:00:00Z", "2026-11-22T06:30:00Z"),
            (plan(Some(1), None), "2026-11-21T00:00:00Z", "2026-11-23T06:30:00Z"),
            (plan(None, Some(1)), "2026-11-21T00:00:00Z", "2026-12-01T06:30:00Z"),
            (plan(None, Some(31)), "2026-11-21T00:00:00Z", "2026-12-31T06:30:00Z"),
            (plan(None, Some(31)), "2027-01-31T06:30:00Z", "2027-03-31T06:30:00Z"),
            (plan(None, Some(29)), "2027-01-29T06:30:00Z", "2027-03-29T06:30:00Z"),
            (plan(None, Some(29)), "2028-01-29T06:30:00Z", "2028-02-29T06:30:00Z"),
            (plan(Some(1), Some(22)), "2026-11-21T00:00:00Z", "2026-11-22T06:30:00Z"),
            (plan(Some(1), Some(22)), "2026-11-22T07:00:00Z", "2026-11-23T06:30:00Z"),
        ] {
            assert_eq!(next(&wish, at(now)), at(expected), "{wish:?} after {now}");
        }
    }

    #[test]
    fn every_plan_comes_again() {
        for of_month in 1..=31 {
            for of_week in [None, Some(3)] {
                let wish = plan(of_week, Some(of_month));
                let mut now = at("2027-01-01T00:00:00Z");
                for _ in 0..30 {
                    let found = next(&wish, now);
                    let (month, week) = found.day();
                    assert!(found > now && (month == of_month || of_week == Some(week)), "{wish:?} after {now}");
                    now = found;
                }
            }
        }
    }

    #[test]
    fn a_plan_keeps_no_more_than_the_type_allows() {
        assert!(check(&plan(None, None), Some(3)).is_ok() && check(&plan(None, None), None).is_ok());
        let error = check(&plan(None, None), Some(2)).unwrap_err();
        assert!(error.message().starts_with("invalid input in field 'max_snapshots'"));
    }
}
