//! Snapshots and backups. The images of the catalogue are in no table.
//!
//! A deleted image that servers were made from moves to a table of its own: it is gone from lists and from lookups by id,
//! its servers still show it ([`shown`]), and it goes with the last of them (`purge`). The same holds while a server is
//! being rebuilt from it: it will be shown once the disk is there.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, json_text};
use std::collections::BTreeMap;
use wolke_domain::image::{Image, Status, Type};
use wolke_domain::{Error, Result};
use wolke_wire::cloud::Architecture;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "image";
    INSERT = "INSERT INTO images (id, project, created, type, status, architecture, bound_to, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8)";
    GET = "SELECT id, project, created, type, status, architecture, bound_to, rev, doc, generation FROM images WHERE project = $1 AND id = $2";
    REV = "SELECT rev FROM images WHERE project = $1 AND id = $2";
    BY_ID = "SELECT id, project, created, type, status, architecture, bound_to, rev, doc, generation FROM images WHERE id = $1";
    SNAPSHOTS = "SELECT count(*) FROM images WHERE project = $1 AND type = 'snapshot'";
    BACKUPS = "SELECT id, project, created, type, status, architecture, bound_to, rev, doc, generation FROM images WHERE bound_to = $1 ORDER BY id";
    UPDATE = "UPDATE images SET type = $1, status = $2, architecture = $3, bound_to = $4, rev = rev + 1, generation = generation + 1, doc = $5
        WHERE id = $6 AND generation = $7";
    DELETE = "DELETE FROM images WHERE id = $1";
    SHOWN_BY = "SELECT id FROM servers WHERE own_image = $1 UNION ALL SELECT id FROM servers WHERE building_image = $2 LIMIT 1";
    MAKING = "SELECT id FROM servers WHERE own_image = $1 AND status = 'initializing' UNION ALL SELECT id FROM servers WHERE building_image = $2 LIMIT 1";
    KEEP = "INSERT INTO deleted_images (id, project, created, type, status, architecture, bound_to, rev, deleted, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    KEPT = "SELECT id, project, created, type, status, architecture, bound_to, rev, doc, deleted FROM deleted_images WHERE id = $1 AND project = $2";
    KEPT_REV = "SELECT rev FROM deleted_images WHERE id = $1 AND project = $2";
    PURGE = "DELETE FROM deleted_images WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.own_image = $2)
        AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.building_image = $3)";
}

fn value(row: &Row) -> Result<Image> {
    let (kind, status, architecture) = (row.text(3)?, row.text(4)?, row.text(5)?);
    let unknown = |what: &str, text: &str| Error::internal(format!("unknown image {what} {text}"));
    Ok(Image {
        id: row.int(0)?,
        project: row.int(1)?,
        created: row.time(2)?,
        kind: Type::parse(kind).ok_or_else(|| unknown("type", kind))?,
        status: Status::parse(status).ok_or_else(|| unknown("status", status))?,
        architecture: Architecture::parse(architecture).ok_or_else(|| unknown("architecture", architecture))?,
        bound_to: row.opt_int(6)?,
        details: row.json(8)?,
    })
}

fn image(row: &Row) -> Result<Stored<Image>> {
    Ok(Stored { rev: row.int(7)?, generation: row.int(9)?, value: value(row)? })
}

/// Inserts an image with its labels; returns how many the project now has.
///
/// # Errors
/// The engine's failure.
pub fn insert(tx: &mut dyn Tx, new: &Image) -> Result<i64> {
    let params = [
        new.id.into(),
        new.project.into(),
        new.created.into(),
        new.kind.as_str().into(),
        new.status.as_str().into(),
        new.architecture.as_str().into(),
        new.bound_to.into(),
        json_text(&new.details)?,
    ];
    tx.execute_one(&INSERT, &params)?;
    label::replace(tx, Kind::Image, new.project, new.id, &BTreeMap::new(), &new.details.labels)?;
    resource::count_add(tx, Kind::Image, new.project, 1)
}

/// An image of a project.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<Image>>> {
    tx.query_one(&GET, &[project.into(), id.into()])?.as_ref().map(image).transpose()
}

/// An image of a project, which must exist.
///
/// # Errors
/// `not_found`.
pub fn expect(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<Image>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(Kind::Image, id))
}

/// The rev of an image of a project, without reading the rest.
///
/// # Errors
/// The engine's failure.
pub fn rev(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<i64>> {
    tx.query_one(&REV, &[project.into(), id.into()])?.map(|r| r.int(0)).transpose()
}

/// An image whosever it is: for strands, which were given the id by a request that had the right to it.
///
/// # Errors
/// The engine's failure.
pub fn by_id(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<Image>>> {
    tx.query_one(&BY_ID, &[id.into()])?.as_ref().map(image).transpose()
}

/// An image as servers show it, and when it was deleted, if it was.
///
/// # Errors
/// The engine's failure.
pub fn shown(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<(Image, Option<Timestamp>)>> {
    if let Some(found) = get(tx, project, id)? {
        return Ok(Some((found.value, None)));
    }
    let row = tx.query_one(&KEPT, &[id.into(), project.into()])?;
    row.map(|row| Ok((value(&row)?, Some(row.time(9)?)))).transpose()
}

/// The rev of an image as servers show it.
///
/// # Errors
/// The engine's failure.
pub fn shown_rev(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<i64>> {
    if let Some(found) = rev(tx, project, id)? {
        return Ok(Some(found));
    }
    tx.query_one(&KEPT_REV, &[id.into(), project.into()])?.map(|r| r.int(0)).transpose()
}

/// How many snapshots a project has: all of them are counted, so it is asked where the number of all images does not say enough.
///
/// # Errors
/// The engine's failure.
pub fn snapshots(tx: &mut dyn Tx, project: Id) -> Result<i64> {
    tx.query_one(&SNAPSHOTS, &[project.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// The backups of a server, oldest first, those that are being made included.
///
/// # Errors
/// The engine's failure.
pub fn backups(tx: &mut dyn Tx, server: Id) -> Result<Vec<Stored<Image>>> {
    tx.query(&BACKUPS, &[server.into()])?.iter().map(image).collect()
}

/// Writes a changed image back. `old` is what was read; labels are brought along.
///
/// # Errors
/// Internal, when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<Image>, new: &Image) -> Result<()> {
    label::replace(tx, Kind::Image, new.project, new.id, &old.value.details.labels, &new.details.labels)?;
    let params = [
        new.kind.as_str().into(),
        new.status.as_str().into(),
        new.architecture.as_str().into(),
        new.bound_to.into(),
        json_text(&new.details)?,
        new.id.into(),
        old.generation.into(),
    ];
    tx.execute_one(&UPDATE, &params)
}

/// Whether a server is being made from an image right now, for the first time or again.
///
/// # Errors
/// The engine's failure.
pub fn is_in_use(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    Ok(tx.query_one(&MAKING, &[id.into(), id.into()])?.is_some())
}

/// Removes an image and its labels. What servers show of it, or will once they are rebuilt, stays until the last of them goes.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &Stored<Image>) -> Result<()> {
    let Stored { rev, value: image, .. } = old;
    label::replace(tx, Kind::Image, image.project, image.id, &image.details.labels, &BTreeMap::new())?;
    tx.execute_one(&DELETE, &[image.id.into()])?;
    resource::count_add(tx, Kind::Image, image.project, -1)?;
    if tx.query_one(&SHOWN_BY, &[image.id.into(), image.id.into()])?.is_none() {
        return Ok(());
    }
    let params = [
        image.id.into(),
        image.project.into(),
        image.created.into(),
        image.kind.as_str().into(),
        image.status.as_str().into(),
        image.architecture.as_str().into(),
        image.bound_to.into(),
        (rev + 1).into(),
        tx.now().whole_second().into(),
        json_text(&image.details)?,
    ];
    tx.execute_one(&KEEP, &params)
}

/// Forgets a deleted image that no server shows any more or is rebuilt from: called when one has stopped.
///
/// # Errors
/// The engine's failure.
pub(crate) fn purge(tx: &mut dyn Tx, id: Id) -> Result<()> {
    tx.execute(&PURGE, &[id.into(), id.into(), id.into()]).map(|_| ())
}
