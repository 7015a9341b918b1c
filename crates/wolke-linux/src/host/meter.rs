//! What a server has used, from counters that start from zero whenever they like.
//!
//! **Invariant:** within one run no number becomes smaller, and across runs nothing is told twice: what was told before a
//! counter was seen to go on is subtracted.

use serde::{Deserialize, Serialize};
use wolke_host::{ObjectKey, Usage};
use wolke_wire::Timestamp;

use crate::engine::Counters;
use crate::net::LinkCounters;

/// How many numbers there are.
const COUNT: usize = 9;
/// The first so many come from the engine and start from zero with each start of the guest; the others from the link.
const OF_ENGINE: usize = 5;

/// Remembers where the counters stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meter {
    run: i64,
    base: [u64; COUNT],
    last: [u64; COUNT],
}

impl Meter {
    /// The guest starts: its engine counts from zero, in a new run.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.next_run(now);
        self.base[..OF_ENGINE].fill(0);
        self.last[..OF_ENGINE].fill(0);
    }

    /// One measurement. Without `engine` the guest is off, and what it had used stands.
    pub(super) fn measure(&mut self, engine: Option<&Counters>, link: &LinkCounters, now: Timestamp) {
        let mut seen = [0; COUNT];
        seen[..OF_ENGINE].copy_from_slice(&engine.map_or_else(
            || [self.last[0], self.last[1], self.last[2], self.last[3], self.last[4]],
            |engine| {
                [
                    engine.cpu_ms,
                    engine.disk_read_ops,
                    engine.disk_write_ops,
                    engine.disk_read_bytes,
                    engine.disk_write_bytes,
                ]
            },
        ));
        let of_link = [link.bytes_in, link.bytes_out, link.packets_in, link.packets_out];
        seen[OF_ENGINE..].copy_from_slice(&of_link);
        if self.run == 0 || seen.iter().zip(&self.last).any(|(seen, last)| seen < last) {
            self.next_run(now);
            for (base, seen) in self.base.iter_mut().zip(&seen) {
                if *seen < *base {
                    *base = 0;
                }
            }
        }
        self.last = seen;
    }

    /// What there is to tell.
    pub(super) fn usage(&self, key: ObjectKey, at: Timestamp) -> Usage {
        let since = |index: usize| self.last[index].saturating_sub(self.base[index]);
        Usage {
            key,
            at,
            run: self.run,
            cpu_ms: since(0),
            disk_read_ops: since(1),
            disk_write_ops: since(2),
            disk_read_bytes: since(3),
            disk_write_bytes: since(4),
            bytes_in: since(5),
            bytes_out: since(6),
            packets_in: since(7),
            packets_out: since(8),
        }
    }

    fn next_run(&mut self, now: Timestamp) {
        self.run = now.0.max(self.run + 1);
        self.base = self.last;
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;
    use crate::engine::Counters;
    use crate::net::LinkCounters;
    use wolke_host::ObjectKey;
    use wolke_wire::Timestamp;

    #[test]
    fn nothing_is_told_twice_and_nothing_shrinks() {
        let mut meter = Meter::default();
        let mut total = (0, 0);
        let mut told = meter.usage(ObjectKey::server(1), Timestamp(0));
        let mut tell = |meter: &Meter, at| {
            let usage = meter.usage(ObjectKey::server(1), Timestamp(at));
            let before = if usage.run == told.run { (told.cpu_ms, told.bytes_in) } else { (0, 0) };
            assert!(usage.cpu_ms >= before.0 && usage.bytes_in >= before.1, "{told:?} then {usage:?}");
            total = (total.0 + usage.cpu_ms - before.0, total.1 + usage.bytes_in - before.1);
            told = usage;
            total
        };
        let cpu = |cpu_ms| Counters { cpu_ms, ..Counters::default() };
        let link = |bytes_in| LinkCounters { bytes_in, ..LinkCounters::default() };
        meter.start(Timestamp(1));
        meter.measure(Some(&cpu(100)), &link(10), Timestamp(2));
        assert_eq!(tell(&meter, 2), (100, 10));
        meter.measure(None, &link(15), Timestamp(3));
        assert_eq!(tell(&meter, 3), (100, 15));
        // A start, after which the engine has counted more than before; the link goes on.
        meter.start(Timestamp(4));
        meter.measure(Some(&cpu(150)), &link(25), Timestamp(5));
        assert_eq!(tell(&meter, 5), (250, 25));
        // The guest was reset from outside: the engine starts again.
        meter.measure(Some(&cpu(20)), &link(30), Timestamp(6));
        assert_eq!(tell(&meter, 6), (270, 30));
        // The link was made anew.
        meter.measure(Some(&cpu(30)), &link(5), Timestamp(7));
        assert_eq!(tell(&meter, 7), (280, 35));
    }
}
