//! Trials that every program must pass: crash before and after every step, repeat every step, fail at every step.
//!
//! A trial builds a fresh world for every point of failure, drives its strands to their end, and lets the test check that
//! nothing is left over. Everything runs on the calling thread: same input, same run.

use crate::chain::{Chain, Manner, on_error, run_steps};
use crate::program::Application;
use std::sync::Arc;
use wolke_domain::action::Failure;
use wolke_domain::{Error, Result};
use wolke_store::strand::{self, Strand};
use wolke_store::{Db, Race};

/// Chains that one trial may run; more means that a program does not end.
const CHAINS_MAX: usize = 10_000;

/// Where and how a run is disturbed. Steps are counted from 0 over all strands of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Disturbance {
    /// Not at all.
    #[default]
    None,
    /// Every step runs twice before it commits.
    RepeatEverything,
    /// The process dies in the step, before its commit.
    CrashBefore(usize),
    /// The process dies right after the step's commit.
    CrashAfter(usize),
    /// The step fails.
    FailAt(usize),
}

/// A disturbed run that is under way.
pub struct Drive<'a, A> {
    db: &'a Db,
    app: &'a Arc<A>,
    disturbance: Disturbance,
    /// Steps that have run.
    pub steps: usize,
    /// Whether the disturbance has happened.
    pub disturbed: bool,
}

impl<'a, A: Application> Drive<'a, A> {
    /// A run on a database whose only worker is this one.
    pub const fn new(db: &'a Db, app: &'a Arc<A>, disturbance: Disturbance) -> Self {
        Self { db, app, disturbance, steps: 0, disturbed: false }
    }

    /// Runs until no strand is due (some may wait for time to pass).
    ///
    /// # Errors
    /// The engine's failure, or a program that does not end.
    pub fn until_idle(&mut self) -> Result<()> {
        self.restart()?;
        for _ in 0..CHAINS_MAX {
            let claimed = self.db.write_blocking(vec![Race::Claims], |tx| strand::claim(tx))?;
            if claimed.is_empty() {
                return Ok(());
            }
            for strand in claimed {
                self.step(&strand)?;
            }
        }
        Err(Error::internal("the strands do not come to an end"))
    }

    /// Runs one step of every strand that is due; false when none was.
    ///
    /// # Errors
    /// As [`Drive::until_idle`].
    pub fn one(&mut self) -> Result<bool> {
        self.restart()?;
        let claimed = self.db.write_blocking(vec![Race::Claims], |tx| strand::claim(tx))?;
        for strand in &claimed {
            self.step(strand)?;
        }
        Ok(!claimed.is_empty())
    }

    /// What a new process does first.
    fn restart(&self) -> Result<()> {
        self.db.write_blocking(vec![Race::Claims], |tx| strand::free_leases(tx)).map(|_| ())
    }

    /// Runs one step of a claimed strand and commits it.
    fn step(&mut self, claimed: &Strand) -> Result<()> {
        let here = self.steps;
        self.steps += 1;
        let crash = self.disturbance == Disturbance::CrashBefore(here);
        let manner = || Manner {
            steps_max: 1,
            repeat: self.disturbance == Disturbance::RepeatEverything,
            failure: (self.disturbance == Disturbance::FailAt(here)).then(|| Failure::action("injected")),
        };
        let (app, strand, manner) = (Arc::clone(self.app), claimed.clone(), manner());
        let outcome = self.db.write_blocking(claimed.scope.clone(), move |tx| {
            let chain = run_steps(tx, &*app, (strand.id, strand.lease), &manner)?;
            if crash { Err(Error::internal("crash")) } else { Ok(chain) }
        });
        let at = |point| matches!(self.disturbance, Disturbance::FailAt(n) if n == point);
        self.disturbed |= crash || at(here) || self.disturbance == Disturbance::CrashAfter(here);
        match outcome {
            Ok(Chain::Lost) => Err(Error::internal("a lease was lost without a rival")),
            Ok(_) if self.disturbance == Disturbance::CrashAfter(here) => self.restart(),
            Ok(_) => Ok(()),
            Err(_) if crash => self.restart(),
            Err(error) => {
                let (app, strand) = (Arc::clone(self.app), claimed.clone());
                self.db.write_blocking(claimed.scope.clone(), move |tx| {
                    on_error(tx, &*app, strand.id, strand.lease, &error)
                })?;
                self.restart()
            }
        }
    }
}

/// Runs a scenario undisturbed, repeated, and once for each crash and failure at each step. `scenario` builds a fresh
/// world, starts the work, drives it with [`Drive::until_idle`] (advancing time as it needs) and checks that nothing is
/// left over; it returns the drive so that the trial knows when it has seen every step.
///
/// # Errors
/// The first disturbance whose run broke, with its error.
pub fn try_every_disturbance(scenario: impl Fn(Disturbance) -> Result<(usize, bool)>) -> Result<usize> {
    let run = |disturbance| scenario(disturbance).map_err(|e| Error::internal(format!("{disturbance:?}: {e}")));
    let (steps, _) = run(Disturbance::None)?;
    run(Disturbance::RepeatEverything)?;
    for make in [Disturbance::CrashBefore, Disturbance::CrashAfter, Disturbance::FailAt] {
        for step in 0.. {
            let (_, disturbed) = run(make(step))?;
            if !disturbed {
                break;
            }
        }
    }
    Ok(steps)
}
