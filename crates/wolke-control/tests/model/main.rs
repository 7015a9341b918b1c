//! Model tests: random lists of transitions (requests of two tenants, steps of strands, crashes, restarts) run against a control
//! plane in memory and against a model of plain values. The model says beforehand whether a request is accepted or with which
//! code it is refused, and afterwards what every resource shows, at both ends of every edge.
//!
//! - Transitions name resources by slots, never by ids: a list still means something when proptest leaves a part of it out.
//! - Work in flight is not predicted step by step, since how many steps there are is nobody's promise. After every transition the
//!   model looks at the actions and servers that are in flight, and says whether what it sees is one of the ways they can
//!   be. Everything else is predicted to the letter, also while work is in flight; at rest that is everything.
//! - `proptest-state-machine` is not used: its model cannot learn what was seen of work in flight, and its lists are made shorter
//!   one by one ([`shrink`]).
//!
//! `WOLKE_MODEL_CASES` and `WOLKE_MODEL_SEED` choose a run by hand (`cargo xtask model`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod floating_ip;
mod load_balancer;
mod model;
mod network;
mod primary_ip;
mod project;
mod recall;
mod run;
mod server;
mod shrink;
mod step;
mod system;
mod view;
mod volume;
mod world;

use run::run;
use shrink::{check, current, draw, runner};

/// Lists of transitions that CI runs.
const CASES: u64 = 200;
/// The seed of CI.
const SEED: u64 = 20_261_122;

#[test]
fn the_control_plane_does_what_the_model_says() {
    let seen = check(CASES, SEED);
    // A run that refuses everything proves nothing, nor does one that refuses nothing.
    let unseen: Vec<_> = step::EXPECTED.iter().filter(|expected| !seen.has(expected)).collect();
    assert!(unseen.is_empty(), "no case saw {unseen:?}; seen: {seen:#?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a run by hand is chosen by the environment")]
fn cases_from_outside() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let Some(cases) = number("WOLKE_MODEL_CASES") else { return };
    let seed = number("WOLKE_MODEL_SEED").unwrap_or(SEED);
    let seen = check(cases, seed);
    println!("seed {seed}: {cases} cases, {seen:#?}");
}

/// The test of the test: a list of transitions is a value, and the same list is the same run.
#[test]
fn one_list_twice_is_the_same_run() {
    let steps = current(&draw(&mut runner(SEED)));
    let once = run(&steps).unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, failure.log));
    assert_eq!(once, run(&steps).unwrap_or_else(|failure| panic!("{}", failure.reason)));
}
