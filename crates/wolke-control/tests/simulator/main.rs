//! The seeded simulator, first version: one seed drives requests, strands, host policies, crashes and the clock; the
//! invariants are checked after every move. The same seed gives the same log and the same database, byte for byte.
//!
//! `WOLKE_SIM_SEED` and `WOLKE_SIM_STEPS` choose a run by hand (`cargo xtask sim`).

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
mod moves;

use moves::Simulator;

/// Seeds that CI runs; some once found something.
const SEEDS: [u64; 9] = [1, 2, 3, 20, 42, 306, 310, 2_026, 0xDEAD_BEEF];
/// Moves of one run in CI.
const MOVES: usize = 600;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs a seed; returns its log and the final database.
fn run(seed: u64, moves: usize) -> (String, String) {
    let mut simulator = block_on(Simulator::new(seed));
    for number in 0..moves {
        block_on(simulator.step(number)).unwrap_or_else(|e| {
            panic!("seed {seed}, move {number}: {e}\nthe last moves:\n{}", simulator.tail());
        });
    }
    block_on(simulator.finish()).unwrap_or_else(|e| panic!("seed {seed}, at the end: {e}\n{}", simulator.tail()));
    simulator.into_log_and_dump()
}

#[test]
fn fixed_seeds_keep_the_invariants() {
    let mut logs = String::new();
    for seed in SEEDS {
        let (log, _) = run(seed, MOVES);
        // A run that refuses everything proves nothing.
        for expected in ["create_server", "delete_server", "step", "ok", "refused"] {
            assert!(log.contains(expected), "seed {seed} never saw {expected}");
        }
        logs.push_str(&log);
    }
    for rare in
        ["crash", "with everything", "fail_later ok create_server", "fail_later ok volume_attach", "are watched"]
    {
        assert!(logs.contains(rare), "no seed saw {rare}");
    }
}

#[test]
fn one_seed_twice_is_the_same_run() {
    let (first, second) = (run(7, MOVES), run(7, MOVES));
    assert_eq!(first.0, second.0, "the logs differ");
    assert_eq!(first.1, second.1, "the databases differ");
    assert_ne!(run(8, MOVES).0, first.0, "another seed is another run");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the seed of a run by hand comes from the environment")]
fn a_seed_from_outside() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let Some(seed) = number("WOLKE_SIM_SEED") else { return };
    let moves = number("WOLKE_SIM_STEPS").map_or(MOVES, |n| usize::try_from(n).unwrap());
    let (log, dump) = run(seed, moves);
    println!("seed {seed}: {moves} moves, log of {} bytes, database of {} bytes", log.len(), dump.len());
}
