//! The way from strands to hosts: writing what is desired, and looking at what is observed.
//!
//! A simulated host answers inside the same transaction, so a chain of steps needs one commit. Reports are the only way
//! in which facts about machines enter the database (design §3).

use crate::core::Core;
use wolke_domain::{Error, Result};
use wolke_host::sim::SimState;
use wolke_host::{
    Architecture, Capacity, Command, Delta, Desired, Host as _, MemoryState, ObjectKey, Observed, ObservedState,
    Outcome, PowerState, Report, ServerSpec, SimHost, SimObject, SimSettings, Spec, Wish, latest,
};
use wolke_store::Tx;
use wolke_store::host;
use wolke_wire::{Id, Timestamp};

/// World time until a strand looks again when a host does not say when (milliseconds).
const LOOK_AGAIN_MS: i64 = 200;

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
}

impl Look {
    /// The failure of a generation, as an action shows it.
    pub(crate) fn failure_of(&self, generation: i64) -> Option<wolke_domain::action::Failure> {
        let error = self.observed.failure_of(generation)?;
        Some(wolke_domain::action::Failure::action(error.message.clone()))
    }
}

/// Writes what a host should hold, as the generation that [`host::take`] has returned, and looks at what comes of it. A
/// simulated host answers before the row is written, so wish and answer are one statement.
pub(crate) fn desire(
    tx: &mut dyn Tx,
    core: &Core,
    on: Id,
    old: Option<host::Object>,
    desired: &Desired,
) -> Result<Look> {
    let spec = serde_json::to_string(&desired.wish).map_err(|e| Error::internal(format!("spec: {e}")))?;
    let mut object = old.unwrap_or(host::Object {
        generation: 0,
        tombstone: false,
        spec: String::new(),
        observed_generation: 0,
        observed: None,
        sim: None,
    });
    object.generation = desired.generation;
    object.tombstone = desired.is_tombstone();
    object.spec = spec;
    let answer = ask(tx, core, &object, desired, None)?;
    object.observed_generation = answer.look.observed.generation;
    object.observed = Some(answer.document()?);
    object.sim.clone_from(&answer.sim);
    host::desire(tx, on, desired.key.kind.as_str(), desired.key.id, &object)?;
    Ok(answer.look)
}

/// Writes a server's spec and looks.
pub(crate) fn desire_server(
    tx: &mut dyn Tx,
    core: &Core,
    on: Id,
    old: Option<host::Object>,
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

fn read_wish(text: &str) -> Result<Wish> {
    serde_json::from_str(text).map_err(|e| Error::internal(format!("broken spec: {e}")))
}

/// Looks at an object: a simulated host works on it first. `command` is run, at most once, and answered.
pub(crate) fn look(tx: &mut dyn Tx, core: &Core, on: Id, key: ObjectKey, command: Option<&Command>) -> Result<Look> {
    let now = tx.now();
    let Some(object) = object(tx, on, key)? else {
        // The row is forgotten only after the host has reported it absent.
        let outcome = command.map(|command| command.verb.on_absent());
        return Ok(Look { observed: absent(key, now), again: now, promised: false, outcome });
    };
    let desired = Desired { key, generation: object.generation, wish: read_wish(&object.spec)? };
    let answer = ask(tx, core, &object, &desired, command)?;
    let (document, generation) = (answer.document()?, answer.look.observed.generation);
    host::observe(tx, on, key.kind.as_str(), key.id, generation, &document, answer.sim.as_deref())?;
    Ok(answer.look)
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
    Ok(Answer { look: Look { observed, again, promised: due.is_some(), outcome }, sim })
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
