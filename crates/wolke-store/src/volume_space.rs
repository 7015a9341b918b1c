//! How many GB of volumes a location has left, where the operator has set a limit.
//!
//! **Invariant:** what is left is never negative.

use crate::stmt::statements;
use crate::tx::Tx;
use wolke_domain::Result;
use wolke_wire::Id;

statements! { "volume_space";
    ALL = "SELECT location, remaining FROM volume_space WHERE location > 0 ORDER BY location";
    SET = "INSERT INTO volume_space (location, remaining) VALUES ($1, $2) ON CONFLICT (location) DO UPDATE SET remaining = excluded.remaining";
    LIFT = "DELETE FROM volume_space WHERE location = $1";
    TAKE = "UPDATE volume_space SET remaining = remaining - $1 WHERE location = $2 AND remaining >= $1";
    LIMITED = "SELECT remaining FROM volume_space WHERE location = $1";
    GIVE = "UPDATE volume_space SET remaining = remaining + $1 WHERE location = $2";
}

/// What a location has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The location's id.
    pub location: Id,
    /// In GB.
    pub remaining_gb: i64,
}

/// All locations with a limit.
///
/// # Errors
/// The engine's failure.
pub fn all(tx: &mut dyn Tx) -> Result<Vec<Space>> {
    let rows = tx.query(&ALL, &[])?;
    rows.iter().map(|row| Ok(Space { location: row.int(0)?, remaining_gb: row.int(1)? })).collect()
}

/// Limits what a location has left, or lifts the limit.
///
/// # Errors
/// The engine's failure.
pub fn set(tx: &mut dyn Tx, location: Id, remaining_gb: Option<i64>) -> Result<()> {
    match remaining_gb {
        Some(gb) => tx.execute(&SET, &[location.into(), gb.into()]),
        None => tx.execute(&LIFT, &[location.into()]),
    }
    .map(|_| ())
}

/// Takes room for a volume; false when there is too little left.
///
/// # Errors
/// The engine's failure.
pub fn take(tx: &mut dyn Tx, location: Id, gb: i64) -> Result<bool> {
    let taken = tx.execute(&TAKE, &[gb.into(), location.into()])? > 0;
    Ok(taken || tx.query_one(&LIMITED, &[location.into()])?.is_none())
}

/// Gives the room of a volume back; nothing happens where there is no limit.
///
/// # Errors
/// The engine's failure.
pub fn give(tx: &mut dyn Tx, location: Id, gb: i64) -> Result<()> {
    tx.execute(&GIVE, &[gb.into(), location.into()]).map(|_| ())
}
