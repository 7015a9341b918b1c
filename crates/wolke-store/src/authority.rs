//! The authorities that issue managed certificates: a certificate that everybody may see, and a sealed key.

use crate::stmt::statements;
use crate::tx::Tx;
use wolke_domain::Result;
use wolke_domain::certificate::AuthorityName;

statements! { "authority";
    INSERT = "INSERT INTO authorities (name, certificate, sealed) VALUES ($1, $2, $3)";
    GET = "SELECT certificate, sealed FROM authorities WHERE name = $1";
}

/// An authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its own certificate, in PEM.
    pub certificate: String,
    /// Its key, sealed.
    pub sealed: String,
}

/// Keeps a new authority for ever.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, name: AuthorityName, new: &Authority) -> Result<()> {
    tx.execute_one(&INSERT, &[name.as_str().into(), (&new.certificate).into(), (&new.sealed).into()])
}

/// An authority; none before it was first asked.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, name: AuthorityName) -> Result<Option<Authority>> {
    let Some(row) = tx.query_one(&GET, &[name.as_str().into()])? else { return Ok(None) };
    Ok(Some(Authority { certificate: row.text(0)?.to_owned(), sealed: row.text(1)?.to_owned() }))
}
