//! Requests that a generator makes out of the contract, over every operation of the table in every dialect: half of them keep
//! to it and are mostly about things that exist, half are broken in one way each. Whatever comes, there is no failure of the
//! server, no panic, no answer outside the contract, no transaction of a refused request, and what is surely wrong is
//! refused with the field's name.
//!
//! Deterministic: a seed gives the same worlds and the same requests. `cargo xtask fuzz-api` runs it with other numbers; what
//! it finds is kept as a test of its own (`tests/cloud/found.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, helpers included; it says what it did"
)]

mod broken;
#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod crawl;
mod dice;
mod drive;
mod fixtures;
mod plan;
mod pool;
mod request;
mod rights;
mod samples;
mod scenes;
mod tally;
mod texts;
mod ties;
mod value;

use drive::{Course, drive};
use plan::Plan;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tally::Tally;
use wolke_wire::Dialect;

/// Requests of the usual run.
const REQUESTS: usize = 50_000;
/// Requests that one world gets; a failure is found again by sending a world its requests from the first.
const PER_WORLD: usize = 2000;
/// The seed of the usual run.
const SEED: u64 = 20_180_405;

/// A number that the chore passes on.
#[allow(clippy::disallowed_methods, reason = "the chore passes its arguments by environment")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn courses() -> Vec<Course> {
    let seed = setting("WOLKE_FUZZ_SEED").unwrap_or(SEED);
    let total = setting("WOLKE_FUZZ_N").map_or(REQUESTS, |n| n as usize);
    let course = |world: u64, requests: usize| {
        let dialect = Dialect::ALL[world as usize % Dialect::ALL.len()];
        Course { seed, world, dialect, requests, shows_last: false }
    };
    match setting("WOLKE_FUZZ_WORLD") {
        Some(world) => vec![Course { shows_last: true, ..course(world, total) }],
        None => (0..total.div_ceil(PER_WORLD))
            .map(|world| course(world as u64, PER_WORLD.min(total - world * PER_WORLD)))
            .collect(),
    }
}

/// Sends all worlds their requests, one thread for each processor.
fn run(courses: &[Course]) -> Tally {
    let plans: Vec<Plan> = Dialect::ALL.iter().map(|dialect| Plan::of(*dialect)).collect();
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while let Some(course) = courses.get(next.fetch_add(1, Ordering::SeqCst) as usize) {
            let plan = plans.iter().find(|plan| plan.dialect == course.dialect).unwrap();
            let tally = runtime.block_on(drive(*course, plan));
            sum.lock().unwrap().add(tally);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    sum.into_inner().unwrap()
}

#[test]
fn whatever_is_asked_is_answered_by_the_contract() {
    let courses = courses();
    let tally = run(&courses);
    println!("{}\n{}", tally.table(), coverage::table(&tally));
    let report = tally.report();
    assert!(
        report.is_empty(),
        "{} of {} requests, seed {}:\n{report}",
        tally.failures.len(),
        tally.sent,
        courses[0].seed
    );
    // Other seeds reach other things.
    if tally.sent >= REQUESTS && courses[0].seed == SEED {
        coverage::check(&tally);
    }
}

/// A failure can only be repeated if a seed says everything.
#[test]
fn the_same_seed_gives_the_same_requests_and_answers() {
    let course = Course { seed: SEED, world: 3, dialect: Dialect::Compat, requests: 500, shows_last: false };
    let digest = |course: Course| run(&[course]).digest;
    assert_eq!(digest(course), digest(course));
    assert_ne!(digest(course), digest(Course { seed: SEED + 1, ..course }));
}
