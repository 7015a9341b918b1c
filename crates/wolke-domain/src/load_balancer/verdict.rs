//! When checks come to a verdict: `retries` failures in a row make a target unhealthy, and as many successes healthy again
//! (dialects D.1).
//!
//! Checks of a target begin one `interval` after it is known with its service, and come again every `interval`. What a check
//! meets when it begins is what it finds. One that nobody answers is over after `timeout`, and the next one does not begin before
//! that. The detail of an unhealthy target is that of the last check.
//!
//! **Invariant:** a watch is a function of what was found when; how often somebody looks at it changes nothing. So it has to be
//! kept only when what is found changes, or what is shown.

use serde::{Deserialize, Serialize};
use wolke_wire::Timestamp;
use wolke_wire::cloud::load_balancer::{HealthCheck, HealthDetail, HealthStatus, TargetHealth};

/// What checks find, or what they have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How the target is.
    pub status: HealthStatus,
    /// Why it is unhealthy; only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<HealthDetail>,
    /// The status code that was not expected; only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status_code: Option<u16>,
}

impl Verdict {
    /// There were not enough checks yet.
    pub const UNKNOWN: Self = Self { status: HealthStatus::Unknown, detail: None, http_status_code: None };

    /// What is said of a target at one service.
    #[must_use]
    pub const fn of(health: &TargetHealth) -> Self {
        Self { status: health.status, detail: health.detail, http_status_code: health.http_status_code }
    }

    /// The same, said of a service.
    #[must_use]
    pub const fn at(self, listen_port: u16) -> TargetHealth {
        let Self { status, detail, http_status_code } = self;
        TargetHealth { listen_port, status, detail, http_status_code }
    }
}

/// How the checks of a service follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    interval_ms: i64,
    timeout_ms: i64,
    retries: u32,
}

impl Pace {
    /// The pace of a health check.
    #[must_use]
    pub fn of(check: &HealthCheck) -> Self {
        let ms = |seconds: u32| i64::from(seconds) * 1_000;
        Self { interval_ms: ms(check.interval), timeout_ms: ms(check.timeout), retries: check.retries }
    }

    /// How long a check takes that finds this, in milliseconds.
    const fn takes(&self, found: &Verdict) -> i64 {
        match found.detail {
            Some(HealthDetail::Layer4Timeout | HealthDetail::Layer7Timeout) => self.timeout_ms,
            _ => 0,
        }
    }

    /// From one such check to the next, in milliseconds.
    fn period(&self, found: &Verdict) -> i64 {
        self.interval_ms.max(self.takes(found)).max(1)
    }
}

/// The checks of one target at one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    shown: Verdict,
    found: Verdict,
    /// What the last checks were that were counted: of one status, so many in a row.
    row: (HealthStatus, u32),
    /// When the first check begins that was not counted, in milliseconds of world time.
    next: i64,
    /// A verdict that the last counted check has come to, and when that check is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided: Option<(i64, Verdict)>,
}

impl Watch {
    /// Of a target, a service or a check that is new: unknown until there were enough checks.
    #[must_use]
    pub fn new(now: Timestamp, found: Verdict, pace: &Pace) -> Self {
        let next = now.plus_ms(pace.interval_ms).0;
        Self { shown: Verdict::UNKNOWN, found, row: (found.status, 0), next, decided: None }
    }

    /// As after checks that have all found this.
    #[must_use]
    pub fn settled(now: Timestamp, found: Verdict, pace: &Pace) -> Self {
        Self { shown: found, row: (found.status, pace.retries), ..Self::new(now, found, pace) }
    }

    /// What checks have come to.
    #[must_use]
    pub const fn shown(&self) -> Verdict {
        self.shown
    }

    /// What checks find from now on.
    #[must_use]
    pub const fn found(&self) -> Verdict {
        self.found
    }

    /// The same at a later time, and from then on checks find `found`.
    #[must_use]
    pub fn follow(mut self, now: Timestamp, found: Verdict, pace: &Pace) -> Self {
        self.settle(now);
        self.count(now, pace);
        self.settle(now);
        self.found = found;
        self
    }

    /// When what is shown changes if what is found stays.
    #[must_use]
    pub fn due(&self, pace: &Pace) -> Option<Timestamp> {
        let decided = self.decided.map(|(at, _)| at);
        decided.or_else(|| self.turns(pace).map(|(_, at)| at)).map(Timestamp)
    }

    /// Shows what was decided, once that check is over.
    const fn settle(&mut self, now: Timestamp) {
        if let Some((at, verdict)) = self.decided
            && at <= now.0
        {
            (self.shown, self.decided) = (verdict, None);
        }
    }

    /// Counts the checks that have begun: all of them have found the same.
    fn count(&mut self, now: Timestamp, pace: &Pace) {
        if now.0 < self.next {
            return;
        }
        let period = pace.period(&self.found);
        let begun = (now.0 - self.next) / period + 1;
        if let Some((_, at)) = self.turns(pace).filter(|(needed, _)| i64::from(*needed) <= begun) {
            self.decided = Some((at, self.found));
        }
        let begun_now = u32::try_from(begun).unwrap_or(u32::MAX);
        self.row = (self.found.status, self.in_a_row().saturating_add(begun_now).min(pace.retries));
        self.next += begun * period;
    }

    /// Checks in a row until now that agree with what is found.
    fn in_a_row(&self) -> u32 {
        if self.row.0 == self.found.status { self.row.1 } else { 0 }
    }

    /// How many more checks must find what is found before it is shown, and when the last of them is over; none when it is.
    fn turns(&self, pace: &Pace) -> Option<(u32, i64)> {
        let coming = self.decided.map_or(self.shown, |(_, verdict)| verdict);
        if self.found == coming {
            return None;
        }
        let needed = match self.found.status == coming.status {
            true => 1,
            false => pace.retries.saturating_sub(self.in_a_row()).max(1),
        };
        let last = self.next + i64::from(needed - 1) * pace.period(&self.found);
        Some((needed, last + pace.takes(&self.found)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Verdict, Watch};
    use wolke_wire::Timestamp;
    use wolke_wire::cloud::load_balancer::{HealthDetail, HealthStatus};

    const HEALTHY: Verdict = Verdict { status: HealthStatus::Healthy, detail: None, http_status_code: None };
    const REFUSES: Verdict = ill(HealthDetail::Layer4NoConnection);
    const SILENT: Verdict = ill(HealthDetail::Layer4Timeout);

    const fn ill(detail: HealthDetail) -> Verdict {
        Verdict { status: HealthStatus::Unhealthy, detail: Some(detail), http_status_code: None }
    }

    const fn pace(interval_s: i64, timeout_s: i64, retries: u32) -> Pace {
        Pace { interval_ms: interval_s * 1_000, timeout_ms: timeout_s * 1_000, retries }
    }

    /// Seconds.
    const fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    /// When it changes by itself, and to what: the first change in milliseconds.
    fn change(watch: &Watch, pace: &Pace) -> Option<(i64, Verdict)> {
        let due = watch.due(pace)?;
        let early = watch.follow(Timestamp(due.0 - 1), watch.found(), pace);
        assert_eq!(early.shown(), watch.shown(), "not before its time");
        let after = watch.follow(due, watch.found(), pace);
        assert_ne!(after.shown(), watch.shown());
        Some((due.0, after.shown()))
    }

    #[test]
    fn what_is_new_is_unknown_until_there_were_enough_checks() {
        for (retries, well, silent) in [(1, 15_000, 25_000), (3, 45_000, 55_000), (5, 75_000, 85_000)] {
            let pace = pace(15, 10, retries);
            for (found, due) in [(HEALTHY, well), (REFUSES, well), (SILENT, silent)] {
                let watch = Watch::new(at(0), found, &pace);
                assert_eq!(watch.shown(), Verdict::UNKNOWN);
                assert_eq!(change(&watch, &pace), Some((due, found)), "{retries} of {found:?}");
                assert_eq!(watch.follow(Timestamp(due), found, &pace).due(&pace), None, "nothing more to come");
            }
        }
    }

    #[test]
    fn as_many_failures_as_successes() {
        let pace = pace(15, 10, 3);
        let well = Watch::settled(at(0), HEALTHY, &pace);
        assert_eq!((well.shown(), well.due(&pace)), (HEALTHY, None));
        // Checks begin at 15, 30, 45, …: the third that meets it silent begins at 135.
        let silent = well.follow(at(100), SILENT, &pace);
        assert_eq!(change(&silent, &pace), Some((145_000, SILENT)));
        let refuses = well.follow(at(100), REFUSES, &pace);
        assert_eq!(change(&refuses, &pace), Some((135_000, REFUSES)));
        let back = silent.follow(at(200), HEALTHY, &pace);
        assert_eq!(back.shown(), SILENT);
        assert_eq!(change(&back, &pace), Some((240_000, HEALTHY)));
    }

    #[test]
    fn a_check_that_begins_just_then_has_met_what_was() {
        let pace = pace(10, 5, 1);
        let watch = Watch::settled(at(0), HEALTHY, &pace).follow(at(20), REFUSES, &pace);
        assert_eq!(change(&watch, &pace), Some((30_000, REFUSES)));
    }

    #[test]
    fn a_flap_starts_the_count_anew() {
        let pace = pace(10, 5, 3);
        let well = Watch::settled(at(0), HEALTHY, &pace);
        // Two checks fail (10, 20), one succeeds (30), and from 40 on they fail again.
        let flap = well.follow(at(5), REFUSES, &pace).follow(at(25), HEALTHY, &pace);
        assert_eq!((flap.shown(), flap.due(&pace)), (HEALTHY, None), "nothing has changed");
        let again = flap.follow(at(35), REFUSES, &pace);
        assert_eq!(change(&again, &pace), Some((60_000, REFUSES)));
        // Between two checks nobody has seen it.
        let unseen = well.follow(at(5), REFUSES, &pace).follow(at(21), HEALTHY, &pace).follow(at(29), REFUSES, &pace);
        assert_eq!(change(&unseen, &pace), Some((30_000, REFUSES)));
    }

    #[test]
    fn a_check_under_way_ends_as_it_began() {
        let pace = pace(15, 10, 1);
        let watch = Watch::settled(at(0), HEALTHY, &pace).follow(at(1), SILENT, &pace).follow(at(20), HEALTHY, &pace);
        assert_eq!(change(&watch, &pace), Some((25_000, SILENT)), "it began at 15");
        let after = watch.follow(at(25), HEALTHY, &pace);
        assert_eq!(change(&after, &pace), Some((30_000, HEALTHY)));
    }

    #[test]
    fn a_check_waits_for_the_one_before() {
        let pace = pace(5, 60, 3);
        let watch = Watch::settled(at(0), HEALTHY, &pace).follow(at(1), SILENT, &pace);
        // They begin at 5, 65 and 125.
        assert_eq!(change(&watch, &pace), Some((185_000, SILENT)));
    }

    #[test]
    fn failures_are_failures_whatever_their_reason() {
        let pace = pace(10, 5, 3);
        let watch = Watch::settled(at(0), HEALTHY, &pace).follow(at(1), SILENT, &pace).follow(at(21), REFUSES, &pace);
        assert_eq!(change(&watch, &pace), Some((30_000, REFUSES)), "10 and 20 were silent, 30 refuses");
        let ill = watch.follow(at(31), SILENT, &pace);
        assert_eq!(change(&ill, &pace), Some((45_000, SILENT)), "the last check says why");
    }

    #[test]
    fn how_often_somebody_looks_changes_nothing() {
        let pace = pace(7, 10, 3);
        let found = [HEALTHY, SILENT, REFUSES];
        // Pseudo-random findings, each for a while.
        let mut seed = 1_u64;
        let mut dice = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (mut seldom, mut now) = (Watch::new(at(0), HEALTHY, &pace), 0);
        let (mut often, mut flips) = (seldom, 0);
        for _ in 0..2_000 {
            let (until, next) = (now + dice(60_000) as i64, found[dice(3) as usize]);
            while now < until {
                now = (now + 1 + dice(9_000) as i64).min(until);
                let looked = often.follow(Timestamp(now), often.found(), &pace);
                flips += usize::from(looked.shown() != often.shown());
                often = looked;
                assert!(often.due(&pace).is_none_or(|due| due.0 > now), "what is due has happened");
            }
            (seldom, often) = (seldom.follow(Timestamp(now), next, &pace), often.follow(Timestamp(now), next, &pace));
            assert_eq!(seldom, often);
        }
        assert!(flips > 200, "{flips} flips");
    }
}
