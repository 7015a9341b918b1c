//! `change_type`: another size for a machine that is off; it ends running, in every dialect (dialects A.7, D.1).
//!
//! Where the host has room for the new size, the machine stays; else it moves to another host of its location
//! (`relocate.rs`). Room and stock are taken before a host is told, and what a server shows is always what room was taken for.
//!
//! **Failure:** until the new size is there, everything goes back to what it was: type, disk, room and host. One thing cannot: a
//! disk that the host has grown unheard does not shrink, and is shown and counted as large as it is. A machine that has
//! its new size and does not start keeps it, and is off.

mod size;

use super::{ServerProgram, check_not_doomed, make, note_power, placement_group, power, relocate, restart, scope};
use crate::action::{self, Started, Work};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts::{self, Look};
use crate::operator::stock;
use serde::{Deserialize, Serialize};
use size::{Size, check};
use std::sync::Arc;
use wolke_domain::action::{Failure, Target};
use wolke_domain::placement::Need;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_host::{HostError, ObjectKey, Power, PowerState, ServerSpec};
use wolke_store::{Race, Stored, Tx, host, resource, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::server::ChangeServerType;
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

/// The program.
pub(super) static PROGRAM: Program<Core> = Program {
    kind: "change_server_type",
    steps: &[
        ("prepare", prepare),
        ("resize", resize),
        ("resized", resized),
        ("move", moving),
        ("start", start),
        ("started", started),
        ("undo", undo),
        ("undone", undone),
    ],
    abort: "undo",
};

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    from: Size,
    to: Size,
    /// Whether it moves to another host.
    moves: bool,
    /// Whether the host it stays on has to be told: types may differ in nothing that a host knows.
    #[serde(default)]
    tells: bool,
    /// The generation that is waited for.
    generation: i64,
    /// Whether the machine has its new size.
    changed: bool,
    /// Whether the host was told the old size again and has not answered yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shrinking: bool,
}

impl Control {
    /// Changes the type of a server that is off.
    ///
    /// # Errors
    /// `not_found`, also for the type; `server_not_stopped`; `invalid_server_type` for the type that it has, one that is gone
    /// or not offered here, one of another architecture or storage, and one whose disk is smaller than the server's;
    /// `resource_unavailable` when it is out of stock here; `locked` when the server is being deleted, or for what
    /// [`wolke_domain::contention`] lists.
    pub async fn change_server_type(&self, caller: &Caller, id: Id, request: ChangeServerType) -> Result<Started> {
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        self.act(caller, vec![Race::Project(project), Race::Addresses], move |tx| {
            let server = server::expect(tx, project, id)?.value;
            check_not_doomed(&server)?;
            let target = Target::new(Kind::Server, id);
            action::admit(tx, refuse, project, target, "change_server_type")?;
            let to = check(tx, &core, &server, &request)?;
            let action = action::begin(tx, project, "change_server_type", vec![target])?;
            resource::touch(tx, Kind::Server, id)?;
            let from = Size::of(&server);
            accept(
                tx,
                &server,
                action,
                &Variables {
                    server: id,
                    from,
                    to,
                    moves: false,
                    tells: false,
                    generation: 0,
                    changed: false,
                    shrinking: false,
                },
            )
        })
        .await
    }
}

fn accept(tx: &mut dyn Tx, server: &Server, action: Id, variables: &Variables) -> Result<Started> {
    let program: ServerProgram = &PROGRAM;
    let work = Work {
        program,
        step: "prepare",
        project: server.project,
        scope: scope(server),
        action,
        also: Vec::new(),
        locks: vec![Target::new(Kind::Server, server.id)],
        always: false,
        variables,
    };
    let strand = action::start(tx, work)?;
    Ok(Started { action, strand: Some(strand) })
}

fn row(tx: &mut dyn Tx, id: Id) -> Result<Stored<Server>> {
    server::by_id(tx, id)?.ok_or_else(|| Error::internal(format!("server {id} is gone")))
}

/// The spec of a machine in a size, switched off.
fn sized(mut spec: ServerSpec, need: &Need) -> Result<ServerSpec> {
    let number = |n: i64| u32::try_from(n).map_err(|_| Error::internal("a machine of impossible size"));
    spec.definition.cores = number(need.cores)?;
    spec.definition.memory_mb = number(need.memory_mb)?;
    spec.disk_gb = number(need.disk_gb)?;
    spec.power = Power::Off;
    Ok(spec)
}

const fn difference(new: &Need, old: &Need) -> Need {
    Need { cores: new.cores - old.cores, memory_mb: new.memory_mb - old.memory_mb, disk_gb: new.disk_gb - old.disk_gb }
}

/// Stock follows the type that a server shows. Where a host is told and the type is shown later, both are kept until then.
fn restock(tx: &mut dyn Tx, core: &Core, server: &Server, from: Size, to: Size) -> Result<()> {
    let location = server.details.location;
    stock::take(tx, core, to.server_type, location)?;
    stock::give(tx, core, from.server_type, location)
}

/// A refusal in a step is the action's failure; a failure of ours is tried again.
fn refused(error: Error) -> Result<Flow> {
    match error {
        Error::Refused { code, message } => Ok(Flow::Fail(Failure::new(code, message))),
        error => Err(error),
    }
}

/// Decides whether the machine stays, and begins its move if not.
fn prepare(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let (known, _) = match power::subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    if known.details.moving.is_some() && Size::of(&known) == variables.to {
        // Begun by an earlier run of this step.
        variables.moves = true;
        frame.write(&variables)?;
        return Ok(Flow::Next("move"));
    }
    if let Some(flow) = relocate::go_on(tx, core, known.id)?.flow(tx, "prepare") {
        return Ok(flow);
    }
    let old = row(tx, known.id)?;
    let Some(on) = old.value.host else { return Err(Error::internal(format!("server {} has no host", known.id))) };
    let look = hosts::look(tx, core, on, ObjectKey::server(known.id), None)?;
    if look.observed.state.power != PowerState::Off {
        // It was off when this was asked for.
        return Ok(Flow::Fail(Failure::new(ErrorCode::ServerNotStopped, "server must be powered off")));
    }
    let Some((_, spec)) = hosts::server_spec(tx, on, known.id)? else {
        return Ok(Flow::Fail(super::doomed_failure()));
    };
    let need = variables.to.need(&core.catalogue())?;
    let ((_, room), present) = (host::room(tx, on)?, make::need_of(&spec));
    if difference(&need, &present).fits(&room) {
        variables.tells = present != need;
        frame.write(&variables)?;
        return Ok(Flow::Next("resize"));
    }
    let to = match placement_group::host_for(tx, core, &old.value, &need)? {
        Ok(to) => to,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    if let Err(error) = restock(tx, core, &old.value, variables.from, variables.to) {
        return refused(error);
    }
    let mut new = old.value.clone();
    variables.to.show(&mut new);
    relocate::begin(tx, core, &old, &new, to, sized(spec, &need)?)?;
    variables.moves = true;
    frame.write(&variables)?;
    Ok(Flow::Next("move"))
}

/// Waits until the machine is on its new host, in its new size, and gone from the old one.
fn moving(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    if let Err(failure) = power::subject(tx, variables.server)? {
        return Ok(Flow::Fail(failure));
    }
    if let Some(flow) = relocate::go_on(tx, core, variables.server)?.flow(tx, "move") {
        return Ok(flow);
    }
    variables.changed = true;
    frame.write(&variables)?;
    Ok(Flow::Next("start"))
}

/// Takes the room and tells the host the new size.
fn resize(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let (server, on) = match power::subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let need = variables.to.need(&core.catalogue())?;
    let Some((object, spec)) = hosts::server_spec(tx, on, server.id)? else {
        return Ok(Flow::Fail(super::doomed_failure()));
    };
    let present = make::need_of(&spec);
    let look = if present == need {
        // Told by an earlier run of this step; or the types differ in nothing that the host knows.
        variables.generation = object.generation;
        hosts::look(tx, core, on, ObjectKey::server(server.id), None)?
    } else {
        // Another server may have taken the last one since this was accepted: then nothing has been told yet.
        if let Err(error) = stock::take(tx, core, variables.to.server_type, server.details.location) {
            return refused(error);
        }
        variables.generation = host::take(tx, on, &difference(&need, &present))?;
        let spec = sized(spec, &need)?;
        hosts::desire_server(tx, core, on, object, (server.id, variables.generation, spec))?
    };
    after_resizing(tx, core, frame, variables, &server, &look)
}

fn resized(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match power::subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    after_resizing(tx, core, frame, variables, &server, &look)
}

fn after_resizing(
    tx: &mut dyn Tx,
    core: &Core,
    frame: &mut Frame,
    mut variables: Variables,
    server: &Server,
    look: &Look,
) -> Result<Flow> {
    frame.write(&variables)?;
    if let Some(failure) = look.failure_of(variables.generation) {
        return Ok(Flow::Fail(failure));
    }
    if !look.observed.has_applied(variables.generation) {
        note_power(tx, server, Status::Migrating)?;
        let deadline = power::deadline(tx);
        return Ok(Flow::Wait { step: "resized", until: look.again, deadline, promised: look.promised });
    }
    let old = row(tx, server.id)?;
    if Size::of(&old.value) != variables.to {
        if variables.tells {
            // The other half of what the step before has begun.
            stock::give(tx, core, variables.from.server_type, old.value.details.location)?;
        } else if let Err(error) = restock(tx, core, &old.value, variables.from, variables.to) {
            return refused(error);
        }
    }
    let mut new = old.value.clone();
    variables.to.show(&mut new);
    new.status = Status::Off;
    server::update(tx, &old, &new)?;
    variables.changed = true;
    frame.write(&variables)?;
    Ok(Flow::Next("start"))
}

/// Starts the machine. One without any interface cannot run; it has its size, and that is all that can be had.
fn start(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let (generation, flow) = restart::start(tx, core, variables.server)?;
    if let Some(generation) = generation {
        variables.generation = generation;
        frame.write(&variables)?;
    }
    Ok(flow)
}

fn started(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    restart::started(tx, core, (variables.server, variables.generation))
}

/// The abort: whatever was not reached goes back, also for a server that is being deleted, whose room must be the room of
/// what it shows.
fn undo(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let from = variables.from;
    if variables.changed {
        power::show_as_it_is(tx, core, variables.server)?;
        return Ok(Flow::Done);
    }
    let shown = row(tx, variables.server)?;
    relocate::give_up(tx, core, variables.server, |server| from.show(server))?;
    if Size::of(&shown.value) != from && Size::of(&row(tx, variables.server)?.value) == from {
        let location = shown.value.details.location;
        stock::give(tx, core, variables.to.server_type, location)?;
        if let Err(error @ (Error::Internal { .. } | Error::Unavailable { .. })) =
            stock::take(tx, core, from.server_type, location)
        {
            // That somebody else has taken the last one meanwhile takes nothing away from this server.
            return Err(error);
        }
    }
    shrink(tx, core, &mut variables)?;
    frame.write(&variables)?;
    undone(tx, core, frame)
}

/// Gives the size back that a host was told and has not reported. Nothing after a move, which keeps its own accounts.
fn shrink(tx: &mut dyn Tx, core: &Core, variables: &mut Variables) -> Result<()> {
    let Some(old) = server::by_id(tx, variables.server)? else { return Ok(()) };
    let (Some(on), false) = (old.value.host, variables.moves) else { return Ok(()) };
    let Some((object, spec)) = hosts::server_spec(tx, on, old.value.id)? else { return Ok(()) };
    let (present, need) = (make::need_of(&spec), variables.from.need(&core.catalogue())?);
    if present == need {
        return Ok(());
    }
    if variables.tells && old.value.details.primary_disk_gb == variables.from.disk_gb {
        // Not again where this comes by a second time, for a disk that had grown.
        stock::give(tx, core, variables.to.server_type, old.value.details.location)?;
    }
    let generation = host::take(tx, on, &difference(&need, &present))?;
    let spec = sized(spec, &need)?;
    let look = hosts::desire_server(tx, core, on, object, (old.value.id, generation, spec))?;
    variables.generation = generation;
    variables.shrinking = !look.observed.has_applied(generation) && look.failure_of(generation).is_none();
    keep_grown(tx, core, variables, (&old, on), &look)
}

/// A disk that cannot go back to what it was has grown after all: it is shown and counted as large as it is.
fn keep_grown(
    tx: &mut dyn Tx,
    core: &Core,
    variables: &mut Variables,
    (old, on): (&Stored<Server>, Id),
    look: &Look,
) -> Result<()> {
    let failure = look.observed.failure_of(variables.generation);
    if failure.is_none_or(|error| error.code != HostError::DISK_SHRINK) {
        return Ok(());
    }
    let Some((object, spec)) = hosts::server_spec(tx, on, old.value.id)? else { return Ok(()) };
    let small = make::need_of(&spec);
    let need = Need { disk_gb: variables.to.disk_gb, ..small };
    variables.generation = host::take(tx, on, &difference(&need, &small))?;
    variables.shrinking = false;
    let spec = sized(spec, &need)?;
    hosts::desire_server(tx, core, on, object, (old.value.id, variables.generation, spec))?;
    let mut new = old.value.clone();
    new.details.primary_disk_gb = need.disk_gb;
    server::update(tx, old, &new)
}

fn undone(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let Some(server) = server::by_id(tx, variables.server)? else { return Ok(Flow::Done) };
    if server.value.details.doomed {
        // The delete that follows removes whatever a move has left.
        return Ok(Flow::Done);
    }
    let give_up: Timestamp = power::patience(tx, frame);
    if variables.moves
        && let relocate::Progress::Waiting(look) = relocate::go_on(tx, core, variables.server)?
        && tx.now() < give_up
    {
        return Ok(power::wait_until(&look, give_up, "undone"));
    }
    if let (true, Some(on)) = (variables.shrinking, server.value.host) {
        let look = hosts::look(tx, core, on, ObjectKey::server(server.value.id), None)?;
        keep_grown(tx, core, &mut variables, (&server, on), &look)?;
        frame.write(&variables)?;
    }
    power::settle(tx, core, frame, (variables.server, variables.generation), "undone")
}
