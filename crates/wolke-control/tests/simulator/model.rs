//! What the simulator remembers of what it was promised, and the dice.

use std::collections::BTreeMap;
use wolke_wire::Id;

/// SplitMix64: the dice of a run.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub const fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// True once in `n` times.
    pub const fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() {
            return None;
        }
        let index = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.get(index).cloned()
    }
}

/// A server that was acknowledged.
#[derive(Clone, Debug)]
pub struct Promised {
    pub name: String,
    /// The action that makes it: while it has not failed, the server must be there.
    pub create: Id,
    /// The action that deletes it, once a delete was acknowledged.
    pub delete: Option<Id>,
}

/// What was promised.
#[derive(Default)]
pub struct Model {
    pub servers: BTreeMap<Id, Promised>,
    pub ssh_keys: BTreeMap<Id, String>,
    pub primary_ips: Vec<Id>,
    /// Each with the server that it was assigned to last.
    pub floating_ips: BTreeMap<Id, Option<Id>>,
    pub placement_groups: Vec<Id>,
    pub images: Vec<Id>,
    pub firewalls: Vec<Id>,
    /// With their sizes.
    pub volumes: BTreeMap<Id, i64>,
    pub networks: Vec<Id>,
    pub load_balancers: Vec<Id>,
    pub zones: Vec<Id>,
    pub certificates: Vec<Id>,
    pub storage_boxes: Vec<Id>,
}
