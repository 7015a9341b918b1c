//! Metrics and traffic of load balancers, by the rules of `wolke-domain`.

use crate::control::{Caller, Control};
use crate::metrics::{MetricsRequest, show, window};
use crate::view::Json;
use wolke_domain::Result;
use wolke_domain::metrics::{BalancerLoad, Traffic, balancer_series, period_start};
use wolke_store::load_balancer::{self, LoadBalancer};
use wolke_wire::cloud::metrics::BalancerMetricType;
use wolke_wire::{Id, Timestamp};

/// What is asked for.
pub type BalancerMetricsRequest = MetricsRequest<BalancerMetricType>;

fn load(balancer: &LoadBalancer) -> BalancerLoad<'_> {
    BalancerLoad::new(balancer.id, balancer.created, &balancer.details.history)
}

/// What has gone through in this billing period, as of the hour that began last.
pub(super) fn traffic(balancer: &LoadBalancer, now: Timestamp) -> Traffic {
    load(balancer).traffic(period_start(now), now.whole_hour())
}

impl Control {
    /// The metrics of a load balancer as `{"metrics": {…}}`.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a period or step that is none.
    pub async fn load_balancer_metrics(
        &self,
        caller: &Caller,
        id: Id,
        request: BalancerMetricsRequest,
    ) -> Result<Json> {
        let caller = *caller;
        let (window, values) = self
            .db
            .read(move |tx| {
                let found = load_balancer::expect(tx, caller.project, id)?.value;
                let window = window(&request, caller.dialect, tx.now())?;
                let load = load(&found);
                let all = request.types.iter().flat_map(|kind| balancer_series(*kind));
                let values: Vec<_> = all.map(|one| (one.name(), load.samples(*one, &window))).collect();
                Ok((window, values))
            })
            .await?;
        show(values, &window)
    }
}
