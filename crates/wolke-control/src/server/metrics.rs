//! Metrics and traffic of servers: of real ones from what was measured, of simulated ones from their power history, by rules
//! of `wolke-domain`.

use crate::control::{Caller, Control};
use crate::real::RealHosts;
use crate::view::Json;
use std::collections::BTreeMap;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::metrics::{self, Load, Phase, Traffic, Window, WindowError, period_start, samples, series};
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_store::server::Power;
use wolke_store::{Tx, primary_ip, server, usage};
use wolke_wire::cloud::metrics::{MetricType, Metrics, Sample, Seconds, TimeSeries};
use wolke_wire::{Dialect, Id, Timestamp};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct MetricsRequest {
    /// Which metrics.
    pub types: Vec<MetricType>,
    /// The first sample.
    pub start: Timestamp,
    /// No sample is later.
    pub end: Timestamp,
    /// Seconds between two samples.
    pub step: Option<f64>,
}

/// Samples of an answer to a request without a step (dialects A.7).
const fn default_samples(dialect: Dialect) -> i64 {
    if matches!(dialect, Dialect::D2018_04) { 100 } else { 200 }
}

/// What a server's machine did since a point in time. One whose first boot is older than any history ran all the time.
fn phases(tx: &mut dyn Tx, catalogue: &Catalogue, server: &Server, since: Timestamp) -> Result<Vec<Phase>> {
    let cores = |id| catalogue.server_type_by_id(id).map_or(1, |kind| kind.cores);
    let history = server::power_history(tx, server.id, since)?;
    if history.is_empty() && server.status.runs() {
        let public = !primary_ip::of_server(tx, server.id)?.is_empty();
        return Ok(vec![Phase {
            since: server.created,
            running: true,
            cores: cores(server.details.server_type),
            public,
        }]);
    }
    let phase = |power: Power| {
        let Power { since, running, server_type, public } = power;
        Phase { since, running, cores: cores(server_type), public }
    };
    Ok(history.into_iter().map(phase).collect())
}

/// What has gone over the public interface in this billing period, as of the hour that began last: whoever asks twice
/// within it sees the same. Of a real server as of its last sample.
pub(crate) fn traffic(tx: &mut dyn Tx, real: &RealHosts, catalogue: &Catalogue, server: &Server) -> Result<Traffic> {
    let (from, to) = (period_start(tx.now()), tx.now().whole_hour());
    if is_real(real, server) {
        // Each sample that is kept touches the server.
        let now = tx.now();
        return usage::traffic(tx, server.id, (from, now));
    }
    // A server that is younger than the hour has no history worth the reading.
    if server.created >= to {
        return Ok(Traffic::default());
    }
    let phases = phases(tx, catalogue, server, from)?;
    Ok(Load { server: server.id, created: server.created, phases: &phases }.traffic(from, to))
}

impl Control {
    /// The metrics of a server as `{"metrics": {…}}`.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a period or step that is none.
    pub async fn server_metrics(&self, caller: &Caller, id: Id, request: MetricsRequest) -> Result<Json> {
        let (core, caller) = (std::sync::Arc::clone(&self.core), *caller);
        let metrics = self
            .db
            .read(move |tx| {
                let found = server::expect(tx, caller.project, id)?.value;
                let asked = (request.start, request.end);
                let window = Window::new(asked, request.step, default_samples(caller.dialect), tx.now())
                    .map_err(|error| refused(&error))?;
                if is_real(&core.real(), &found) {
                    let before = window.start.plus_ms(-window.step_ms);
                    let samples = usage::samples(tx, id, (before, window.end))?;
                    return Ok(shown(|one| metrics::measured(&samples, one, &window), &request.types, &window));
                }
                let phases = phases(tx, &core.catalogue(), &found, window.start)?;
                let load = Load { server: id, created: found.created, phases: &phases };
                Ok(shown(|one| samples(&load, one, &window), &request.types, &window))
            })
            .await?;
        serde_json::to_vec(&serde_json::json!({ "metrics": metrics }))
            .map_err(|e| Error::internal(format!("rendering metrics: {e}")))
    }
}

fn refused(error: &WindowError) -> Error {
    match error {
        WindowError::EndBeforeStart => Error::invalid("end", "must not lie before start"),
        WindowError::Step => Error::invalid("step", "must be a positive number of seconds"),
    }
}

/// Whether a server's machine is a real one, of which nothing is known but what was measured.
fn is_real(real: &RealHosts, server: &Server) -> bool {
    server.host.is_some_and(|on| real.get(on).is_some())
}

fn shown(values: impl Fn(metrics::Series) -> Vec<(Timestamp, f64)>, types: &[MetricType], window: &Window) -> Metrics {
    let all = types.iter().flat_map(|kind| series(*kind));
    let time_series: BTreeMap<_, _> = all.map(|one| (one.name(), time_series(values(*one)))).collect();
    Metrics { start: window.start, end: window.end, step: Seconds(window.step_ms), time_series }
}

fn time_series(values: Vec<(Timestamp, f64)>) -> TimeSeries {
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
