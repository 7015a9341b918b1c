//! The strand that makes a server: place → made → started. Its abort tears the server down.

use super::{HOST_DEADLINE_MS, ServerProgram, doomed_failure, note_power, scope, spec, teardown};
use crate::action::{self, Work};
use crate::core::Core;
use crate::hosts;
use serde::{Deserialize, Serialize};
use wolke_domain::action::{Failure, Target};
use wolke_domain::placement::{self, Need, SIMULATED_HOST};
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_host::{ObjectKey, Power, PowerState};
use wolke_store::{Tx, action as actions, host, primary_ip, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{ErrorCode, Id, Kind};

/// The kind of simulated hosts in the database.
pub(super) const SIMULATED: &str = "sim";

/// The program.
pub(super) static PROGRAM: Program<Core> = Program {
    kind: "create_server",
    steps: &[
        ("place", place),
        ("made", made),
        ("start", start_machine),
        ("started", started),
        ("remove", teardown::remove),
        ("removed", teardown::removed),
    ],
    abort: "remove",
};

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    start: bool,
    /// The generation whose observation is waited for.
    generation: i64,
}

/// Starts the strand.
pub(super) fn start(tx: &mut dyn Tx, server: &Server, action: Id, next_actions: Vec<Id>) -> Result<Id> {
    let program: ServerProgram = &PROGRAM;
    let work = Work {
        program,
        step: "place",
        project: server.project,
        scope: scope(server),
        action,
        variables: &Variables { server: server.id, start: !next_actions.is_empty(), generation: 0 },
        also: next_actions,
        locks: vec![Target::new(Kind::Server, server.id)],
    };
    action::start(tx, work)
}

/// The server of a strand, unless it is on its way out.
fn subject(tx: &mut dyn Tx, id: Id) -> Result<std::result::Result<Server, Failure>> {
    let server = server::by_id(tx, id)?.ok_or_else(|| Error::internal(format!("server {id} is gone")))?.value;
    Ok(if server.details.doomed { Err(doomed_failure()) } else { Ok(server) })
}

/// Finds a host with room and tells it what to make, switched off.
fn place(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let server = match subject(tx, variables.server)? {
        Ok(server) => server,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    if let Some(on) = server.host {
        // Placed by an earlier run of this step: wait for what that one has written.
        let (generation, _) = hosts::server_spec(tx, on, server.id)?
            .ok_or_else(|| Error::internal(format!("host {on} should not hold server {}", server.id)))?;
        variables.generation = generation;
    } else {
        let addresses = primary_ip::of_server(tx, server.id)?;
        let spec = spec::spec(core, &server, &addresses)?;
        let need = need_of(&spec);
        let Some(on) = host_with_room(tx, server.details.location, &need)? else {
            return Ok(Flow::Fail(Failure::new(ErrorCode::ResourceUnavailable, "no host has room for the server")));
        };
        variables.generation = host::take(tx, on, &need)?;
        hosts::desire_server(tx, on, server.id, variables.generation, spec)?;
        server::set_status(tx, server.id, server.status, Some(on))?;
    }
    frame.write(&variables)?;
    Ok(Flow::Next("made"))
}

/// What a machine takes of its host.
pub(super) fn need_of(spec: &wolke_host::ServerSpec) -> Need {
    Need {
        cores: i64::from(spec.definition.cores),
        memory_mb: i64::from(spec.definition.memory_mb),
        disk_gb: i64::from(spec.disk_gb),
    }
}

/// A simulated location makes its hosts on demand.
fn host_with_room(tx: &mut dyn Tx, location: Id, need: &Need) -> Result<Option<Id>> {
    let rooms = host::candidates(tx, location, SIMULATED, need)?;
    if let Some(found) = placement::choose(&rooms, need) {
        return Ok(Some(found));
    }
    if !need.fits(&SIMULATED_HOST) {
        return Ok(None);
    }
    host::insert(tx, location, SIMULATED, &SIMULATED_HOST).map(Some)
}

/// Waits until the machine is there.
fn made(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let server = match subject(tx, variables.server)? {
        Ok(server) => server,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let on = server.host.ok_or_else(|| Error::internal(format!("server {} has no host", server.id)))?;
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    if let Some(failure) = look.failure_of(variables.generation) {
        return Ok(Flow::Fail(failure));
    }
    if !look.observed.has_applied(variables.generation) {
        let deadline = tx.now().plus_ms(HOST_DEADLINE_MS);
        return Ok(Flow::Wait { step: "made", until: look.again, deadline });
    }
    if let Some(create) = frame.action {
        actions::end(tx, create, None)?;
    }
    if variables.start {
        return Ok(Flow::Next("start"));
    }
    note_power(tx, &server, Status::Off)?;
    Ok(Flow::Done)
}

/// Tells the host to switch the machine on.
fn start_machine(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let server = match subject(tx, variables.server)? {
        Ok(server) => server,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let on = server.host.ok_or_else(|| Error::internal(format!("server {} has no host", server.id)))?;
    variables.generation = switch(tx, on, server.id, Power::On)?;
    frame.write(&variables)?;
    note_power(tx, &server, Status::Starting)?;
    Ok(Flow::Next("started"))
}

/// Writes a power wish; returns its generation.
pub(super) fn switch(tx: &mut dyn Tx, on: Id, server: Id, power: Power) -> Result<i64> {
    let (_, mut spec) = hosts::server_spec(tx, on, server)?
        .ok_or_else(|| Error::internal(format!("host {on} should not hold server {server}")))?;
    spec.power = power;
    spec.power_epoch += 1;
    let generation = host::take(tx, on, &Need::none())?;
    hosts::desire_server(tx, on, server, generation, spec)?;
    Ok(generation)
}

/// Waits until the machine runs.
fn started(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let server = match subject(tx, variables.server)? {
        Ok(server) => server,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let on = server.host.ok_or_else(|| Error::internal(format!("server {} has no host", server.id)))?;
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    if let Some(failure) = look.failure_of(variables.generation) {
        return Ok(Flow::Fail(failure));
    }
    if look.observed.has_applied(variables.generation) && look.observed.state.power == PowerState::Running {
        note_power(tx, &server, Status::Running)?;
        return Ok(Flow::Done);
    }
    let deadline = tx.now().plus_ms(HOST_DEADLINE_MS);
    Ok(Flow::Wait { step: "started", until: look.again, deadline })
}
