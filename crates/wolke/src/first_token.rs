//! The token of the project `default`, kept in a file that `wolke env` reads.
//!
//! After every start the file holds a token that works. The secret is written to a pending file, then its hash to the
//! database, then the file gets its name: a crash in between is finished by the next start, and no token is left whose
//! secret nobody knows. A token that was deleted is not brought back: the file gets a new one.

use crate::directory::{Directory, WORLD};
use crate::failure::{Failure, Result};
use crate::files;
use wolke_control::project as projects;
use wolke_domain::rng::{Rng, alphanumeric};
use wolke_store::token::{self, NewToken, TOKEN_LENGTH};
use wolke_store::{Db, Race, Tx, project};
use wolke_wire::Id;

/// The account of a first start.
const ACCOUNT: &str = "default";
/// The project of a first start.
pub const PROJECT: &str = "default";
/// What the token is called.
const NAME: &str = "first start";

/// Makes account, world, project and token where they are missing.
///
/// # Errors
/// When a database or a file cannot be read or written.
pub async fn ensure(root: &Db, world: &Db, directory: &Directory) -> Result<()> {
    let known = files::read(&directory.token())?;
    if root.read(|tx| is_set_up(tx)).await? {
        if let Some(secret) = known
            && root.read(move |tx| exists(tx, &secret)).await?
        {
            return Ok(());
        }
        // Deleting the project `default` is meant to last.
        let Some(project) = world.read(|tx| project::by_name(tx, PROJECT)).await? else { return Ok(()) };
        return make_token(root, directory, project.id).await;
    }
    let project = projects::ensure_project(world, PROJECT).await?;
    make_token(root, directory, project.id).await?;
    // Last, because it says that the rest is there.
    root.write(vec![Race::Database], |tx| token::ensure_account_and_world(tx, ACCOUNT, WORLD)).await?;
    Ok(())
}

async fn make_token(root: &Db, directory: &Directory, project: Id) -> Result<()> {
    let pending = directory.file("token.new");
    let secret = match files::read(&pending)? {
        Some(secret) if is_token(&secret) => secret,
        _ => {
            let secret = alphanumeric(&mut Drawn::new()?, TOKEN_LENGTH);
            files::write(&pending, &secret)?;
            secret
        }
    };
    let new = NewToken { world: WORLD.into(), project, name: NAME.into(), writes: true, dialect: None };
    root.write(vec![Race::Database], move |tx| match token::by_hash(tx, &token::hash(&secret))? {
        Some(_) => Ok(()),
        None => token::insert_secret(tx, &new, &secret).map(|_| ()),
    })
    .await?;
    files::rename(&pending, &directory.token())
}

/// Whether a start has come to its end here before.
///
/// # Errors
/// The engine's failure.
pub fn is_set_up(tx: &mut dyn Tx) -> wolke_domain::Result<bool> {
    Ok(token::worlds(tx)?.iter().any(|name| name == WORLD))
}

/// Whether a token leads anywhere.
///
/// # Errors
/// The engine's failure.
pub fn exists(tx: &mut dyn Tx, secret: &str) -> wolke_domain::Result<bool> {
    Ok(token::by_hash(tx, &token::hash(secret))?.is_some())
}

/// Whether a text has the form of a token.
pub fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|c| c.is_ascii_alphanumeric())
}

/// Bytes drawn from the system beforehand: about one in thirty is skipped by [`alphanumeric`].
struct Drawn {
    bytes: [u8; TOKEN_LENGTH * 4],
    used: usize,
}

impl Drawn {
    fn new() -> Result<Self> {
        use std::io::Read as _;
        let mut bytes = [0; TOKEN_LENGTH * 4];
        let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
        read.map_err(|e| Failure::new(format!("the system has no randomness: {e}")))?;
        Ok(Self { bytes, used: 0 })
    }
}

impl Rng for Drawn {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.bytes.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
    }
}
