//! Placement groups. Who is a member stands in `servers.placement_group`.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "placement_group";
    INSERT = "INSERT INTO placement_groups (id, project, name, created, type, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, 1, 1, $6) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, type FROM placement_groups WHERE project = $1 AND id = $2";
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

impl Named for PlacementGroup {
    common!(Kind::PlacementGroup);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details, kind: row.text(OWN)?.to_owned() })
    }

    fn columns(&self) -> Vec<Value> {
        vec![(&self.kind).into()]
    }
}

named::functions!(PlacementGroup: insert, get, expect, delete);

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
    named::update(tx, old, new)?;
    tx.execute(&TOUCH_MEMBERS, &[new.id.into()]).map(|_| ())
}
