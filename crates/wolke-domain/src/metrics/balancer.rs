//! Metrics of load balancers: the bandwidth of [`super::Load`] while there was something to serve, and what follows from it.
//!
//! As for servers, the past follows from what the load balancer was then ([`Serving`]), and traffic is the sum of bandwidth.

use super::load::{Load, Phase, Traffic};
use super::{Series, Window};
use crate::load_balancer::serving::Serving;
use wolke_wire::cloud::metrics::BalancerMetricType;
use wolke_wire::{Id, Timestamp};

/// Bytes that a connection sends, on average.
const CONNECTION_BYTES: f64 = 24_000.0;
/// How long a connection lasts, in seconds, on average.
const CONNECTION_S: f64 = 8.0;
/// Requests of a connection of HTTP, on average.
const REQUESTS: f64 = 3.0;
/// Load balancers and servers have ids of their own: one of each with the same id shall not look alike.
const SALT: Id = 0x6c6f_6164;

/// A series of samples of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalancerSeries {
    /// Connections that are open.
    OpenConnections,
    /// Connections opened in a second.
    ConnectionsPerSecond,
    /// Requests of HTTP and HTTPS in a second.
    RequestsPerSecond,
    /// Bytes received in a second.
    BandwidthIn,
    /// Bytes sent in a second.
    BandwidthOut,
}

impl BalancerSeries {
    /// The contract's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenConnections => "open_connections",
            Self::ConnectionsPerSecond => "connections_per_second",
            Self::RequestsPerSecond => "requests_per_second",
            Self::BandwidthIn => "bandwidth.in",
            Self::BandwidthOut => "bandwidth.out",
        }
    }
}

/// The series of a type, in the contract's order (dialects D.3).
#[must_use]
pub const fn balancer_series(kind: BalancerMetricType) -> &'static [BalancerSeries] {
    match kind {
        BalancerMetricType::OpenConnections => &[BalancerSeries::OpenConnections],
        BalancerMetricType::ConnectionsPerSecond => &[BalancerSeries::ConnectionsPerSecond],
        BalancerMetricType::RequestsPerSecond => &[BalancerSeries::RequestsPerSecond],
        BalancerMetricType::Bandwidth => &[BalancerSeries::BandwidthIn, BalancerSeries::BandwidthOut],
    }
}

/// A load balancer's load.
#[derive(Clone, Debug)]
pub struct BalancerLoad<'a> {
    id: Id,
    created: Timestamp,
    history: &'a [Serving],
    phases: Vec<Phase>,
}

impl<'a> BalancerLoad<'a> {
    /// The load of a load balancer that did this, oldest first.
    #[must_use]
    pub fn new(id: Id, created: Timestamp, history: &'a [Serving]) -> Self {
        let phase = |serving: &Serving| Phase { since: serving.since, running: serving.busy, cores: 1, public: true };
        Self { id, created, history, phases: history.iter().map(phase).collect() }
    }

    fn load(&self) -> Load<'_> {
        Load { server: self.id ^ SALT, created: self.created, phases: &self.phases }
    }

    /// The value of a series at a point in time.
    #[must_use]
    pub fn at(&self, series: BalancerSeries, at: Timestamp) -> f64 {
        let later = self.history.partition_point(|serving| serving.since <= at);
        let Some(serving) = later.checked_sub(1).and_then(|index| self.history.get(index)) else { return 0.0 };
        let bytes = |series| self.load().at(series, at);
        let opened = || bytes(Series::NetworkBandwidthOut) / CONNECTION_BYTES;
        match series {
            BalancerSeries::BandwidthIn => bytes(Series::NetworkBandwidthIn),
            BalancerSeries::BandwidthOut => bytes(Series::NetworkBandwidthOut),
            BalancerSeries::ConnectionsPerSecond => opened(),
            BalancerSeries::OpenConnections => (opened() * CONNECTION_S).min(f64::from(serving.connections)),
            BalancerSeries::RequestsPerSecond if serving.http => opened() * REQUESTS,
            BalancerSeries::RequestsPerSecond => 0.0,
        }
    }

    /// The samples of a series since the load balancer was made: a time and its value each.
    #[must_use]
    pub fn samples(&self, series: BalancerSeries, window: &Window) -> Vec<(Timestamp, f64)> {
        window.times_since(self.created).map(|at| (at, self.at(series, at))).collect()
    }

    /// What has gone through between two points in time.
    #[must_use]
    pub fn traffic(&self, from: Timestamp, to: Timestamp) -> Traffic {
        self.load().traffic(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_219_200_000);
    const HOUR_MS: i64 = 60 * 60 * 1000;

    fn after(hours: i64) -> Timestamp {
        START.plus_ms(hours * HOUR_MS)
    }

    fn all() -> impl Iterator<Item = BalancerSeries> {
        BalancerMetricType::ALL.iter().flat_map(|kind| balancer_series(*kind).iter().copied())
    }

    fn serving(hours: i64, busy: bool, http: bool) -> Serving {
        Serving { since: after(hours), busy, http, connections: 2 }
    }

    #[test]
    fn nothing_flows_without_services_and_targets() {
        let history = [serving(0, false, false), serving(2, true, true), serving(9, false, true)];
        let load = BalancerLoad::new(7, START, &history);
        for series in all() {
            assert_eq!(
                (load.at(series, after(-1)), load.at(series, after(1)), load.at(series, after(10))),
                (0.0, 0.0, 0.0)
            );
            assert!(load.at(series, after(5)) > 0.0, "{series:?}");
        }
        assert_eq!(load.traffic(START, after(2)), Traffic::default());
        let traffic = load.traffic(START, after(12));
        assert!(traffic.outgoing > 0 && traffic == load.traffic(after(2), after(9)));
    }

    #[test]
    fn samples_begin_with_the_load_balancer() {
        let history = [serving(0, true, true)];
        let window = Window::new((after(-2), after(2)), Some(3600.0), 200, after(2)).unwrap();
        let samples = BalancerLoad::new(7, START, &history).samples(BalancerSeries::BandwidthOut, &window);
        assert_eq!(samples.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [after(0), after(1), after(2)]);
        assert!(samples.iter().all(|(_, value)| *value > 0.0));
    }

    #[test]
    fn only_http_has_requests_and_connections_have_an_end() {
        let history = [serving(0, true, false)];
        let load = BalancerLoad::new(7, START, &history);
        for minute in 0..600 {
            let at = START.plus_ms(minute * 60_000);
            assert_eq!(load.at(BalancerSeries::RequestsPerSecond, at).to_bits(), 0.0_f64.to_bits());
            assert!(load.at(BalancerSeries::OpenConnections, at) <= 2.0);
        }
    }

    #[test]
    fn a_server_with_the_same_id_is_another_one() {
        let history = [serving(0, true, false)];
        let load = BalancerLoad::new(7, START, &history);
        let server = Load { server: 7, created: START, phases: &load.phases };
        let out = Series::NetworkBandwidthOut;
        assert_ne!(load.at(BalancerSeries::BandwidthOut, after(3)).to_bits(), server.at(out, after(3)).to_bits());
    }
}
