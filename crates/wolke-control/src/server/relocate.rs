//! Moving a machine that is off to another host: made there, then removed here.
//!
//! ```text
//!   begin ──▶ being made on the new host ──▶ leaving the old one ──▶ settled
//!                        └──── give_up ─────▶ leaving the new one ──▶ settled
//! ```
//!
//! Where a move stands is in the server's row (`Details::moving`), written with the change that it tells of. So every function
//! here may run any number of times, in any strand that holds the server, and what a strand has not finished, the next one
//! does: a start, or the delete. Room is taken on the new host before the move, and given back on the old one when the machine
//! is observed gone.
//!
//! A program that may have to move a machine calls [`before_start`] (or [`begin`], then [`go_on`]) in a step of its own and
//! [`give_up`] in its abort.

use super::{HOST_DEADLINE_MS, make, placement_group};
use crate::core::Core;
use crate::hosts::{self, Look};
use wolke_domain::action::Failure;
use wolke_domain::placement::Need;
use wolke_domain::server::{Moving, Server, Status};
use wolke_domain::{Error, Result};
use wolke_host::{Desired, ObjectKey, ObjectKind, Power, PowerState, ServerSpec};
use wolke_store::{Stored, Tx, host, server};
use wolke_strand::Flow;
use wolke_wire::Id;

/// How far a move is.
pub(super) enum Progress {
    /// There is none, or it is over.
    Settled,
    /// A host works on it.
    Waiting(Look),
    /// A host could not do it.
    Failed(Failure),
}

impl Progress {
    /// What a step does about it: `None` when it goes on, else comes back to itself or fails.
    pub(super) fn flow(self, tx: &mut dyn Tx, step: &'static str) -> Option<Flow> {
        match self {
            Self::Settled => None,
            Self::Waiting(look) => {
                let deadline = tx.now().plus_ms(HOST_DEADLINE_MS);
                Some(Flow::Wait { step, until: look.again, deadline, promised: look.promised })
            }
            Self::Failed(failure) => Some(Flow::Fail(failure)),
        }
    }
}

fn row(tx: &mut dyn Tx, id: Id) -> Result<Stored<Server>> {
    server::by_id(tx, id)?.ok_or_else(|| Error::internal(format!("server {id} is gone")))
}

fn host_of(server: &Server) -> Result<Id> {
    server.host.ok_or_else(|| Error::internal(format!("server {} has no host", server.id)))
}

/// What has to happen before a machine that is off may be switched on: a move that is under way ends, and one that stands
/// beside another member of its group goes elsewhere. `None` when it may start; the server's row may have changed.
pub(super) fn before_start(tx: &mut dyn Tx, core: &Core, id: Id, step: &'static str) -> Result<Option<Flow>> {
    let server = row(tx, id)?;
    if server.value.details.moving.is_none() && server.value.status == Status::Off {
        if !placement_group::is_beside_member(tx, &server.value)? {
            return Ok(None);
        }
        let on = host_of(&server.value)?;
        let Some((_, spec)) = hosts::server_spec(tx, on, id)? else { return Ok(None) };
        let to = match placement_group::host_for(tx, core, &server.value, &make::need_of(&spec))? {
            Ok(to) => to,
            Err(failure) => return Ok(Some(Flow::Fail(failure))),
        };
        begin(tx, core, &server, &server.value, to, spec)?;
    }
    let progress = go_on(tx, core, id)?;
    Ok(progress.flow(tx, step))
}

/// Begins the move of a machine that is off to host `to`, where `spec` is made, switched off. `new` is `old` with whatever else
/// changes with it: its type and disk must be those of `spec`, since a delete gives the room of these back.
///
/// # Errors
/// Internal, when a move is under way already.
pub(super) fn begin(
    tx: &mut dyn Tx,
    core: &Core,
    old: &Stored<Server>,
    new: &Server,
    to: Id,
    mut spec: ServerSpec,
) -> Result<()> {
    let (id, from) = (old.value.id, host_of(&old.value)?);
    if old.value.details.moving.is_some() || from == to {
        return Err(Error::internal(format!("server {id} cannot move from host {from} to {to}")));
    }
    let (_, present) = hosts::server_spec(tx, from, id)?
        .ok_or_else(|| Error::internal(format!("host {from} should not hold server {id}")))?;
    // A new host remembers no boots: what was consumed on the old one must not be consumed again.
    let look = hosts::look(tx, core, from, ObjectKey::server(id), None)?;
    spec.rescue = spec.rescue.filter(|rescue| rescue.epoch > look.observed.state.rescue_epoch);
    spec.power = Power::Off;
    let (generation, kind) = host::take_on(tx, to, &make::need_of(&spec))?;
    hosts::desire_server(tx, core, to, host::Object::new(kind), (id, generation, spec))?;
    let mut new = new.clone();
    new.host = Some(to);
    new.status = Status::Migrating;
    new.details.moving = Some(Moving { from, need: make::need_of(&present), left: false });
    server::update(tx, old, &new)
}

/// Carries a move on as far as the hosts let it.
pub(super) fn go_on(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<Progress> {
    let server = row(tx, id)?;
    let Some(moving) = server.value.details.moving else { return Ok(Progress::Settled) };
    if !moving.left {
        let on = host_of(&server.value)?;
        let (object, _) = hosts::server_spec(tx, on, id)?
            .ok_or_else(|| Error::internal(format!("host {on} should not hold server {id}")))?;
        let look = hosts::look(tx, core, on, ObjectKey::server(id), None)?;
        if let Some(failure) = look.failure_of(object.generation) {
            return Ok(Progress::Failed(failure));
        }
        if !look.observed.has_applied(object.generation) {
            return Ok(Progress::Waiting(look));
        }
        leave(tx, core, &server, moving)?;
    }
    clear(tx, core, id)
}

/// Tells the host that the machine comes from to remove it.
fn leave(tx: &mut dyn Tx, core: &Core, server: &Stored<Server>, moving: Moving) -> Result<()> {
    remove_from(tx, core, moving.from, server.value.id)?;
    let mut new = server.value.clone();
    new.details.moving = Some(Moving { left: true, ..moving });
    server::update(tx, server, &new)
}

/// Writes the tombstone of a machine, anew if there is one.
fn remove_from(tx: &mut dyn Tx, core: &Core, on: Id, id: Id) -> Result<Look> {
    let key = ObjectKey::server(id);
    let object = hosts::object(tx, on, key)?;
    let (generation, object) = hosts::next_generation(tx, on, object)?;
    hosts::desire(tx, core, on, object, &Desired::absent(key, generation))
}

/// Waits until the host that was left reports the machine gone, then gives its room back.
fn clear(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<Progress> {
    let server = row(tx, id)?;
    let Some(Moving { from, need, .. }) = server.value.details.moving else { return Ok(Progress::Settled) };
    let key = ObjectKey::server(id);
    let generation = hosts::object(tx, from, key)?.map_or(0, |object| object.generation);
    let mut look = hosts::look(tx, core, from, key, None)?;
    let failure = look.failure_of(generation);
    if failure.is_some() {
        // Asked again at once, so that whoever comes next does not find the old failure.
        look = remove_from(tx, core, from, id)?;
    }
    if look.observed.state.power != PowerState::Absent {
        return Ok(failure.map_or(Progress::Waiting(look), Progress::Failed));
    }
    host::take(tx, from, &need.returned())?;
    host::forget(tx, from, ObjectKind::Server.as_str(), id)?;
    let mut new = server.value.clone();
    new.details.moving = None;
    if new.status == Status::Migrating {
        new.status = Status::Off;
    }
    server::update(tx, &server, &new)?;
    Ok(Progress::Settled)
}

/// Takes a move back that has not left its old host yet: the machine is there, with what was changed meanwhile, and what was
/// made on the new host leaves. `restore` undoes what [`begin`] was given to change besides. A move that has left goes on.
///
/// For aborts, which then [`go_on`] until it is settled. A host that does not let go is left to the next start or delete.
pub(super) fn give_up(tx: &mut dyn Tx, core: &Core, id: Id, restore: impl Fn(&mut Server)) -> Result<()> {
    let Some(server) = server::by_id(tx, id)? else { return Ok(()) };
    let Some(moving) = server.value.details.moving.filter(|moving| !moving.left) else { return Ok(()) };
    let on = host_of(&server.value)?;
    let Some((_, spec)) = hosts::server_spec(tx, on, id)? else { return Ok(()) };
    remove_from(tx, core, on, id)?;
    bring_up_to_date(tx, core, (moving.from, id), &spec)?;
    let mut new = server.value.clone();
    restore(&mut new);
    new.host = Some(moving.from);
    new.details.moving = Some(Moving { from: on, need: make::need_of(&spec), left: true });
    server::update(tx, &server, &new)
}

/// What was changed while a machine moved, its name, its disc and the rescue system, was told to the new host alone. The old
/// one hears of it before it counts again.
fn bring_up_to_date(tx: &mut dyn Tx, core: &Core, (on, id): (Id, Id), newer: &ServerSpec) -> Result<()> {
    let Some((object, present)) = hosts::server_spec(tx, on, id)? else { return Ok(()) };
    let mut spec = present.clone();
    spec.definition.name.clone_from(&newer.definition.name);
    spec.iso.clone_from(&newer.iso);
    spec.rescue.clone_from(&newer.rescue);
    if spec == present {
        return Ok(());
    }
    let generation = host::take(tx, on, &Need::none())?;
    hosts::desire_server(tx, core, on, object, (id, generation, spec)).map(|_| ())
}

/// The last step of an abort: comes back to itself until the host that is left over has let go. One that fails is left to
/// the next start or delete, as is everything of a server that is on its way out.
pub(super) fn settle(tx: &mut dyn Tx, core: &Core, id: Id, step: &'static str) -> Result<Flow> {
    if server::by_id(tx, id)?.is_none_or(|server| server.value.details.doomed) {
        return Ok(Flow::Done);
    }
    let progress = go_on(tx, core, id)?;
    Ok(match progress.flow(tx, step) {
        Some(wait @ Flow::Wait { .. }) => wait,
        _ => Flow::Done,
    })
}

/// Removes what a move has left elsewhere, for a server that is on its way out: both hosts let go. `Some` while one of them
/// does not.
pub(super) fn abandon(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<Option<Look>> {
    let Some(server) = server::by_id(tx, id)? else { return Ok(None) };
    let Some(moving) = server.value.details.moving else { return Ok(None) };
    if !moving.left {
        leave(tx, core, &server, moving)?;
    }
    match clear(tx, core, id)? {
        Progress::Settled => Ok(None),
        Progress::Waiting(look) => Ok(Some(look)),
        Progress::Failed(_) => hosts::look(tx, core, moving.from, ObjectKey::server(id), None).map(Some),
    }
}
