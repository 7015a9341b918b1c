//! What the operator has told simulated guests to do: what load balancers find when they check on targets.
//!
//! A server's answers go with it; those of an address stay.

use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use wolke_domain::Result;
use wolke_domain::load_balancer::health::Told;
use wolke_wire::Id;

statements! { "guest";
    SET = "INSERT INTO guest_answers (server, ip, port, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (server, ip, port) DO UPDATE SET doc = excluded.doc";
    UNSET = "DELETE FROM guest_answers WHERE server = $1 AND ip = $2 AND port = $3";
    OF_SERVER = "SELECT server, ip, port, doc FROM guest_answers WHERE server = $1 ORDER BY ip, port";
    OF_IP = "SELECT server, ip, port, doc FROM guest_answers WHERE server = 0 AND ip = $1 ORDER BY port";
    LIST = "SELECT server, ip, port, doc FROM guest_answers WHERE server >= $1 ORDER BY server, ip, port LIMIT $2";
    IS_FULL = "SELECT server FROM guest_answers WHERE server >= 0 ORDER BY server, ip, port LIMIT 1 OFFSET $1";
    FORGET = "DELETE FROM guest_answers WHERE server = $1";
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A server.
    Server(Id),
    /// A dedicated server, by its address.
    Ip(String),
}

/// An answer that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose.
    pub who: Who,
    /// At which port; 0 for all that have no answer of their own.
    pub port: u16,
    /// What it does.
    pub told: Told,
}

impl Who {
    fn key(&self) -> (Id, &str) {
        match self {
            Self::Server(id) => (*id, ""),
            Self::Ip(ip) => (0, ip),
        }
    }
}

fn answer(row: &Row) -> Result<Answer> {
    let who = match row.int(0)? {
        0 => Who::Ip(row.text(1)?.to_owned()),
        server => Who::Server(server),
    };
    Ok(Answer { who, port: u16::try_from(row.int(2)?).unwrap_or(0), told: row.json(3)? })
}

/// Tells somebody what to do at a port.
///
/// # Errors
/// The engine's failure.
pub fn set(tx: &mut dyn Tx, new: &Answer) -> Result<()> {
    let (server, ip) = new.who.key();
    let params = [server.into(), ip.into(), i64::from(new.port).into(), json_text(&new.told)?];
    tx.execute(&SET, &params).map(|_| ())
}

/// Takes back what somebody was told about a port; false when there is nothing.
///
/// # Errors
/// The engine's failure.
pub fn unset(tx: &mut dyn Tx, who: &Who, port: u16) -> Result<bool> {
    let (server, ip) = who.key();
    Ok(tx.execute(&UNSET, &[server.into(), ip.into(), i64::from(port).into()])? > 0)
}

/// What somebody was told, by port.
///
/// # Errors
/// The engine's failure.
pub fn of(tx: &mut dyn Tx, who: &Who) -> Result<Vec<Answer>> {
    let rows = match who {
        Who::Server(id) => tx.query(&OF_SERVER, &[(*id).into()])?,
        Who::Ip(ip) => tx.query(&OF_IP, &[ip.into()])?,
    };
    rows.iter().map(answer).collect()
}

/// The first of all answers, servers first: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx, limit: i64) -> Result<Vec<Answer>> {
    tx.query(&LIST, &[0.into(), limit.into()])?.iter().map(answer).collect()
}

/// Whether there are more answers than `max`.
///
/// # Errors
/// The engine's failure.
pub fn has_more_than(tx: &mut dyn Tx, max: i64) -> Result<bool> {
    Ok(tx.query_one(&IS_FULL, &[max.into()])?.is_some())
}

/// A server is gone, and with it what it was told.
pub(crate) fn forget(tx: &mut dyn Tx, server: Id) -> Result<()> {
    tx.execute(&FORGET, &[server.into()]).map(|_| ())
}
