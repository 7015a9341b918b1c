//! What was measured on a real machine: from samples of counters to the series of the contract.
//!
//! Counters grow within one run and start from zero with the next one. Between two samples of one run the rate is their
//! difference over the time between them; where a run begins, it is what has been counted in it since.

use super::{Series, Traffic, Window};
use wolke_wire::Timestamp;

/// Samples further apart than this say nothing about the time between them: nobody measured, or nothing ran (milliseconds).
pub const GAP_MS_MAX: i64 = 5 * 60 * 1000;

/// What counters stood at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Processor time in milliseconds, of all virtual CPUs.
    pub cpu_ms: u64,
    /// Reads of the disk.
    pub read_ops: u64,
    /// Writes to the disk.
    pub write_ops: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Packets received.
    pub packets_in: u64,
    /// Packets sent.
    pub packets_out: u64,
}

/// A sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// When it was taken.
    pub at: Timestamp,
    /// Which run of the counters it belongs to.
    pub run: i64,
    /// What they stood at.
    pub counters: Counters,
}

impl Measured {
    /// What has gone over the public interface since the sample before; all of the run's when that is of another one.
    #[must_use]
    pub fn traffic_since(&self, before: Option<&Self>) -> Traffic {
        let grown =
            |of: fn(&Counters) -> u64| growth(before.map(|b| (b.run, of(&b.counters))), self.run, of(&self.counters));
        Traffic { ingoing: grown(|c| c.bytes_in), outgoing: grown(|c| c.bytes_out) }
    }

    fn counter(&self, series: Series) -> u64 {
        let Counters {
            cpu_ms,
            read_ops,
            write_ops,
            read_bytes,
            write_bytes,
            bytes_in,
            bytes_out,
            packets_in,
            packets_out,
        } = self.counters;
        match series {
            Series::Cpu => cpu_ms,
            Series::DiskReads => read_ops,
            Series::DiskWrites => write_ops,
            Series::DiskReadBandwidth => read_bytes,
            Series::DiskWriteBandwidth => write_bytes,
            Series::PacketsIn => packets_in,
            Series::PacketsOut => packets_out,
            Series::NetworkBandwidthIn => bytes_in,
            Series::NetworkBandwidthOut => bytes_out,
        }
    }
}

/// How much a counter has grown. One that is smaller than before has started again, whatever its run says.
fn growth(before: Option<(i64, u64)>, run: i64, value: u64) -> u64 {
    match before {
        Some((same, old)) if same == run && old <= value => value - old,
        _ => value,
    }
}

/// The series of a server from its samples, oldest first: one value per step of the window, the mean over the step that ends
/// there, and none for steps of which nothing was measured.
#[must_use]
pub fn measured(samples: &[Measured], series: Series, window: &Window) -> Vec<(Timestamp, f64)> {
    let mut values = Vec::new();
    for at in window.times() {
        let from = at.plus_ms(-window.step_ms);
        if let Some(rate) = mean(samples, series, (from, at)) {
            values.push((at, rate));
        }
    }
    values
}

/// The mean rate over a period: what each pair of samples says, weighted by how much of it lies in the period.
fn mean(samples: &[Measured], series: Series, (from, to): (Timestamp, Timestamp)) -> Option<f64> {
    let first = samples.partition_point(|sample| sample.at <= from).saturating_sub(1);
    let (mut sum, mut covered) = (0.0, 0_i64);
    for pair in samples.get(first..).unwrap_or_default().windows(2) {
        let [before, after] = pair else { continue };
        if before.at >= to {
            break;
        }
        let length = after.at.0 - before.at.0;
        let overlap = after.at.min(to).0 - before.at.max(from).0;
        if length <= 0 || length > GAP_MS_MAX || overlap <= 0 {
            continue;
        }
        let grown = growth(Some((before.run, before.counter(series))), after.run, after.counter(series));
        #[allow(clippy::cast_precision_loss, reason = "what is shown has three decimals")]
        let share = grown as f64 * overlap as f64 / length as f64;
        sum += share;
        covered += overlap;
    }
    #[allow(clippy::cast_precision_loss, reason = "at most the length of a step")]
    let seconds = covered as f64 / 1000.0;
    // Processor milliseconds a second are tenths of per cent.
    let unit = if series == Series::Cpu { 0.1 } else { 1.0 };
    (covered > 0).then(|| sum / seconds * unit)
}

#[cfg(test)]
mod tests {
    use super::{Counters, GAP_MS_MAX, Measured, measured};
    use crate::metrics::{Series, Traffic, Window};
    use wolke_wire::Timestamp;

    const START: Timestamp = Timestamp(1_795_219_200_000);
    const MINUTE: i64 = 60_000;

    fn sample(minute: i64, run: i64, n: u64) -> Measured {
        let counters = Counters { cpu_ms: n * 600, bytes_out: n * 6_000, read_ops: n * 60, ..Counters::default() };
        Measured { at: START.plus_ms(minute * MINUTE), run, counters }
    }

    fn window(minutes: i64, step_s: f64) -> Window {
        let end = START.plus_ms(minutes * MINUTE);
        Window::new((START, end), Some(step_s), 200, end).unwrap()
    }

    fn values(samples: &[Measured], series: Series, minutes: i64, step_s: f64) -> Vec<(i64, f64)> {
        let shown = measured(samples, series, &window(minutes, step_s)).into_iter();
        shown.map(|(at, value)| ((at.0 - START.0) / 1000, value)).collect()
    }

    #[test]
    fn rates_are_differences_over_time() {
        // 600 ms of processor a minute: one per cent; then ten.
        let samples = [sample(0, 1, 5), sample(1, 1, 6), sample(2, 1, 16)];
        assert_eq!(values(&samples, Series::Cpu, 2, 60.0), [(60, 1.0), (120, 10.0)]);
        assert_eq!(values(&samples, Series::NetworkBandwidthOut, 2, 60.0), [(60, 100.0), (120, 1000.0)]);
        assert_eq!(values(&samples, Series::DiskReads, 2, 120.0), [(120, 5.5)]);
        assert_eq!(values(&samples, Series::PacketsIn, 2, 60.0), [(60, 0.0), (120, 0.0)]);
        let fine = values(&samples, Series::DiskReads, 2, 30.0);
        assert_eq!(fine, [(30, 1.0), (60, 1.0), (90, 10.0), (120, 10.0)]);
    }

    #[test]
    fn counters_that_start_again_count_from_zero() {
        let samples = [sample(0, 1, 1_000), sample(1, 2, 6), sample(2, 2, 3)];
        assert_eq!(values(&samples, Series::DiskReads, 2, 60.0), [(60, 6.0), (120, 3.0)]);
        let sent = |n: usize| samples[n].traffic_since(Some(&samples[n - 1])).outgoing;
        assert_eq!((sent(1), sent(2)), (36_000, 18_000));
        assert_eq!(samples[0].traffic_since(None), Traffic { ingoing: 0, outgoing: 6_000_000 });
    }

    #[test]
    fn nothing_measured_is_nothing_shown() {
        assert!(values(&[], Series::Cpu, 5, 60.0).is_empty());
        assert!(values(&[sample(1, 1, 7)], Series::Cpu, 5, 60.0).is_empty(), "one sample is no rate");
        let gap = GAP_MS_MAX / MINUTE + 1;
        let samples = [sample(0, 1, 0), sample(1, 1, 1), sample(1 + gap, 1, 9), sample(2 + gap, 1, 10)];
        let shown = values(&samples, Series::Cpu, 3 + gap, 60.0);
        assert_eq!(shown, [(60, 1.0), ((2 + gap) * 60, 1.0)]);
    }
}
