//! Public addresses: which position of which pool belongs to whom.
//!
//! **Invariant:** of every pool, `cursor` = positions in `address` + positions in `address_free`. A position is in one of
//! the two, never in both: primary key and unique index see to it. Released positions are reused only when the pool has
//! no fresh one left, the longest released first.

use crate::stmt::statements;
use crate::tx::Tx;
use wolke_domain::{Error, Result};
use wolke_wire::{ErrorCode, Id, Kind};

statements! { "address";
    POOL_INSERT = "INSERT INTO address_pool (id, family, cidr, capacity, cursor, released) VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT DO NOTHING";
    POOLS = "SELECT id, family, cidr, capacity, cursor FROM address_pool ORDER BY id";
    FRESH = "UPDATE address_pool SET cursor = cursor + 1 WHERE cursor < capacity AND id =
        (SELECT id FROM address_pool WHERE family = $1 AND cursor < capacity ORDER BY id LIMIT 1) RETURNING id, cursor - 1, cidr";
    OLDEST_FREE = "SELECT f.pool, f.turn, f.position, p.cidr FROM address_pool p, address_free f WHERE f.pool = p.id AND p.id =
        (SELECT MIN(q.id) FROM address_pool q WHERE q.family = $1 AND EXISTS (SELECT 1 FROM address_free e WHERE e.pool = q.id))
        ORDER BY f.turn LIMIT 1";
    FREE_TAKE = "DELETE FROM address_free WHERE pool = $1 AND turn = $2";
    INSERT = "INSERT INTO address (pool, position, kind, owner) VALUES ($1, $2, $3, $4)";
    RELEASE = "DELETE FROM address WHERE kind = $1 AND owner = $2 RETURNING pool, position";
    NEXT_TURN = "UPDATE address_pool SET released = released + 1 WHERE id = $1 RETURNING released";
    FREE_INSERT = "INSERT INTO address_free (pool, turn, position) VALUES ($1, $2, $3)";
    BALANCE = "SELECT p.id, p.cursor, (SELECT count(*) FROM address a WHERE a.pool = p.id), (SELECT count(*) FROM address_free f WHERE f.pool = p.id)
        FROM address_pool p ORDER BY p.id";
}

/// A pool's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its id; pools of one family are drained in the order of their ids.
    pub id: Id,
    /// 4 or 6.
    pub family: i64,
    /// The range.
    pub cidr: String,
    /// How many addresses it can hand out.
    pub capacity: i64,
    /// How many positions were ever handed out.
    pub cursor: i64,
}

/// A position that was allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// The pool's range.
    pub cidr: String,
    /// The position in it, from 0.
    pub position: i64,
}

/// Declares a pool; repeatable.
///
/// # Errors
/// The engine's failure.
pub fn ensure_pool(tx: &mut dyn Tx, id: Id, family: i64, cidr: &str, capacity: i64) -> Result<()> {
    tx.execute(&POOL_INSERT, &[id.into(), family.into(), cidr.into(), capacity.into()]).map(|_| ())
}

/// All pools.
///
/// # Errors
/// The engine's failure.
pub fn pools(tx: &mut dyn Tx) -> Result<Vec<Pool>> {
    let rows = tx.query(&POOLS, &[])?;
    rows.iter()
        .map(|r| {
            Ok(Pool {
                id: r.int(0)?,
                family: r.int(1)?,
                cidr: r.text(2)?.to_owned(),
                capacity: r.int(3)?,
                cursor: r.int(4)?,
            })
        })
        .collect()
}

/// Gives an address of a family to an owner.
///
/// # Errors
/// `resource_unavailable` when every pool of the family is exhausted.
pub fn allocate(tx: &mut dyn Tx, family: i64, kind: Kind, owner: Id) -> Result<Allocated> {
    let (pool, position, cidr) = match tx.query_one(&FRESH, &[family.into()])? {
        Some(row) => (row.int(0)?, row.int(1)?, row.text(2)?.to_owned()),
        None => oldest_free(tx, family)?,
    };
    tx.execute_one(&INSERT, &[pool.into(), position.into(), kind.singular().into(), owner.into()])?;
    Ok(Allocated { cidr, position })
}

fn oldest_free(tx: &mut dyn Tx, family: i64) -> Result<(Id, i64, String)> {
    let row = tx.query_one(&OLDEST_FREE, &[family.into()])?.ok_or_else(|| {
        Error::refused(ErrorCode::ResourceUnavailable, format!("no IPv{family} addresses are available"))
    })?;
    tx.execute_one(&FREE_TAKE, &[row.int(0)?.into(), row.int(1)?.into()])?;
    Ok((row.int(0)?, row.int(2)?, row.text(3)?.to_owned()))
}

/// Takes the address of an owner back; without one nothing happens.
///
/// # Errors
/// The engine's failure.
pub fn release(tx: &mut dyn Tx, kind: Kind, owner: Id) -> Result<()> {
    for row in tx.query(&RELEASE, &[kind.singular().into(), owner.into()])? {
        let (pool, position) = (row.int(0)?, row.int(1)?);
        let turn = tx
            .query_one(&NEXT_TURN, &[pool.into()])?
            .ok_or_else(|| Error::internal("an address without a pool"))?
            .int(0)?;
        tx.execute_one(&FREE_INSERT, &[pool.into(), turn.into(), position.into()])?;
    }
    Ok(())
}

/// Checks the invariant of this file; returns how many addresses are in use.
///
/// # Errors
/// Internal, naming the pool that does not balance.
pub fn check_balance(tx: &mut dyn Tx) -> Result<i64> {
    let mut in_use = 0;
    for row in tx.query(&BALANCE, &[])? {
        let (pool, cursor, used, free) = (row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?);
        if cursor != used + free {
            return Err(Error::internal(format!("pool {pool}: {cursor} handed out, {used} used, {free} free")));
        }
        in_use += used;
    }
    Ok(in_use)
}
