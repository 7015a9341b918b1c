//! Proofs of behaviour: a change through one operation, seen through another after a restart.

use crate::common::World;
use std::collections::BTreeSet;
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;

/// What has been proved so far.
#[derive(Default)]
pub struct Proofs(BTreeSet<(Dialect, &'static str)>);

impl Proofs {
    /// Notes that the effect of `changes` was seen through each of `seen`. The world's record must bear that out: the changes
    /// succeeded before its last restart, the views after it.
    ///
    /// For the catalogue, which nothing changes, `changes` is another view of it.
    #[track_caller]
    pub fn note(&mut self, world: &World, changes: &[&'static str], seen: &[&'static str]) {
        let dialect = world.setup.dialect;
        let record = world.succeeded.lock().unwrap();
        for id in changes {
            let done = record.iter().any(|(done, restarts)| done == id && *restarts < world.restarts);
            assert!(done, "{dialect}: {id} did not succeed before the restart");
            let other = seen.iter().any(|view| view != id);
            assert!(other, "{dialect}: {id} was seen through itself only");
        }
        for id in seen {
            let done = record.iter().any(|(done, restarts)| done == id && *restarts == world.restarts);
            assert!(done, "{dialect}: {id} did not succeed after the restart");
        }
        for id in changes.iter().chain(seen) {
            assert!(OPERATIONS.iter().any(|operation| operation.id == *id), "{id} is no operation");
            self.0.insert((dialect, id));
        }
    }

    /// Whether an operation behaves in a dialect.
    pub fn behaves(&self, dialect: Dialect, id: &str) -> bool {
        self.0.iter().any(|(d, proved)| *d == dialect && *proved == id)
    }
}
