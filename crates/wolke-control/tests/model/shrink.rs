//! Cases: lists of transitions that are drawn, and made shorter when they fail.
//!
//! Proptest makes a list shorter from its front on, one transition at a time, and each of those simpler before it looks at the
//! next part. A run costs as much as its list is long, so here the list is cut first: behind the transition that fails, then
//! in halves, quarters and so on. Only what is left is made simpler, by proptest's own trees.

use crate::model::Tenant;
use crate::run::{Failure, Report, run};
use crate::step::{Step, What, any, beginning};
use crate::volume;
use proptest::strategy::{BoxedStrategy, Just, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The longest list of transitions after its beginning.
const STEPS_MAX: usize = 100;
/// One list in so many has more volumes on one server than it can have.
const CROWDED: usize = 20;
/// Lists that are tried to make a failing one shorter.
const TRIES_MAX: usize = 2_000;

/// The longest list of which every two transitions are left out once.
const PAIRS_OF_MAX: usize = 20;

/// A transition, and what is simpler.
type Tree = Box<dyn ValueTree<Value = Step>>;

/// The dice of a seed.
pub fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn draw_one<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// Any list of transitions. Most begin with something to work on.
pub fn draw(runner: &mut TestRunner) -> Vec<Tree> {
    let mut trees = Vec::new();
    let mut add = |runner: &mut TestRunner, n: usize, strategy: &BoxedStrategy<Step>| {
        trees.extend((0..n).map(|_| strategy.new_tree(runner).unwrap()));
    };
    for (strategy, most) in beginning() {
        let number = draw_one(runner, 0..=most);
        add(runner, number, &strategy);
    }
    if draw_one(runner, 0..CROWDED) == 0 {
        let by: Tenant = 0;
        for step in volume::crowd() {
            add(runner, 1, &Just(Step { by, what: What::Volume(step), lost: false }).boxed());
        }
    }
    let length = draw_one(runner, 1..=STEPS_MAX);
    add(runner, length, &any());
    trees
}

pub fn current(trees: &[Tree]) -> Vec<Step> {
    trees.iter().map(|tree| tree.current()).collect()
}

/// Runs a list; a panic is a failure.
fn attempt(steps: &[Step]) -> Result<Report, Failure> {
    let panicked = |_| Failure { reason: "panicked".into(), log: format!("{steps:#?}\n"), at: steps.len() };
    catch_unwind(AssertUnwindSafe(|| run(steps))).unwrap_or_else(|payload| Err(panicked(payload)))
}

/// Makes a failing list shorter and simpler.
struct Shrink {
    trees: Vec<Tree>,
    failure: Failure,
    tries: usize,
}

impl Shrink {
    /// Whether the list fails as it is now; then the failure is noted.
    fn fails(&mut self) -> bool {
        self.tries += 1;
        match attempt(&current(&self.trees)) {
            Err(failure) => {
                self.failure = failure;
                true
            }
            Ok(_) => false,
        }
    }

    /// Leaves out every piece of a length without which the list fails, too.
    fn cut(&mut self, length: usize) {
        let mut end = self.trees.len();
        while end > 0 && self.tries < TRIES_MAX {
            let from = end.saturating_sub(length);
            let rest = self.trees.split_off(end);
            let piece = self.trees.split_off(from);
            let behind = rest.len();
            self.trees.extend(rest);
            if !self.fails() {
                let rest = self.trees.split_off(self.trees.len() - behind);
                self.trees.extend(piece.into_iter().chain(rest));
            }
            end = from;
        }
    }

    /// Leaves out every two without which the list fails, too: such as what makes something and what takes it away again.
    fn cut_pairs(&mut self) {
        let mut first = 0;
        while first + 1 < self.trees.len() && self.trees.len() <= PAIRS_OF_MAX {
            let mut second = first + 1;
            while second < self.trees.len() {
                let taken = (self.trees.remove(second), self.trees.remove(first));
                if !self.fails() {
                    self.trees.insert(first, taken.1);
                    self.trees.insert(second, taken.0);
                    second += 1;
                }
            }
            first += 1;
        }
    }

    /// Makes each transition as simple as it can be for the list to fail.
    fn simplify(&mut self) {
        for at in 0..self.trees.len() {
            let mut can_change = self.trees[at].simplify();
            while can_change && self.tries < TRIES_MAX {
                can_change = if self.fails() { self.trees[at].simplify() } else { self.trees[at].complicate() };
            }
        }
    }

    fn run(mut self) -> Failure {
        self.trees.truncate(self.failure.at);
        let mut length = self.trees.len();
        while length > 0 {
            self.cut(length);
            length /= 2;
        }
        self.cut_pairs();
        self.simplify();
        self.cut(1);
        // As it is now: the last try may have been one that did not fail.
        self.fails();
        self.failure
    }
}

/// Runs that many cases of a seed; returns what they have seen. The shortest list that fails is shown with what came of each
/// transition.
pub fn check(cases: u64, seed: u64) -> Report {
    let (mut runner, mut seen) = (runner(seed), Report::default());
    for case in 0..cases {
        let trees = draw(&mut runner);
        match attempt(&current(&trees)) {
            Ok(report) => seen.add(report),
            Err(failure) => {
                let Failure { reason, log, at } = Shrink { trees, failure, tries: 0 }.run();
                panic!("seed {seed}, case {case}: {reason}\nthe shortest list that fails, of {at} transitions:\n{log}");
            }
        }
    }
    seen
}
