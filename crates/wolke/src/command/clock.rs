//! `wolke clock`.

use super::body;
use crate::cli::{ClockVerb, Mode, Output};
use crate::duration;
use crate::failure::{Failure, Result};
use crate::output::{Column, print, remark};
use crate::reach::Access;
use http::Method;
use serde_json::{Value, json};
use wolke_domain::clock::{ClockMode, RATE_PERMILLE_MAX};
use wolke_http::admin::types::{AdvanceClock, SetClock, SetClockMode};
use wolke_wire::Timestamp;

const COLUMNS: &[Column] = &[("NOW", "now"), ("MODE", "mode"), ("RATE", "rate")];
/// A jump says how often it stopped as well.
const JUMP_COLUMNS: &[Column] = &[("NOW", "now"), ("MODE", "mode"), ("RATE", "rate"), ("STOPS", "stops")];
/// The rate of real time, in thousandths.
const REAL_TIME: i64 = 1000;

pub(super) async fn run(access: &Access, verb: &ClockVerb) -> Result<()> {
    let (path, request, output) = match verb {
        ClockVerb::Show(output) => return show(access.call(Method::GET, "/clock", None).await?, *output),
        ClockVerb::Set { time, output } => {
            let now = Timestamp::parse(time).map_err(|_| {
                Failure::usage(format!("'{time}' is not a point in time: write for example 2030-01-01T00:00:00Z"))
            })?;
            ("/clock/set", body(&SetClock { now })?, output)
        }
        ClockVerb::Advance { duration, output } => {
            let milliseconds = duration::parse(duration).map_err(Failure::usage)?;
            ("/clock/advance", body(&AdvanceClock { milliseconds })?, output)
        }
        ClockVerb::Mode { mode, rate, output } => {
            let rate_permille = rate.map_or(Ok(REAL_TIME), permille)?;
            ("/clock/mode", body(&SetClockMode { mode: mode_of(*mode), rate_permille })?, output)
        }
    };
    show(access.call(Method::POST, path, Some(&request)).await?, *output)
}

fn show(mut clock: Value, output: Output) -> Result<()> {
    // Milliseconds a second are for machines; "a thousand times as fast" is for people.
    if let Some(permille) = clock["rate_permille"].as_i64() {
        clock["rate"] = if clock["mode"] == "scaled" { json!(rate_of(permille)) } else { Value::Null };
    }
    if let Some(warning) = clock["warning"].as_str() {
        remark(warning);
    }
    print(output.format, &clock, if clock["stops"].is_null() { COLUMNS } else { JUMP_COLUMNS })
}

const fn mode_of(mode: Mode) -> ClockMode {
    match mode {
        Mode::Wall => ClockMode::Wall,
        Mode::Scaled => ClockMode::Scaled,
        Mode::Manual => ClockMode::Manual,
        Mode::Instant => ClockMode::Instant,
    }
}

/// A rate in thousandths, which is how it is kept.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked to be in range before")]
fn permille(rate: f64) -> Result<i64> {
    let scaled = (rate * 1000.0).round();
    if !(1.0..=RATE_PERMILLE_MAX as f64).contains(&scaled) {
        let most = RATE_PERMILLE_MAX / 1000;
        return Err(Failure::usage(format!("--rate {rate} is out of range: 0.001 to {most} world seconds a second")));
    }
    Ok(scaled as i64)
}

#[expect(clippy::cast_precision_loss, reason = "rates are far below what a float holds exactly")]
fn rate_of(permille: i64) -> f64 {
    permille as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::permille;

    #[test]
    fn rates() {
        assert_eq!(permille(0.5), Ok(500));
        assert_eq!(permille(1_000_000.0), Ok(1_000_000_000));
        for wrong in [0.0, 0.0001, -1.0, 1_000_001.0, f64::NAN, f64::INFINITY] {
            assert!(permille(wrong).is_err(), "{wrong}");
        }
    }
}
