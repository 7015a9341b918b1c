//! Placement: which host carries a machine.

use wolke_wire::Id;

/// What a machine needs, or what a host has: virtual CPUs, memory in MiB, disk in GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Virtual CPUs.
    pub cores: i64,
    /// Memory in MiB.
    pub memory_mb: i64,
    /// Disk in GB.
    pub disk_gb: i64,
}

impl Need {
    /// The same with the opposite sign: what goes back to a host.
    #[must_use]
    pub const fn returned(self) -> Self {
        Self { cores: -self.cores, memory_mb: -self.memory_mb, disk_gb: -self.disk_gb }
    }

    /// Nothing: a change that moves no room.
    #[must_use]
    pub const fn none() -> Self {
        Self { cores: 0, memory_mb: 0, disk_gb: 0 }
    }

    /// Whether it fits into `room`.
    #[must_use]
    pub const fn fits(&self, room: &Self) -> bool {
        self.cores <= room.cores && self.memory_mb <= room.memory_mb && self.disk_gb <= room.disk_gb
    }
}

/// What is free on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The host.
    pub host: Id,
    /// What it has left.
    pub free: Need,
}

/// The size of a simulated host: memory runs out first for every server type of the catalogue.
pub const SIMULATED_HOST: Need = Need { cores: 1024, memory_mb: 1024 * 1024, disk_gb: 200_000 };

/// Best fit: the host that will have the least memory left; the lowest id among equals.
#[must_use]
pub fn choose(rooms: &[Room], need: &Need) -> Option<Id> {
    let fitting = rooms.iter().filter(|room| need.fits(&room.free));
    fitting.min_by_key(|room| (room.free.memory_mb, room.host)).map(|room| room.host)
}

#[cfg(test)]
mod tests {
    use super::{Need, Room, choose};

    #[test]
    fn the_fullest_host_that_fits() {
        let room = |host, memory_mb| Room { host, free: Need { cores: 8, memory_mb, disk_gb: 100 } };
        let rooms = [room(1, 9000), room(2, 4000), room(3, 4000), room(4, 1000)];
        assert_eq!(choose(&rooms, &Need { cores: 2, memory_mb: 2000, disk_gb: 40 }), Some(2));
        assert_eq!(choose(&rooms, &Need { cores: 16, memory_mb: 2000, disk_gb: 40 }), None);
    }
}
