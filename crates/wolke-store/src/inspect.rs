//! A look at a database from outside: which schema, which clock, which seal key. For `wolke doctor`.
//!
//! **Invariant:** nothing is changed. No file is made, no schema, no row; nothing is migrated.

use crate::migrate::Role;
use wolke_domain::clock::ClockState;

/// What a database says of itself without being opened for work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The number of its schema; zero when it was never filled.
    pub schema: i64,
    /// How its clock moves; none where the schema cannot be read.
    pub clock: Option<ClockState>,
    /// The fingerprint of the key that its secrets are sealed with, if it knows one.
    pub seal_key: Option<String>,
}

impl Inspected {
    /// Whether this program can read it: filled, and not by a newer release.
    #[must_use]
    pub fn is_readable(schema: i64, role: Role) -> bool {
        (1..=role.newest()).contains(&schema)
    }
}

/// What a PostgreSQL server says of itself and of the rights there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version, as it writes it: `15.6`.
    pub version: String,
    /// The major version.
    pub major: i64,
    /// The encoding of the database: `UTF8`.
    pub encoding: String,
    /// The database's name.
    pub database: String,
    /// Who asks.
    pub user: String,
    /// Whether who asks may make schemas.
    pub may_create: bool,
    /// Whether it only follows another server.
    pub is_standby: bool,
    /// Connections that ordinary roles may have together.
    pub connections_max: i64,
    /// Connections that there are.
    pub connections: i64,
    /// How far its clock is ahead of the local one, in milliseconds.
    pub ahead_ms: i64,
}

/// One schema on such a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Whether who asks may use it and make tables in it.
    pub may_use: bool,
    /// What it holds.
    pub inspected: Inspected,
}
