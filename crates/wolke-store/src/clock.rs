//! The row of a world's clock.

use crate::stmt::statements;
use crate::tx::{Signal, Tx};
use crate::value::Row;
use wolke_domain::clock::{ClockMode, ClockState};
use wolke_domain::{Error, Result};

statements! { "clock";
    GET = "SELECT mode, anchor_world, anchor_real, rate_permille FROM clock WHERE id = 1";
    SET = "UPDATE clock SET mode = $1, anchor_world = $2, anchor_real = $3, rate_permille = $4 WHERE id = 1";
}

const fn mode_name(mode: ClockMode) -> &'static str {
    match mode {
        ClockMode::Wall => "wall",
        ClockMode::Scaled => "scaled",
        ClockMode::Manual => "manual",
        ClockMode::Instant => "instant",
    }
}

/// The inverse of [`mode_name`].
pub(crate) fn mode(name: &str) -> Option<ClockMode> {
    let all = [ClockMode::Wall, ClockMode::Scaled, ClockMode::Manual, ClockMode::Instant];
    all.into_iter().find(|mode| mode_name(*mode) == name)
}

/// The clock's state.
///
/// # Errors
/// The engine's failure, or a broken row.
pub fn get(tx: &mut dyn Tx) -> Result<ClockState> {
    let row = tx.query_one(&GET, &[])?.ok_or_else(|| Error::internal("the clock has no row"))?;
    state(&row)
}

/// The state in a row of [`GET`].
pub(crate) fn state(row: &Row) -> Result<ClockState> {
    let name = row.text(0)?;
    let mode = mode(name).ok_or_else(|| Error::internal(format!("unknown clock mode {name}")))?;
    Ok(ClockState { mode, anchor_world: row.time(1)?, anchor_real: row.time(2)?, rate_permille: row.int(3)? })
}

/// Changes the clock; later transactions see it.
///
/// # Errors
/// The engine's failure.
pub fn set(tx: &mut dyn Tx, state: ClockState) -> Result<()> {
    let params =
        [mode_name(state.mode).into(), state.anchor_world.into(), state.anchor_real.into(), state.rate_permille.into()];
    tx.execute_one(&SET, &params)?;
    tx.signal(Signal::ClockChanged);
    Ok(())
}
