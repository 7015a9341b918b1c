//! How many bytes a storage box holds, and how many of them only its snapshots.
//!
//! Data is a stack of bytes: more of it goes on top, less of it is taken from there, and what is written anew is taken away and
//! put back. A snapshot notes how high the stack is and, from then on, how low it has been until the next snapshot was made, or
//! until now: what lies below that is shared with what came after. So what only snapshots hold is the sum of what each has
//! above its low mark, and what one of them alone holds is what lies above both its own mark and that of the one before it.
//!
//! **Invariant:** `0 <= kept <= bytes`; `kept` of the last is at most what the storage box holds now, and that of another at most
//! the `bytes` of the next.

/// A snapshot, by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// How many bytes it holds: what the storage box held when it was made.
    pub bytes: i64,
    /// How many of them are still in what came after it.
    pub kept: i64,
}

impl Mark {
    /// A new one of a storage box that holds so many bytes.
    #[must_use]
    pub const fn new(bytes: i64) -> Self {
        Self { bytes, kept: bytes }
    }
}

/// What only the snapshots hold together; they are in the order in which they were made.
#[must_use]
pub fn held(marks: &[Mark]) -> i64 {
    marks.iter().map(|mark| mark.bytes - mark.kept).sum()
}

/// What each of them alone holds: what is free when it goes.
#[must_use]
pub fn sizes(marks: &[Mark]) -> Vec<i64> {
    let before = std::iter::once(0).chain(marks.iter().map(|mark| mark.kept));
    marks.iter().zip(before).map(|(mark, before)| mark.bytes - mark.kept.max(before)).collect()
}

/// The storage box goes through a state in which it holds no more than so many bytes.
pub fn fall_to(marks: &mut [Mark], bytes: i64) {
    if let Some(last) = marks.last_mut() {
        last.kept = last.kept.min(bytes);
    }
}

/// Takes the snapshot at a position away.
pub fn remove(marks: &mut Vec<Mark>, position: usize) {
    let gone = marks.remove(position);
    if let Some(before) = position.checked_sub(1).and_then(|before| marks.get_mut(before)) {
        before.kept = before.kept.min(gone.kept);
    }
}

/// Rolls back to the snapshot at a position: later ones go. Gives how many bytes the storage box holds then.
pub fn roll_back(marks: &mut Vec<Mark>, position: usize) -> i64 {
    marks.truncate(position + 1);
    marks.last_mut().map_or(0, |last| {
        last.kept = last.bytes;
        last.bytes
    })
}

#[cfg(test)]
mod tests {
    use super::{Mark, fall_to, held, remove, roll_back, sizes};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_example() {
        let mut marks = vec![Mark::new(100)];
        assert_eq!((held(&marks), sizes(&marks)), (0, vec![0]));
        fall_to(&mut marks, 70);
        marks.push(Mark::new(90));
        fall_to(&mut marks, 50);
        assert_eq!((held(&marks), sizes(&marks)), (70, vec![30, 20]));
        remove(&mut marks, 1);
        assert_eq!((held(&marks), sizes(&marks)), (50, vec![50]));
        assert_eq!((roll_back(&mut marks, 0), held(&marks)), (100, 0));
    }

    /// The same with every byte by itself, as a set of serial numbers.
    #[derive(Default)]
    struct Bytes {
        next: u32,
        live: Vec<u32>,
        snapshots: Vec<BTreeSet<u32>>,
    }

    impl Bytes {
        fn set(&mut self, to: usize) {
            self.live.truncate(to);
            while self.live.len() < to {
                self.live.push(self.next);
                self.next += 1;
            }
        }

        fn held(&self) -> i64 {
            let all: BTreeSet<u32> = self.snapshots.iter().flatten().copied().collect();
            i64::try_from(all.iter().filter(|byte| !self.live.contains(byte)).count()).unwrap()
        }

        fn alone(&self, position: usize) -> i64 {
            let others = |byte: &u32| {
                let mut others = self.snapshots.iter().enumerate().filter(|(other, _)| *other != position);
                self.live.contains(byte) || others.any(|(_, other)| other.contains(byte))
            };
            i64::try_from(self.snapshots[position].iter().filter(|byte| !others(byte)).count()).unwrap()
        }
    }

    proptest! {
        #[test]
        fn agrees_with_counting_bytes(moves in proptest::collection::vec((0_u8..5, 0_usize..30), 1..60)) {
            let (mut bytes, mut marks, mut live) = (Bytes::default(), Vec::<Mark>::new(), 0_i64);
            for (what, number) in moves {
                match what {
                    0 | 1 => {
                        bytes.set(number);
                        live = i64::try_from(number).unwrap();
                        fall_to(&mut marks, live);
                    }
                    2 => {
                        bytes.snapshots.push(bytes.live.iter().copied().collect());
                        marks.push(Mark::new(live));
                    }
                    3 if !marks.is_empty() => {
                        let position = number % marks.len();
                        bytes.snapshots.remove(position);
                        remove(&mut marks, position);
                    }
                    4 if !marks.is_empty() => {
                        let position = number % marks.len();
                        bytes.live = bytes.snapshots[position].iter().copied().collect();
                        bytes.snapshots.truncate(position + 1);
                        live = roll_back(&mut marks, position);
                    }
                    _ => {}
                }
                prop_assert_eq!(i64::try_from(bytes.live.len()).unwrap(), live);
                prop_assert_eq!(bytes.held(), held(&marks));
                let alone: Vec<i64> = (0..marks.len()).map(|position| bytes.alone(position)).collect();
                prop_assert_eq!(alone, sizes(&marks));
                prop_assert!(marks.iter().all(|mark| 0 <= mark.kept && mark.kept <= mark.bytes));
            }
        }
    }
}
