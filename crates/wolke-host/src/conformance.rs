//! The suite that every host passes, simulated or real: what the control plane relies on, as named cases.
//!
//! A host brings a [`Harness`] (how to open it, restart it, let time pass, break it), and [`run`] tells by name what does
//! not hold. Each case starts from a fresh host. Nothing here knows how a host works inside: cases act through [`Host`]
//! and through the harness only, and wait for a level, at most [`ROUNDS`] steps of time. Cases about what a host does not
//! have ([`crate::Feature`]) are left out there; that it says so is a case, too.

mod boot;
mod change;
mod commands;
mod crash;
mod faults;
mod image;
mod life;
mod password;
mod snapshot;
mod sync;

use std::fmt;

use wolke_wire::{Id, Timestamp};

use crate::host::{Delta, Feature, Host, Report, latest};
use crate::object::{Desired, HostError, ObjectKey, Observed, PowerState};
use crate::server::{ImageRef, PublicNic, ServerSpec};

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

    /// How long something that must not happen is waited for, in milliseconds: longer than the slowest shutdown.
    fn settle_ms(&self) -> i64 {
        i64::from(STAYS) * STEP_MS
    }

    /// Whether a command that is under way goes on after [`Harness::restart`]; else it ends as interrupted.
    fn keeps_commands(&self) -> bool {
        true
    }

    /// Drops everything in memory and opens the persistent part anew, as after `kill -9`.
    fn restart(&mut self);

    /// A small server that the host can run, on. Each server of a case gets addresses of its own, counted from these.
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

/// Cases, and what a host has to have for them.
type Group = (&'static [Feature], &'static [Case]);

/// Every case.
const GROUPS: &[Group] = &[
    (&[], life::CASES),
    (&[], change::CASES),
    (&[], boot::CASES),
    (&[Feature::Rescue], boot::RESCUE),
    (&[Feature::Disc], boot::DISC),
    (&[Feature::Rescue, Feature::Disc], boot::BOTH),
    (&[], faults::CASES),
    (&[], commands::CASES),
    (&[], snapshot::CASES),
    (&[], image::CASES),
    (&[], password::CASES),
    (&[], sync::CASES),
    (&[], crash::CASES),
];

fn cases() -> impl Iterator<Item = (&'static [Feature], &'static Case)> {
    GROUPS.iter().flat_map(|(needs, cases)| cases.iter().map(|case| (*needs, case)))
}

/// The names of all cases, in the order in which they run.
pub fn names() -> impl Iterator<Item = &'static str> {
    cases().map(|(_, (name, _))| *name)
}

/// Runs every case whose name the filter accepts, each on a fresh host, and returns what did not hold.
pub fn run<H: Harness>(mut make: impl FnMut() -> H, filter: impl Fn(&str) -> bool) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (needs, (case, body)) in cases().filter(|(_, (name, _))| filter(name)) {
        let mut harness = make();
        let features = harness.host().facts().features;
        if !needs.iter().all(|need| features.contains(need)) {
            continue;
        }
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
        let generation = self.next();
        self.at(id, generation, spec)
    }

    /// This server at a generation, with addresses of its own.
    #[expect(clippy::unused_self, reason = "read as a sentence: the bench at a generation")]
    fn at(&self, id: Id, generation: i64, spec: &ServerSpec) -> Desired {
        let mut spec = spec.clone();
        if let Some(public) = &mut spec.definition.public {
            distinguish(public, id);
        }
        Desired::server(id, generation, spec)
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
        let patience = self.patience();
        loop {
            let last = self.look(key)?;
            if let Some(observed) = last.as_ref().filter(|observed| level(observed)) {
                return Ok(observed.clone());
            }
            if self.harness.now() >= patience {
                return Err(format!("{key} never came to be {what}; last seen: {last:?}"));
            }
            self.step()?;
        }
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
        let end = self.harness.now().plus_ms(self.harness.settle_ms());
        while self.harness.now() < end {
            self.step()?;
            match self.look(key)? {
                Some(observed) => expect_power(&observed, power)?,
                None => ensure(power == PowerState::Absent, || format!("{key} is unknown, expected {power:?}"))?,
            }
        }
        Ok(())
    }

    /// Lets some time pass, in which a host notices what happened behind its back.
    fn settle(&mut self) -> Verdict {
        let end = self.harness.now().plus_ms(self.harness.settle_ms());
        while self.harness.now() < end {
            self.step()?;
        }
        Ok(())
    }

    /// Until when a level is waited for.
    fn patience(&self) -> Timestamp {
        self.harness.now().plus_ms(i64::from(ROUNDS) * STEP_MS)
    }
}

/// Gives a server its own addresses. What two specs of one server differ in, they still differ in.
fn distinguish(public: &mut PublicNic, id: Id) {
    let id = u32::try_from(id).unwrap_or_default();
    if let Some((prefix, _)) = public.mac.rsplit_once(':') {
        public.mac = format!("{prefix}:{:02x}", id % 256);
    }
    // Two each, since a case exchanges an address for its neighbour.
    public.ipv4 = public.ipv4.map(|address| u32::from(address).wrapping_add(2 * id).into());
    public.ipv6 = public.ipv6.map(|network| u128::from(network).wrapping_add(u128::from(id) << 64).into());
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
