//! What is remembered of a machine's power: as long as it is asked for, and never more than so much.

use crate::common::Engine;
use crate::sample;
use wolke_domain::clock::{ClockMode, ClockState};
use wolke_domain::server::{Server, Status};
use wolke_store::clock;
use wolke_store::server::{self, POWER_HISTORY_MS, POWER_ROWS_MAX};
use wolke_wire::Timestamp;

crate::on_both_engines!(World: history_is_trimmed_by_age, history_is_capped_by_number);

fn running(engine: &Engine) -> Server {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let mut new = sample::server(tx, project, "a", &[])?;
        new.status = Status::Running;
        server::insert(tx, &new)?;
        Ok(new)
    })
}

/// Notes, and lets world time pass by hand: transactions on PostgreSQL take real time from the database.
fn note(engine: &Engine, of: &Server, runs: bool, then_ms: i64) {
    let of = of.clone();
    engine.write(move |tx| {
        server::note_power(tx, &of, runs)?;
        let later = tx.now().plus_ms(then_ms);
        clock::set(tx, ClockState { mode: ClockMode::Manual, anchor_world: later, ..ClockState::wall() })
    });
}

fn rows(engine: &Engine, of: &Server) -> Vec<server::Power> {
    let id = of.id;
    engine.read(move |tx| server::power_history(tx, id, Timestamp(0)))
}

fn history_is_trimmed_by_age(engine: &Engine) {
    let made = running(engine);
    note(engine, &made, true, 0);
    let begun = engine.read(|tx| Ok(tx.now()));
    note(engine, &made, true, 1000);
    note(engine, &made, false, 1000);
    note(engine, &made, true, 1000 + POWER_HISTORY_MS);
    note(engine, &made, false, 0);
    let kept = rows(engine, &made);
    // The state in which the time that is asked for begins is still known.
    assert_eq!(
        kept.iter().map(|power| (power.since, power.running)).collect::<Vec<_>>(),
        [(begun.plus_ms(2000), true), (begun.plus_ms(3000 + POWER_HISTORY_MS), false),]
    );
    assert_eq!((kept[0].server_type, kept[0].public), (made.details.server_type, false));
}

fn history_is_capped_by_number(engine: &Engine) {
    let made = running(engine);
    for _ in 0..POWER_ROWS_MAX + 5 {
        note(engine, &made, true, 1);
    }
    assert_eq!(rows(engine, &made).len() as i64, POWER_ROWS_MAX);
    let newest = engine.read(|tx| Ok(tx.now())).plus_ms(-1);
    assert_eq!(rows(engine, &made).last().map(|power| power.since), Some(newest));
}
