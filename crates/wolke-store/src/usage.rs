//! What servers on real hosts have used: samples of counters, kept for [`KEPT_MS`].

use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::Row;
use wolke_domain::Result;
use wolke_domain::metrics::{Counters, Measured, Traffic};
use wolke_wire::{Id, Timestamp};

/// How long samples are kept, in milliseconds: the 30 days of metrics, and the longest billing period with a day to spare.
/// The newest older one stays, as what the next period counts from.
pub const KEPT_MS: i64 = 32 * 24 * 60 * 60 * 1000;
/// Samples that are removed at once.
pub const PRUNED_MAX: i64 = 5_000;

statements! { "usage";
    INSERT = "INSERT INTO server_usage (server, at, run, cpu_ms, read_ops, write_ops, read_bytes, write_bytes, bytes_in, bytes_out,
        packets_in, packets_out, total_in, total_out) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (server, at) DO NOTHING";
    LAST = "SELECT at, run, cpu_ms, read_ops, write_ops, read_bytes, write_bytes, bytes_in, bytes_out, packets_in, packets_out,
        total_in, total_out FROM server_usage WHERE server = $1 ORDER BY at DESC LIMIT 1";
    SINCE = "SELECT at, run, cpu_ms, read_ops, write_ops, read_bytes, write_bytes, bytes_in, bytes_out, packets_in, packets_out,
        total_in, total_out FROM server_usage WHERE server = $1 AND at >=
        COALESCE((SELECT MAX(at) FROM server_usage WHERE server = $2 AND at <= $3), 0) AND at <= $4 ORDER BY at";
    TOTAL = "SELECT total_in, total_out FROM server_usage WHERE server = $1 AND at <= $2 ORDER BY at DESC LIMIT 1";
    PRUNE = "DELETE FROM server_usage WHERE (server, at) IN (SELECT o.server, o.at FROM server_usage o WHERE o.at < $1
        AND EXISTS (SELECT 1 FROM server_usage n WHERE n.server = o.server AND n.at > o.at AND n.at < $1) ORDER BY o.at LIMIT 5000)";
    FORGET = "DELETE FROM server_usage WHERE server = $1";
}

fn number(row: &Row, column: usize) -> Result<u64> {
    Ok(row.int(column)?.cast_unsigned())
}

fn measured(row: &Row) -> Result<Measured> {
    Ok(Measured {
        at: row.time(0)?,
        run: row.int(1)?,
        counters: Counters {
            cpu_ms: number(row, 2)?,
            read_ops: number(row, 3)?,
            write_ops: number(row, 4)?,
            read_bytes: number(row, 5)?,
            write_bytes: number(row, 6)?,
            bytes_in: number(row, 7)?,
            bytes_out: number(row, 8)?,
            packets_in: number(row, 9)?,
            packets_out: number(row, 10)?,
        },
    })
}

fn total(row: &Row, column: usize) -> Result<Traffic> {
    Ok(Traffic { ingoing: number(row, column)?, outgoing: number(row, column + 1)? })
}

/// Writes a sample down. One that is not newer than the last is left out.
///
/// # Errors
/// The engine's failure.
pub fn note(tx: &mut dyn Tx, server: Id, sample: &Measured) -> Result<()> {
    let last = tx.query_one(&LAST, &[server.into()])?;
    let last = last.map(|row| Ok::<_, wolke_domain::Error>((measured(&row)?, total(&row, 11)?))).transpose()?;
    if last.as_ref().is_some_and(|(last, _)| last.at >= sample.at) {
        return Ok(());
    }
    let total = match &last {
        Some((last, total)) => total.with(&sample.traffic_since(Some(last))),
        None => sample.traffic_since(None),
    };
    let Counters { cpu_ms, read_ops, write_ops, read_bytes, write_bytes, bytes_in, bytes_out, packets_in, packets_out } =
        sample.counters;
    let mut params = vec![server.into(), sample.at.into(), sample.run.into()];
    let counters = [cpu_ms, read_ops, write_ops, read_bytes, write_bytes, bytes_in, bytes_out, packets_in, packets_out];
    params.extend(counters.iter().chain(&[total.ingoing, total.outgoing]).map(|n| n.cast_signed().into()));
    tx.execute(&INSERT, &params).map(|_| ())
}

/// The samples of a period, and the last one before it; oldest first.
///
/// # Errors
/// The engine's failure.
pub fn samples(tx: &mut dyn Tx, server: Id, (from, to): (Timestamp, Timestamp)) -> Result<Vec<Measured>> {
    let params = [server.into(), server.into(), from.into(), to.into()];
    tx.query(&SINCE, &params)?.iter().map(measured).collect()
}

/// What has gone over a server's public interface between two points in time, as far as it was measured.
///
/// # Errors
/// The engine's failure.
pub fn traffic(tx: &mut dyn Tx, server: Id, (from, to): (Timestamp, Timestamp)) -> Result<Traffic> {
    let Some(row) = tx.query_one(&TOTAL, &[server.into(), to.into()])? else { return Ok(Traffic::default()) };
    let until = total(&row, 0)?;
    let before = tx.query_one(&TOTAL, &[server.into(), from.into()])?;
    let before = before.map_or(Ok(Traffic::default()), |row| total(&row, 0))?;
    Ok(Traffic {
        ingoing: until.ingoing.saturating_sub(before.ingoing),
        outgoing: until.outgoing.saturating_sub(before.outgoing),
    })
}

/// Removes at most [`PRUNED_MAX`] samples that are older than [`KEPT_MS`]; returns how many.
///
/// # Errors
/// The engine's failure.
pub fn prune(tx: &mut dyn Tx) -> Result<u64> {
    let before = tx.now().plus_ms(-KEPT_MS);
    tx.execute(&PRUNE, &[before.into()])
}

/// Removes the samples of a server that is gone.
///
/// # Errors
/// The engine's failure.
pub fn forget(tx: &mut dyn Tx, server: Id) -> Result<()> {
    tx.execute(&FORGET, &[server.into()]).map(|_| ())
}
