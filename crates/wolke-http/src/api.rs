//! What the request path shares: the application, settings, limits and counters.

use crate::correlation::Correlations;
use crate::metrics::Metrics;
use crate::rate::RateLimits;
use crate::route::Routes;
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use wolke_control::Control;
use wolke_domain::clock::Clock;
use wolke_wire::Dialect;

/// How an installation's API differs from another's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The dialect of tokens without one of their own.
    pub dialect: Dialect,
    /// Requests an hour and project that are enforced; none counts without refusing.
    pub rate_limit: Option<u32>,
    /// Keeps the correlation ids of processes apart: any number.
    pub correlation_seed: u64,
}

/// The state of the request path.
pub struct Api {
    /// The application.
    pub control: Arc<Control>,
    /// Settings.
    pub settings: Settings,
    /// Real time, for durations and rate limits.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Metrics,
    pub(crate) rates: RateLimits,
    pub(crate) consoles: Arc<crate::console::Places>,
    pub(crate) routes: Routes,
    pub(crate) correlations: Correlations,
    /// What `/v1/openapi.json` answers, once it was asked for.
    pub(crate) document: OnceLock<Bytes>,
}

impl Api {
    /// Puts the parts together.
    #[must_use]
    pub fn new(control: Arc<Control>, clock: Arc<dyn Clock>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            control,
            settings,
            clock,
            metrics: Metrics::default(),
            rates: RateLimits::new(settings.rate_limit),
            consoles: Arc::default(),
            routes: Routes::new(),
            correlations: Correlations::new(settings.correlation_seed),
            document: OnceLock::new(),
        })
    }
}
