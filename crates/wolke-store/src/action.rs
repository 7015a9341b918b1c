//! Actions and what they work on.
//!
//! **Bounded** (decision 0005): a resource keeps its [`PER_RESOURCE_MAX`] newest ended actions, and what has worked only on
//! resources that are gone is dropped once [`KEPT_MIN`] newer ids were given out. Each insert does its share. What runs is
//! never dropped.

use crate::resource;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use wolke_domain::action::{Action, Failure, Status, Target};
use wolke_domain::{Error, Result};
use wolke_wire::{ErrorCode, Id, Kind};

/// Actions of one resource that are kept. One more, and the oldest that has ended goes.
pub const PER_RESOURCE_MAX: i64 = 500;
/// Ids of actions, counted back from the newest, among which nothing is dropped because its resources are gone.
pub const KEPT_MIN: i64 = 100_000;
/// Actions beyond [`PER_RESOURCE_MAX`] that one insert looks at: more than can run on a resource at once, so that an ended one
/// is among them.
const EXCESS_MAX: i64 = 64;
/// One insert in so many looks at old actions; which, its id decides.
const SWEEP_EVERY: u64 = 16;
/// Old actions that it looks at. With two per insert, what is gone is found faster than it arises.
const SWEEP_STEP: usize = 2 * SWEEP_EVERY as usize;

statements! { "action";
    INSERT = "INSERT INTO actions (id, project, command, status, progress, started, finished, error_code, error_message, rev, resources)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)";
    INSERT_RESOURCE = "INSERT INTO action_resource (project, kind, resource, action, listed) VALUES ($1, $2, $3, $4, $5)";
    COUNT_ADD = "INSERT INTO action_count (project, kind, n) VALUES ($1, $2, $3)
        ON CONFLICT (project, kind) DO UPDATE SET n = action_count.n + excluded.n";
    /// Most actions work on resources of one kind: that and the project in one.
    COUNT_ADD_TWO = "INSERT INTO action_count (project, kind, n) VALUES ($1, 'action', $2), ($3, $4, $5)
        ON CONFLICT (project, kind) DO UPDATE SET n = action_count.n + excluded.n";
    COUNT = "SELECT n FROM action_count WHERE project = $1 AND kind = $2";
    EXCESS = "SELECT action FROM action_resource WHERE project = $1 AND kind = $2 AND resource = $3
        ORDER BY action DESC LIMIT $4 OFFSET $5";
    SWEEP_FROM = "SELECT position FROM action_sweep WHERE project = $1";
    SWEEP_TO = "INSERT INTO action_sweep (project, position) VALUES ($1, $2) ON CONFLICT (project) DO UPDATE SET position = excluded.position";
    SWEEP = "SELECT id, status, resources FROM actions WHERE project = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4";
    DELETE = "DELETE FROM actions WHERE id = $1";
    DELETE_RESOURCE = "DELETE FROM action_resource WHERE project = $1 AND kind = $2 AND resource = $3 AND action = $4";
    GET = "SELECT id, project, command, status, progress, started, finished, error_code, error_message, rev, resources
        FROM actions WHERE project = $1 AND id = $2";
    END = "UPDATE actions SET status = $1, progress = 100, finished = $2, error_code = $3, error_message = $4, rev = rev + 1
        WHERE id = $5 AND status = 'running'";
    RESTATE = "UPDATE actions SET status = $1, progress = $2, finished = $3, error_code = $4, error_message = $5, rev = rev + 1 WHERE id = $6";
    PROGRESS = "UPDATE actions SET progress = $1, rev = rev + 1 WHERE id = $2 AND status = 'running' AND progress < $3";
    RUNNING = "SELECT count(*) FROM actions WHERE status = 'running'";
}

pub(crate) fn action(row: &Row) -> Result<(i64, Action)> {
    let status = row.text(3)?;
    let failure = match (row.opt_text(7)?, row.opt_text(8)?) {
        (Some(code), Some(message)) => {
            Some(Failure::new(ErrorCode::parse(code).unwrap_or(ErrorCode::ActionFailed), message))
        }
        _ => None,
    };
    let action = Action {
        id: row.int(0)?,
        project: row.int(1)?,
        command: row.text(2)?.to_owned(),
        status: Status::parse(status).ok_or_else(|| Error::internal(format!("unknown action status {status}")))?,
        progress: row.int(4)?,
        started: row.time(5)?,
        finished: row.opt_int(6)?.map(wolke_wire::Timestamp),
        failure,
        resources: row.json(10)?,
    };
    Ok((row.int(9)?, action))
}

/// Inserts an action and drops what is no longer kept.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, new: &Action) -> Result<()> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.command).into(),
        new.status.as_str().into(),
        new.progress.into(),
        new.started.into(),
        new.finished.into(),
        new.failure.as_ref().map(|f| f.code.as_str()).into(),
        new.failure.as_ref().map(|f| f.message.clone()).into(),
        json_text(&new.resources)?,
    ];
    tx.execute_one(&INSERT, &params)?;
    let targets = distinct(&new.resources);
    for (target, listed) in &targets {
        let (kind, id) = (target.kind.singular(), target.id);
        tx.execute_one(
            &INSERT_RESOURCE,
            &[new.project.into(), kind.into(), id.into(), new.id.into(), (*listed).into()],
        )?;
    }
    count_add(tx, new.project, &targets, 1)?;
    for (target, _) in &targets {
        drop_excess(tx, new.project, *target)?;
    }
    if new.id > KEPT_MIN && is_to_sweep(new.id) {
        sweep(tx, new.project, new.id - KEPT_MIN)?;
    }
    Ok(())
}

/// The resources without repetitions, and whether each is the first of its kind.
fn distinct(resources: &[Target]) -> Vec<(Target, bool)> {
    let mut found: Vec<(Target, bool)> = Vec::with_capacity(resources.len());
    for target in resources {
        if found.iter().all(|(other, _)| other != target) {
            let is_first = found.iter().all(|(other, _)| other.kind != target.kind);
            found.push((*target, is_first));
        }
    }
    found
}

/// Adds `by` to the number of actions of a project and of each kind.
fn count_add(tx: &mut dyn Tx, project: Id, targets: &[(Target, bool)], by: i64) -> Result<()> {
    let mut kinds = targets.iter().filter(|(_, listed)| *listed).map(|(target, _)| target.kind.singular());
    match kinds.next() {
        Some(first) => {
            tx.execute(&COUNT_ADD_TWO, &[project.into(), by.into(), project.into(), first.into(), by.into()])?;
        }
        None => {
            tx.execute(&COUNT_ADD, &[project.into(), Kind::Action.singular().into(), by.into()])?;
        }
    }
    for kind in kinds {
        tx.execute(&COUNT_ADD, &[project.into(), kind.into(), by.into()])?;
    }
    Ok(())
}

/// How many actions work on resources of a kind of a project; of all kinds for [`Kind::Action`].
///
/// # Errors
/// The engine's failure.
pub fn count(tx: &mut dyn Tx, project: Id, kind: Kind) -> Result<i64> {
    tx.query_one(&COUNT, &[project.into(), kind.singular().into()])?.map_or(Ok(0), |r| r.int(0))
}

/// Drops the ended actions of a resource beyond its newest.
fn drop_excess(tx: &mut dyn Tx, project: Id, target: Target) -> Result<()> {
    let params =
        [project.into(), target.kind.singular().into(), target.id.into(), EXCESS_MAX.into(), PER_RESOURCE_MAX.into()];
    for row in tx.query(&EXCESS, &params)? {
        if let Some((_, old)) = get(tx, project, row.int(0)?)?
            && old.status != Status::Running
        {
            remove(tx, project, old.id, &old.resources)?;
        }
    }
    Ok(())
}

/// Whether the insert of an action looks at old ones. Scattered, so that no pattern in the ids of a project evades it.
const fn is_to_sweep(id: Id) -> bool {
    (id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 & (SWEEP_EVERY - 1) == 0
}

/// Looks at the next few actions up to the id `horizon`, round and round, and drops those whose resources are all gone.
fn sweep(tx: &mut dyn Tx, project: Id, horizon: Id) -> Result<()> {
    let from = tx.query_one(&SWEEP_FROM, &[project.into()])?.map_or(Ok(0), |r| r.int(0))?;
    let rows = tx.query(&SWEEP, &[project.into(), from.into(), horizon.into(), (SWEEP_STEP as i64).into()])?;
    for row in &rows {
        let resources: Vec<Target> = row.json(2)?;
        if row.text(1)? != Status::Running.as_str() && are_gone(tx, &resources)? {
            remove(tx, project, row.int(0)?, &resources)?;
        }
    }
    let to = match rows.last() {
        Some(last) if rows.len() == SWEEP_STEP => last.int(0)?,
        _ => 0,
    };
    if to != from {
        tx.execute(&SWEEP_TO, &[project.into(), to.into()])?;
    }
    Ok(())
}

fn are_gone(tx: &mut dyn Tx, resources: &[Target]) -> Result<bool> {
    for target in resources {
        if resource::exists(tx, target.kind, target.id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes an action that has ended.
fn remove(tx: &mut dyn Tx, project: Id, id: Id, resources: &[Target]) -> Result<()> {
    tx.execute_one(&DELETE, &[id.into()])?;
    let targets = distinct(resources);
    for (target, _) in &targets {
        let params = [project.into(), target.kind.singular().into(), target.id.into(), id.into()];
        tx.execute_one(&DELETE_RESOURCE, &params)?;
    }
    count_add(tx, project, &targets, -1)
}

/// An action of a project, with its rev.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<(i64, Action)>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(action).transpose()
}

/// Ends an action once; a second end changes nothing.
///
/// # Errors
/// The engine's failure.
pub fn end(tx: &mut dyn Tx, id: Id, failure: Option<&Failure>) -> Result<()> {
    let status = if failure.is_some() { Status::Error } else { Status::Success };
    let finished = tx.now().whole_second();
    let params = [
        status.as_str().into(),
        finished.into(),
        failure.map(|f| f.code.as_str()).into(),
        failure.map(|f| f.message.clone()).into(),
        id.into(),
    ];
    tx.execute(&END, &params).map(|_| ())
}

/// Writes another state and end of an action whose transaction has inserted it: nobody has seen the first.
///
/// # Errors
/// Internal when it is not there; the engine's failure.
pub fn restate(tx: &mut dyn Tx, action: &Action) -> Result<()> {
    let params = [
        action.status.as_str().into(),
        action.progress.into(),
        action.finished.into(),
        action.failure.as_ref().map(|f| f.code.as_str()).into(),
        action.failure.as_ref().map(|f| f.message.clone()).into(),
        action.id.into(),
    ];
    tx.execute_one(&RESTATE, &params)
}

/// Moves the progress of a running action forward, never back.
///
/// # Errors
/// The engine's failure.
pub fn progress(tx: &mut dyn Tx, id: Id, percent: i64) -> Result<()> {
    tx.execute(&PROGRESS, &[percent.into(), id.into(), percent.into()]).map(|_| ())
}

/// How many actions of the world are running: for invariants.
///
/// # Errors
/// The engine's failure.
pub fn running(tx: &mut dyn Tx) -> Result<i64> {
    tx.query_one(&RUNNING, &[])?.map_or(Ok(0), |r| r.int(0))
}
