//! Who may use the disk of a server that is being copied: switching the server on or off goes before.
//!
//! **Invariants:** a copy begins only while nobody switches, and is told at once when somebody wants to; who switches waits
//! until the copy has let go of the disk, which takes moments and not the time of the copy. QEMU and `qemu-img` lock disks
//! against each other, so a start beside a copy would fail; a container stands still while its disk is copied.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use wolke_wire::Id;

/// The gates of all servers that have needed one.
#[derive(Default)]
pub struct Gates {
    gates: Mutex<HashMap<Id, Arc<Gate>>>,
}

impl Gates {
    /// The gate of a server.
    #[must_use]
    pub fn of(&self, server: Id) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever stands at a gate holds it: the others are forgotten.
        gates.retain(|id, gate| *id == server || Arc::strong_count(gate) > 1);
        Arc::clone(gates.entry(server).or_default())
    }
}

/// The gate of one server.
#[derive(Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    copying: bool,
    switching: u32,
}

impl Gate {
    /// Takes precedence: returns when no copy uses the disk, and keeps new ones away as long as the pass lives.
    #[must_use]
    pub fn switch(self: Arc<Self>) -> Switching {
        let mut state = self.lock();
        state.switching += 1;
        drop(self.changed.wait_while(state, |state| state.copying).unwrap_or_else(PoisonError::into_inner));
        Switching(self)
    }

    /// Waits until nobody switches, then begins a copy.
    #[must_use]
    pub fn copy(self: Arc<Self>) -> Copying {
        let wait = self.changed.wait_while(self.lock(), |state| state.switching > 0 || state.copying);
        wait.unwrap_or_else(PoisonError::into_inner).copying = true;
        Copying(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody switches the server.
pub struct Switching(Arc<Gate>);

impl Drop for Switching {
    fn drop(&mut self) {
        self.0.lock().switching -= 1;
        self.0.changed.notify_all();
    }
}

/// Somebody copies the disk.
pub struct Copying(Arc<Gate>);

impl Copying {
    /// Whether the copy has to end now.
    #[must_use]
    pub fn is_in_the_way(&self) -> bool {
        self.0.lock().switching > 0
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.0.lock().copying = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::Gates;

    #[test]
    fn a_copy_gives_way() {
        let gates = Gates::default();
        let copying = gates.of(1).copy();
        assert!(!copying.is_in_the_way());
        std::thread::scope(|scope| {
            let switch = scope.spawn(|| gates.of(1).switch());
            while !copying.is_in_the_way() {
                std::thread::yield_now();
            }
            assert!(!switch.is_finished(), "switched while the disk was copied");
            drop(copying);
            let switching = switch.join().unwrap();
            let again = scope.spawn(|| gates.of(1).copy());
            drop(switching);
            assert!(!again.join().unwrap().is_in_the_way());
        });
        drop(gates.of(2).switch());
        assert_eq!(gates.gates.lock().unwrap().len(), 1);
    }
}
