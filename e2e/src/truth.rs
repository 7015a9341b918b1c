//! What the database itself says: the store's invariants, asked with the store's own code beside the API. What no answer shows (a
//! lock that nobody holds, an address without an owner) is found here.

use crate::folder::Folder;
use crate::process::Installation;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use wolke_domain::clock::Clock;
use wolke_domain::{Error, Result};
use wolke_store::migrate::Role;
use wolke_store::{Db, OnCommit, Tx, invariant, postgres, random, sqlite, strand};
use wolke_wire::Timestamp;

/// The world that every installation has: a file in the data directory, or a schema.
const WORLD: &str = "main";
/// SQLite's files of one database. The shared memory file is left out: it is made anew from the log.
const FILE_ENDINGS: [&str; 2] = ["", "-wal"];

/// Asks every invariant of the world's database, whose server must not be running.
///
/// The embedded engine's files are copied first: the server shall find what the killed one has left, and not what a look at
/// it made of that.
///
/// # Errors
/// The invariant that does not hold, and the first id for which it does not.
pub fn check(installation: &Installation) -> Result<()> {
    ask(installation, invariant::check)
}

/// Asserts that no work is left in the world's database: neither strands nor locks.
///
/// # Errors
/// What is left.
pub fn check_at_rest(installation: &Installation) -> Result<()> {
    let at_rest = |tx: &mut dyn Tx| {
        let (strands, locks) = (strand::all(tx)?, strand::locks(tx)?);
        if strands.is_empty() && locks.is_empty() {
            return Ok(());
        }
        Err(Error::internal(format!("work is left: {strands:?}, locks {locks:?}")))
    };
    ask(installation, at_rest)
}

fn ask(installation: &Installation, question: fn(&mut dyn Tx) -> Result<()>) -> Result<()> {
    match installation.database() {
        Some(url) => open_schema(url)?.read_blocking(question),
        None => {
            let copy = Folder::new("copy");
            let original = installation.data().join("worlds").join(format!("{WORLD}.db"));
            open_copy(&original, copy.path())?.read_blocking(question)
        }
    }
}

fn open_copy(original: &Path, folder: &Path) -> Result<Db> {
    let copy = folder.join("copy.db");
    for ending in FILE_ENDINGS {
        let from = format!("{}{ending}", original.display());
        if Path::new(&from).exists() {
            let to = format!("{}{ending}", copy.display());
            std::fs::copy(&from, to).map_err(|error| Error::internal(format!("{from}: {error}")))?;
        }
    }
    let open = sqlite::Open {
        role: Role::World,
        clock: Arc::new(RealClock::new()),
        seed: seed()?,
        key: Vec::new(),
        on_commit: deaf(),
    };
    sqlite::SqliteDb::open(&copy, open).map(Db::Sqlite)
}

fn open_schema(url: &str) -> Result<Db> {
    let open = postgres::Open {
        url: url.to_owned(),
        schema: format!("wolke_world_{WORLD}"),
        role: Role::World,
        clock: Arc::new(RealClock::new()),
        seed: seed()?,
        on_commit: deaf(),
        connections: 1,
    };
    postgres::PostgresDb::open(open).map(Db::Postgres)
}

fn seed() -> Result<String> {
    random::system_seed().map_err(|error| Error::internal(error.to_string()))
}

fn deaf() -> OnCommit {
    Arc::new(|_| ())
}

/// The machine's own clock.
struct RealClock(Instant);

impl RealClock {
    fn new() -> Self {
        RealClock(Instant::now())
    }
}

impl Clock for RealClock {
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}
