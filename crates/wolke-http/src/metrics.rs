//! Counters of the request path, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Upper bounds of the histogram of durations, in milliseconds.
const BOUNDS_MS: [i64; 8] = [1, 5, 10, 25, 50, 100, 500, 2_500];

/// The label of requests that reached no operation.
const NO_OPERATION: &str = "none";

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By operation and status. Bounded: operations are the table's, statuses the contract's.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Requests by duration: one counter for each bound, and one beyond.
    durations: [AtomicU64; BOUNDS_MS.len() + 1],
    duration_sum_ms: AtomicU64,
    unknown_members: AtomicU64,
    panics: AtomicU64,
}

impl Metrics {
    /// Counts an answered request.
    pub fn request(&self, operation: Option<&'static str>, status: u16, duration_ms: i64) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((operation.unwrap_or(NO_OPERATION), status)).or_default() += 1;
        drop(requests);
        let bucket = BOUNDS_MS.iter().position(|bound| duration_ms <= *bound).unwrap_or(BOUNDS_MS.len());
        if let Some(counter) = self.durations.get(bucket) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.duration_sum_ms.fetch_add(u64::try_from(duration_ms).unwrap_or(0), Ordering::Relaxed);
    }

    /// Counts members of requests that the dialect does not know and that were ignored.
    pub fn unknown_members(&self, number: usize) {
        self.unknown_members.fetch_add(number as u64, Ordering::Relaxed);
    }

    /// Counts a panic on the request path.
    pub fn panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything as text. `commits` is the store's counter.
    #[must_use]
    pub fn render(&self, commits: u64) -> String {
        let mut text = String::new();
        header(&mut text, "wolke_http_requests_total", "counter", "Requests by operation and status.");
        for ((operation, status), n) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "wolke_http_requests_total{{operation=\"{operation}\",status=\"{status}\"}} {n}");
        }
        self.render_durations(&mut text);
        for (name, help, value) in [
            ("wolke_http_unknown_members_total", "Request members that were ignored.", load(&self.unknown_members)),
            ("wolke_http_panics_total", "Requests that met a bug.", load(&self.panics)),
            ("wolke_store_commits_total", "Transactions committed by this process.", commits),
        ] {
            header(&mut text, name, "counter", help);
            let _ = writeln!(text, "{name} {value}");
        }
        text
    }

    fn render_durations(&self, text: &mut String) {
        let name = "wolke_http_request_duration_seconds";
        header(text, name, "histogram", "Time from a request's head to its answer.");
        let mut total = 0;
        let bounds = BOUNDS_MS.iter().map(|ms| format!("{}.{:03}", ms / 1000, ms % 1000)).chain(["+Inf".to_owned()]);
        for (bound, counter) in bounds.zip(&self.durations) {
            total += load(counter);
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
        }
        let sum = load(&self.duration_sum_ms);
        let _ = writeln!(text, "{name}_sum {}.{:03}\n{name}_count {total}", sum / 1000, sum % 1000);
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn header(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn text_format() {
        let metrics = Metrics::default();
        metrics.request(Some("get_server"), 200, 0);
        metrics.request(Some("get_server"), 200, 7);
        metrics.request(None, 404, 9_000);
        metrics.unknown_members(3);
        let text = metrics.render(12);
        for line in [
            "wolke_http_requests_total{operation=\"get_server\",status=\"200\"} 2",
            "wolke_http_requests_total{operation=\"none\",status=\"404\"} 1",
            "wolke_http_request_duration_seconds_bucket{le=\"0.001\"} 1",
            "wolke_http_request_duration_seconds_bucket{le=\"0.010\"} 2",
            "wolke_http_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "wolke_http_request_duration_seconds_sum 9.007",
            "wolke_http_request_duration_seconds_count 3",
            "wolke_http_unknown_members_total 3",
            "wolke_store_commits_total 12",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }
}
