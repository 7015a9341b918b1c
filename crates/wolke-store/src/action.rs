//! Actions and what they work on.

use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use wolke_domain::action::{Action, Failure, Status};
use wolke_domain::{Error, Result};
use wolke_wire::{ErrorCode, Id, Kind};

statements! { "action";
    INSERT = "INSERT INTO actions (id, project, command, status, progress, started, finished, error_code, error_message, rev, resources)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)";
    INSERT_RESOURCE = "INSERT INTO action_resource (kind, resource, action) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    GET = "SELECT id, project, command, status, progress, started, finished, error_code, error_message, rev, resources
        FROM actions WHERE project = $1 AND id = $2";
    END = "UPDATE actions SET status = $1, progress = 100, finished = $2, error_code = $3, error_message = $4, rev = rev + 1
        WHERE id = $5 AND status = 'running'";
    PROGRESS = "UPDATE actions SET progress = $1, rev = rev + 1 WHERE id = $2 AND status = 'running' AND progress < $3";
    OF_RESOURCE = "SELECT action FROM action_resource WHERE kind = $1 AND resource = $2 AND action = $3";
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

/// Inserts an action.
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
    for target in &new.resources {
        tx.execute(&INSERT_RESOURCE, &[target.kind.singular().into(), target.id.into(), new.id.into()])?;
    }
    Ok(())
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
    let finished = tx.now();
    let params = [
        status.as_str().into(),
        finished.into(),
        failure.map(|f| f.code.as_str()).into(),
        failure.map(|f| f.message.clone()).into(),
        id.into(),
    ];
    tx.execute(&END, &params).map(|_| ())
}

/// Moves the progress of a running action forward, never back.
///
/// # Errors
/// The engine's failure.
pub fn progress(tx: &mut dyn Tx, id: Id, percent: i64) -> Result<()> {
    tx.execute(&PROGRESS, &[percent.into(), id.into(), percent.into()]).map(|_| ())
}

/// Whether the action works on the resource.
///
/// # Errors
/// The engine's failure.
pub fn is_of(tx: &mut dyn Tx, kind: Kind, resource: Id, action: Id) -> Result<bool> {
    let params = [kind.singular().into(), resource.into(), action.into()];
    Ok(tx.query_one(&OF_RESOURCE, &params)?.is_some())
}

/// How many actions of the world are running: for invariants.
///
/// # Errors
/// The engine's failure.
pub fn running(tx: &mut dyn Tx) -> Result<i64> {
    tx.query_one(&RUNNING, &[])?.map_or(Ok(0), |r| r.int(0))
}
