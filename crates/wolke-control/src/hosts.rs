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
use wolke_store::host::{self, Change};
use wolke_wire::{Id, Timestamp};

/// World time until a strand looks again when a host does not say when (milliseconds).
const LOOK_AGAIN_MS: i64 = 200;

/// What a look at an object showed.
pub(crate) struct Look {
    /// What there is.
    pub observed: Observed,
    /// When to look again (world time).
    pub again: Timestamp,
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

/// Writes what a host should hold, as the generation that [`host::take`] has returned.
pub(crate) fn desire(tx: &mut dyn Tx, host: Id, key: ObjectKey, generation: i64, wish: &Wish) -> Result<()> {
    let spec = serde_json::to_string(wish).map_err(|e| Error::internal(format!("spec: {e}")))?;
    let change = Change {
        kind: key.kind.as_str().into(),
        id: key.id,
        generation,
        tombstone: matches!(wish, Wish::Absent),
        spec,
    };
    host::desire(tx, host, &change)
}

/// Writes a server's spec.
pub(crate) fn desire_server(tx: &mut dyn Tx, host: Id, id: Id, generation: i64, spec: ServerSpec) -> Result<()> {
    desire(tx, host, ObjectKey::server(id), generation, &Wish::Present(Spec::Server(Box::new(spec))))
}

/// The spec and generation that a server's host has been given last; none when it should be gone.
pub(crate) fn server_spec(tx: &mut dyn Tx, host: Id, id: Id) -> Result<Option<(i64, ServerSpec)>> {
    let key = ObjectKey::server(id);
    let Some(object) = host::object(tx, host, key.kind.as_str(), id)? else { return Ok(None) };
    match read_wish(&object.spec)? {
        Wish::Present(Spec::Server(spec)) => Ok(Some((object.generation, *spec))),
        _ => Ok(None),
    }
}

fn read_wish(text: &str) -> Result<Wish> {
    serde_json::from_str(text).map_err(|e| Error::internal(format!("broken spec: {e}")))
}

/// Looks at an object: a simulated host works on it first. `command` is run, at most once, and answered.
pub(crate) fn look(tx: &mut dyn Tx, core: &Core, host: Id, key: ObjectKey, command: Option<&Command>) -> Result<Look> {
    let now = tx.now();
    let Some(object) = host::object(tx, host, key.kind.as_str(), key.id)? else {
        // The row is forgotten only after the host has reported it absent.
        return Ok(Look { observed: absent(key, now), again: now, outcome: Some(Outcome::Ignored) });
    };
    let mut memory = MemoryState::default();
    if let Some(sim) = &object.sim {
        let sim: SimObject =
            serde_json::from_str(sim).map_err(|e| Error::internal(format!("broken simulation: {e}")))?;
        memory.put(&sim)?;
    }
    let wish = read_wish(&object.spec)?;
    let settings = settings(tx, core, &wish);
    let mut machine = SimHost::new(&mut memory, &settings);
    let mut reports = Vec::new();
    if object.observed_generation < object.generation && !is_accepted(&object, key) {
        let desired = Desired { key, generation: object.generation, wish };
        reports.extend(machine.apply(&Delta::object(desired), now)?);
    } else {
        reports.extend(machine.look(key, now)?);
    }
    if let Some(command) = command {
        reports.extend(machine.apply(&Delta::command(command.clone()), now)?);
    }
    let observed = latest(&reports, key).cloned().unwrap_or_else(|| absent(key, now));
    let again = memory.next_due()?.unwrap_or_else(|| now.plus_ms(LOOK_AGAIN_MS));
    let sim = memory.get(key)?;
    save(tx, host, key, &observed, sim.as_ref())?;
    let outcome = command.and_then(|command| outcome_of(&reports, command.id));
    Ok(Look { observed, again: again.max(now.plus_ms(1)), outcome })
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

fn save(tx: &mut dyn Tx, host: Id, key: ObjectKey, observed: &Observed, sim: Option<&SimObject>) -> Result<()> {
    let text = |e: serde_json::Error| Error::internal(format!("observation: {e}"));
    let document = serde_json::to_string(observed).map_err(text)?;
    let sim = sim.map(serde_json::to_string).transpose().map_err(text)?;
    host::observe(tx, host, key.kind.as_str(), key.id, observed.generation, &document, sim.as_deref())
}

fn absent(key: ObjectKey, now: Timestamp) -> Observed {
    let state = ObservedState { power: PowerState::Absent, error: None };
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
