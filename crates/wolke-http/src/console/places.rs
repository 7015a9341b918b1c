//! How many consoles are open: in all, and of each server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wolke_wire::Id;

/// Consoles of a process at a time.
pub const CONSOLES_MAX: usize = 256;
/// Consoles of one server at a time.
pub const CONSOLES_PER_SERVER_MAX: usize = 8;

/// The open consoles of a process.
#[derive(Debug, Default)]
pub struct Places(Mutex<HashMap<Id, usize>>);

/// The right to one console; given back when dropped.
pub struct Place {
    places: Arc<Places>,
    server: Id,
}

impl Places {
    /// A place for a console of a server, if there is one.
    pub fn take(self: &Arc<Self>, server: Id) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (open.values().sum::<usize>(), open.get(&server).copied().unwrap_or(0));
        if all >= CONSOLES_MAX || own >= CONSOLES_PER_SERVER_MAX {
            return None;
        }
        open.insert(server, own + 1);
        Some(Place { places: Arc::clone(self), server })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.server) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(open.remove(&self.server)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CONSOLES_MAX, CONSOLES_PER_SERVER_MAX, Places};
    use std::sync::Arc;

    #[test]
    fn places_are_limited_and_come_back() {
        let places = Arc::new(Places::default());
        let mut taken: Vec<_> = (0..CONSOLES_PER_SERVER_MAX).filter_map(|_| places.take(1)).collect();
        assert_eq!(taken.len(), CONSOLES_PER_SERVER_MAX);
        assert!(places.take(1).is_none());
        taken.pop();
        assert!(places.take(1).is_some(), "a place that was dropped at once");
        let others: Vec<_> = (2..).map_while(|server| places.take(server)).collect();
        assert_eq!(taken.len() + others.len(), CONSOLES_MAX);
        drop((taken, others));
        assert!(places.0.lock().unwrap().is_empty());
    }
}
