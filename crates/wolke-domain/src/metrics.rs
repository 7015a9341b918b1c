//! Metrics of servers and load balancers: of real servers from what was measured ([`measured`]), of simulated ones as functions of
//! the server, of world time and of when its machine ran.
//!
//! Of the simulated ones nothing is stored. The same server shows the same load at the same second whenever it is asked, before and after a
//! restart. Load follows the day, differs from hour to hour and jitters from minute to minute; a boot costs some minutes of
//! processor and disk. While a machine stands still everything is zero; before it was made there are no samples. Traffic counters are the
//! sum of the same bandwidth, so that the two agree.

mod balancer;
mod load;
mod measured;
mod window;

pub use balancer::{BalancerLoad, BalancerSeries, balancer_series};
pub use load::{Load, Phase, Traffic};
pub use measured::{Counters, GAP_MS_MAX, Measured, measured};
pub use window::{DAYS_KEPT, SAMPLES_MAX, Window, WindowError};

use wolke_wire::Timestamp;
use wolke_wire::cloud::metrics::MetricType;

/// The series of a type, in the contract's order (dialects D.3).
#[must_use]
pub const fn series(kind: MetricType) -> &'static [Series] {
    match kind {
        MetricType::Cpu => &[Series::Cpu],
        MetricType::Disk => {
            &[Series::DiskReads, Series::DiskWrites, Series::DiskReadBandwidth, Series::DiskWriteBandwidth]
        }
        MetricType::Network => {
            &[Series::PacketsIn, Series::PacketsOut, Series::NetworkBandwidthIn, Series::NetworkBandwidthOut]
        }
    }
}

/// A series of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Per cent of one processor; a server with four can show 400.
    Cpu,
    /// Reads a second.
    DiskReads,
    /// Writes a second.
    DiskWrites,
    /// Bytes read a second.
    DiskReadBandwidth,
    /// Bytes written a second.
    DiskWriteBandwidth,
    /// Packets received a second.
    PacketsIn,
    /// Packets sent a second.
    PacketsOut,
    /// Bytes received a second.
    NetworkBandwidthIn,
    /// Bytes sent a second.
    NetworkBandwidthOut,
}

impl Series {
    /// The contract's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::DiskReads => "disk.0.iops.read",
            Self::DiskWrites => "disk.0.iops.write",
            Self::DiskReadBandwidth => "disk.0.bandwidth.read",
            Self::DiskWriteBandwidth => "disk.0.bandwidth.write",
            Self::PacketsIn => "network.0.pps.in",
            Self::PacketsOut => "network.0.pps.out",
            Self::NetworkBandwidthIn => "network.0.bandwidth.in",
            Self::NetworkBandwidthOut => "network.0.bandwidth.out",
        }
    }
}

/// The samples of a series since the server was made: a time and its value each.
#[must_use]
pub fn samples(load: &Load<'_>, series: Series, window: &Window) -> Vec<(Timestamp, f64)> {
    window.times_since(load.created).map(|at| (at, load.at(series, at))).collect()
}

/// The first moment of the billing period that a time lies in: the calendar month, in UTC.
#[must_use]
pub fn period_start(now: Timestamp) -> Timestamp {
    now.month_start()
}

#[cfg(test)]
mod tests {
    use super::period_start;
    use wolke_wire::Timestamp;

    #[test]
    fn a_billing_period_is_a_month() {
        let start = |text| period_start(Timestamp::parse(text).unwrap()).to_string();
        assert_eq!(start("2026-11-22T13:14:15Z"), "2026-11-01T00:00:00+00:00");
        assert_eq!(start("2024-02-29T23:59:59.999Z"), "2024-02-01T00:00:00+00:00");
        assert_eq!(start("2026-12-01T00:00:00Z"), "2026-12-01T00:00:00+00:00");
    }
}
