//! Connections of the embedded engine and the transaction that runs on one.

use super::counters::Counters;
use super::{Open, engine_error};
use crate::counter;
use crate::migrate::{self, Role};
use crate::random::Stream;
use crate::stmt::Stmt;
use crate::tx::{Counter, Facts, Signal, Tx};
use crate::value::{Row, Value};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wolke_domain::clock::{Clock, ClockState};
use wolke_domain::rng::Rng;
use wolke_domain::{Error, Result};
use wolke_wire::Id;
use wolke_wire::Timestamp;

/// Prepared statements kept per connection: more than the house has.
const STATEMENT_CACHE: usize = 512;
/// How long a connection waits for a lock of another process (a backup, a shell) before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of write-ahead log before it is folded into the file: 16 MiB, so that a burst of creates pays for it once.
const CHECKPOINT_PAGES: i64 = 4096;

/// Whether a connection may write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What every transaction of one database shares.
pub(crate) struct Environment {
    clock: Arc<dyn Clock>,
    pub(crate) on_commit: crate::db::OnCommit,
    seed: String,
    key: Vec<u8>,
    /// The world's clock as it was committed last; what a group does to it is not seen before its COMMIT.
    state: Mutex<ClockState>,
    counters: Mutex<Counters>,
    /// A COMMIT has failed, and what it wrote may still stand in the log (see [`super::group`]).
    pub(crate) leftovers: AtomicBool,
}

pub(crate) fn open_file(path: &Path, access: Access) -> Result<Connection> {
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        Access::Write => {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
        }
    };
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        keep_plans(&connection)?;
        if access == Access::Write {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", "ON")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "temp_store", "MEMORY")?;
        }
        Ok(connection)
    };
    open().map_err(|e| engine_error(&format!("cannot open {}", path.display()), &e))
}

/// Statements are prepared once. Without the stability guarantee SQLite (built with STAT4) plans a statement anew whenever a
/// parameter that an index compares with is bound: every time, and at several times the cost of running it.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

pub(crate) fn open_memory() -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_in_memory()?;
        keep_plans(&connection)?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        Ok(connection)
    };
    open().map_err(|e| engine_error("cannot open a database in memory", &e))
}

/// Migrates a database, fills a new one, and reads what its transactions share.
pub(crate) fn prepare(connection: &Connection, open: &Open) -> Result<Environment> {
    migrate_to_newest(connection, open.role)?;
    let wall = ClockState { anchor_world: open.clock.wall(), anchor_real: open.clock.wall(), ..ClockState::wall() };
    let mut environment = Environment {
        clock: Arc::clone(&open.clock),
        on_commit: Arc::clone(&open.on_commit),
        seed: open.seed.clone(),
        key: open.key.clone(),
        state: Mutex::new(wall),
        counters: Mutex::default(),
        leftovers: AtomicBool::new(false),
    };
    let fail = |e: &rusqlite::Error| engine_error("cannot prepare the database", e);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|e| fail(&e))?;
    let mut tx = environment.begin(connection, 0, wall);
    migrate::first_rows(&mut tx, &open.seed)?;
    let state = crate::clock::get(&mut tx)?;
    let seed = migrate::meta(&mut tx, "seed")?;
    drop(tx);
    connection.execute_batch("COMMIT").map_err(|e| fail(&e))?;
    environment.seed = seed.unwrap_or_default();
    environment.set_clock(state);
    Ok(environment)
}

fn migrate_to_newest(connection: &Connection, role: Role) -> Result<()> {
    let fail = |e: &rusqlite::Error| engine_error("cannot migrate the database", e);
    let current: i64 = connection.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(|e| fail(&e))?;
    for migration in role.missing(current)? {
        let sql = format!(
            "BEGIN IMMEDIATE;\n{}PRAGMA user_version = {};\nCOMMIT;",
            migrate::for_sqlite(migration.sql),
            migration.number
        );
        connection.execute_batch(&sql).map_err(|e| fail(&e))?;
    }
    Ok(())
}

impl Environment {
    /// A transaction view on a connection that has one open, with the world's clock as that transaction sees it.
    pub(crate) fn begin<'a>(&'a self, connection: &'a Connection, sequence: i64, clock: ClockState) -> SqliteTx<'a> {
        let real_now = self.clock.wall();
        let facts = Facts { now: clock.world_at(real_now), real_now, clock };
        SqliteTx { connection, environment: self, sequence, facts, signals: Vec::new(), poison: None }
    }

    /// Runs a read transaction: one snapshot for all its statements.
    pub(crate) fn read<T>(&self, connection: &Connection, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        end_leftover(connection)?;
        run(connection, "BEGIN")?;
        let mut tx = self.begin(connection, 0, self.clock());
        let answer = closure(&mut tx);
        let poison = tx.poison.take();
        drop(tx);
        run(connection, "ROLLBACK")?;
        match poison {
            Some(error) => Err(error),
            None => answer,
        }
    }

    /// The counters as they stand, to come back to when a member fails.
    pub(crate) fn counters(&self) -> Counters {
        super::lock(&self.counters).clone()
    }

    pub(crate) fn set_counters(&self, counters: Counters) {
        *super::lock(&self.counters) = counters;
    }

    /// World time by the committed state of the clock.
    pub(crate) fn world_now(&self) -> Timestamp {
        self.clock().world_at(self.clock.wall())
    }

    /// The committed state of the world's clock.
    pub(crate) fn clock(&self) -> ClockState {
        *super::lock(&self.state)
    }

    /// Publishes a state that was committed.
    pub(crate) fn set_clock(&self, state: ClockState) {
        *super::lock(&self.state) = state;
    }
}

/// Runs a statement without parameters or rows.
pub(crate) fn run(connection: &Connection, sql: &'static str) -> Result<()> {
    step(connection, sql).map_err(|e| engine_error(sql, &e))
}

fn step(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Ends a transaction that a panic or a failed ROLLBACK has left open, so that the connection works again.
pub(crate) fn end_leftover(connection: &Connection) -> Result<()> {
    if connection.is_autocommit() { Ok(()) } else { run(connection, "ROLLBACK") }
}

/// A transaction on the embedded engine.
pub struct SqliteTx<'a> {
    connection: &'a Connection,
    environment: &'a Environment,
    /// The number that this transaction gets if it commits.
    sequence: i64,
    facts: Facts,
    pub(crate) signals: Vec<Signal>,
    /// The first failure of a statement: whatever follows, this transaction will not commit.
    pub(crate) poison: Option<Error>,
}

impl SqliteTx<'_> {
    fn guarded<T>(&mut self, name: &str, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        if let Some(error) = &self.poison {
            return Err(error.clone());
        }
        work(self.connection).map_err(|e| {
            let error = engine_error(name, &e);
            self.poison = Some(error.clone());
            error
        })
    }
}

pub(super) fn rows(connection: &Connection, sql: &str, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut cursor = statement.query(rusqlite::params_from_iter(params))?;
    let mut all = Vec::new();
    while let Some(row) = cursor.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(match row.get_ref(column)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(v) => Value::Int(v),
                ValueRef::Real(v) => Value::Text(v.to_string()),
                ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
                ValueRef::Blob(v) => Value::Blob(v.to_owned()),
            });
        }
        all.push(Row(values));
    }
    Ok(all)
}

impl Tx for SqliteTx<'_> {
    fn query(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        self.guarded(stmt.name, |connection| rows(connection, stmt.sql, params))
    }

    fn execute(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        self.guarded(stmt.name, |connection| {
            let mut statement = connection.prepare_cached(stmt.sql)?;
            statement.execute(rusqlite::params_from_iter(params)).map(|n| n as u64)
        })
    }

    fn query_composed(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.guarded("list", |connection| rows(connection, sql, params))
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn next_ids(&mut self, counter: Counter, count: i64) -> Result<Id> {
        // Out of the lock while the row is read: the read is a statement like any other.
        let environment = self.environment;
        let mut counters = super::lock(&environment.counters).clone();
        let first = counters.take(counter, count, || counter::get(self, counter))?;
        *super::lock(&environment.counters) = counters;
        Ok(first)
    }

    fn random(&mut self, purpose: &str) -> Box<dyn Rng> {
        Box::new(Stream::new(&self.environment.key, self.environment.seed.as_bytes(), self.sequence, purpose))
    }

    fn signal(&mut self, signal: Signal) {
        if !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
    }

    fn rehearse(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        let signalled = self.signals.len();
        self.guarded("rehearse", |connection| step(connection, "SAVEPOINT rehearsal"))?;
        work(self)?;
        self.signals.truncate(signalled);
        self.guarded("rehearse", |connection| {
            step(connection, "ROLLBACK TO rehearsal").and_then(|()| step(connection, "RELEASE rehearsal"))
        })
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(v) => ValueRef::Integer(*v),
            Value::Text(v) => ValueRef::Text(v.as_bytes()),
            Value::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, open_file};
    use rusqlite::StatementStatus;

    #[test]
    fn bound_limits_do_not_plan_anew() {
        let folder = std::env::temp_dir().join(format!("wolke-plans-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("plans.db");
        let writer = open_file(&path, Access::Write).unwrap();
        writer.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT; CREATE INDEX i ON t (b)").unwrap();
        for connection in [&writer, &open_file(&path, Access::Read).unwrap()] {
            let sql = "SELECT a FROM t WHERE b = $1 ORDER BY a LIMIT $2 OFFSET $3";
            for offset in 0..5 {
                let mut statement = connection.prepare_cached(sql).unwrap();
                let _ = statement.query(("x", 25, offset)).unwrap().next().unwrap();
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
