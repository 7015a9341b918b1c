//! Projects: the starting point of every query.

use crate::limit;
use crate::list;
use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "project";
    INSERT = "INSERT INTO project (id, name, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    LIST = "SELECT p.id, p.name, p.created, (SELECT e.strand FROM project_end e WHERE e.project = p.id) FROM project p
        WHERE p.id > $1 ORDER BY p.id LIMIT $2";
    BY_NAME = "SELECT p.id, p.name, p.created, (SELECT e.strand FROM project_end e WHERE e.project = p.id) FROM project p
        WHERE p.name = $1";
    BY_ID = "SELECT p.id, p.name, p.created, (SELECT e.strand FROM project_end e WHERE e.project = p.id) FROM project p
        WHERE p.id = $1";
    DELETE_ACTION_RESOURCES = "DELETE FROM action_resource WHERE project = $1";
    DELETE_ACTION_COUNTS = "DELETE FROM action_count WHERE project = $1";
    DELETE_ACTION_SWEEP = "DELETE FROM action_sweep WHERE project = $1";
    DELETE_ACTIONS = "DELETE FROM actions WHERE project = $1";
    DELETE_COUNTS = "DELETE FROM resource_count WHERE project = $1";
    DELETE_ISOS = "DELETE FROM private_isos WHERE project = $1";
    DELETE = "DELETE FROM project WHERE id = $1";
    STRANDS = "SELECT count(*) FROM strand WHERE project = $1";
    OTHER_STRAND = "SELECT id FROM strand WHERE project = $1 AND id <> $2 LIMIT 1";
    END = "INSERT INTO project_end (project, strand) VALUES ($1, $2)";
    ENDING = "SELECT strand FROM project_end WHERE project = $1";
    STAY = "DELETE FROM project_end WHERE project = $1";
}

/// Rows that one statement of a list for operators reads.
pub(crate) const LIST_PAGE: i64 = 1_000;

/// Reads a list for operators to its end: `page` answers up to [`LIST_PAGE`] entries whose ids are greater than its argument.
pub(crate) fn by_pages<T>(mut page: impl FnMut(Id) -> Result<Vec<T>>, id: impl Fn(&T) -> Id) -> Result<Vec<T>> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let more = page(all.last().map_or(0, &id))?;
        let is_last = (more.len() as i64) < LIST_PAGE;
        all.extend(more);
        if is_last {
            return Ok(all);
        }
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: Id,
    /// Unique in the world.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it is being emptied, to be gone then.
    pub ending: bool,
}

fn project(row: &crate::value::Row) -> Result<Project> {
    Ok(Project {
        id: row.int(0)?,
        name: row.text(1)?.to_owned(),
        created: row.time(2)?,
        ending: row.opt_int(3)?.is_some(),
    })
}

/// Makes a project.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, name: &str) -> Result<Project> {
    let id = tx.next_id(Counter::Project)?;
    let made = Project { id, name: name.to_owned(), created: tx.now(), ending: false };
    match tx.execute(&INSERT, &[made.id.into(), name.into(), made.created.into()])? {
        1 => Ok(made),
        _ => Err(Error::name_used()),
    }
}

/// All projects, by id.
///
/// # Errors
/// The engine's failure.
pub fn list(tx: &mut dyn Tx) -> Result<Vec<Project>> {
    by_pages(|after| tx.query(&LIST, &[after.into(), LIST_PAGE.into()])?.iter().map(project).collect(), |p| p.id)
}

/// A project by its name.
///
/// # Errors
/// The engine's failure.
pub fn by_name(tx: &mut dyn Tx, name: &str) -> Result<Option<Project>> {
    tx.query_one(&BY_NAME, &[name.into()])?.as_ref().map(project).transpose()
}

/// A project by its name, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect_named(tx: &mut dyn Tx, name: &str) -> Result<Project> {
    by_name(tx, name)?.ok_or_else(|| Error::NotFound { message: format!("project '{name}' not found") })
}

/// A project by its id.
///
/// # Errors
/// The engine's failure.
pub fn by_id(tx: &mut dyn Tx, id: Id) -> Result<Option<Project>> {
    tx.query_one(&BY_ID, &[id.into()])?.as_ref().map(project).transpose()
}

/// Whether work is still under way in a project.
///
/// # Errors
/// The engine's failure.
pub fn has_strands(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    tx.query_one(&STRANDS, &[id.into()])?.map_or(Ok(false), |r| Ok(r.int(0)? > 0))
}

/// Whether work is under way in a project besides that of one strand.
///
/// # Errors
/// The engine's failure.
pub fn has_other_strands(tx: &mut dyn Tx, id: Id, strand: Id) -> Result<bool> {
    Ok(tx.query_one(&OTHER_STRAND, &[id.into(), strand.into()])?.is_some())
}

/// The resources of a kind that a project holds, by id: the first after `after`.
///
/// # Errors
/// The engine's failure.
pub fn held(tx: &mut dyn Tx, project: Id, kind: Kind, after: Id, limit: i64) -> Result<Vec<Id>> {
    list::after(tx, kind, project, after, limit)
}

/// Notes that a strand empties a project, which is nobody's any more.
///
/// # Errors
/// The engine's failure.
pub fn end(tx: &mut dyn Tx, id: Id, strand: Id) -> Result<()> {
    tx.execute_one(&END, &[id.into(), strand.into()])
}

/// The strand that empties a project, if it is coming to its end.
///
/// # Errors
/// The engine's failure.
pub fn ending(tx: &mut dyn Tx, id: Id) -> Result<Option<Id>> {
    tx.query_one(&ENDING, &[id.into()])?.map(|row| row.int(0)).transpose()
}

/// Lets a project stay after all.
///
/// # Errors
/// The engine's failure.
pub fn stay(tx: &mut dyn Tx, id: Id) -> Result<()> {
    tx.execute(&STAY, &[id.into()]).map(|_| ())
}

/// Removes an empty project and its history.
///
/// # Errors
/// Internal, when the project holds resources: the caller has checked.
pub fn delete(tx: &mut dyn Tx, id: Id) -> Result<()> {
    let history = [DELETE_ACTION_RESOURCES, DELETE_ACTION_COUNTS, DELETE_ACTION_SWEEP, DELETE_ACTIONS];
    for stmt in history.iter().chain([&DELETE_COUNTS, &DELETE_ISOS]) {
        tx.execute(stmt, &[id.into()])?;
    }
    limit::forget(tx, id)?;
    stay(tx, id)?;
    tx.execute_one(&DELETE, &[id.into()])
}
