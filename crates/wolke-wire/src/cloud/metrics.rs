//! Metrics of servers and load balancers (dialects D.3).

use crate::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

text_enum! {
    /// What is measured.
    MetricType {
        /// The processor.
        Cpu = "cpu",
        /// The disk.
        Disk = "disk",
        /// The public interface.
        Network = "network",
    }
}

text_enum! {
    /// What is measured of a load balancer.
    BalancerMetricType {
        /// Connections that are open.
        OpenConnections = "open_connections",
        /// Connections that are opened.
        ConnectionsPerSecond = "connections_per_second",
        /// Requests of HTTP and HTTPS.
        RequestsPerSecond = "requests_per_second",
        /// Bytes in and out.
        Bandwidth = "bandwidth",
    }
}

/// Samples of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// The first sample.
    pub start: Timestamp,
    /// No sample is later.
    pub end: Timestamp,
    /// Seconds between two samples.
    pub step: Seconds,
    /// By the name of the series.
    pub time_series: BTreeMap<&'static str, TimeSeries>,
}

/// A series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeSeries {
    /// The samples in the order of time.
    pub values: Vec<Sample>,
}

/// A sample: its time, and its value as text (a number is a decode error in hcloud-go: fact sheet §3.1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample(pub Seconds, pub String);

/// Milliseconds that are shown as seconds, whole ones without a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            return s.serialize_i64(self.0 / 1000);
        }
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of any year fit")]
        s.serialize_f64(self.0 as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Sample, Seconds};

    #[test]
    fn samples_are_a_number_and_a_text() {
        let json = |ms| serde_json::to_string(&Sample(Seconds(ms), "42.5".into())).unwrap();
        assert_eq!(json(1_435_781_470_000), r#"[1435781470,"42.5"]"#);
        assert_eq!(json(1_435_781_470_622), r#"[1435781470.622,"42.5"]"#);
    }
}
