//! Tokens, in the root database: from the hash of a token to a world, a project and a scope.

use crate::project::{LIST_PAGE, by_pages};
use crate::random::hex;
use crate::stmt::statements;
use crate::tx::{Counter, Signal, Tx};
use crate::value::Row;
use sha2::{Digest as _, Sha256};
use wolke_domain::rng::alphanumeric;
use wolke_domain::{Error, Result};
use wolke_wire::{Dialect, Id, Timestamp};

/// Letters and digits of a token.
pub const TOKEN_LENGTH: usize = 64;

statements! { "token";
    INSERT = "INSERT INTO token (id, hash, world, project, name, writes, dialect, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    BY_HASH = "SELECT id, world, project, name, writes, dialect, created FROM token WHERE hash = $1";
    LIST = "SELECT id, world, project, name, writes, dialect, created FROM token WHERE id > $1 ORDER BY id LIMIT $2";
    DELETE = "DELETE FROM token WHERE id = $1";
    DELETE_OF_PROJECT = "DELETE FROM token WHERE world = $1 AND project = $2";
    PROJECTS = "SELECT DISTINCT project FROM token WHERE world = $1 AND project > $2 ORDER BY project LIMIT $3";
    WORLD_INSERT = "INSERT INTO world (id, name, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    ACCOUNT_INSERT = "INSERT INTO account (id, name, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    WORLDS = "SELECT name FROM world ORDER BY id";
}

/// What a token leads to. The token itself is stored nowhere but with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: Id,
    /// The world.
    pub world: String,
    /// The project in that world.
    pub project: Id,
    /// What its owner calls it.
    pub name: String,
    /// Read-write, or read-only.
    pub writes: bool,
    /// Its dialect, where it differs from the server's.
    pub dialect: Option<Dialect>,
    /// When it was made.
    pub created: Timestamp,
}

/// What a new token shall be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The world.
    pub world: String,
    /// The project in that world.
    pub project: Id,
    /// What its owner calls it.
    pub name: String,
    /// Read-write, or read-only.
    pub writes: bool,
    /// A dialect of its own.
    pub dialect: Option<Dialect>,
}

fn token(row: &Row) -> Result<Token> {
    let dialect = match row.opt_text(5)? {
        None => None,
        Some(name) => Some(Dialect::parse(name).ok_or_else(|| Error::internal(format!("unknown dialect {name}")))?),
    };
    Ok(Token {
        id: row.int(0)?,
        world: row.text(1)?.to_owned(),
        project: row.int(2)?,
        name: row.text(3)?.to_owned(),
        writes: row.flag(4)?,
        dialect,
        created: row.time(6)?,
    })
}

/// How a token is stored and looked up: its SHA-256 in hexadecimal. A token has 380 bits, so no slow hash is needed.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Makes a token; the secret is returned this once.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, new: &NewToken) -> Result<(Token, String)> {
    let secret = alphanumeric(&mut *tx.random("token"), TOKEN_LENGTH);
    insert_secret(tx, new, &secret).map(|token| (token, secret))
}

/// As [`insert`], with a secret from outside.
///
/// # Errors
/// The engine's failure.
pub fn insert_secret(tx: &mut dyn Tx, new: &NewToken, secret: &str) -> Result<Token> {
    let id = tx.next_id(Counter::Token)?;
    let created = tx.now();
    let params = [
        id.into(),
        hash(secret).into(),
        (&new.world).into(),
        new.project.into(),
        (&new.name).into(),
        new.writes.into(),
        new.dialect.map(Dialect::name).into(),
        created.into(),
    ];
    tx.execute_one(&INSERT, &params)?;
    tx.signal(Signal::TokensChanged);
    let NewToken { world, project, name, writes, dialect } = new.clone();
    Ok(Token { id, world, project, name, writes, dialect, created })
}

/// What a token leads to, by the hash of its secret.
///
/// # Errors
/// The engine's failure.
pub fn by_hash(tx: &mut dyn Tx, hash: &str) -> Result<Option<Token>> {
    tx.query_one(&BY_HASH, &[hash.into()])?.as_ref().map(token).transpose()
}

/// All tokens, by id.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx) -> Result<Vec<Token>> {
    by_pages(|after| tx.query(&LIST, &[after.into(), LIST_PAGE.into()])?.iter().map(token).collect(), |t| t.id)
}

/// Deletes a token; false when there was none.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    tx.signal(Signal::TokensChanged);
    tx.execute(&DELETE, &[id.into()]).map(|n| n > 0)
}

/// The projects of a world that have tokens, by id.
///
/// # Errors
/// The engine's failure.
pub fn projects(tx: &mut dyn Tx, world: &str) -> Result<Vec<Id>> {
    let params = |after: Id| [world.into(), after.into(), LIST_PAGE.into()];
    by_pages(|after| tx.query(&PROJECTS, &params(after))?.iter().map(|row| row.int(0)).collect(), |id| *id)
}

/// Deletes all tokens of a project.
///
/// # Errors
/// The engine's failure.
pub fn delete_of_project(tx: &mut dyn Tx, world: &str, project: Id) -> Result<u64> {
    tx.signal(Signal::TokensChanged);
    tx.execute(&DELETE_OF_PROJECT, &[world.into(), project.into()])
}

/// Writes down that the account and the world exist; repeatable.
///
/// # Errors
/// The engine's failure.
pub fn ensure_account_and_world(tx: &mut dyn Tx, account: &str, world: &str) -> Result<()> {
    let now = tx.now();
    tx.execute(&ACCOUNT_INSERT, &[1.into(), account.into(), now.into()])?;
    tx.execute(&WORLD_INSERT, &[1.into(), world.into(), now.into()])?;
    Ok(())
}

/// The names of all worlds.
///
/// # Errors
/// The engine's failure.
pub fn worlds(tx: &mut dyn Tx) -> Result<Vec<String>> {
    tx.query(&WORLDS, &[])?.iter().map(|r| r.text(0).map(str::to_owned)).collect()
}
