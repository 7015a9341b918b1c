//! A look at a PostgreSQL server and at our schemas there that changes nothing.

use super::connection::Connection;
use super::schema::check_name;
use super::target::Target;
use crate::clock;
use crate::inspect::{Inspected, Schema, Server};
use crate::migrate::{META_GET, Role, SEAL_KEY};
use wolke_domain::clock::Clock;
use wolke_domain::{Error, Result};

/// What is asked of the server.
const SERVER: &str = "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
    pg_encoding_to_char(encoding), datname, current_user, has_database_privilege(datname, 'CREATE')::int,
    pg_is_in_recovery()::int,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    (SELECT COALESCE(SUM(numbackends), 0) FROM pg_stat_database)
    FROM pg_database WHERE datname = current_database()";
/// Its clock, in milliseconds.
const NOW: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint";

/// Looks at the server and at these schemas. Blocks: not for a thread of an async runtime.
///
/// # Errors
/// Unavailable when it cannot be reached; internal when the URL is wrong.
pub fn inspect(url: &str, schemas: &[(&str, Role)], local: &dyn Clock) -> Result<(Server, Vec<Schema>)> {
    let target = Target::parse(url)?;
    let mut connection = Connection::open(&target, "pg_catalog").map_err(|failure| failure.error())?;
    let answer = ask(&mut connection, SERVER)?;
    let mut server = Server {
        version: answer.text(0)?.to_owned(),
        major: answer.int(1)?,
        encoding: answer.text(2)?.to_owned(),
        database: answer.text(3)?.to_owned(),
        user: answer.text(4)?.to_owned(),
        may_create: answer.int(5)? == 1,
        is_standby: answer.int(6)? == 1,
        connections_max: answer.int(7)?,
        connections: answer.int(8)?,
        ahead_ms: 0,
    };
    let before = local.wall().0;
    let now = ask(&mut connection, NOW)?.int(0)?;
    // The question and the answer take about as long as each other.
    server.ahead_ms = now - before.midpoint(local.wall().0);
    let schemas = schemas.iter().map(|(name, role)| schema(&mut connection, name, *role));
    Ok((server, schemas.collect::<Result<_>>()?))
}

fn schema(connection: &mut Connection, name: &str, role: Role) -> Result<Schema> {
    check_name(name)?;
    let mut found = Schema {
        name: name.to_owned(),
        may_use: true,
        inspected: Inspected { schema: 0, clock: None, seal_key: None },
    };
    let sql = format!(
        "SELECT COALESCE((SELECT (has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE'))::int
            FROM pg_namespace WHERE nspname = '{name}'), -1),
         (to_regclass('\"{name}\".schema_version') IS NOT NULL)::int"
    );
    // Without USAGE nothing below the schema can be named.
    let may_use = ask(connection, &sql);
    let (may_use, is_filled) = match may_use {
        Ok(row) => (row.int(0)?, row.int(1)? == 1),
        Err(_) => (0, false),
    };
    found.may_use = may_use != 0;
    if may_use != 1 || !is_filled {
        return Ok(found);
    }
    let sql = format!("SELECT COALESCE(MAX(version), 0) FROM \"{name}\".schema_version");
    found.inspected.schema = ask(connection, &sql)?.int(0)?;
    if Inspected::is_readable(found.inspected.schema, role) {
        let failed = |failure: super::failure::Failure| failure.error();
        connection.run("inspect", &format!("SET search_path TO \"{name}\"")).map_err(failed)?;
        let clock = connection.query(clock::GET.name, clock::GET.sql, &[]).map_err(failed)?;
        found.inspected.clock = clock.first().map(clock::state).transpose()?;
        let key = connection.query(META_GET.name, META_GET.sql, &[SEAL_KEY.into()]).map_err(failed)?;
        found.inspected.seal_key = key.first().map(|row| row.text(0).map(str::to_owned)).transpose()?;
    }
    Ok(found)
}

/// The one row of an answer.
fn ask(connection: &mut Connection, sql: &str) -> Result<Answer> {
    let rows = connection.ask("inspect", sql).map_err(|failure| failure.error())?;
    rows.into_iter().next().map(Answer).ok_or_else(unreadable)
}

/// A row in its text form.
struct Answer(Vec<Option<String>>);

impl Answer {
    fn text(&self, column: usize) -> Result<&str> {
        self.0.get(column).and_then(Option::as_deref).ok_or_else(unreadable)
    }

    fn int(&self, column: usize) -> Result<i64> {
        self.text(column)?.parse().map_err(|_| unreadable())
    }
}

fn unreadable() -> Error {
    Error::internal("the database answered what cannot be read")
}
