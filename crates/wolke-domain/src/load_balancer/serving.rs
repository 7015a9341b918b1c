//! When a load balancer had something to do: what its metrics and its traffic follow from.

use serde::{Deserialize, Serialize};
use wolke_wire::cloud::load_balancer::{Protocol, Service};
use wolke_wire::{Id, Timestamp};

/// How long it is remembered: a billing month and the 30 days of metrics, in milliseconds.
pub const HISTORY_MS: i64 = 62 * 24 * 60 * 60 * 1000;
/// How many changes are remembered at most: the newest ones.
pub const HISTORY_MAX: usize = 200;

/// What a load balancer did from a point in time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// From then on.
    pub since: Timestamp,
    /// It had a service that takes connections, and a target.
    pub busy: bool,
    /// One of those services spoke HTTP or HTTPS.
    pub http: bool,
    /// Connections that its type allows at the same time.
    pub connections: u32,
}

impl Serving {
    /// What a load balancer does with these services, of which it has some without effect ([`takes_connections`]).
    #[must_use]
    pub fn of(
        since: Timestamp,
        services: &[Service],
        is_issued: impl Fn(Id) -> bool,
        targets: usize,
        connections: u32,
    ) -> Self {
        let open = || services.iter().filter(|service| takes_connections(service, &is_issued));
        let http = open().any(|service| service.protocol != Protocol::Tcp);
        Self { since, busy: targets > 0 && open().next().is_some(), http, connections }
    }
}

/// Whether anybody gets through to a service. One that ends TLS needs a certificate that is there: a managed one may be named
/// before it is issued, and nobody gets through until then. Without any certificate TLS passes through.
#[must_use]
pub fn takes_connections(service: &Service, is_issued: impl Fn(Id) -> bool) -> bool {
    let certificates = service.http.as_ref().map(|http| http.certificates.as_slice()).unwrap_or_default();
    service.protocol != Protocol::Https || certificates.is_empty() || certificates.iter().any(|id| is_issued(*id))
}

/// Notes what a load balancer does from now on. Nothing is noted that has not changed.
pub fn note(history: &mut Vec<Serving>, now: Serving) {
    match history.last_mut() {
        Some(last) if Serving { since: now.since, ..*last } == now => return,
        // Changed twice at the same time: the first one never was.
        Some(last) if last.since == now.since => *last = now,
        _ => history.push(now),
    }
    let horizon = now.since.plus_ms(-HISTORY_MS);
    // The last one before the horizon says what it was then.
    let old = history.partition_point(|serving| serving.since <= horizon).saturating_sub(1);
    let surplus = history.len().saturating_sub(HISTORY_MAX);
    history.drain(..old.max(surplus));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(since: i64, busy: bool) -> Serving {
        Serving { since: Timestamp(since), busy, http: false, connections: 1 }
    }

    fn service(asked: serde_json::Value) -> Service {
        crate::load_balancer::service::make("", &serde_json::from_value(asked).unwrap()).unwrap()
    }

    #[test]
    fn nobody_gets_through_without_a_certificate_that_is_there() {
        let service = |certificates: &[Id]| {
            service(serde_json::json!({"protocol": "https", "http": {"certificates": certificates}}))
        };
        let is_issued = |id| id == 2;
        let takes = |certificates: &[Id]| takes_connections(&service(certificates), is_issued);
        assert_eq!([takes(&[]), takes(&[1]), takes(&[2]), takes(&[1, 2])], [true, false, true, true]);
        let of = |services: &[Service]| Serving::of(Timestamp(0), services, is_issued, 1, 9);
        let waiting = of(&[service(&[1])]);
        assert_eq!((waiting.busy, waiting.http), (false, false));
        let working = of(&[service(&[1]), service(&[2])]);
        assert_eq!((working.busy, working.http), (true, true));
        assert!(!Serving::of(Timestamp(0), &[service(&[2])], is_issued, 0, 9).busy, "without a target");
    }

    #[test]
    fn only_changes_are_noted() {
        let mut history = Vec::new();
        for (since, busy) in [(1, false), (2, false), (3, true), (3, false), (4, true)] {
            note(&mut history, serving(since, busy));
        }
        assert_eq!(history, [serving(1, false), serving(3, false), serving(4, true)]);
    }

    #[test]
    fn history_ends_somewhere() {
        let mut history = Vec::new();
        for n in 0..1_000 {
            note(&mut history, serving(n, n % 2 == 0));
        }
        assert_eq!((history.len(), history[HISTORY_MAX - 1].since.0), (HISTORY_MAX, 999));
        note(&mut history, serving(999 + HISTORY_MS, true));
        assert_eq!(history.len(), 2, "what it was at the horizon, and what it is now");
    }
}
