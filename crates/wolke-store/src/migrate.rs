//! One numbered list of migrations for both engines, and the small dialect that turns one text into both.
//!
//! The files write `BIGINT`, `TEXT`, `BLOB` and, after a table whose primary key should be its storage order,
//! `CLUSTERED`. SQLite gets STRICT tables, INTEGER and WITHOUT ROWID; PostgreSQL gets BYTEA and byte-wise collation. What stands
//! in a document is `JSON_AT(CAST(doc AS JSONB), CAST(path AS JSONPATH))`, which is text in SQLite and JSON in PostgreSQL.
//! A database newer than this list is refused (design §4).

use crate::tx::{Facts, Tx};
use wolke_domain::{Error, Result};

/// What a database is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Accounts, worlds and tokens.
    Root,
    /// One world.
    World,
}

/// A step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place in the list, from 1.
    pub number: i64,
    /// Its text, in the dialect of this module.
    pub sql: &'static str,
}

const COMMON_0001: &str = include_str!("migrations/common_0001.sql");
const ROOT_0001: &str = include_str!("migrations/root_0001.sql");
const WORLD_0001: &str = include_str!("migrations/world_0001.sql");
const WORLD_0002: &str = include_str!("migrations/world_0002.sql");
const WORLD_0003: &str = include_str!("migrations/world_0003.sql");
const WORLD_0004: &str = include_str!("migrations/world_0004.sql");
const WORLD_0005: &str = include_str!("migrations/world_0005.sql");
const WORLD_0006: &str = include_str!("migrations/world_0006.sql");

impl Role {
    /// The migrations of such a database, in order.
    #[must_use]
    pub const fn migrations(self) -> &'static [Migration] {
        match self {
            Self::Root => &[Migration { number: 1, sql: COMMON_0001 }, Migration { number: 2, sql: ROOT_0001 }],
            Self::World => &[
                Migration { number: 1, sql: COMMON_0001 },
                Migration { number: 2, sql: WORLD_0001 },
                Migration { number: 3, sql: WORLD_0002 },
                Migration { number: 4, sql: WORLD_0003 },
                Migration { number: 5, sql: WORLD_0004 },
                Migration { number: 6, sql: WORLD_0005 },
                Migration { number: 7, sql: WORLD_0006 },
            ],
        }
    }

    /// The newest schema that this program knows.
    #[must_use]
    pub fn newest(self) -> i64 {
        self.migrations().last().map_or(0, |m| m.number)
    }

    /// The migrations that a database at `current` still needs.
    ///
    /// # Errors
    /// Refused when the database is newer than this program.
    pub fn missing(self, current: i64) -> Result<impl Iterator<Item = &'static Migration>> {
        if current > self.newest() {
            return Err(Error::internal(format!(
                "the database has schema {current}, this program knows up to {}: use a newer release",
                self.newest()
            )));
        }
        Ok(self.migrations().iter().filter(move |m| m.number > current))
    }
}

/// The statements of a migration as SQLite takes them.
#[must_use]
pub fn for_sqlite(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for statement in statements(sql) {
        let words = [("BIGINT", "INTEGER"), ("JSON_AT", "json_extract"), ("JSONB", "TEXT"), ("JSONPATH", "TEXT")];
        let statement = replace_words(&statement, &words);
        if let Some(table) = statement.strip_suffix("CLUSTERED") {
            text.push_str(table);
            text.push_str("STRICT, WITHOUT ROWID");
        } else {
            text.push_str(&statement);
            if statement.starts_with("CREATE TABLE") {
                text.push_str(" STRICT");
            }
        }
        text.push_str(";\n");
    }
    text
}

/// The statements of a migration as PostgreSQL takes them.
#[must_use]
pub fn for_postgres(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for statement in statements(sql) {
        let words = [("TEXT", "TEXT COLLATE \"C\""), ("BLOB", "BYTEA"), ("JSON_AT", "jsonb_path_query_first")];
        let statement = replace_words(&statement, &words);
        text.push_str(statement.strip_suffix("CLUSTERED").unwrap_or(&statement));
        text.push_str(";\n");
    }
    text
}

/// The statements without comments and surrounding space.
fn statements(sql: &str) -> Vec<String> {
    let code: Vec<&str> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    code.join("\n").split(';').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

/// Replaces whole words, so that `CONTEXT` stays what it is.
fn replace_words(text: &str, words: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        out.push_str(words.iter().find(|(from, _)| *from == word).map_or(word.as_str(), |(_, to)| to));
        word.clear();
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

crate::stmt::statements! { "migrate";
    /// The counter rows of a new database start at one.
    CLOCK_INSERT = "INSERT INTO clock (id, mode, anchor_world, anchor_real, rate_permille) VALUES (1, 'wall', $1, $2, 1000) ON CONFLICT (id) DO NOTHING";
    META_INSERT = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    META_GET = "SELECT value FROM meta WHERE name = $1";
    META_SET = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// The rows that every database holds from the start: its clock at the wall and its seed.
///
/// # Errors
/// The engine's failure.
pub fn first_rows(tx: &mut dyn Tx, seed: &str) -> Result<()> {
    let Facts { real_now, .. } = *tx.facts();
    tx.execute(&CLOCK_INSERT, &[real_now.into(), real_now.into()])?;
    tx.execute(&META_INSERT, &["seed".into(), seed.into()])?;
    Ok(())
}

/// The `meta` value with the fingerprint of the key that secrets are sealed with, in the root database.
pub const SEAL_KEY: &str = "seal_key";

/// A value of the `meta` table.
///
/// # Errors
/// The engine's failure.
pub fn meta(tx: &mut dyn Tx, name: &str) -> Result<Option<String>> {
    let row = tx.query_one(&META_GET, &[name.into()])?;
    row.map(|r| r.text(0).map(str::to_owned)).transpose()
}

/// Sets a value of the `meta` table.
///
/// # Errors
/// The engine's failure.
pub fn set_meta(tx: &mut dyn Tx, name: &str, value: &str) -> Result<()> {
    tx.execute(&META_SET, &[name.into(), value.into()]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::{for_postgres, for_sqlite};

    #[test]
    fn one_text_becomes_both() {
        let sql =
            "-- note\nCREATE TABLE a (id BIGINT PRIMARY KEY, b TEXT, c BLOB) CLUSTERED;\nCREATE INDEX i ON a (b);";
        assert_eq!(
            for_sqlite(sql),
            "CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT, c BLOB) STRICT, WITHOUT ROWID;\nCREATE INDEX i ON a (b);\n"
        );
        assert_eq!(
            for_postgres(sql),
            "CREATE TABLE a (id BIGINT PRIMARY KEY, b TEXT COLLATE \"C\", c BYTEA) ;\nCREATE INDEX i ON a (b);\n"
        );
    }
}
