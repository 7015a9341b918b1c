//! The two databases, looked at from outside.

use super::Patient;
use wolke_domain::Error;
use wolke_store::inspect::Inspected;
use wolke_store::migrate::Role;
use wolke_store::sqlite;

/// What was found of one database: nothing where there is none, or why it cannot be read.
pub type Found = Result<Option<Inspected>, Error>;

/// Root and world.
pub struct Databases {
    /// Tokens and the seal key's fingerprint.
    pub root: Found,
    /// Resources and the clock.
    pub world: Found,
}

impl Databases {
    /// Those of the embedded engine; none with `--ephemeral`.
    pub fn embedded(patient: &Patient<'_>) -> Self {
        if patient.settings.ephemeral {
            return Self::none();
        }
        let look = |role| sqlite::inspect(&patient.directory.database(role), role);
        Self { root: look(Role::Root), world: look(Role::World) }
    }

    /// Nothing to look at.
    pub const fn none() -> Self {
        Self { root: Ok(None), world: Ok(None) }
    }

    /// What can be read of one of them.
    pub fn known(found: &Found) -> Option<&Inspected> {
        found.as_ref().ok().and_then(Option::as_ref)
    }
}
