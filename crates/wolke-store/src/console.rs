//! Tickets to consoles: one use, one minute of real time. The token is stored hashed and the password sealed, as
//! everything that opens a door.

use crate::stmt::statements;
use crate::tx::Tx;
use wolke_domain::Result;
use wolke_wire::{Id, Timestamp};

pub use crate::token::hash;

/// How long a ticket may be redeemed, in milliseconds of real time.
pub const TICKET_MS: i64 = 60_000;
/// Tickets of one server at a time; a new one replaces the oldest.
pub const TICKETS_PER_SERVER_MAX: i64 = 16;

statements! { "console";
    INSERT = "INSERT INTO console_tickets (hash, server, expires, used, password) VALUES ($1, $2, $3, 0, $4)";
    GET = "SELECT server, used, expires FROM console_tickets WHERE hash = $1";
    REDEEM = "UPDATE console_tickets SET used = 1, password = '' WHERE hash = $1 AND used = 0 AND expires > $2 AND server = $3";
    PASSWORD = "SELECT password FROM console_tickets WHERE hash = $1";
    EXPIRED = "DELETE FROM console_tickets WHERE expires <= $1";
    OLDEST = "DELETE FROM console_tickets WHERE server = $1 AND hash NOT IN
        (SELECT hash FROM console_tickets WHERE server = $2 ORDER BY expires DESC, hash LIMIT $3)";
    FORGET = "DELETE FROM console_tickets WHERE server = $1";
}

/// What is known of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    /// There is none, or it is forgotten.
    Unknown,
    /// It has been redeemed, or its time is over.
    Spent,
    /// It leads to the console of this server.
    Good(Id),
}

/// Keeps a ticket. Expired ones are removed, of whichever server.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, server: Id, hash: &str, sealed_password: &str) -> Result<()> {
    let now = tx.facts().real_now;
    tx.execute(&EXPIRED, &[now.into()])?;
    tx.execute(&OLDEST, &[server.into(), server.into(), (TICKETS_PER_SERVER_MAX - 1).into()])?;
    let expires: Timestamp = now.plus_ms(TICKET_MS);
    tx.execute_one(&INSERT, &[hash.into(), server.into(), expires.into(), sealed_password.into()])
}

/// Looks at a ticket without touching it.
///
/// # Errors
/// The engine's failure.
pub fn look(tx: &mut dyn Tx, hash: &str) -> Result<Ticket> {
    let now = tx.facts().real_now;
    let Some(row) = tx.query_one(&GET, &[hash.into()])? else { return Ok(Ticket::Unknown) };
    let spent = row.flag(1)? || row.time(2)? <= now;
    Ok(if spent { Ticket::Spent } else { Ticket::Good(row.int(0)?) })
}

/// Redeems a good ticket of a server: gives the sealed password, once. None when it is not good any more.
///
/// # Errors
/// The engine's failure.
pub fn redeem(tx: &mut dyn Tx, server: Id, hash: &str) -> Result<Option<String>> {
    let now = tx.facts().real_now;
    let Some(row) = tx.query_one(&PASSWORD, &[hash.into()])? else { return Ok(None) };
    let redeemed = tx.execute(&REDEEM, &[hash.into(), now.into(), server.into()])? == 1;
    if redeemed { row.text(0).map(|password| Some(password.to_owned())) } else { Ok(None) }
}

/// Removes the tickets of a server that goes.
///
/// # Errors
/// The engine's failure.
pub fn forget(tx: &mut dyn Tx, server: Id) -> Result<()> {
    tx.execute(&FORGET, &[server.into()]).map(|_| ())
}
