//! Metrics and traffic of servers: of real ones from what was measured, of simulated ones from their power history, by rules
//! of `wolke-domain`.

use crate::control::{Caller, Control};
use crate::metrics::{MetricsRequest, show, window};
use crate::real::RealHosts;
use crate::view::Json;
use wolke_domain::Result;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::metrics::{self, Load, Phase, Traffic, period_start, samples, series};
use wolke_domain::server::Server;
use wolke_store::server::Power;
use wolke_store::{Tx, primary_ip, server, usage};
use wolke_wire::cloud::metrics::MetricType;
use wolke_wire::{Id, Timestamp};

/// What is asked for.
pub type ServerMetricsRequest = MetricsRequest<MetricType>;

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
    pub async fn server_metrics(&self, caller: &Caller, id: Id, request: ServerMetricsRequest) -> Result<Json> {
        let (core, caller) = (std::sync::Arc::clone(&self.core), *caller);
        let (window, values) = self
            .db
            .read(move |tx| {
                let found = server::expect(tx, caller.project, id)?.value;
                let window = window(&request, caller.dialect, tx.now())?;
                let all = request.types.iter().flat_map(|kind| series(*kind));
                if is_real(&core.real(), &found) {
                    let before = window.start.plus_ms(-window.step_ms);
                    let samples = usage::samples(tx, id, (before, window.end))?;
                    let values = all.map(|one| (one.name(), metrics::measured(&samples, *one, &window))).collect();
                    return Ok((window, values));
                }
                let phases = phases(tx, &core.catalogue(), &found, window.start)?;
                let load = Load { server: id, created: found.created, phases: &phases };
                let values: Vec<_> = all.map(|one| (one.name(), samples(&load, *one, &window))).collect();
                Ok((window, values))
            })
            .await?;
        show(values, &window)
    }
}

/// Whether a server's machine is a real one, of which nothing is known but what was measured.
fn is_real(real: &RealHosts, server: &Server) -> bool {
    server.host.is_some_and(|on| real.get(on).is_some())
}
