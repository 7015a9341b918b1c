//! What metrics of all kinds of resources have in common: the request, its window, and the answer.

use crate::view::Json;
use std::collections::BTreeMap;
use wolke_domain::metrics::{Window, WindowError};
use wolke_domain::{Error, Result};
use wolke_wire::cloud::metrics::{Metrics, Sample, Seconds, TimeSeries};
use wolke_wire::{Dialect, Timestamp};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct MetricsRequest<T> {
    /// Which metrics.
    pub types: Vec<T>,
    /// The first sample.
    pub start: Timestamp,
    /// No sample is later.
    pub end: Timestamp,
    /// Seconds between two samples.
    pub step: Option<f64>,
}

/// The samples of a series: a time and its value each.
pub(crate) type Values = Vec<(Timestamp, f64)>;

/// Samples of an answer to a request without a step (dialects A.7).
const fn default_samples(dialect: Dialect) -> i64 {
    if dialect.has_100_samples_without_step() { 100 } else { 200 }
}

/// The points in time that a request asks for.
///
/// # Errors
/// `invalid_input`.
pub(crate) fn window<T>(request: &MetricsRequest<T>, dialect: Dialect, now: Timestamp) -> Result<Window> {
    let asked = (request.start, request.end);
    Window::new(asked, request.step, default_samples(dialect), now).map_err(|error| match error {
        WindowError::EndBeforeStart => Error::invalid("end", "must not lie before start"),
        WindowError::Step => Error::invalid("step", "must be a positive number of seconds"),
    })
}

/// The answer: each series by its name.
///
/// # Errors
/// Internal.
pub(crate) fn show(values: Vec<(&'static str, Values)>, window: &Window) -> Result<Json> {
    let shown = |(name, values)| (name, time_series(window.shown(values)));
    let time_series: BTreeMap<_, _> = values.into_iter().map(shown).collect();
    let metrics = Metrics { start: window.start, end: window.end, step: Seconds(window.step_ms), time_series };
    serde_json::to_vec(&serde_json::json!({ "metrics": metrics }))
        .map_err(|e| Error::internal(format!("rendering metrics: {e}")))
}

fn time_series(values: Values) -> TimeSeries {
    let values = values.into_iter().map(|(at, value)| Sample(Seconds(at.0), decimal(value)));
    TimeSeries { values: values.collect() }
}

/// Three decimals are more than anybody looks at.
fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn values_are_short() {
        let texts: Vec<_> = [0.0, 12.5, 100.0, 0.12345, 1_234_567.0].into_iter().map(decimal).collect();
        assert_eq!(texts, ["0", "12.5", "100", "0.123", "1234567"]);
    }
}
