//! A look at a database file that changes nothing, with or without a server working on it. (A log that a killed process has left
//! is indexed anew by whoever reads it: the `-shm` file beside it, which holds nothing that is not in the log.)

use super::connection::{Access, open_file, rows};
use super::engine_error;
use crate::clock;
use crate::inspect::Inspected;
use crate::migrate::{self, Role};
use crate::value::{Row, Value};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use wolke_domain::{Error, Result};

/// Looks at the database at `path`; none when there is no such file.
///
/// # Errors
/// When the file cannot be read, is no database or is damaged.
pub fn inspect(path: &Path, role: Role) -> Result<Option<Inspected>> {
    if !path.try_exists().map_err(|e| Error::internal(format!("{}: {e}", path.display())))? {
        return Ok(None);
    }
    let connection = open(path)?;
    let fail = |e: rusqlite::Error| engine_error(&format!("cannot read {}", path.display()), &e);
    let schema = connection.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(fail)?;
    let mut inspected = Inspected { schema, clock: None, seal_key: None };
    if Inspected::is_readable(schema, role) {
        let one = |sql: &str, params: &[Value]| -> Result<Option<Row>> {
            Ok(rows(&connection, sql, params).map_err(fail)?.into_iter().next())
        };
        inspected.clock = one(clock::GET.sql, &[])?.as_ref().map(clock::state).transpose()?;
        let key = one(migrate::META_GET.sql, &[migrate::SEAL_KEY.into()])?;
        inspected.seal_key = key.map(|row| row.text(0).map(str::to_owned)).transpose()?;
    }
    Ok(Some(inspected))
}

/// Without a log the file says everything, and is read as if it could not change: a usual reader would make files beside it.
fn open(path: &Path) -> Result<Connection> {
    let log = path.with_extension("db-wal");
    if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return open_file(path, Access::Read);
    }
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
        .map_err(|e| engine_error(&format!("cannot open {}", path.display()), &e))
}
