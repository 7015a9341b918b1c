//! Model tests: random lists of transitions (requests of two tenants, steps of strands, crashes, restarts) run against a control
//! plane in memory and against a model of plain values. The model says beforehand whether a request is accepted or with which
//! code it is refused, and afterwards what every resource shows, at both ends of every edge.
//!
//! - Transitions name resources by slots, never by ids: a list still means something when proptest leaves a part of it out.
//! - Work in flight is not predicted step by step, since how many steps there are is nobody's promise. After every transition the
//!   model looks at the actions and servers that are in flight, and says whether what it sees is one of the ways they can
//!   be. Everything else is predicted to the letter, also while work is in flight; at rest that is everything.
//! - `proptest-state-machine` is not used: it generates from a model that cannot learn what it has seen of work in flight.
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
mod model;
mod primary_ip;
mod run;
mod server;
mod step;
mod system;
mod view;
mod volume;
mod world;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use run::{Report, run};
use step::Step;

/// Lists of transitions that CI runs.
const CASES: u32 = 40;
/// The longest list.
const STEPS_MAX: usize = 100;
/// The seed of CI.
const SEED: u64 = 20_261_122;
/// Lists that are tried to make a failing one shorter.
const SHRINKS_MAX: u32 = 3_000;

fn seeded(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// Runs that many cases; returns what they have seen. The shortest list that fails is shown with what came of each transition.
fn check(cases: u32, seed: u64) -> Report {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: SHRINKS_MAX, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, seeded(seed));
    let seen = std::cell::RefCell::new(Report::default());
    let outcome = runner.run(&vec(step::any(), 1..=STEPS_MAX), |steps| match run(&steps) {
        Ok(report) => {
            seen.borrow_mut().add(report);
            Ok(())
        }
        Err(failure) => Err(TestCaseError::fail(failure.reason)),
    });
    match outcome {
        Ok(()) => seen.into_inner(),
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
        Err(TestError::Fail(reason, steps)) => {
            let log = run(&steps).err().map_or_else(String::new, |failure| failure.log);
            panic!("seed {seed}: {reason}\nthe shortest list that does so, of {} transitions:\n{log}", steps.len());
        }
    }
}

#[test]
fn the_control_plane_does_what_the_model_says() {
    let seen = check(CASES, SEED);
    // A run that refuses everything proves nothing, nor does one that refuses nothing.
    for expected in step::EXPECTED {
        assert!(seen.has(expected), "no case saw {expected}; seen: {seen:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a run by hand is chosen by the environment")]
fn cases_from_outside() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let Some(cases) = number("WOLKE_MODEL_CASES") else { return };
    let seed = number("WOLKE_MODEL_SEED").unwrap_or(SEED);
    let seen = check(u32::try_from(cases).unwrap(), seed);
    println!("seed {seed}: {cases} cases, {seen:#?}");
}

/// The test of the test: a list of transitions is a value, and the same list is the same run.
#[test]
fn one_list_twice_is_the_same_run() {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = TestRunner::new_with_rng(Config::default(), seeded(SEED));
    let steps: Vec<Step> = vec(step::any(), STEPS_MAX).new_tree(&mut runner).unwrap().current();
    let once = run(&steps).unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, failure.log));
    assert_eq!(once, run(&steps).unwrap_or_else(|failure| panic!("{}", failure.reason)));
}
