//! One connection: its settings, its prepared statements, and how statements run on it.

use super::failure::Failure;
use super::target::Target;
use super::values;
use crate::value::{Row, Value};
use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, SimpleQueryMessage, Statement};
use std::collections::HashMap;
use std::time::Duration;

/// Prepared statements kept per connection: more than the house has. Composed lists may exceed it; then all are forgotten.
const STATEMENTS_MAX: usize = 512;
/// How long a statement may wait for a lock, advisory ones included, in milliseconds.
const LOCK_TIMEOUT_MS: u32 = 10_000;
/// How long a statement may run, in milliseconds.
const STATEMENT_TIMEOUT_MS: u32 = 30_000;
/// How long a transaction may stand still: a process that was frozen must not hold the others up. In milliseconds.
const IDLE_IN_TRANSACTION_MS: u32 = 30_000;

/// A connection whose statements find the tables of one schema.
pub(crate) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Connection {
    /// Connects; the schema need not exist yet.
    pub(crate) fn open(target: &Target, schema: &str) -> Result<Self, Failure> {
        let client = target.connect().map_err(|e| Failure::of("cannot connect to the database", &e))?;
        let mut connection = Self { client, statements: HashMap::new() };
        // Every statement of the house has its index (a test reads EXPLAIN). Without sequential scans small tables take
        // fine predicate locks too, so that neighbours don't conflict, and a plan that was made when a table was
        // small does not stay bad when it has grown. A plan that has no other way than such a scan looks endlessly dear,
        // and the engine would compile it to machine code, for a tenth of a second, whatever little it reads: never do.
        let settings = format!(
            "SET search_path TO \"{schema}\"; SET lock_timeout = {LOCK_TIMEOUT_MS}; \
             SET statement_timeout = {STATEMENT_TIMEOUT_MS}; \
             SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}; \
             SET enable_seqscan = off; SET jit = off; SET client_min_messages = warning"
        );
        connection.run("settings", &settings)?;
        Ok(connection)
    }

    /// Whether the connection is known to be gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The client itself, for notifications.
    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Runs statements without parameters in one round trip.
    pub(crate) fn run(&mut self, context: &str, sql: &str) -> Result<(), Failure> {
        self.client.batch_execute(sql).map_err(|e| Failure::of(context, &e))
    }

    /// Runs a statement that waits for a lock longer than others may; false when it has waited `at_most`.
    pub(crate) fn wait_for_lock(&mut self, sql: &str, at_most: Duration) -> Result<bool, Failure> {
        // Zero would mean for ever.
        let ms = at_most.as_millis().max(1);
        self.run("lock", &format!("SET statement_timeout = 0; SET lock_timeout = {ms}"))?;
        match self.client.batch_execute(sql) {
            Ok(()) => Ok(true),
            Err(e) if e.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            Err(e) => Err(Failure::of("lock", &e)),
        }
    }

    /// Runs statements without parameters in one round trip; returns the rows of all of them, in their text form.
    pub(crate) fn ask(&mut self, context: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let messages = self.client.simple_query(sql).map_err(|e| Failure::of(context, &e))?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }

    /// Runs a statement that answers rows.
    pub(crate) fn query(&mut self, name: &str, sql: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(name, sql)?;
        let rows = self.client.query(&statement, &borrowed(params)).map_err(|e| Failure::of(name, &e))?;
        rows.iter().map(values::row).collect::<Result<_, _>>().map_err(|e| Failure::of(name, &e))
    }

    /// Runs a statement that answers no rows.
    pub(crate) fn execute(&mut self, name: &str, sql: &str, params: &[Value]) -> Result<u64, Failure> {
        let statement = self.prepared(name, sql)?;
        self.client.execute(&statement, &borrowed(params)).map_err(|e| Failure::of(name, &e))
    }

    fn prepared(&mut self, name: &str, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(|e| Failure::of(name, &e))?;
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|p| p as &(dyn ToSql + Sync)).collect()
}
