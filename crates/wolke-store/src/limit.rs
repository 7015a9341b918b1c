//! The limits that the operator has given single projects. The others have the defaults of [`wolke_domain::limit`].

use crate::stmt::statements;
use crate::tx::Tx;
use crate::{image, resource};
use wolke_domain::{Result, limit};
use wolke_wire::{Id, Kind};

statements! { "limit";
    GET = "SELECT value FROM project_limit WHERE project = $1 AND kind = $2";
    SET = "INSERT INTO project_limit (project, kind, value) VALUES ($1, $2, $3)
        ON CONFLICT (project, kind) DO UPDATE SET value = excluded.value";
    UNSET = "DELETE FROM project_limit WHERE project = $1 AND kind = $2";
    FORGET = "DELETE FROM project_limit WHERE project = $1";
}

/// A project's own limit of a kind.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, kind: Kind) -> Result<Option<i64>> {
    tx.query_one(&GET, &[project.into(), kind.singular().into()])?.map(|row| row.int(0)).transpose()
}

/// Gives a project a limit of its own; none takes it away, and the default counts again. What is there already stays.
///
/// # Errors
/// The engine's failure.
pub fn set(tx: &mut dyn Tx, project: Id, kind: Kind, value: Option<i64>) -> Result<()> {
    let kind = kind.singular();
    match value {
        Some(value) => tx.execute(&SET, &[project.into(), kind.into(), value.into()]),
        None => tx.execute(&UNSET, &[project.into(), kind.into()]),
    }
    .map(|_| ())
}

/// Forgets the limits of a project that goes.
///
/// # Errors
/// The engine's failure.
pub(crate) fn forget(tx: &mut dyn Tx, project: Id) -> Result<()> {
    tx.execute(&FORGET, &[project.into()]).map(|_| ())
}

/// How many resources of a project count against its limit of a kind: of images the snapshots.
///
/// # Errors
/// The engine's failure.
pub fn used(tx: &mut dyn Tx, project: Id, kind: Kind) -> Result<i64> {
    match kind {
        Kind::Image => image::snapshots(tx, project),
        _ => resource::count(tx, kind, project),
    }
}

/// Checks the number of resources that a project has after an insert.
///
/// # Errors
/// `resource_limit_exceeded`, naming the limit.
pub fn check(tx: &mut dyn Tx, project: Id, kind: Kind, number: i64) -> Result<()> {
    let own = get(tx, project, kind)?;
    match limit::check(kind, own, number) {
        // Backups are among them: only now it pays to count without.
        Err(_) if kind == Kind::Image => limit::check(kind, own, used(tx, project, kind)?),
        checked => checked,
    }
}
