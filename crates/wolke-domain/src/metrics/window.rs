//! Which samples are asked for.

use wolke_wire::Timestamp;

/// Days back for which there are metrics (dialects A.7).
pub const DAYS_KEPT: i64 = 30;

/// Samples of an answer; a finer step is raised (dialects A.7).
pub const SAMPLES_MAX: i64 = 500;

/// Milliseconds of a second and of a day.
const SECOND_MS: i64 = 1000;
const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;

/// A period in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first sample; what lies further back than [`DAYS_KEPT`] is left out.
    pub start: Timestamp,
    /// No sample lies behind it; never in the future.
    pub end: Timestamp,
    /// Between two samples, in milliseconds.
    pub step_ms: i64,
    /// Nothing of it lies between then and now.
    empty: bool,
}

/// Why a window is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowError {
    /// The end lies before the start.
    EndBeforeStart,
    /// A step that is no positive number of seconds.
    Step,
}

impl Window {
    /// The window of a request. `step` is in seconds; without one it is such that at most `default_samples` fit.
    ///
    /// # Errors
    /// See [`WindowError`].
    pub fn new(
        (start, end): (Timestamp, Timestamp),
        step: Option<f64>,
        default_samples: i64,
        now: Timestamp,
    ) -> Result<Self, WindowError> {
        if end < start {
            return Err(WindowError::EndBeforeStart);
        }
        let horizon = now.plus_ms(-DAYS_KEPT * DAY_MS);
        let end = end.min(now);
        let length = end.0.saturating_sub(start.max(horizon).0).max(0);
        // An empty period has a step all the same.
        let step_ms = match step {
            None => least_step(length, default_samples),
            Some(seconds) => milliseconds(seconds)?.max(least_step(length, SAMPLES_MAX)),
        };
        if start >= horizon {
            return Ok(Self { start: start.min(end), end, step_ms, empty: start > end });
        }
        // What is left out leaves the other samples where they are: with a step, the same question has the same ones later.
        let left_out = (horizon.0 - start.0 + step_ms - 1) / step_ms;
        let first = start.plus_ms(left_out.saturating_mul(step_ms));
        Ok(Self { start: first.min(end), end, step_ms, empty: first > end })
    }

    /// The times of its samples: none when all of it lies in the future or too far back.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        let Self { start, end, step_ms, empty } = *self;
        let all = (0..).map(move |n: i64| start.plus_ms(n.saturating_mul(step_ms)));
        all.take_while(move |at| !empty && *at <= end)
    }

    /// Those of them from a point in time on.
    pub fn times_since(&self, first: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.times().filter(move |at| *at >= first)
    }

    /// The samples as they are shown. One alone of a longer period is not: a resource that was made just now has nothing that
    /// could be drawn yet, and clients that scale what they draw fail on it (the CLI's graphs; for no samples it has a sentence).
    #[must_use]
    pub fn shown<T>(&self, samples: Vec<T>) -> Vec<T> {
        let is_longer = self.times().nth(1).is_some();
        if is_longer && samples.len() == 1 { Vec::new() } else { samples }
    }
}

/// The least whole number of seconds with which both ends and everything between are at most `samples`.
const fn least_step(length_ms: i64, samples: i64) -> i64 {
    let gaps = (samples - 1) * SECOND_MS;
    let seconds = (length_ms + gaps - 1) / gaps;
    if seconds < 1 { SECOND_MS } else { seconds * SECOND_MS }
}

fn milliseconds(seconds: f64) -> Result<i64, WindowError> {
    let ms = seconds * 1000.0;
    if !(ms >= 1.0 && ms <= (i64::MAX / 4) as f64) {
        return Err(WindowError::Step);
    }
    #[allow(clippy::cast_possible_truncation, reason = "checked just above")]
    Ok(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES_MAX, Window, WindowError};
    use proptest::prelude::*;
    use wolke_wire::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_219_200_000);

    fn ago(hours: i64) -> Timestamp {
        NOW.plus_ms(-hours * 3_600_000)
    }

    #[test]
    fn steps_follow_the_period() {
        let window = Window::new((ago(1), NOW), None, 200, NOW).unwrap();
        assert_eq!((window.step_ms, window.times().count()), (19_000, 190));
        let window = Window::new((ago(1), NOW), None, 100, NOW).unwrap();
        assert_eq!((window.step_ms, window.times().count()), (37_000, 98));
        let window = Window::new((ago(1), NOW), Some(60.0), 200, NOW).unwrap();
        assert_eq!((window.step_ms, window.times().count()), (60_000, 61));
        let window = Window::new((ago(24), NOW), Some(1.0), 200, NOW).unwrap();
        assert!(window.step_ms == 174_000 && window.times().count() <= 500);
    }

    #[test]
    fn the_past_is_short_and_the_future_empty() {
        let window = Window::new((ago(24 * 365), NOW), None, 200, NOW).unwrap();
        // On the grid that began a year ago, and within the last thirty days.
        assert!(window.start >= ago(24 * 30) && window.start.0 - ago(24 * 30).0 < window.step_ms);
        assert_eq!((window.start.0 - ago(24 * 365).0) % window.step_ms, 0);
        let window = Window::new((ago(-2), ago(-4)), Some(60.0), 200, NOW).unwrap();
        assert_eq!(window.times().count(), 0);
        let window = Window::new((ago(24 * 400), ago(24 * 300)), None, 200, NOW).unwrap();
        assert_eq!(window.times().count(), 0);
    }

    #[test]
    fn samples_begin_somewhere_and_one_alone_is_none() {
        let window = Window::new((ago(4), NOW), Some(3600.0), 200, NOW).unwrap();
        let since = |first| window.shown(window.times_since(first).collect());
        assert_eq!(since(ago(1)), [ago(1), NOW]);
        assert_eq!(since(ago(9)).len(), 5);
        assert_eq!((since(NOW), since(ago(-1))), (Vec::new(), Vec::new()));
        let moment = Window::new((NOW, NOW), None, 200, NOW).unwrap();
        assert_eq!(moment.shown(moment.times_since(ago(1)).collect()), [NOW], "it was all that was asked for");
    }

    #[test]
    fn what_is_no_window() {
        assert_eq!(Window::new((NOW, ago(1)), None, 200, NOW), Err(WindowError::EndBeforeStart));
        for step in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.0001, 1e300] {
            assert_eq!(Window::new((ago(1), NOW), Some(step), 200, NOW), Err(WindowError::Step), "{step}");
        }
    }

    proptest! {
        #[test]
        fn samples_are_bounded(start in 0_i64..4_000, length in 0_i64..4_000, step in prop::option::of(0.001_f64..1e9)) {
            let window = Window::new((ago(start), ago(start - length)), step, 200, NOW).unwrap();
            let count = window.times().count();
            prop_assert!(count <= usize::try_from(SAMPLES_MAX).unwrap());
            prop_assert!(step.is_some() || count <= 200);
            prop_assert!(window.times().all(|at| at >= window.start && at <= window.end && at <= NOW));
            prop_assert!(window.start <= window.end);
        }
    }
}
