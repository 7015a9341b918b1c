//! The suite that every host passes, simulated or real: what the control plane relies on, as named cases.
//!
//! A host brings a [`Harness`] (how to open it, restart it, let time pass, break it), and [`run`] tells by name what does
//! not hold. Each case starts from a fresh host. Nothing here knows how a host works inside: cases act through [`Host`]
//! and through the harness only, and wait for a level, at most [`ROUNDS`] steps of time.

mod boot;
mod change;
mod commands;
mod crash;
mod faults;
mod life;
mod password;
mod snapshot;
mod sync;

use std::fmt;

use wolke_wire::{Id, Timestamp};

use crate::host::{Delta, Host, Report, latest};
use crate::object::{Desired, HostError, ObjectKey, Observed, PowerState};
use crate::server::{ImageRef, ServerSpec};

/// How many steps a case waits for a level before it fails.
pub const ROUNDS: u32 = 200;

/// World time of one step in milliseconds. Two hundred of them outlast every preset and a slow boot.
pub const STEP_MS: i64 = 1000;

/// What a host has to bring along to be tested.
pub trait Harness {
    /// The host, opened on its persistent part.
    fn host(&mut self) -> Box<dyn Host + '_>;

    /// World time.
    fn now(&self) -> Timestamp;

    /// Lets this much time pass; on a real host at most, since it may return as soon as something happens.
    fn advance(&mut self, ms: i64);

    /// Drops everything in memory and opens the persistent part anew, as after `kill -9`.
    fn restart(&mut self);

    /// A small server that the host can run, on.
    fn spec(&self) -> ServerSpec;

    /// Makes each opened host die when it is about to execute more operations than this; `None` ends that.
    fn crash_after(&mut self, operations: Option<u32>);

    /// An image that the host does not have.
    fn missing_image(&self) -> ImageRef;

    /// A disc that the host has and that a guest can be booted from.
    fn iso(&self) -> ImageRef;

    /// Provides the image of [`Harness::missing_image`].
    fn provide_image(&mut self);

    /// Whether there is no room for disks.
    fn set_disk_full(&mut self, full: bool);

    /// Whether guests that are told from now on ignore the power button.
    fn set_ignores_shutdown(&mut self, ignores: bool);

    /// Whether no guest agent answers from now on.
    fn set_no_guest_agent(&mut self, none: bool);

    /// Lets a guest switch itself off.
    fn guest_powers_off(&mut self, key: ObjectKey);

    /// Kills the machine below a running guest, as a power failure of the host would.
    fn guest_dies(&mut self, key: ObjectKey);

    /// Puts a running machine with this name on the host that nobody asked for and that it does not remember.
    fn plant_stray(&mut self, key: ObjectKey);
}

/// What did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The case's name.
    pub case: &'static str,
    /// What was expected and what was seen.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.reason)
    }
}

/// How a case ends.
type Verdict = Result<(), String>;

/// A case: its name and what it does with a fresh host.
type Case = (&'static str, fn(&mut Bench<'_>) -> Verdict);

fn cases() -> impl Iterator<Item = &'static Case> {
    let life = [life::CASES, change::CASES, boot::CASES, faults::CASES];
    let commands = [commands::CASES, snapshot::CASES, password::CASES];
    life.into_iter().chain(commands).chain([sync::CASES, crash::CASES]).flatten()
}

/// The names of all cases, in the order in which they run.
pub fn names() -> impl Iterator<Item = &'static str> {
    cases().map(|(name, _)| *name)
}

/// Runs every case whose name the filter accepts, each on a fresh host, and returns what did not hold.
pub fn run<H: Harness>(mut make: impl FnMut() -> H, filter: impl Fn(&str) -> bool) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (case, body) in cases().filter(|(name, _)| filter(name)) {
        let mut harness = make();
        if let Err(reason) = body(&mut Bench { harness: &mut harness, generation: 0, command: 0 }) {
            failures.push(Failure { case, reason });
        }
    }
    failures
}

/// What a case works with: the harness, and counters as the control plane has them.
struct Bench<'a> {
    harness: &'a mut dyn Harness,
    generation: i64,
    command: Id,
}

impl Bench<'_> {
    /// The next generation of the host.
    fn next(&mut self) -> i64 {
        self.generation += 1;
        self.generation
    }

    /// The next command id.
    fn next_command(&mut self) -> Id {
        self.command += 1;
        self.command
    }

    /// This server at the next generation.
    fn desire(&mut self, id: Id, spec: &ServerSpec) -> Desired {
        Desired::server(id, self.next(), spec.clone())
    }

    fn apply(&mut self, delta: &Delta) -> Result<Vec<Report>, String> {
        let now = self.harness.now();
        self.harness.host().apply(delta, now).map_err(|error| format!("apply failed: {error}"))
    }

    fn look(&mut self, key: ObjectKey) -> Result<Option<Observed>, String> {
        let now = self.harness.now();
        let reports = self.harness.host().look(key, now).map_err(|error| format!("look failed: {error}"))?;
        Ok(latest(&reports, key).cloned())
    }

    /// What lies on the host.
    fn listed_keys(&mut self) -> Result<Vec<ObjectKey>, String> {
        let listed = self.harness.host().list(None, 100).map_err(|error| format!("list failed: {error}"))?;
        Ok(listed.iter().map(|artefact| artefact.key).collect())
    }

    /// One step of time and one poll.
    fn step(&mut self) -> Result<Vec<Report>, String> {
        self.harness.advance(STEP_MS);
        let now = self.harness.now();
        let poll = self.harness.host().poll(now).map_err(|error| format!("poll failed: {error}"))?;
        Ok(poll.reports)
    }

    /// Waits until the object is seen like this.
    fn wait(&mut self, key: ObjectKey, what: &str, level: impl Fn(&Observed) -> bool) -> Result<Observed, String> {
        let mut last = None;
        for _ in 0..ROUNDS {
            last = self.look(key)?;
            if let Some(observed) = last.as_ref().filter(|observed| level(observed)) {
                return Ok(observed.clone());
            }
            self.step()?;
        }
        Err(format!("{key} never came to be {what}; last seen: {last:?}"))
    }

    /// Applies one object and waits until its generation is applied; then it has to be in this state.
    fn reach(&mut self, desired: &Desired, power: PowerState) -> Result<Observed, String> {
        self.apply(&Delta::object(desired.clone()))?;
        let what = format!("at generation {}", desired.generation);
        let observed = self.wait(desired.key, &what, |seen| seen.has_applied(desired.generation))?;
        expect_power(&observed, power)?;
        Ok(observed)
    }

    /// Applies one object and waits until that generation has failed with this code.
    fn fail(&mut self, desired: &Desired, code: &str) -> Verdict {
        self.apply(&Delta::object(desired.clone()))?;
        let generation = desired.generation;
        let what = format!("failed at generation {generation}");
        let failed = self.wait(desired.key, &what, |seen| seen.failure_of(generation).is_some())?;
        let seen = failed.failure_of(generation).map(|error| error.code.as_str());
        ensure(seen == Some(code), || format!("expected the error {code}, saw {seen:?}"))
    }

    /// A server that runs.
    fn running(&mut self, id: Id) -> Result<(ServerSpec, ObjectKey), String> {
        let spec = self.harness.spec();
        let desired = self.desire(id, &spec);
        self.reach(&desired, PowerState::Running)?;
        Ok((spec, desired.key))
    }

    /// Lets some time pass, in which the power state must not change.
    fn stays(&mut self, key: ObjectKey, power: PowerState) -> Verdict {
        for _ in 0..STAYS {
            self.step()?;
            match self.look(key)? {
                Some(observed) => expect_power(&observed, power)?,
                None => ensure(power == PowerState::Absent, || format!("{key} is unknown, expected {power:?}"))?,
            }
        }
        Ok(())
    }
}

/// How many steps something that must not happen is waited for: longer than the presets' slowest shutdown.
const STAYS: u32 = 10;

fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(reason()) }
}

fn expect_power(observed: &Observed, power: PowerState) -> Verdict {
    ensure(observed.state.power == power, || format!("expected {power:?}, saw {observed:?}"))
}

/// No error stands on the object.
fn expect_sound(observed: &Observed) -> Verdict {
    let error: Option<&HostError> = observed.state.error.as_ref();
    ensure(error.is_none(), || format!("unexpected error: {observed:?}"))
}
