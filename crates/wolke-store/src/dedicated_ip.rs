//! The addresses of dedicated servers that load balancers may have as targets: there are no dedicated servers here that would
//! have one, so the operator says which there are.

use crate::stmt::statements;
use crate::tx::Tx;
use wolke_domain::Result;

statements! { "dedicated_ip";
    INSERT = "INSERT INTO dedicated_ips (ip) VALUES ($1) ON CONFLICT (ip) DO NOTHING";
    GET = "SELECT ip FROM dedicated_ips WHERE ip = $1";
    LIST = "SELECT ip FROM dedicated_ips WHERE ip > $1 ORDER BY ip LIMIT $2";
    IS_FULL = "SELECT ip FROM dedicated_ips WHERE ip > '' ORDER BY ip LIMIT 1 OFFSET $1";
    DELETE = "DELETE FROM dedicated_ips WHERE ip = $1";
}

/// Makes an address known; false when it is already.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, ip: &str) -> Result<bool> {
    Ok(tx.execute(&INSERT, &[ip.into()])? > 0)
}

/// Whether an address is known, by its canonical text.
///
/// # Errors
/// The engine's failure.
pub fn is_known(tx: &mut dyn Tx, ip: &str) -> Result<bool> {
    Ok(tx.query_one(&GET, &[ip.into()])?.is_some())
}

/// The first of all addresses, in the order of their texts.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx, limit: i64) -> Result<Vec<String>> {
    tx.query(&LIST, &["".into(), limit.into()])?.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Whether there are more addresses than `max`.
///
/// # Errors
/// The engine's failure.
pub fn has_more_than(tx: &mut dyn Tx, max: i64) -> Result<bool> {
    Ok(tx.query_one(&IS_FULL, &[max.into()])?.is_some())
}

/// Forgets an address; false when it is not known.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, ip: &str) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[ip.into()])? > 0)
}
