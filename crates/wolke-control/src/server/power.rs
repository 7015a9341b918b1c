//! Power: on, off, reboot, reset, shutdown. One program, because they differ only in what the host is told.

use super::{
    HOST_DEADLINE_MS, ServerProgram, check_not_doomed, doomed_failure, make, note_power, relocate, rescue, scope,
};
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
use wolke_store::strand::NEVER;
use wolke_store::{Race, Tx, host, resource, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind, Timestamp};

/// Where an abort remembers when it waits no longer (world time, milliseconds), beside its program's variables.
const GIVE_UP: &str = "give_up";

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

    /// Whether the guest has booted anew when it runs afterwards.
    const fn boots(self) -> bool {
        matches!(self, Self::Reboot | Self::Reset)
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
        self.act(caller, vec![Race::Project(project)], move |tx| {
            let server = server::expect(tx, project, id)?.value;
            check_not_doomed(&server)?;
            let target = Target::new(Kind::Server, id);
            action::admit(tx, refuse, project, target, verb.command())?;
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
pub(super) fn subject(tx: &mut dyn Tx, id: Id) -> Result<std::result::Result<(Server, Id), Failure>> {
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
    let (server, _) = match subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let power = if variables.verb == PowerVerb::Start { Power::On } else { Power::Off };
    if variables.verb == PowerVerb::Start && !has_interface(tx, server.id)? {
        return Ok(Flow::Fail(no_interface()));
    }
    if variables.verb == PowerVerb::Start
        && let Some(flow) = relocate::before_start(tx, core, server.id, "switch")?
    {
        return Ok(flow);
    }
    // Perhaps it has moved.
    let (server, on) = match subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let Some((generation, look)) = make::switch(tx, core, on, server.id, power)? else {
        return Ok(Flow::Fail(doomed_failure()));
    };
    variables.waits_for = generation;
    frame.write(&variables)?;
    after_switching(tx, core, (&server, on), &variables, &look)
}

/// At least one interface is needed to power on (dialects D.1).
pub(super) fn has_interface(tx: &mut dyn Tx, server: Id) -> Result<bool> {
    Ok(!wolke_store::primary_ip::of_server(tx, server)?.is_empty()
        || wolke_store::network::has_interface(tx, Target::new(Kind::Server, server))?)
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
    after_switching(tx, core, (&server, on), &variables, &look)
}

/// What follows from a look at a machine whose power is changing.
fn after_switching(
    tx: &mut dyn Tx,
    core: &Core,
    machine: (&Server, Id),
    variables: &Variables,
    look: &Look,
) -> Result<Flow> {
    if let Some(failure) = look.failure_of(variables.waits_for) {
        return Ok(Flow::Fail(failure));
    }
    observe(tx, core, machine, look)?;
    if look.observed.has_applied(variables.waits_for) {
        return Ok(Flow::Done);
    }
    Ok(Flow::Wait { step: "switched", until: look.again, deadline: deadline(tx), promised: look.promised })
}

/// Writes down what a look at a machine has shown: its power, which it may have changed by itself, and a boot that went
/// into the rescue system.
pub(super) fn observe(tx: &mut dyn Tx, core: &Core, (server, on): (&Server, Id), look: &Look) -> Result<()> {
    note_power(tx, server, status_of(look.observed.state.power))?;
    rescue::consume(tx, core, (server, on), look)
}

/// What follows from a look at a machine that was told to start: none when it runs, else to fail, or to look again at
/// `step`.
pub(super) fn watch_start(
    tx: &mut dyn Tx,
    core: &Core,
    machine: (&Server, Id),
    (generation, step): (i64, &'static str),
    look: &Look,
) -> Result<Option<Flow>> {
    if let Some(failure) = look.failure_of(generation) {
        return Ok(Some(Flow::Fail(failure)));
    }
    if look.observed.has_applied(generation) && look.observed.state.power == PowerState::Running {
        observe(tx, core, machine, look)?;
        return Ok(None);
    }
    note_power(tx, machine.0, Status::Starting)?;
    let wait = Flow::Wait { step, until: look.again, deadline: deadline(tx), promised: look.promised };
    Ok(Some(wait))
}

/// Waits for what the host is about to do anyway, then gives the command its id: from the host's generations, which grow,
/// and in a step of its own, so that it is issued under the same id however often the next step runs.
fn press(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let on = match subject(tx, variables.server)? {
        Ok((_, on)) => on,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let key = ObjectKey::server(variables.server);
    let generation = hosts::object(tx, on, key)?.map_or(0, |object| object.generation);
    let look = hosts::look(tx, core, on, key, None)?;
    if !look.observed.has_applied(generation) && look.promised {
        // What was acknowledged before, a disc or the rescue system, must count for this boot.
        return Ok(Flow::Wait { step: "press", until: look.again, deadline: deadline(tx), promised: true });
    }
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
    observe(tx, core, (&server, on), &look)?;
    let wait = Flow::Wait { step: "pressed", until: look.again, deadline: deadline(tx), promised: look.promised };
    Ok(match look.outcome {
        None => wait,
        Some(Outcome::Failed { error }) => Flow::Fail(Failure::action(error.message)),
        Some(Outcome::Expired) => Flow::Fail(Failure::action("the host answered too late")),
        Some(Outcome::Done | Outcome::Ignored | Outcome::Snapshotted { .. }) => {
            // A guest that ignores the button is still running: the button was pressed, and that is all it promises.
            if matches!(look.observed.state.power, PowerState::Starting | PowerState::Stopping) {
                return Ok(wait);
            }
            if look.observed.state.power == PowerState::Running && variables.verb.boots() {
                // A boot of its own, although the status was the same before: the console and metrics show it.
                server::note_power(tx, &server, true)?;
            }
            Flow::Done
        }
    })
}

/// The wish is withdrawn, and the status follows what the host last reported.
fn undo(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    relocate::give_up(tx, core, variables.server, |_| {})?;
    show_as_it_is(tx, core, variables.server)?;
    relocate::settle(tx, core, variables.server, "undo")
}

/// The end of an abort that has told a host what there was before: waits until the host is there, at most
/// [`HOST_DEADLINE_MS`], comes back to `step` until then, and shows the machine as it is. Every action ends: a host that says
/// nothing is waited for no longer, and the next power action looks again.
pub(super) fn settle(
    tx: &mut dyn Tx,
    core: &Core,
    frame: &mut Frame,
    (id, generation): (Id, i64),
    step: &'static str,
) -> Result<Flow> {
    let give_up = patience(tx, frame);
    let Some(server) = server::by_id(tx, id)? else { return Ok(Flow::Done) };
    if let (Some(on), false) = (server.value.host, server.value.details.doomed) {
        let look = hosts::look(tx, core, on, ObjectKey::server(id), None)?;
        let ended = look.observed.has_applied(generation) || look.failure_of(generation).is_some();
        if !ended && tx.now() < give_up {
            return Ok(wait_until(&look, give_up, step));
        }
    }
    show_as_it_is(tx, core, id)?;
    Ok(Flow::Done)
}

/// When an abort waits no longer; its first call decides.
pub(super) fn patience(tx: &mut dyn Tx, frame: &mut Frame) -> Timestamp {
    let known = frame.variables.get(GIVE_UP).and_then(serde_json::Value::as_i64);
    let give_up = known.map_or_else(|| deadline(tx), Timestamp);
    frame.variables[GIVE_UP] = give_up.0.into();
    give_up
}

/// A wait of an abort. It has no deadline: a failure in an abort would leave things as they are.
pub(super) fn wait_until(look: &Look, give_up: Timestamp, step: &'static str) -> Flow {
    Flow::Wait { step, until: look.again.min(give_up), deadline: NEVER, promised: true }
}

/// The end of a server's work that has failed: no wish for its power is left that some later change would carry out, and
/// its status is what its host reports. A machine that still hangs between two states is `unknown`, until the next power
/// action looks again.
pub(super) fn show_as_it_is(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<()> {
    let Some(server) = server::by_id(tx, id)? else { return Ok(()) };
    if let (Some(on), false) = (server.value.host, server.value.details.doomed) {
        let look = withdraw(tx, core, on, id)?;
        let status = match status_of(look.observed.state.power) {
            settled @ (Status::Off | Status::Running) => settled,
            _ => Status::Unknown,
        };
        note_power(tx, &server.value, status)?;
        rescue::consume(tx, core, (&server.value, on), &look)?;
    }
    Ok(())
}

/// Looks at a machine, and where it was told to start or stop and has not done so, wishes for what it is: hosts try what
/// has failed or hangs again with each newer generation, whatever that was written for.
fn withdraw(tx: &mut dyn Tx, core: &Core, on: Id, id: Id) -> Result<Look> {
    let look = hosts::look(tx, core, on, ObjectKey::server(id), None)?;
    let power = match look.observed.state.power {
        PowerState::Off | PowerState::Starting => Power::Off,
        PowerState::Running | PowerState::Stopping => Power::On,
        _ => return Ok(look),
    };
    match hosts::server_spec(tx, on, id)? {
        Some((object, spec)) if spec.power != power && !look.observed.has_applied(object.generation) => {
            Ok(make::switch(tx, core, on, id, power)?.map_or(look, |(_, look)| look))
        }
        _ => Ok(look),
    }
}

pub(super) fn deadline(tx: &mut dyn Tx) -> Timestamp {
    tx.now().plus_ms(HOST_DEADLINE_MS)
}

/// What the contract shows of a machine's power.
pub(super) fn status_of(power: PowerState) -> Status {
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
