//! Power: on, off, reboot, reset, shutdown. One program, because they differ only in what the host is told.

use super::{HOST_DEADLINE_MS, ServerProgram, check_not_doomed, doomed_failure, make, note_power, scope};
use crate::action::{self, Started, Work};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts::{self, Look};
use serde::{Deserialize, Serialize};
use wolke_domain::action::{Failure, Target};
use wolke_domain::placement::Need;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result};
use wolke_host::{Command, ObjectKey, Outcome, Power, PowerState, Verb};
use wolke_store::{Race, Tx, host, resource, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind, Timestamp};

/// What is asked of a server's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerVerb {
    /// `poweron`
    Start,
    /// `poweroff`: the plug.
    Stop,
    /// `reboot`: asks the guest.
    Reboot,
    /// `reset`: the button.
    Reset,
    /// `shutdown`: asks the guest.
    Shutdown,
}

impl PowerVerb {
    /// The command of the action (fact sheet §5).
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Start => "start_server",
            Self::Stop => "stop_server",
            Self::Reboot => "reboot_server",
            Self::Reset => "reset_server",
            Self::Shutdown => "shutdown_server",
        }
    }

    const fn host_verb(self) -> Option<Verb> {
        match self {
            Self::Start | Self::Stop => None,
            Self::Reboot => Some(Verb::Reboot),
            Self::Reset => Some(Verb::Reset),
            Self::Shutdown => Some(Verb::Shutdown),
        }
    }
}

/// The program.
pub(super) static PROGRAM: Program<Core> = Program {
    kind: "server_power",
    steps: &[("switch", switch), ("switched", switched), ("press", press), ("pressed", pressed), ("undo", undo)],
    abort: "undo",
};

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    verb: PowerVerb,
    /// The generation or command that is waited for; 0 before it was written.
    waits_for: i64,
}

impl Control {
    /// Switches a server on or off, or presses one of its buttons.
    ///
    /// # Errors
    /// `not_found`; `locked` when it is being deleted or contention is refused.
    pub async fn power_server(&self, caller: &Caller, id: Id, verb: PowerVerb) -> Result<Started> {
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let server = server::expect(tx, project, id)?.value;
                check_not_doomed(&server)?;
                let target = Target::new(Kind::Server, id);
                action::check_contention(tx, refuse, target)?;
                let action = action::begin(tx, project, verb.command(), vec![target])?;
                resource::touch(tx, Kind::Server, id)?;
                start(tx, &server, verb, action).map(|strand| Started { action, strand: Some(strand) })
            })
            .await
    }
}

fn start(tx: &mut dyn Tx, server: &Server, verb: PowerVerb, action: Id) -> Result<Id> {
    let program: ServerProgram = &PROGRAM;
    let work = Work {
        program,
        step: if verb.host_verb().is_none() { "switch" } else { "press" },
        project: server.project,
        scope: scope(server),
        action,
        also: Vec::new(),
        locks: vec![Target::new(Kind::Server, server.id)],
        always: false,
        variables: &Variables { server: server.id, verb, waits_for: 0 },
    };
    action::start(tx, work)
}

/// The server and its host; a server that is gone or going ends the work.
fn subject(tx: &mut dyn Tx, id: Id) -> Result<std::result::Result<(Server, Id), Failure>> {
    let Some(server) = server::by_id(tx, id)? else { return Ok(Err(Failure::action("the server is gone"))) };
    let server = server.value;
    if server.details.doomed {
        return Ok(Err(doomed_failure()));
    }
    let on = server.host.ok_or_else(|| Error::internal(format!("server {id} has no host")))?;
    Ok(Ok((server, on)))
}

/// Writes the power wish. Each request is a wish of its own, so that a guest that went off by itself comes back.
fn switch(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let (server, on) = match subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let power = if variables.verb == PowerVerb::Start { Power::On } else { Power::Off };
    if variables.verb == PowerVerb::Start && !has_interface(tx, server.id)? {
        return Ok(Flow::Fail(no_interface()));
    }
    let Some((generation, look)) = make::switch(tx, core, on, server.id, power)? else {
        return Ok(Flow::Fail(doomed_failure()));
    };
    variables.waits_for = generation;
    frame.write(&variables)?;
    after_switching(tx, &server, &variables, &look)
}

/// At least one interface is needed to power on (dialects D.1).
pub(super) fn has_interface(tx: &mut dyn Tx, server: Id) -> Result<bool> {
    Ok(!wolke_store::primary_ip::of_server(tx, server)?.is_empty())
}

/// Why a server without any interface does not start.
pub(super) fn no_interface() -> Failure {
    Failure::action("the server has no network interface and cannot be started")
}

fn switched(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    after_switching(tx, &server, &variables, &look)
}

/// What follows from a look at a machine whose power is changing.
fn after_switching(tx: &mut dyn Tx, server: &Server, variables: &Variables, look: &Look) -> Result<Flow> {
    if let Some(failure) = look.failure_of(variables.waits_for) {
        return Ok(Flow::Fail(failure));
    }
    note_power(tx, server, status_of(look.observed.state.power))?;
    if look.observed.has_applied(variables.waits_for) {
        return Ok(Flow::Done);
    }
    Ok(Flow::Wait { step: "switched", until: look.again, deadline: deadline(tx), promised: look.promised })
}

/// Gives the command its id: from the host's generations, which grow, and in a step of its own, so that it is issued
/// under the same id however often the next step runs.
fn press(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let on = match subject(tx, variables.server)? {
        Ok((_, on)) => on,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    variables.waits_for = host::take(tx, on, &Need::none())?;
    frame.write(&variables)?;
    Ok(Flow::Next("pressed"))
}

fn pressed(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let Some(verb) = variables.verb.host_verb() else {
        return Err(Error::internal("a command without a verb"));
    };
    let key = ObjectKey::server(server.id);
    let command = Command { id: variables.waits_for, key, verb, issued_at: tx.now(), expires_at: None };
    let look = hosts::look(tx, core, on, key, Some(&command))?;
    note_power(tx, &server, status_of(look.observed.state.power))?;
    let wait = Flow::Wait { step: "pressed", until: look.again, deadline: deadline(tx), promised: look.promised };
    Ok(match look.outcome {
        None => wait,
        Some(Outcome::Failed { error }) => Flow::Fail(Failure::action(error.message)),
        Some(Outcome::Expired) => Flow::Fail(Failure::action("the host answered too late")),
        Some(Outcome::Done | Outcome::Ignored | Outcome::Snapshotted { .. }) => {
            // A guest that ignores the button is still running: the button was pressed, and that is all it promises.
            if matches!(look.observed.state.power, PowerState::Starting | PowerState::Stopping) {
                wait
            } else {
                Flow::Done
            }
        }
    })
}

/// Nothing is undone: the status follows what the host last reported. A machine that hangs between two states with
/// nobody waiting for it any more is `unknown`, until the next power action looks again.
fn undo(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    show_as_it_is(tx, core, variables.server)?;
    Ok(Flow::Done)
}

/// The status of a server whose work has failed.
pub(super) fn show_as_it_is(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<()> {
    let Some(server) = server::by_id(tx, id)? else { return Ok(()) };
    if let (Some(on), false) = (server.value.host, server.value.details.doomed) {
        let look = hosts::look(tx, core, on, ObjectKey::server(id), None)?;
        let status = match status_of(look.observed.state.power) {
            settled @ (Status::Off | Status::Running) => settled,
            _ => Status::Unknown,
        };
        note_power(tx, &server.value, status)?;
    }
    Ok(())
}

fn deadline(tx: &mut dyn Tx) -> Timestamp {
    tx.now().plus_ms(HOST_DEADLINE_MS)
}

/// What the contract shows of a machine's power.
fn status_of(power: PowerState) -> Status {
    match power {
        PowerState::Absent => Status::Unknown,
        PowerState::Creating => Status::Initializing,
        PowerState::Rebuilding => Status::Rebuilding,
        PowerState::Off => Status::Off,
        PowerState::Starting => Status::Starting,
        PowerState::Running => Status::Running,
        PowerState::Stopping => Status::Stopping,
        PowerState::Deleting => Status::Deleting,
    }
}
