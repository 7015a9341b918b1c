//! Taking a server down: the strand of a delete, and the abort of a create.

use super::{HOST_DEADLINE_MS, ServerProgram, attached, calendar, make, relocate, scope};
use crate::action::{self, Work};
use crate::core::Core;
use crate::hosts::{self, Look};
use crate::load_balancer;
use crate::operator::stock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::action::Target;
use wolke_domain::placement::Need;
use wolke_domain::server::{Server, Status};
use wolke_host::{Desired, ObjectKey, ObjectKind, PowerState};
use wolke_store::{Stored, Tx, host, placement_group, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind};

/// The program.
pub(super) static PROGRAM: Program<Core> = Program {
    kind: "delete_server",
    steps: &[("remove", remove), ("removed", removed), ("give_up", give_up)],
    abort: "give_up",
};

/// What the steps need to know: a part of the variables of every program that can tear a server down.
#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
}

/// Starts the strand.
pub(super) fn start(tx: &mut dyn Tx, server: &Server, action: Id) -> Result<Id> {
    let program: ServerProgram = &PROGRAM;
    let work = Work {
        program,
        step: "remove",
        project: server.project,
        scope: scope(server),
        action,
        also: Vec::new(),
        locks: vec![Target::new(Kind::Server, server.id)],
        always: true,
        variables: &Variables { server: server.id },
    };
    action::start(tx, work)
}

/// Tells the host that the machine should be gone.
pub(super) fn remove(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Variables { server: id } = frame.read()?;
    let Some(server) = server::by_id(tx, id)? else { return Ok(Flow::Done) };
    let Some(on) = server.value.host else {
        release(tx, core, &server, None)?;
        return Ok(Flow::Done);
    };
    let key = ObjectKey::server(id);
    let (object, taken) = match hosts::server_spec(tx, on, id)? {
        Some((object, spec)) => (Some(object), Some(make::need_of(&spec))),
        None => (hosts::object(tx, on, key)?, None),
    };
    let server = doom(tx, server, taken)?;
    let Some(object) = object else {
        release(tx, core, &server, Some(on))?;
        return Ok(Flow::Done);
    };
    // Anew where a tombstone is there already: an earlier delete has given up on a host that hangs, and asks it again.
    let generation = host::take(tx, on, &Need::none())?;
    let look = hosts::desire(tx, core, on, object, &Desired::absent(key, generation))?;
    after_removing(tx, core, frame, &server, (on, generation), &look)
}

/// Waits until the host reports it gone, then gives everything back.
pub(super) fn removed(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Variables { server: id } = frame.read()?;
    let Some(server) = server::by_id(tx, id)? else { return Ok(Flow::Done) };
    let Some(on) = server.value.host else {
        release(tx, core, &server, None)?;
        return Ok(Flow::Done);
    };
    let key = ObjectKey::server(id);
    let look = hosts::look(tx, core, on, key, None)?;
    let generation = hosts::object(tx, on, key)?.map_or(0, |object| object.generation);
    after_removing(tx, core, frame, &server, (on, generation), &look)
}

fn after_removing(
    tx: &mut dyn Tx,
    core: &Core,
    frame: &Frame,
    server: &Stored<Server>,
    (on, generation): (Id, i64),
    look: &Look,
) -> Result<Flow> {
    // A host that says that it cannot is not waited for; a further delete asks it again. What is undone has failed already.
    if let Some(failure) = look.failure_of(generation).filter(|_| frame.failure.is_none()) {
        return Ok(Flow::Fail(failure));
    }
    // A move that the delete has caught under way, or what an earlier one has left behind.
    let left = relocate::abandon(tx, core, server.value.id)?;
    let here = (look.observed.state.power != PowerState::Absent).then_some(look);
    if let Some(look) = here.or(left.as_ref()) {
        let deadline = tx.now().plus_ms(HOST_DEADLINE_MS);
        return Ok(Flow::Wait { step: "removed", until: look.again, deadline, promised: look.promised });
    }
    release(tx, core, server, Some(on))?;
    Ok(Flow::Done)
}

/// From now on the server can only be deleted, and what its machine takes of its host is known when that is gone.
fn doom(tx: &mut dyn Tx, server: Stored<Server>, taken: Option<Need>) -> Result<Stored<Server>> {
    let mut new = server.value.clone();
    new.status = Status::Deleting;
    new.details.doomed = true;
    new.details.leaving = taken.or(new.details.leaving);
    if new == server.value {
        return Ok(server);
    }
    server::update(tx, &server, &new)?;
    Ok(Stored { value: new, ..server })
}

/// The host has not let go in time. What it may still run must not be forgotten: the server stays, on its way out, and
/// a further delete takes the work up again.
fn give_up(_tx: &mut dyn Tx, _core: &Core, _frame: &mut Frame) -> Result<Flow> {
    Ok(Flow::Done)
}

/// What a machine of a server's type takes of its host, by today's catalogue.
pub(super) fn need(core: &Core, server: &Server) -> Need {
    let catalogue = core.catalogue();
    let kind = catalogue.server_type_by_id(server.details.server_type);
    kind.map_or(Need::none(), |kind| kind.need(server.details.primary_disk_gb))
}

/// Addresses, the room on the host, the object's row, the server itself: only when nothing is left of the machine.
fn release(tx: &mut dyn Tx, core: &Core, server: &Stored<Server>, on: Option<Id>) -> Result<()> {
    attached::release(tx, core, &server.value)?;
    if let Some(on) = on {
        let taken = server.value.details.leaving.unwrap_or_else(|| need(core, &server.value));
        host::take(tx, on, &taken.returned())?;
        host::forget(tx, on, ObjectKind::Server.as_str(), server.value.id)?;
    }
    stock::give(tx, core, server.value.details.server_type, server.value.details.location)?;
    calendar::forget(tx, &server.value)?;
    crate::image::delete_backups_of(tx, server.value.id)?;
    let selecting = load_balancer::selecting(tx, server.value.id)?;
    server::delete(tx, &server.value)?;
    load_balancer::moved(tx, core, &selecting, &BTreeMap::new())?;
    server.value.placement_group.map_or(Ok(()), |group| placement_group::touch(tx, group))
}
