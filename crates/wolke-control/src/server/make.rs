//! The strand that makes a server: place → made → started, as one step when the host answers at once. Its abort tears the server down.

use super::{
    HOST_DEADLINE_MS, ServerProgram, doomed_failure, note_power, password, placement_group, power, scope, spec,
    teardown,
};
use crate::action::{self, Work};
use crate::core::Core;
use crate::hosts::{self, Look};
use crate::real;
use serde::{Deserialize, Serialize};
use wolke_domain::action::{Failure, Status as ActionStatus, Target};
use wolke_domain::placement::Need;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_host::{ObjectKey, Power};
use wolke_store::{Tx, action as actions, host, primary_ip, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind};

/// The program.
pub(super) static PROGRAM: Program<Core> = Program {
    kind: "create_server",
    steps: &[
        ("place", place),
        ("made", made),
        ("started", started),
        ("undo", undo),
        ("remove", teardown::remove),
        ("removed", teardown::removed),
    ],
    abort: "undo",
};

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    start: bool,
    /// The generation whose observation is waited for.
    generation: i64,
    /// Sealed; none where keys are. It goes with the strand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root_password: Option<String>,
}

/// Starts the strand. `root_password` is sealed.
pub(super) fn start(
    tx: &mut dyn Tx,
    server: &Server,
    action: Id,
    next_actions: Vec<Id>,
    root_password: Option<String>,
) -> Result<Id> {
    let program: ServerProgram = &PROGRAM;
    let variables = Variables { server: server.id, start: !next_actions.is_empty(), generation: 0, root_password };
    let work = Work {
        program,
        step: "place",
        project: server.project,
        scope: scope(server),
        action,
        variables: &variables,
        also: next_actions,
        locks: vec![Target::new(Kind::Server, server.id)],
        always: false,
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
    let mut server = match subject(tx, variables.server)? {
        Ok(server) => server,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = if let Some(on) = server.host {
        // Placed by an earlier run of this step: wait for what that one has written.
        let (object, _) = hosts::server_spec(tx, on, server.id)?.ok_or_else(|| unexpected(on, server.id))?;
        variables.generation = object.generation;
        hosts::look(tx, core, on, ObjectKey::server(server.id), None)?
    } else {
        let addresses = primary_ip::of_server(tx, server.id)?;
        let mut spec = spec::spec(tx, core, &server, &addresses)?;
        let need = need_of(&spec);
        let on = match placement_group::host_for(tx, core, &server, &need)? {
            Ok(on) => on,
            Err(failure) => return Ok(Flow::Fail(failure)),
        };
        let sealed = variables.root_password.take();
        let (generation, kind) = host::take_on(tx, on, &need)?;
        variables.generation = generation;
        spec.runtime = real::runtime_on(core, on, server.details.server_type);
        spec.first_boot.root_password_hash = password::for_first_boot(tx, core, kind, sealed.as_deref())?;
        server.host = Some(on);
        server::set_status(tx, server.id, server.status, server.host)?;
        hosts::desire_server(tx, core, on, host::Object::new(kind), (server.id, variables.generation, spec))?
    };
    frame.write(&variables)?;
    after_making(tx, core, frame, &server, variables, &look)
}

fn unexpected(on: Id, server: Id) -> Error {
    Error::internal(format!("host {on} should not hold server {server}"))
}

/// What a machine takes of its host.
pub(super) fn need_of(spec: &wolke_host::ServerSpec) -> Need {
    Need {
        cores: i64::from(spec.definition.cores),
        memory_mb: i64::from(spec.definition.memory_mb),
        disk_gb: i64::from(spec.disk_gb),
    }
}

/// The abort. A machine that was made stays, whatever became of its start: its create was reported as a success.
fn undo(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let create = match frame.action {
        Some(id) => actions::get(tx, frame.project, id)?.map(|(_, create)| create.status),
        None => None,
    };
    if create != Some(ActionStatus::Success) {
        return Ok(Flow::Next("remove"));
    }
    power::show_as_it_is(tx, core, variables.server)?;
    Ok(Flow::Done)
}

/// Waits until the machine is there.
fn made(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match placed(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    after_making(tx, core, frame, &server, variables, &look)
}

/// The server of a strand and the host that it was placed on.
fn placed(tx: &mut dyn Tx, id: Id) -> Result<std::result::Result<(Server, Id), Failure>> {
    Ok(match subject(tx, id)? {
        Ok(server) => {
            let on = server.host.ok_or_else(|| Error::internal(format!("server {id} has no host")))?;
            Ok((server, on))
        }
        Err(failure) => Err(failure),
    })
}

/// What follows from a look at a machine that is being made.
fn after_making(
    tx: &mut dyn Tx,
    core: &Core,
    frame: &mut Frame,
    server: &Server,
    variables: Variables,
    look: &Look,
) -> Result<Flow> {
    if let Some(failure) = look.failure_of(variables.generation) {
        return Ok(Flow::Fail(failure));
    }
    if !look.observed.has_applied(variables.generation) {
        return Ok(wait(tx, "made", look));
    }
    if let Some(create) = frame.action {
        actions::end(tx, create, None)?;
    }
    if variables.start {
        return start_machine(tx, core, frame, server, variables);
    }
    note_power(tx, server, Status::Off)?;
    Ok(Flow::Done)
}

fn wait(tx: &mut dyn Tx, step: &'static str, look: &Look) -> Flow {
    Flow::Wait { step, until: look.again, deadline: tx.now().plus_ms(HOST_DEADLINE_MS), promised: look.promised }
}

/// Tells the host to switch the machine on: in the step that has seen it made, so that simulated work is one step.
fn start_machine(
    tx: &mut dyn Tx,
    core: &Core,
    frame: &mut Frame,
    server: &Server,
    mut variables: Variables,
) -> Result<Flow> {
    let on = server.host.ok_or_else(|| Error::internal(format!("server {} has no host", server.id)))?;
    if !power::has_interface(tx, server.id)? {
        return Ok(Flow::Fail(power::no_interface()));
    }
    let Some((generation, look)) = switch(tx, core, on, server.id, Power::On)? else {
        return Err(unexpected(on, server.id));
    };
    variables.generation = generation;
    frame.write(&variables)?;
    let waits = power::watch_start(tx, core, (server, on), (generation, "started"), &look)?;
    Ok(waits.unwrap_or(Flow::Done))
}

/// Writes a power wish and looks; returns its generation. None when the machine should be gone.
pub(super) fn switch(tx: &mut dyn Tx, core: &Core, on: Id, server: Id, power: Power) -> Result<Option<(i64, Look)>> {
    let Some((object, mut spec)) = hosts::server_spec(tx, on, server)? else { return Ok(None) };
    spec.power = power;
    spec.power_epoch += 1;
    if power == Power::On {
        // Addresses come and go while a server is off.
        spec.definition.public = spec::public_nic(server, &primary_ip::of_server(tx, server)?);
    }
    let generation = host::take(tx, on, &Need::none())?;
    let look = hosts::desire_server(tx, core, on, object, (server, generation, spec))?;
    Ok(Some((generation, look)))
}

/// Waits until the machine runs.
fn started(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match placed(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    let waits = power::watch_start(tx, core, (&server, on), (variables.generation, "started"), &look)?;
    Ok(waits.unwrap_or(Flow::Done))
}
