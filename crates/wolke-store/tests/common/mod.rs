//! What the tests of the store share: a clock that is set by hand, and a fresh database on either engine.
//!
//! PostgreSQL is used when `WOLKE_TEST_POSTGRES` holds its URL. Without it such a test says so and passes; under `CI=true`
//! it fails. Every database is a file or a schema of its own and is removed afterwards.

#![allow(dead_code, reason = "each test program uses a part of this")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use wolke_domain::Result;
use wolke_domain::clock::Clock;
use wolke_domain::rng::Rng;
use wolke_store::migrate::Role;
use wolke_store::postgres::PostgresDb;
use wolke_store::sqlite::SqliteDb;
use wolke_store::stmt::Stmt;
use wolke_store::value::{Row, Value};
use wolke_store::{Counter, Db, Facts, OnCommit, Scope, Signal, Tx, postgres, sqlite};
use wolke_wire::{Id, Timestamp};

/// Connections of one database under test.
pub const CONNECTIONS: usize = 4;

/// What SQLite databases under test draw randomness with.
pub const KEY: &[u8] = b"key";

/// A clock that moves only when told.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Starts at an arbitrary point.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000)))
    }

    /// Moves it.
    pub fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Where a test's database is, and how to remove it.
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A URL and a schema.
    Schema(String, String),
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::File(path) => {
                for suffix in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
                }
            }
            Self::Schema(url, schema) => {
                let mut client = ::postgres::Client::connect(url, ::postgres::NoTls).unwrap();
                let sql = format!("SET lock_timeout = 5000; DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
                client.batch_execute(&sql).unwrap();
            }
        }
    }
}

/// A database under test.
pub struct Engine {
    /// The database. Closed before its place is removed.
    pub db: Db,
    /// The clock of the process; transactions on PostgreSQL take the database's.
    pub clock: Arc<TestClock>,
    /// What was signalled so far.
    pub signals: Arc<Mutex<Vec<Signal>>>,
    /// Where it is.
    pub place: Place,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

fn unique() -> String {
    format!("wolke_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst))
}

fn recorder() -> (OnCommit, Arc<Mutex<Vec<Signal>>>) {
    let signals = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&signals);
    (Arc::new(move |new: &[Signal]| record.lock().unwrap().extend_from_slice(new)), signals)
}

/// A place for a new SQLite database.
pub fn file_place() -> Place {
    Place::File(std::env::temp_dir().join(format!("{}.db", unique())))
}

/// A place for a new PostgreSQL schema; `None`, with a word, when there is no PostgreSQL to test against.
pub fn schema_place(test: &str) -> Option<Place> {
    let Ok(url) = std::env::var("WOLKE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "WOLKE_TEST_POSTGRES must be set in CI");
        eprintln!("SKIPPED {test}: WOLKE_TEST_POSTGRES is not set");
        return None;
    };
    Some(Place::Schema(url, unique()))
}

/// Opens a SQLite database.
pub fn open_file(path: &std::path::Path, role: Role, clock: &Arc<TestClock>, on_commit: OnCommit) -> Result<SqliteDb> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    SqliteDb::open(path, sqlite::Open { role, clock, seed: "seed".into(), key: KEY.to_vec(), on_commit })
}

/// Opens a PostgreSQL schema.
pub fn open_schema(
    (url, schema): (&str, &str),
    role: Role,
    clock: &Arc<TestClock>,
    on_commit: OnCommit,
) -> Result<PostgresDb> {
    PostgresDb::open(postgres::Open {
        url: url.to_owned(),
        schema: schema.to_owned(),
        role,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        seed: "seed".into(),
        on_commit,
        connections: CONNECTIONS,
    })
}

impl Engine {
    /// A new database at a place.
    pub fn at(place: Place, role: Role) -> Self {
        let clock = TestClock::new();
        let (on_commit, signals) = recorder();
        let db = match &place {
            Place::File(path) => Db::Sqlite(open_file(path, role, &clock, on_commit).unwrap()),
            Place::Schema(url, schema) => Db::Postgres(open_schema((url, schema), role, &clock, on_commit).unwrap()),
        };
        Self { db, clock, signals, place }
    }

    /// A new SQLite database.
    pub fn sqlite(role: Role) -> Self {
        Self::at(file_place(), role)
    }

    /// A new PostgreSQL schema, where there is a PostgreSQL.
    pub fn postgres(test: &str, role: Role) -> Option<Self> {
        schema_place(test).map(|place| Self::at(place, role))
    }

    /// Another handle on the same database, as another process would have.
    pub fn again(&self) -> Result<(Db, Arc<Mutex<Vec<Signal>>>)> {
        let (on_commit, signals) = recorder();
        let db = match &self.place {
            Place::File(path) => Db::Sqlite(open_file(path, Role::World, &self.clock, on_commit)?),
            Place::Schema(url, schema) => {
                Db::Postgres(open_schema((url, schema), Role::World, &self.clock, on_commit)?)
            }
        };
        Ok((db, signals))
    }

    /// A read that must succeed.
    pub fn read<T: Send + 'static>(&self, closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static) -> T {
        self.db.read_blocking(closure).unwrap()
    }

    /// A write that must succeed.
    pub fn write<T: Send + 'static>(&self, closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static) -> T {
        self.try_write(closure).unwrap()
    }

    /// A write.
    pub fn try_write<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write_blocking(Scope::new(), closure)
    }
}

/// A transaction that counts its statements.
pub struct Counting<'a> {
    /// The transaction.
    pub tx: &'a mut dyn Tx,
    /// How many it has run.
    pub statements: usize,
}

impl Tx for Counting<'_> {
    fn query(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        self.statements += 1;
        self.tx.query(stmt, params)
    }

    fn execute(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        self.statements += 1;
        self.tx.execute(stmt, params)
    }

    fn query_composed(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.statements += 1;
        self.tx.query_composed(sql, params)
    }

    fn rehearse(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        self.tx.rehearse(work)
    }

    fn facts(&self) -> &Facts {
        self.tx.facts()
    }

    fn next_ids(&mut self, counter: Counter, count: i64) -> Result<Id> {
        self.tx.next_ids(counter, count)
    }

    fn random(&mut self, purpose: &str) -> Box<dyn Rng> {
        self.tx.random(purpose)
    }

    fn signal(&mut self, signal: Signal) {
        self.tx.signal(signal);
    }
}
