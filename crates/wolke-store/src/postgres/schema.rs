//! The schema of a world: made, migrated and filled under an advisory lock, so that several processes may start at once.

use super::connection::Connection;
use super::failure::Failure;
use super::ids::{Ids, Reserve};
use super::queue::Key;
use super::transaction::{Mode, PostgresTx};
use crate::migrate::{self, Role};
use crate::tx::Race;
use sha2::{Digest as _, Sha256};
use wolke_domain::{Error, Result};

/// PostgreSQL's limit for names.
const NAME_BYTES_MAX: usize = 63;

/// Checks a schema's name: lower-case letters, digits and underscores, so that it needs no escaping anywhere.
///
/// # Errors
/// Internal, with the name.
pub(crate) fn check_name(schema: &str) -> Result<()> {
    let first = schema.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let rest = schema.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if first && rest && schema.len() <= NAME_BYTES_MAX && !schema.starts_with("pg_") {
        Ok(())
    } else {
        Err(Error::internal(format!("'{schema}' cannot name a schema")))
    }
}

/// The advisory locks of a scope, sorted, each once. Advisory locks belong to the whole database, so the schema's name is
/// mixed in: two worlds do not wait for each other.
pub(crate) fn keys(schema: &str, scope: &[Race]) -> Vec<Key> {
    let digest = Sha256::digest(schema.as_bytes());
    let salt = digest.iter().take(4).fold(0_i32, |salt, byte| salt << 8 | i32::from(*byte));
    let mut keys: Vec<Key> = scope.iter().map(Race::key).map(|(class, object)| (class ^ salt, object)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Makes the schema where it is missing, brings it up to date and writes its first rows. After a failure the connection is
/// of no more use: the session may hold the lock.
///
/// # Errors
/// Refused when the schema is newer than this program; else the engine's failure.
pub(crate) fn prepare(connection: &mut Connection, schema: &str, role: Role, seed: &str) -> Result<()> {
    for (class, object) in keys(schema, &[Race::Database]) {
        fine(connection.run("migrate", &format!("SELECT pg_advisory_lock({class}, {object})")))?;
    }
    let exists = fine(connection.ask("migrate", &format!("SELECT to_regnamespace('{schema}')")))?;
    // IF NOT EXISTS alone would ask for the right to make schemas even where there is nothing to make.
    if exists.first().and_then(|row| row.first()).is_none_or(Option::is_none) {
        fine(connection.run("migrate", &format!("CREATE SCHEMA \"{schema}\"")))?;
    }
    migrate_to_newest(connection, role)?;
    let (ids, mut reserve) = (Ids::default(), Reserve::default());
    let mut tx = fine(PostgresTx::begin(connection, &ids, &mut reserve, Mode::Write, ""))?;
    migrate::first_rows(&mut tx, seed)?;
    drop(tx);
    fine(connection.run("migrate", "COMMIT; SELECT pg_advisory_unlock_all()"))
}

fn migrate_to_newest(connection: &mut Connection, role: Role) -> Result<()> {
    fine(connection.run("migrate", "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)"))?;
    let rows = fine(connection.ask("migrate", "SELECT COALESCE(MAX(version), 0) FROM schema_version"))?;
    let current = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
    let current: i64 = current.ok_or_else(|| Error::internal("the schema's version cannot be read"))?;
    for migration in role.missing(current)? {
        let sql = format!(
            "BEGIN; {} DELETE FROM schema_version; INSERT INTO schema_version (version) VALUES ({}); COMMIT;",
            migrate::for_postgres(migration.sql),
            migration.number
        );
        fine(connection.run("migrate", &sql))?;
    }
    Ok(())
}

fn fine<T>(outcome: std::result::Result<T, Failure>) -> Result<T> {
    outcome.map_err(|failure| failure.error())
}

#[cfg(test)]
mod tests {
    use super::{check_name, keys};
    use crate::tx::Race;

    #[test]
    fn names_need_no_escaping() {
        assert!(check_name("wolke_world_main").is_ok());
        for bad in ["", "Main", "a-b", "a\"b", "1a", "pg_x", &"a".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn locks_are_sorted_and_worlds_do_not_share_them() {
        let scope = [Race::Addresses, Race::Project(2), Race::Project(1), Race::Project(2)];
        let here = keys("wolke_world_a", &scope);
        assert_eq!(here.len(), 3);
        assert!(here.is_sorted());
        assert!(keys("wolke_world_b", &scope).iter().all(|key| !here.contains(key)));
    }
}
