//! The parameters of metrics, of whatever kind of resource.

use crate::call::Call;
use wolke_control::metrics::MetricsRequest;
use wolke_domain::{Error, Result};
use wolke_wire::Timestamp;

/// Reads the query of metrics. The contract has checked the types; `parse` reads one of them.
///
/// # Errors
/// `invalid_input` for what is no point in time, or no number of seconds.
pub(super) fn metrics_request<T>(call: &Call, parse: impl Fn(&str) -> Option<T>) -> Result<MetricsRequest<T>> {
    Ok(MetricsRequest {
        types: call.parameters("type").flat_map(|types| types.split(',')).filter_map(parse).collect(),
        start: time(call, "start")?,
        end: time(call, "end")?,
        step: call.parameter("step").map(|text| text.parse().map_err(|_| not_a_step())).transpose()?,
    })
}

fn time(call: &Call, name: &'static str) -> Result<Timestamp> {
    let text = call.parameter(name).unwrap_or_default();
    Timestamp::parse(text).map_err(|_| Error::invalid(name, "must be a point in time (RFC 3339)"))
}

fn not_a_step() -> Error {
    Error::invalid("step", "must be a number of seconds")
}
