//! Images: those of the catalogue, and the snapshots and backups of a project (fact sheet §3.9).

use wolke_wire::Id;

/// Ids of snapshots and backups begin here; those of the catalogue lie below.
pub const OWN_ID_MIN: Id = 1_000_000_000;

/// Whether an id is that of a snapshot or backup.
#[must_use]
pub const fn is_own(id: Id) -> bool {
    id >= OWN_ID_MIN
}
