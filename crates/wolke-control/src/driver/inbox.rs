//! What a driver reads: the way from the database to the host.

use crate::hosts::read_wish;
use std::collections::BTreeSet;
use wolke_domain::Result;
use wolke_host::{Command, Desired, Digest, ObjectKey, ObjectKind, Resync};
use wolke_store::host::{self, Change};
use wolke_store::{Tx, driven};
use wolke_wire::{Id, Timestamp};

/// What there is for a host, as of one moment.
pub(super) struct Inbox {
    /// World time.
    pub now: Timestamp,
    /// The next page of objects that have changed.
    pub objects: Vec<Desired>,
    /// Every command without an outcome; none inside for one that cannot be read.
    pub commands: Vec<(Id, Option<Command>)>,
    /// The objects that are wished away, where that was asked for.
    pub tombstones: BTreeSet<ObjectKey>,
    /// The fingerprint of everything that is desired, where that was asked for.
    pub digest: Option<Digest>,
    /// The generation of the last object of the page.
    pub cursor: i64,
    /// Whether there is another page.
    pub more: bool,
}

/// Reads what has changed since a generation; also the tombstones and the digest, where asked for.
pub(super) fn read(tx: &mut dyn Tx, on: Id, since: i64, (tombstones, digest): (bool, bool)) -> Result<Inbox> {
    let changes = host::changed(tx, on, since)?;
    let cursor = changes.last().map_or(since, |change| change.generation);
    let more = changes.len() >= host::CHANGES_PAGE;
    let gone = if tombstones { driven::tombstones(tx, on)? } else { Vec::new() };
    let digest = if digest && !more { Some(Digest::of(&desired(&host::objects(tx, on)?))) } else { None };
    Ok(Inbox {
        now: tx.now(),
        objects: desired(&changes),
        commands: commands(tx, on)?,
        tombstones: gone.iter().filter_map(key).collect(),
        digest,
        cursor,
        more,
    })
}

/// Reads everything that a host should hold.
pub(super) fn everything(tx: &mut dyn Tx, on: Id) -> Result<(Timestamp, Resync)> {
    let (as_of, objects) = (driven::generation(tx, on)?, host::objects(tx, on)?);
    Ok((tx.now(), Resync::new(as_of, desired(&objects))))
}

fn key(change: &Change) -> Option<ObjectKey> {
    Some(ObjectKey { kind: ObjectKind::parse(&change.kind)?, id: change.id })
}

/// What cannot be read was written by a newer release: its own driver will know what to do with it.
fn desired(changes: &[Change]) -> Vec<Desired> {
    let one = |change: &Change| {
        let wish = read_wish(&change.spec).ok().zip(key(change));
        if wish.is_none() {
            tracing::error!(kind = change.kind, id = change.id, "a wish of an unknown form is left out");
        }
        wish.map(|(wish, key)| Desired { key, generation: change.generation, wish })
    };
    changes.iter().filter_map(one).collect()
}

fn commands(tx: &mut dyn Tx, on: Id) -> Result<Vec<(Id, Option<Command>)>> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = driven::commands_pending(tx, on, after)?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = *last;
        let is_last = page.len() < driven::COMMANDS_PAGE;
        all.extend(page.into_iter().map(|(id, text)| {
            let command = serde_json::from_str(&text);
            if let Err(error) = &command {
                tracing::error!(command = id, %error, "a command of an unknown form is left out");
            }
            (id, command.ok())
        }));
        if is_last {
            return Ok(all);
        }
    }
}
