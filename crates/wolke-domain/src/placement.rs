//! Placement: which host carries a machine.
//!
//! The members of a placement group stand on different hosts. Which hosts are taken by members is looked up; here they are
//! left out of the choice.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use wolke_wire::Id;

/// The most servers of a placement group (fact sheet §3.12). Store and control rely on its being small.
pub const GROUP_MEMBERS_MAX: usize = 10;

/// How many hosts a simulated location makes at most, unless the operator says otherwise: far more than ever need to be.
pub const HOSTS_PER_LOCATION: u32 = 10_000;

/// What a machine needs, or what a host has: virtual CPUs, memory in MiB, disk in GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Best fit: the host that will have the least memory left; the lowest id among equals. None of `taken`.
#[must_use]
pub fn choose(rooms: &[Room], need: &Need, taken: &[Id]) -> Option<Id> {
    let fitting = rooms.iter().filter(|room| need.fits(&room.free) && !taken.contains(&room.host));
    fitting.min_by_key(|room| (room.free.memory_mb, room.host)).map(|room| room.host)
}

/// Whether a group that has so many members takes one more.
///
/// # Errors
/// `resource_limit_exceeded`: the sheet names the number and no code, and this is the contract's code for quantities.
pub fn check_members(number: usize) -> Result<()> {
    if number < GROUP_MEMBERS_MAX {
        return Ok(());
    }
    let message = format!("a placement group cannot have more than {GROUP_MEMBERS_MAX} servers");
    Err(Error::LimitExceeded { limit: "placement_group_server_limit".into(), message })
}

#[cfg(test)]
mod tests {
    use super::{GROUP_MEMBERS_MAX, Need, Room, check_members, choose};

    #[test]
    fn the_fullest_host_that_fits() {
        let room = |host, memory_mb| Room { host, free: Need { cores: 8, memory_mb, disk_gb: 100 } };
        let rooms = [room(1, 9000), room(2, 4000), room(3, 4000), room(4, 1000)];
        let need = Need { cores: 2, memory_mb: 2000, disk_gb: 40 };
        assert_eq!(choose(&rooms, &need, &[]), Some(2));
        assert_eq!(choose(&rooms, &need, &[2]), Some(3));
        assert_eq!(choose(&rooms, &need, &[2, 3]), Some(1));
        assert_eq!(choose(&rooms, &need, &[1, 2, 3]), None, "the last one is too small");
        assert_eq!(choose(&rooms, &Need { cores: 16, ..need }, &[]), None);
    }

    #[test]
    fn groups_are_small() {
        assert!(check_members(GROUP_MEMBERS_MAX - 1).is_ok());
        assert!(check_members(GROUP_MEMBERS_MAX).is_err());
    }
}
