//! The way from strands to hosts: writing what is desired, and looking at what is observed.
//!
//! A simulated host answers inside the same transaction, so a chain of steps needs one commit. A real one is driven by a
//! process ([`crate::driver`]), here or elsewhere: what is wished for and asked of it is written, and what it has reported
//! by then is read. Whoever waits is woken by the next report. Reports are the only way in which facts about machines enter
//! the database (design §3).

use crate::core::Core;
use wolke_domain::placement::Need;
use wolke_domain::{Error, Result};
use wolke_host::sim::SimState;
use wolke_host::{
    Architecture, Capacity, Command, Delta, Desired, Host as _, Lane, MemoryState, ObjectKey, Observed, ObservedState,
    Outcome, PowerState, Report, ServerSpec, SimHost, SimObject, SimSettings, Spec, Wish, latest,
};
use wolke_store::host;
use wolke_store::{Tx, driven};
use wolke_wire::{Id, Timestamp};

/// World time until a strand looks again when a host does not say when (milliseconds).
const LOOK_AGAIN_MS: i64 = 200;
/// World time until a strand looks at a real host again although no report has woken it (milliseconds).
const REAL_LOOK_AGAIN_MS: i64 = 10_000;
/// World time after which a real host does not begin with a command any more, in milliseconds: the action that has asked for
/// it has given up by then.
const COMMAND_EXPIRES_MS: i64 = 15 * 60 * 1000;
/// World time that a real host has for an image of a disk, in milliseconds: it copies and compresses it.
pub(crate) const IMAGE_DEADLINE_MS: i64 = 60 * 60 * 1000;

/// What a look at an object showed.
pub(crate) struct Look {
    /// What there is.
    pub observed: Observed,
    /// When to look again (world time).
    pub again: Timestamp,
    /// Whether the host has said that something will have changed by then.
    pub promised: bool,
    /// How the command ended that was asked about.
    pub outcome: Option<Outcome>,
    /// Whether the host is a real one.
    pub real: bool,
}

impl Look {
    /// The failure of a generation, as an action shows it.
    pub(crate) fn failure_of(&self, generation: i64) -> Option<wolke_domain::action::Failure> {
        let error = self.observed.failure_of(generation)?;
        Some(wolke_domain::action::Failure::action(error.message.clone()))
    }
}

/// Writes what a host should hold, as the generation that [`host::take`] has returned, and looks at what comes of it. `old`
/// is what the host was told before, [`host::Object::new`] of one that has not heard of it. A simulated host answers before
/// the row is written, so wish and answer are one statement.
pub(crate) fn desire(tx: &mut dyn Tx, core: &Core, on: Id, old: host::Object, desired: &Desired) -> Result<Look> {
    let spec = serde_json::to_string(&desired.wish).map_err(|e| Error::internal(format!("spec: {e}")))?;
    let mut object = old;
    object.generation = desired.generation;
    object.tombstone = desired.is_tombstone();
    object.spec = spec;
    let look = if object.on.is_real() {
        driven::nudge(tx);
        as_reported(tx.now(), desired.key, &object)?
    } else {
        let answer = ask(tx, core, &object, desired, None)?;
        object.observed_generation = answer.look.observed.generation;
        object.observed = Some(answer.document()?);
        object.sim.clone_from(&answer.sim);
        answer.look
    };
    host::desire(tx, on, desired.key.kind.as_str(), desired.key.id, &object)?;
    Ok(look)
}

/// Writes a server's spec and looks.
pub(crate) fn desire_server(
    tx: &mut dyn Tx,
    core: &Core,
    on: Id,
    old: host::Object,
    desired: (Id, i64, ServerSpec),
) -> Result<Look> {
    let (id, generation, spec) = desired;
    self::desire(tx, core, on, old, &Desired::server(id, generation, spec))
}

/// The row and the spec that a server's host has been given last; none when it should be gone.
pub(crate) fn server_spec(tx: &mut dyn Tx, on: Id, id: Id) -> Result<Option<(host::Object, ServerSpec)>> {
    let Some(object) = object(tx, on, ObjectKey::server(id))? else { return Ok(None) };
    match read_wish(&object.spec)? {
        Wish::Present(Spec::Server(spec)) => Ok(Some((object, *spec))),
        _ => Ok(None),
    }
}

/// The row of an object.
pub(crate) fn object(tx: &mut dyn Tx, on: Id, key: ObjectKey) -> Result<Option<host::Object>> {
    host::object(tx, on, key.kind.as_str(), key.id)
}

pub(crate) fn read_wish(text: &str) -> Result<Wish> {
    serde_json::from_str(text).map_err(|e| Error::internal(format!("broken spec: {e}")))
}

/// Looks at an object: a simulated host works on it first. `command` is run, at most once, and answered.
pub(crate) fn look(tx: &mut dyn Tx, core: &Core, on: Id, key: ObjectKey, command: Option<&Command>) -> Result<Look> {
    let now = tx.now();
    let Some(object) = object(tx, on, key)? else {
        // The row is forgotten only after the host has reported it absent.
        let outcome = command.map(|command| command.verb.on_absent());
        return Ok(Look { observed: absent(key, now), again: now, promised: false, outcome, real: false });
    };
    if object.on.is_real() {
        let outcome = command.map_or(Ok(None), |command| outcome_of_real(tx, on, command))?;
        return Ok(Look { outcome, ..as_reported(now, key, &object)? });
    }
    let desired = Desired { key, generation: object.generation, wish: read_wish(&object.spec)? };
    let answer = ask(tx, core, &object, &desired, command)?;
    let (document, generation) = (answer.document()?, answer.look.observed.generation);
    host::observe(tx, on, key.kind.as_str(), key.id, generation, &document, answer.sim.as_deref())?;
    Ok(answer.look)
}

/// What a real host has last reported of an object.
fn as_reported(now: Timestamp, key: ObjectKey, object: &host::Object) -> Result<Look> {
    let mut observed = match &object.observed {
        Some(text) => serde_json::from_str(text).map_err(|e| Error::internal(format!("broken observation: {e}")))?,
        None => Observed { generation: 0, accepted: 0, ..absent(key, now) },
    };
    // Gone is what is gone for good: until the host has taken up the newest wish, it may still be at work on an older one.
    if observed.state.power == PowerState::Absent && !observed.has_applied(object.generation) {
        observed.state.power = if object.tombstone { PowerState::Deleting } else { PowerState::Creating };
    }
    Ok(Look { observed, again: now.plus_ms(REAL_LOOK_AGAIN_MS), promised: false, outcome: None, real: true })
}

/// The outcome of a command to a real host, which is given it if it was not yet.
fn outcome_of_real(tx: &mut dyn Tx, on: Id, command: &Command) -> Result<Option<Outcome>> {
    let broken = |e: serde_json::Error| Error::internal(format!("command {}: {e}", command.id));
    match driven::command(tx, on, command.id)? {
        Some((_, outcome)) => outcome.map(|text| serde_json::from_str(&text).map_err(broken)).transpose(),
        None => {
            let expires_ms = match command.verb.lane() {
                Lane::Disk => IMAGE_DEADLINE_MS,
                Lane::Power | Lane::Agent => COMMAND_EXPIRES_MS,
            };
            let expires_at = Some(command.issued_at.plus_ms(expires_ms));
            let text = serde_json::to_string(&Command { expires_at, ..command.clone() }).map_err(broken)?;
            let object = (command.key.kind.as_str(), command.key.id);
            driven::command_issue(tx, (on, command.id), object, &text)?;
            Ok(None)
        }
    }
}

/// Has a real host keep what a snapshot makes.
pub(crate) fn keep_image(tx: &mut dyn Tx, on: Id, image: Id) -> Result<()> {
    let known = object(tx, on, ObjectKey::image(image))?;
    if known.as_ref().is_some_and(|object| !object.tombstone) {
        return Ok(());
    }
    let (generation, object) = next_generation(tx, on, known)?;
    wish_for_image(tx, on, object, &Desired::image(image, generation))
}

/// Has a real host let go of what a snapshot has made, or was making.
pub(crate) fn drop_image(tx: &mut dyn Tx, on: Id, image: Id) -> Result<()> {
    let key = ObjectKey::image(image);
    let known = object(tx, on, key)?;
    if known.as_ref().is_none_or(|object| object.tombstone) {
        return Ok(());
    }
    let (generation, object) = next_generation(tx, on, known)?;
    wish_for_image(tx, on, object, &Desired::absent(key, generation))
}

fn wish_for_image(tx: &mut dyn Tx, on: Id, mut object: host::Object, desired: &Desired) -> Result<()> {
    object.generation = desired.generation;
    object.tombstone = desired.is_tombstone();
    object.spec = serde_json::to_string(&desired.wish).map_err(|e| Error::internal(format!("spec: {e}")))?;
    driven::nudge(tx);
    host::desire(tx, on, desired.key.kind.as_str(), desired.key.id, &object)
}

/// Takes no room and returns the generation of a change that follows, with the object as a host knows it that was not told of
/// it yet.
pub(crate) fn next_generation(tx: &mut dyn Tx, on: Id, known: Option<host::Object>) -> Result<(i64, host::Object)> {
    let (generation, kind) = host::take_on(tx, on, &Need::none())?;
    Ok((generation, known.unwrap_or(host::Object::new(kind))))
}

/// What a simulated host answers, and what it remembers.
struct Answer {
    look: Look,
    sim: Option<String>,
}

impl Answer {
    fn document(&self) -> Result<String> {
        serde_json::to_string(&self.look.observed).map_err(|e| Error::internal(format!("observation: {e}")))
    }
}

fn ask(
    tx: &mut dyn Tx,
    core: &Core,
    object: &host::Object,
    desired: &Desired,
    command: Option<&Command>,
) -> Result<Answer> {
    let (now, key) = (tx.now(), desired.key);
    let mut memory = MemoryState::default();
    if let Some(sim) = &object.sim {
        let sim: SimObject =
            serde_json::from_str(sim).map_err(|e| Error::internal(format!("broken simulation: {e}")))?;
        memory.put(&sim)?;
    }
    let settings = settings(tx, core, &desired.wish);
    let mut machine = SimHost::new(&mut memory, &settings);
    let mut reports = if object.observed_generation < object.generation && !is_accepted(object, key) {
        machine.apply(&Delta::object(desired.clone()), now)?
    } else {
        machine.look(key, now)?
    };
    if let Some(command) = command {
        reports.extend(machine.apply(&Delta::command(command.clone()), now)?);
    }
    let observed = latest(&reports, key).cloned().unwrap_or_else(|| absent(key, now));
    let due = memory.next_due()?;
    let again = due.unwrap_or_else(|| now.plus_ms(LOOK_AGAIN_MS)).max(now.plus_ms(1));
    let sim = memory.get(key)?.as_ref().map(serde_json::to_string).transpose();
    let sim = sim.map_err(|e| Error::internal(format!("simulation: {e}")))?;
    let outcome = command.and_then(|command| outcome_of(&reports, command.id));
    Ok(Answer { look: Look { observed, again, promised: due.is_some(), outcome, real: false }, sim })
}

fn is_accepted(object: &host::Object, key: ObjectKey) -> bool {
    let observed = object.observed.as_deref().and_then(|text| serde_json::from_str::<Observed>(text).ok());
    observed.is_some_and(|observed| observed.key == key && observed.accepted >= object.generation)
}

fn outcome_of(reports: &[Report], id: Id) -> Option<Outcome> {
    reports.iter().rev().find_map(|report| match report {
        Report::Command(answer) if answer.id == id => Some(answer.outcome.clone()),
        _ => None,
    })
}

fn absent(key: ObjectKey, now: Timestamp) -> Observed {
    let state =
        ObservedState { power: PowerState::Absent, error: None, booted: None, rescue_epoch: 0, disk_epoch: None };
    Observed { key, generation: i64::MAX, accepted: i64::MAX, state, at: now }
}

/// The settings of the simulated host of an object. It has room for whatever placement has put on it.
fn settings(tx: &mut dyn Tx, core: &Core, wish: &Wish) -> SimSettings {
    let simulation = core.simulation();
    let architecture = match wish {
        Wish::Present(Spec::Server(spec)) => spec.definition.architecture,
        _ => Architecture::X86,
    };
    let skip_time = tx.facts().clock.mode == wolke_domain::clock::ClockMode::Instant;
    SimSettings {
        profile: simulation.profile.clone(),
        skip_time,
        faults: simulation.faults.clone(),
        capacity: Capacity { architecture, cores: u32::MAX, memory_mb: u64::MAX, disk_gb: u64::MAX },
        ..SimSettings::default()
    }
}
