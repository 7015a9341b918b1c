//! The load of a machine that nobody runs: plausible, and the same every time.
//!
//! Only sums, products and hashes of whole numbers go into it: the same on every processor.

use super::Series;
use wolke_wire::{Id, Timestamp};

/// Milliseconds of a minute and of an hour.
const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Hours of a day.
const DAY_HOURS: i64 = 24;
/// How long a boot is felt.
const BOOT_MS: i64 = 3 * MINUTE_MS;
/// Bytes of a packet, on average.
const PACKET_BYTES: f64 = 640.0;
/// Bytes of an access to the disk, on average.
const ACCESS_BYTES: f64 = 16.0 * 1024.0;

/// What a machine did from a point in time on, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// From then on.
    pub since: Timestamp,
    /// It ran, having booted just then; or it stood still.
    pub running: bool,
    /// Its processors.
    pub cores: u32,
    /// Whether it had a public interface.
    pub public: bool,
}

/// A server's load. The past follows from what the server was then, whatever it is now.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The server.
    pub server: Id,
    /// When it was made: what was there before is not its own.
    pub created: Timestamp,
    /// Its phases, oldest first.
    pub phases: &'a [Phase],
}

/// Bytes of a billing period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub ingoing: u64,
    /// Sent.
    pub outgoing: u64,
}

impl Traffic {
    /// Both together.
    #[must_use]
    pub const fn with(&self, more: &Self) -> Self {
        Self {
            ingoing: self.ingoing.saturating_add(more.ingoing),
            outgoing: self.outgoing.saturating_add(more.outgoing),
        }
    }
}

impl Load<'_> {
    /// The value of a series at a point in time.
    #[must_use]
    pub fn at(&self, series: Series, at: Timestamp) -> f64 {
        let Some(phase) = self.phase(at).filter(|phase| phase.running) else { return 0.0 };
        let boot = if at.0 - phase.since.0 < BOOT_MS { 1.0 } else { 0.0 };
        let network = if phase.public { self.rate(at) } else { (0.0, 0.0) };
        let jitter = self.jitter(series, at);
        match series {
            Series::Cpu => {
                let share = (self.busy(at) * jitter + 0.45 * boot).min(1.0);
                share * 100.0 * f64::from(phase.cores)
            }
            Series::DiskReads => self.reads(at, boot) * jitter / ACCESS_BYTES,
            Series::DiskReadBandwidth => self.reads(at, boot) * jitter,
            Series::DiskWrites => self.writes(at) * jitter / ACCESS_BYTES,
            Series::DiskWriteBandwidth => self.writes(at) * jitter,
            Series::PacketsIn => network.0 * jitter / PACKET_BYTES,
            Series::NetworkBandwidthIn => network.0 * jitter,
            Series::PacketsOut => network.1 * jitter / PACKET_BYTES,
            Series::NetworkBandwidthOut => network.1 * jitter,
        }
    }

    /// What has gone over the public interface between two points in time.
    #[must_use]
    pub fn traffic(&self, from: Timestamp, to: Timestamp) -> Traffic {
        let from = from.max(self.created);
        let (mut ingoing, mut outgoing) = (0.0, 0.0);
        for (index, phase) in self.phases.iter().enumerate().filter(|(_, phase)| phase.running && phase.public) {
            let until = self.phases.get(index + 1).map_or(to, |next| next.since.min(to));
            let mut at = phase.since.max(from);
            while at < until {
                let end = at.whole_hour().plus_ms(HOUR_MS).min(until);
                #[allow(clippy::cast_precision_loss, reason = "at most an hour")]
                let seconds = (end.0 - at.0) as f64 / 1000.0;
                let (received, sent) = self.rate(at);
                ingoing += received * seconds;
                outgoing += sent * seconds;
                at = end;
            }
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and far below 2^53")]
        let bytes = |bytes: f64| bytes as u64;
        Traffic { ingoing: bytes(ingoing), outgoing: bytes(outgoing) }
    }

    /// The phase of a point in time.
    fn phase(&self, at: Timestamp) -> Option<&Phase> {
        let later = self.phases.partition_point(|phase| phase.since <= at);
        self.phases.get(later.checked_sub(1)?).filter(|_| at >= self.created)
    }

    /// How busy it is in an hour, 0 to 1: its own level, the time of the day, and the hour's own mood.
    fn busy(&self, at: Timestamp) -> f64 {
        let hour = at.0.div_euclid(HOUR_MS);
        let level = 0.02 + 0.28 * self.unit("level", 0);
        let mood = 0.6 + 0.8 * self.unit("mood", hour);
        level * day(hour.rem_euclid(DAY_HOURS)) * mood
    }

    /// Bytes a second that are received and sent, on the average of an hour.
    fn rate(&self, at: Timestamp) -> (f64, f64) {
        let peak = 20_000.0 + 600_000.0 * self.unit("network", 0);
        let sent = peak * self.busy(at);
        (sent * (0.2 + 0.6 * self.unit("direction", 0)), sent)
    }

    fn reads(&self, at: Timestamp, boot: f64) -> f64 {
        self.busy(at) * (50_000.0 + 2_000_000.0 * self.unit("reads", 0)) + boot * 20_000_000.0
    }

    fn writes(&self, at: Timestamp) -> f64 {
        self.busy(at) * (100_000.0 + 1_000_000.0 * self.unit("writes", 0))
    }

    /// A factor around 1 that changes from minute to minute, without jumps. Its mean over a long time is 1.
    fn jitter(&self, series: Series, at: Timestamp) -> f64 {
        let minute = at.0.div_euclid(MINUTE_MS);
        #[allow(clippy::cast_precision_loss, reason = "at most a minute")]
        let part = at.0.rem_euclid(MINUTE_MS) as f64 / MINUTE_MS as f64;
        let (here, next) = (self.unit(series.name(), minute), self.unit(series.name(), minute + 1));
        0.7 + 0.6 * (here + (next - here) * part)
    }

    /// A number from 0 to 1, fixed by the server, a purpose and a position.
    fn unit(&self, purpose: &str, position: i64) -> f64 {
        let purpose = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let server = mix(self.server.cast_unsigned() ^ mix(self.created.0.cast_unsigned()));
        let hash = mix(server ^ purpose ^ mix(position.cast_unsigned()));
        #[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let number = (hash >> 11) as f64;
        number / 9_007_199_254_740_992.0
    }
}

/// The course of a day, from 0.35 at night to 1 in the early afternoon.
fn day(hour: i64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "an hour of the day")]
    let from_peak = ((hour - 14).abs().min(24 - (hour - 14).abs())) as f64 / 12.0;
    // A smooth step down and up again.
    1.0 - 0.65 * from_peak * from_peak * (3.0 - 2.0 * from_peak)
}

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
const fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{HOUR_MS, Load, Phase};
    use crate::metrics::{Series, series};
    use wolke_wire::Timestamp;
    use wolke_wire::cloud::metrics::MetricType;

    const START: Timestamp = Timestamp(1_795_219_200_000);

    fn phase((since, running): (Timestamp, bool)) -> Phase {
        Phase { since, running, cores: 2, public: true }
    }

    fn load(phases: &[Phase]) -> Load<'_> {
        Load { server: 7, created: START, phases }
    }

    fn after(hours: i64) -> Timestamp {
        START.plus_ms(hours * HOUR_MS)
    }

    fn all() -> impl Iterator<Item = Series> {
        MetricType::ALL.iter().flat_map(|kind| series(*kind).iter().copied())
    }

    #[test]
    fn nothing_while_off_and_before_creation() {
        let power = [(after(1), true), (after(3), false), (after(5), true)].map(phase);
        for series in all() {
            let at = |hours| load(&power).at(series, after(hours));
            assert_eq!((at(-1), at(0), at(3), at(4)), (0.0, 0.0, 0.0, 0.0), "{series:?}");
            assert!(at(2) > 0.0 && at(5) > 0.0 && at(900) > 0.0, "{series:?}");
        }
        assert!(all().all(|series| load(&[]).at(series, after(9)) == 0.0));
    }

    #[test]
    fn a_processor_has_a_hundred_per_cent() {
        let power = [(START, true)].map(phase);
        for server in 1..200 {
            for minute in 0..200 {
                let cpu = Load { server, ..load(&power) }.at(Series::Cpu, START.plus_ms(minute * 60_000));
                assert!((0.0..=200.0).contains(&cpu), "{cpu}");
            }
        }
    }

    #[test]
    fn a_boot_is_felt() {
        let power = [(START, true)].map(phase);
        let at = |minutes: i64| load(&power).at(Series::Cpu, START.plus_ms(minutes * 60_000));
        assert!(at(1) > 2.0 * at(10), "{} {}", at(1), at(10));
    }

    #[test]
    fn traffic_is_the_sum_of_bandwidth() {
        let power = [(START, true), (after(30), false), (after(40), true)].map(phase);
        let load = load(&power);
        let traffic = load.traffic(after(-100), after(72));
        let (mut sum, mut at) = (0.0, START);
        while at < after(72) {
            sum += load.at(Series::NetworkBandwidthOut, at) * 10.0;
            at = at.plus_ms(10_000);
        }
        let ratio = sum / traffic.outgoing as f64;
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
        assert_eq!(load.traffic(after(30), after(40)), super::Traffic::default());
        assert!(traffic.ingoing > 0 && traffic.ingoing < traffic.outgoing);
    }

    #[test]
    fn the_past_stays_what_it_was() {
        let small = phase((START, true));
        let large = Phase { since: after(10), cores: 16, public: false, ..small };
        let (before, now) = ([small], [small, large]);
        for series in all() {
            assert_eq!(load(&before).at(series, after(5)).to_bits(), load(&now).at(series, after(5)).to_bits());
        }
        assert_eq!(load(&before).traffic(START, after(10)), load(&now).traffic(START, after(20)));
        assert!(load(&now).at(Series::Cpu, after(12)) > load(&before).at(Series::Cpu, after(12)));
        assert_eq!(load(&now).at(Series::PacketsIn, after(12)), 0.0);
    }

    #[test]
    fn servers_differ() {
        let power = [(START, true)].map(phase);
        let at = |server| Load { server, ..load(&power) }.at(Series::NetworkBandwidthOut, after(5));
        assert_ne!(at(1), at(2));
    }
}
