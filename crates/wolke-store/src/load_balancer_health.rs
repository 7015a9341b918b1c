//! What health checks that take time have found, and come to, at the targets of load balancers (decision 0018).
//!
//! A load balancer whose checks take time has a row in `load_balancer_checkers` that names its calendar, and in
//! `load_balancer_health` a row for each target, with a watch for each service. One whose checks take no time has neither, and
//! nothing here is written for it.
//!
//! **Invariant:** whoever bumps the rev of a load balancer wakes its calendar in the same transaction (`touch`, `wake`), so
//! that it looks at the targets again. Its own bumps are silent ([`show`]).

use crate::stmt::{Stmt, statements};
use crate::strand;
use crate::tx::Tx;
use crate::value::{Row, Value, json_text};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::load_balancer::verdict::Watch;
use wolke_wire::Id;

/// What a statement ends with that bumps the revs of load balancers: the calendars that [`touch`] wakes.
macro_rules! watched {
    () => {
        " RETURNING (SELECT c.strand FROM load_balancer_checkers c WHERE c.load_balancer = load_balancers.id)"
    };
}
pub(crate) use watched;

statements! { "load_balancer_health";
    CALENDAR = "SELECT strand FROM load_balancer_checkers WHERE load_balancer = $1";
    BEGIN = "INSERT INTO load_balancer_checkers (load_balancer, strand) VALUES ($1, $2) ON CONFLICT (load_balancer) DO UPDATE SET strand = excluded.strand";
    END = "DELETE FROM load_balancer_checkers WHERE load_balancer = $1";
    OF = "SELECT server, ip, private, doc FROM load_balancer_health WHERE load_balancer = $1 ORDER BY server, ip, private";
    PUT = "INSERT INTO load_balancer_health (load_balancer, server, ip, private, doc) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (load_balancer, server, ip, private) DO UPDATE SET doc = excluded.doc";
    DROP = "DELETE FROM load_balancer_health WHERE load_balancer = $1 AND server = $2 AND ip = $3 AND private = $4";
    DROP_ALL = "DELETE FROM load_balancer_health WHERE load_balancer = $1";
    SHOW = "UPDATE load_balancers SET rev = rev + 1 WHERE id = $1";
    WITHOUT = "SELECT b.id, b.project FROM load_balancers b WHERE b.id > $1
        AND NOT EXISTS (SELECT 1 FROM load_balancer_checkers c WHERE c.load_balancer = b.id) ORDER BY b.id LIMIT $2";
    WITH = "SELECT c.load_balancer, (SELECT b.project FROM load_balancers b WHERE b.id = c.load_balancer) FROM load_balancer_checkers c
        WHERE c.load_balancer > $1 ORDER BY c.load_balancer LIMIT $2";
}

/// A target as checks reach it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checked {
    /// The server; 0 for an address.
    pub server: Id,
    /// The address of a dedicated server; empty for a server.
    pub ip: String,
    /// By the private network.
    pub private: bool,
}

/// The watches of a target, by listen port.
pub type Watches = BTreeMap<u16, Watch>;

impl Checked {
    fn params(&self, load_balancer: Id) -> Vec<Value> {
        vec![load_balancer.into(), self.server.into(), (&self.ip).into(), self.private.into()]
    }
}

/// The calendar of a load balancer whose checks take time; none of one whose checks take no time.
///
/// # Errors
/// The engine's failure.
pub fn calendar(tx: &mut dyn Tx, load_balancer: Id) -> Result<Option<Id>> {
    tx.query_one(&CALENDAR, &[load_balancer.into()])?.map(|row| row.int(0)).transpose()
}

/// Notes the calendar of a load balancer whose checks take time.
///
/// # Errors
/// The engine's failure.
pub fn begin(tx: &mut dyn Tx, load_balancer: Id, calendar: Id) -> Result<()> {
    tx.execute_one(&BEGIN, &[load_balancer.into(), calendar.into()])
}

/// The checks of a load balancer take no time from now on, or it goes: nothing of them is left. False when there was nothing.
///
/// # Errors
/// The engine's failure.
pub fn end(tx: &mut dyn Tx, load_balancer: Id) -> Result<bool> {
    let Some(calendar) = calendar(tx, load_balancer)? else { return Ok(false) };
    tx.execute(&DROP_ALL, &[load_balancer.into()])?;
    tx.execute_one(&END, &[load_balancer.into()])?;
    strand::dismiss(tx, calendar)?;
    Ok(true)
}

fn checked(row: &Row) -> Result<(Checked, Watches)> {
    let of = Checked { server: row.int(0)?, ip: row.text(1)?.to_owned(), private: row.flag(2)? };
    Ok((of, row.json(3)?))
}

/// What is known of the targets of a load balancer.
///
/// # Errors
/// The engine's failure.
pub fn of(tx: &mut dyn Tx, load_balancer: Id) -> Result<BTreeMap<Checked, Watches>> {
    tx.query(&OF, &[load_balancer.into()])?.iter().map(checked).collect()
}

/// Keeps what is known of a target.
///
/// # Errors
/// The engine's failure.
pub fn put(tx: &mut dyn Tx, load_balancer: Id, target: &Checked, watches: &Watches) -> Result<()> {
    let mut params = target.params(load_balancer);
    params.push(json_text(watches)?);
    tx.execute_one(&PUT, &params)
}

/// Forgets a target.
///
/// # Errors
/// The engine's failure.
pub fn forget(tx: &mut dyn Tx, load_balancer: Id, target: &Checked) -> Result<()> {
    tx.execute_one(&DROP, &target.params(load_balancer))
}

/// Bumps the rev of a load balancer that shows other verdicts, without waking its calendar.
///
/// # Errors
/// The engine's failure.
pub fn show(tx: &mut dyn Tx, load_balancer: Id) -> Result<()> {
    tx.execute_one(&SHOW, &[load_balancer.into()])
}

/// Runs a statement that bumps the revs of load balancers and ends with [`watched`], and wakes their calendars.
pub(crate) fn touch(tx: &mut dyn Tx, stmt: &Stmt, params: &[Value]) -> Result<()> {
    for row in tx.query(stmt, params)? {
        if let Some(calendar) = row.opt_int(0)? {
            strand::wake(tx, calendar)?;
        }
    }
    Ok(())
}

/// Wakes the calendar of a load balancer that has changed, if it has one.
pub(crate) fn wake(tx: &mut dyn Tx, load_balancer: Id) -> Result<()> {
    calendar(tx, load_balancer)?.map_or(Ok(()), |calendar| strand::wake(tx, calendar))
}

/// The next load balancers behind an id whose checks take time, or take none, with their projects: for a change of pace.
///
/// # Errors
/// The engine's failure.
pub fn of_pace(tx: &mut dyn Tx, takes_time: bool, behind: Id, limit: i64) -> Result<Vec<(Id, Id)>> {
    let stmt = if takes_time { &WITH } else { &WITHOUT };
    let rows = tx.query(stmt, &[behind.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect()
}
