//! The pace of actions whose work is done in their answer, and which are shown running for a while all the same.
//!
//! **Invariant:** actions of one answer end in its order, however long each takes.

use serde::{Deserialize, Serialize};
use wolke_wire::Id;

/// How often the progress of such actions moves before the last of them ends, at most.
const LOOKS: i64 = 4;

/// An action that is shown running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its id.
    pub action: Id,
    /// When it ends, in milliseconds of world time since the first of its answer began.
    pub ends: i64,
}

/// Holds the actions of an answer, each with how long it would take alone; none that has nobody to wait for and takes no time.
#[must_use]
pub fn hold(actions: &[(Id, i64)]) -> Vec<Held> {
    let mut latest = 0;
    let mut held = Vec::with_capacity(actions.len());
    for (action, takes) in actions {
        latest = latest.max(*takes);
        if latest > 0 {
            held.push(Held { action: *action, ends: latest });
        }
    }
    held
}

/// How many of them are over after so many milliseconds.
#[must_use]
pub fn over(held: &[Held], elapsed: i64) -> usize {
    held.iter().take_while(|held| held.ends <= elapsed).count()
}

/// The progress of one that is not over, in per cent.
#[must_use]
pub fn progress(held: &Held, elapsed: i64) -> i64 {
    (elapsed.clamp(0, held.ends) * 100 / held.ends.max(1)).min(99)
}

/// When to look next, in milliseconds since the beginning: at the end of the next one, or when progress has moved; none when
/// all are over.
#[must_use]
pub fn next_look(held: &[Held], elapsed: i64) -> Option<i64> {
    let next = held.iter().find(|held| held.ends > elapsed)?.ends;
    let stride = held.last().map_or(next, |last| last.ends / LOOKS).max(1);
    Some(next.min((elapsed.max(0) / stride + 1) * stride))
}

#[cfg(test)]
mod tests {
    use super::{Held, LOOKS, hold, next_look, over, progress};

    #[test]
    fn actions_end_in_their_order() {
        let held = hold(&[(1, 0), (2, 500), (3, 200), (4, 900)]);
        let ends = |action, ends| Held { action, ends };
        assert_eq!(held, [ends(2, 500), ends(3, 500), ends(4, 900)]);
        assert_eq!([0, 499, 500, 899, 900, i64::MAX].map(|at| over(&held, at)), [0, 0, 2, 2, 3, 3]);
        assert!(hold(&[(1, 0), (2, 0)]).is_empty());
    }

    #[test]
    fn progress_moves_and_ends_with_the_action() {
        let held = hold(&[(1, 2_000), (2, 8_000)]);
        let (mut at, mut looks, mut last) = (0, 0, 0);
        while let Some(next) = next_look(&held, at) {
            assert!(next > at, "{at}");
            (at, looks) = (next, looks + 1);
            if over(&held, at) < 2 {
                assert!((last + 1..100).contains(&progress(&held[1], at)), "{at}");
                last = progress(&held[1], at);
            }
        }
        assert_eq!((at, over(&held, at)), (8_000, 2));
        assert!(looks <= LOOKS + 2, "{looks}");
        assert_eq!((progress(&held[0], -5), progress(&held[0], i64::MAX)), (0, 99));
    }

    #[test]
    fn the_shortest_time_is_a_time() {
        let held = hold(&[(1, 1)]);
        assert_eq!((next_look(&held, 0), next_look(&held, 1)), (Some(1), None));
    }
}
