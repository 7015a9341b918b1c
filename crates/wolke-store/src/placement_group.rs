//! Placement groups. Who is a member stands in `servers.placement_group`.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "placement_group";
    INSERT = "INSERT INTO placement_groups (id, project, name, created, type, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, 1, 1, $6) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, type, rev, generation, doc FROM placement_groups WHERE project = $1 AND id = $2";
    NAME_TAKEN = "SELECT id FROM placement_groups WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE placement_groups SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2 WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM placement_groups WHERE id = $1";
    MEMBERS = "SELECT id, host FROM servers WHERE placement_group = $1 ORDER BY id";
    TOUCH_MEMBERS = "UPDATE servers SET rev = rev + 1 WHERE placement_group = $1";
}

/// A placement group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementGroup {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// How its members are placed: `spread`.
    pub kind: String,
    /// The rest.
    pub details: Details,
}

/// The part of a placement group that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The server.
    pub server: Id,
    /// The host that carries it, once placed.
    pub host: Option<Id>,
}

fn placement_group(row: &Row) -> Result<Stored<PlacementGroup>> {
    Ok(Stored {
        rev: row.int(5)?,
        generation: row.int(6)?,
        value: PlacementGroup {
            id: row.int(0)?,
            project: row.int(1)?,
            name: row.text(2)?.to_owned(),
            created: row.time(3)?,
            kind: row.text(4)?.to_owned(),
            details: row.json(7)?,
        },
    })
}

/// Inserts a group with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &PlacementGroup) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        (&new.name).into(),
        new.created.into(),
        (&new.kind).into(),
        json_text(&new.details)?,
    ];
    if tx.execute(&INSERT, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace(tx, Kind::PlacementGroup, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::PlacementGroup, new.project, 1)
}

/// A group of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<PlacementGroup>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(placement_group).transpose()
}

/// A group of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<PlacementGroup>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::PlacementGroup, id))
}

/// The members of a group, in the order of their ids.
///
/// # Errors
/// The engine's failure.
pub fn members(tx: &mut dyn Tx, group: Id) -> Result<Vec<Member>> {
    let rows = tx.query(&MEMBERS, &[group.into()])?;
    rows.iter().map(|r| Ok(Member { server: r.int(0)?, host: r.opt_int(1)? })).collect()
}

/// Bumps the revs of a group and of its members, whose answers hold the whole group: its list of members has changed.
///
/// # Errors
/// The engine's failure.
pub fn touch(tx: &mut dyn Tx, group: Id) -> Result<()> {
    resource::touch(tx, Kind::PlacementGroup, group)?;
    tx.execute(&TOUCH_MEMBERS, &[group.into()]).map(|_| ())
}

/// Writes a changed group back, its name and labels, and bumps the revs of its members, whose answers hold it.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<PlacementGroup>, new: &PlacementGroup) -> Result<()> {
    if old.value.name != new.name {
        let params = [new.project.into(), (&new.name).into(), new.id.into()];
        if tx.query_one(&NAME_TAKEN, &params)?.is_some() {
            return Err(Error::name_used());
        }
    }
    label::replace(tx, Kind::PlacementGroup, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [(&new.name).into(), json_text(&new.details)?, new.id.into(), old.generation.into()];
    tx.execute_one(&UPDATE, &params)?;
    tx.execute(&TOUCH_MEMBERS, &[new.id.into()]).map(|_| ())
}

/// Removes a group without members, and its labels.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &PlacementGroup) -> Result<()> {
    label::replace(tx, Kind::PlacementGroup, old.project, old.id, &old.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[old.id.into()])?;
    resource::count_add(tx, Kind::PlacementGroup, old.project, -1).map(|_| ())
}
