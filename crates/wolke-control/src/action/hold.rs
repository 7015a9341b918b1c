//! Actions that are done and shown running for a while, because the operator's latency profile says so (decision 0017).
//!
//! All of an answer that are held belong to one strand, which works on all their resources: so they are `locked` meanwhile, and
//! what follows waits its turn.
//!
//! **Invariant:** without a profile for actions nothing is asked and nothing is written.

use super::{Work as Strand, start};
use crate::core::Core;
use serde::{Deserialize, Serialize};
use wolke_domain::action::{Action, Failure, Status, Target};
use wolke_domain::clock::ClockMode;
use wolke_domain::pace::{self, Held};
use wolke_domain::{Error, Result};
use wolke_host::Work;
use wolke_store::{Race, Tx, action, resource, strand};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind};

/// World time after the end of the last action in which it must have ended, in milliseconds: nothing can go wrong but we.
const DEADLINE_MS: i64 = 60 * 60 * 1000;

/// The program.
pub(crate) static PROGRAM: Program<Core> =
    Program { kind: "hold_actions", steps: &[("wait", wait), ("give_up", give_up)], abort: "give_up" };

#[derive(Serialize, Deserialize)]
struct Variables {
    /// Those that are not over.
    held: Vec<Held>,
    /// When the first began, in milliseconds of world time; none before it is its turn.
    began: Option<i64>,
    /// What all of them end with.
    failure: Option<Failure>,
}

/// Whether time passes for actions at all: not while the clock skips what only takes time. Real locations are not simulated, and
/// their hosts report about servers that nobody works on.
fn takes_time(tx: &dyn Tx, core: &Core) -> bool {
    core.simulation().profile.has_actions() && tx.facts().clock.mode != ClockMode::Instant && core.real().is_empty()
}

/// How long each action takes; those that others end are not ours.
fn paces(core: &Core, actions: &[Action]) -> Vec<(Id, i64)> {
    let simulation = core.simulation();
    let done = actions.iter().filter(|action| action.status == Status::Success);
    done.map(|action| (action.id, simulation.profile.action_ms(Work::done_by(&action.command), action.id))).collect()
}

/// Reads the actions of an answer.
pub(super) fn read(tx: &mut dyn Tx, project: Id, ids: &[Id]) -> Result<Vec<Action>> {
    let missing = |id: Id| Error::internal(format!("action {id} of the answer is not there"));
    ids.iter().map(|id| Ok(action::get(tx, project, *id)?.ok_or_else(|| missing(*id))?.1)).collect()
}

/// Holds those actions of an answer that are done and should take time. Where contention is refused, none may be about what
/// somebody else works on.
///
/// # Errors
/// `locked`, also when too many wait for a resource already.
pub(super) fn hold(tx: &mut dyn Tx, core: &Core, (project, refuse): (Id, bool), ids: &[Id]) -> Result<()> {
    let takes_time = takes_time(tx, core);
    if ids.is_empty() || !(refuse || takes_time) {
        return Ok(());
    }
    let mut actions = read(tx, project, ids)?;
    if refuse {
        check_free(tx, &actions)?;
    }
    let held = if takes_time { pace::hold(&paces(core, &actions)) } else { Vec::new() };
    actions.retain(|action| held.iter().any(|held| held.action == action.id));
    for action in &mut actions {
        run(action);
        action::restate(tx, action)?;
    }
    wait_for(tx, project, &actions, Variables { held, began: None, failure: None })
}

/// What of the actions of an answer that are to fail does so in it, and what runs before: in the state in which it is shown.
pub(super) fn fail(tx: &mut dyn Tx, core: &Core, actions: &mut [Action], failure: &Failure) -> Vec<Held> {
    let simulation = core.simulation();
    let takes = |action: &Action| {
        let is_done = action.status == Status::Success;
        let work = if is_done { Work::done_by(&action.command) } else { Work::of(&action.command) };
        simulation.profile.action_ms(work, action.id)
    };
    let paces: Vec<_> = actions.iter().map(|action| (action.id, takes(action))).collect();
    let held = if takes_time(tx, core) { pace::hold(&paces) } else { Vec::new() };
    for action in actions {
        run(action);
        if held.iter().all(|held| held.action != action.id) {
            (action.status, action.progress) = (Status::Error, 100);
            (action.finished, action.failure) = (Some(tx.now().whole_second()), Some(failure.clone()));
        }
    }
    held
}

/// Waits for the end of actions that fail.
pub(super) fn fail_later(
    tx: &mut dyn Tx,
    project: Id,
    actions: &[Action],
    held: Vec<Held>,
    failure: Failure,
) -> Result<()> {
    let running: Vec<_> = actions.iter().filter(|action| action.status == Status::Running).cloned().collect();
    wait_for(tx, project, &running, Variables { held, began: None, failure: Some(failure) })
}

/// An action as it begins.
fn run(action: &mut Action) {
    (action.status, action.progress, action.finished, action.failure) = (Status::Running, 0, None, None);
}

/// Refuses what is about resources that somebody works on who has not begun in the same answer.
pub(super) fn check_free(tx: &mut dyn Tx, actions: &[Action]) -> Result<()> {
    let ids: Vec<Id> = actions.iter().map(|action| action.id).collect();
    for target in locks(actions)? {
        let Some(holder) = strand::holder(tx, target.kind, target.id)? else { continue };
        let shown_by = strand::get(tx, holder)?.and_then(|holder| holder.action);
        if shown_by.is_none_or(|action| !ids.contains(&action)) {
            return Err(Error::locked(target.kind));
        }
    }
    Ok(())
}

/// Commands after which a resource is gone.
const ENDS: [&str; 4] = ["delete_server", "delete_load_balancer", "delete_zone", "delete"];

/// What many resources share: a member that joins or leaves does not keep the others waiting.
const SHARED: [Kind; 4] = [Kind::Image, Kind::Firewall, Kind::Network, Kind::PlacementGroup];

/// The resources of actions that can be locked, each once. What is shared is worked on only by what is about nothing else,
/// and a firewall whose rules change is no work on the servers behind it.
fn locks(actions: &[Action]) -> Result<Vec<Target>> {
    let is_firewall = |target: &Target| target.kind == Kind::Firewall;
    let rules_change = actions.iter().any(|action| action.resources.iter().all(is_firewall));
    let mut found: Vec<Target> = Vec::new();
    for action in actions {
        let others = action.resources.iter().any(|target| !SHARED.contains(&target.kind));
        let of_firewall = rules_change && others && action.resources.iter().any(is_firewall);
        for target in &action.resources {
            let is_worked_on = !of_firewall && (!others || !SHARED.contains(&target.kind));
            if is_worked_on && resource::has_row(target.kind, target.id)? && !found.contains(target) {
                found.push(*target);
            }
        }
    }
    Ok(found)
}

/// Starts the strand that ends actions, if there are any.
fn wait_for(tx: &mut dyn Tx, project: Id, actions: &[Action], variables: Variables) -> Result<()> {
    let Some((first, rest)) = actions.split_first() else { return Ok(()) };
    let locks = locks(actions)?;
    let work = Strand {
        program: &PROGRAM,
        step: "wait",
        project,
        scope: vec![Race::Project(project)],
        action: first.id,
        also: rest.iter().map(|action| action.id).collect(),
        locks: locks.clone(),
        // What is gone already cannot come back because too many work on it.
        always: actions.iter().any(|action| ENDS.contains(&action.command.as_str())),
        variables: &variables,
    };
    start(tx, work)?;
    locks.iter().try_for_each(|target| resource::touch(tx, target.kind, target.id))
}

/// Ends what is over, moves the progress of the others, and waits for the next.
fn wait(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let now = tx.now();
    let began = *variables.began.get_or_insert(now.0);
    let skips_time = tx.facts().clock.mode == ClockMode::Instant;
    let elapsed = if skips_time { i64::MAX } else { now.0.saturating_sub(began).max(0) };
    let over = pace::over(&variables.held, elapsed);
    for held in variables.held.drain(..over) {
        action::end(tx, held.action, variables.failure.as_ref())?;
    }
    let Some(next) = pace::next_look(&variables.held, elapsed) else { return Ok(Flow::Done) };
    for held in &variables.held {
        action::progress(tx, held.action, pace::progress(held, elapsed))?;
    }
    let until = now.plus_ms(next - elapsed);
    let left = variables.held.last().map_or(0, |last| last.ends - elapsed);
    frame.write(&variables)?;
    Ok(Flow::Wait { step: "wait", until, deadline: now.plus_ms(left + DEADLINE_MS), promised: true })
}

/// The abort: what the actions show was done, or not done, in the answer. They only end.
fn give_up(_tx: &mut dyn Tx, _core: &Core, _frame: &mut Frame) -> Result<Flow> {
    Ok(Flow::Done)
}
