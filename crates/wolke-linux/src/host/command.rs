//! Accepting commands: the id is written down before anything happens, and an id that was seen is answered from memory.

use wolke_host::command::Seen;
use wolke_host::plan::{Guest, Operation};
use wolke_host::{Command, CommandReport, HostError, Lane, Outcome, Report, Verb};
use wolke_wire::{Id, Timestamp};

use super::accept::unavailable;
use super::core::Core;
use super::object::{Object, Work};

impl Core {
    /// Sets a command going, or answers it.
    pub(super) fn command(&self, command: &Command, now: Timestamp) -> wolke_domain::Result<()> {
        let tell = |outcome| {
            self.outbox.push(command.key, Report::Command(CommandReport { id: command.id, key: command.key, outcome }));
        };
        let Some(entry) = self.registry.get(command.key) else {
            tell(command.verb.on_absent());
            return Ok(());
        };
        let mut object = entry.lock();
        match object.memory.commands.seen(command.id) {
            Seen::Ended(outcome) => tell(outcome),
            Seen::Forgotten => tell(Outcome::Expired),
            Seen::Begun if object.works_on(command.id) => {}
            Seen::Begun => {
                let error = HostError::new(HostError::INTERRUPTED, "the host died while the command ran");
                self.answer(&mut object, command.id, error.into());
            }
            Seen::New => self.begin(&mut object, command, now)?,
        }
        Ok(())
    }

    fn begin(&self, object: &mut Object, command: &Command, now: Timestamp) -> wolke_domain::Result<()> {
        object.memory.commands.begin(command.id);
        let ended = if command.expires_at.is_some_and(|expiry| expiry <= now) {
            Some(Outcome::Expired)
        } else {
            refusal(object, &command.verb)
        };
        if let Some(outcome) = ended {
            self.answer(object, command.id, outcome);
            return Ok(());
        }
        self.save(object).map_err(|error| unavailable(&error))?;
        let lane = command.verb.lane();
        self.cancel(object, lane);
        if matches!(command.verb, Verb::Reset | Verb::Reboot) {
            self.cancel(object, Lane::Agent);
        }
        *object.lane(lane) = Some(Work { command: command.id, verb: command.verb.clone(), begun: false });
        match lane {
            Lane::Power => self.work.push(object.key),
            Lane::Agent => self.agents.push(object.key),
            Lane::Disk => self.snapshots.push(object.key),
        }
        Ok(())
    }

    /// Writes an outcome down and tells it.
    pub(super) fn answer(&self, object: &mut Object, id: Id, outcome: Outcome) {
        object.memory.commands.end(id, outcome.clone());
        if let Err(error) = self.save(object) {
            // Whoever asks again after a restart learns that it was interrupted.
            tracing::warn!(key = %object.key, "the outcome of command {id} cannot be written down: {error}");
        }
        if !self.is_over() {
            self.outbox.push(object.key, Report::Command(CommandReport { id, key: object.key, outcome }));
        }
    }

    /// Ends what is under way in a lane: what a thread still does about it counts no more.
    pub(super) fn cancel(&self, object: &mut Object, lane: Lane) {
        if let Some(work) = object.lane(lane).take() {
            let error = HostError::new(HostError::SUPERSEDED, "something else happened to the machine first");
            self.answer(object, work.command, error.into());
        }
    }

    /// Ends what a command has set going in a guest that runs no more.
    pub(super) fn cancel_unless_running(&self, object: &mut Object) {
        if object.memory.current.guest != Guest::Running {
            self.cancel(object, Lane::Power);
            self.cancel(object, Lane::Agent);
        }
    }

    /// Ends the work that a thread has done, unless it was superseded meanwhile.
    pub(super) fn finish(&self, object: &mut Object, lane: Lane, id: Id, outcome: Outcome) -> bool {
        let mine = object.lane(lane).take_if(|work| work.command == id).is_some();
        if mine {
            self.answer(object, id, outcome);
        }
        mine
    }
}

/// How a command ends at once because of what the machine is doing.
fn refusal(object: &Object, verb: &Verb) -> Option<Outcome> {
    if object.is_absent() {
        return Some(verb.on_absent());
    }
    let running = object.is_running();
    let no_agent = |why: &str| Some(HostError::new(HostError::GUEST_AGENT, why).into());
    match verb {
        Verb::Reset | Verb::Reboot | Verb::Shutdown => (!running).then_some(Outcome::Ignored),
        Verb::SetPassword { .. } if !running => no_agent("the server is not running"),
        Verb::SetPassword { .. } if object.is_restarting() => {
            no_agent("the guest agent does not answer while the guest restarts")
        }
        Verb::SetPassword { .. } => None,
        Verb::Snapshot { .. } => {
            let ends = object.step.as_ref().is_some_and(Operation::ends_disk);
            let lost = object.memory.current.disk.is_none() || object.is_tombstone() || ends;
            let why = "the server's disk is being removed or made anew";
            lost.then(|| HostError::new(HostError::NO_DISK, why).into())
        }
    }
}
