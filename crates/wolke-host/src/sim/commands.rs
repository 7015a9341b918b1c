//! Commands on the simulated host: written down before their effect, run at most once.

use wolke_domain::Result;
use wolke_wire::Timestamp;

use super::SimHost;
use super::drive::Watch;
use super::object::{GuestWork, SimObject};
use super::state::SimState;
use crate::command::{Command, CommandReport, Outcome, Seen, Verb};
use crate::host::Report;
use crate::object::HostError;
use crate::plan::{Guest, Operation};
use crate::policy::{OperationKind, Progress};

const fn kind(verb: Verb) -> OperationKind {
    match verb {
        Verb::Reset => OperationKind::Reset,
        Verb::Reboot => OperationKind::Reboot,
        Verb::Shutdown => OperationKind::Shutdown,
    }
}

/// Writes an outcome down and tells it.
fn end(object: &mut SimObject, id: wolke_wire::Id, outcome: Outcome, reports: &mut Vec<Report>) {
    object.commands.end(id, outcome.clone());
    reports.push(Report::Command(CommandReport { id, key: object.key, outcome }));
}

/// Ends what a command has set going in a guest that runs no more.
pub(super) fn cancel_unless_running(object: &mut SimObject, reports: &mut Vec<Report>) {
    if object.current.guest != Guest::Running {
        cancel(object, reports);
    }
}

fn cancel(object: &mut SimObject, reports: &mut Vec<Report>) {
    let Some(work) = object.work.take() else { return };
    // The button was pressed and that was told; the others have not had their effect.
    if work.verb != Verb::Shutdown {
        let error = HostError::new(HostError::SUPERSEDED, "something else happened to the machine first");
        end(object, work.command, Outcome::Failed { error }, reports);
    }
}

impl<S: SimState> SimHost<'_, S> {
    /// Runs one command, or answers it from memory.
    pub(super) fn run(&mut self, command: &Command, now: Timestamp, reports: &mut Vec<Report>) -> Result<()> {
        let tell = |outcome| Report::Command(CommandReport { id: command.id, key: command.key, outcome });
        let Some(mut object) = self.state.get(command.key)? else {
            reports.push(tell(Outcome::Ignored));
            return Ok(());
        };
        let mut watch = Watch::new(&object, now);
        match object.commands.seen(command.id) {
            Seen::Ended(outcome) => {
                reports.push(tell(outcome));
                return Ok(());
            }
            Seen::Forgotten => {
                reports.push(tell(Outcome::Expired));
                return Ok(());
            }
            Seen::Begun if object.work.as_ref().is_some_and(|work| work.command == command.id) => {}
            Seen::Begun => {
                let error = HostError::new(HostError::INTERRUPTED, "the host died while the command ran");
                end(&mut object, command.id, Outcome::Failed { error }, reports);
            }
            Seen::New => self.begin_command(&mut object, command, now, reports)?,
        }
        watch.note(&object, reports);
        self.drive(&mut object, now, reports)?;
        self.save(&mut object, now)
    }

    fn begin_command(
        &mut self,
        object: &mut SimObject,
        command: &Command,
        now: Timestamp,
        reports: &mut Vec<Report>,
    ) -> Result<()> {
        object.commands.begin(command.id);
        if command.expires_at.is_some_and(|expiry| expiry <= now) {
            end(object, command.id, Outcome::Expired, reports);
            return Ok(());
        }
        let stopping = object.step.as_ref().is_some_and(|step| step.operation == Operation::Stop);
        if object.current.guest != Guest::Running || stopping {
            end(object, command.id, Outcome::Ignored, reports);
            return Ok(());
        }
        self.crash_point(object, now)?;
        cancel(object, reports);
        let kind = kind(command.verb);
        let progress = self.begin_kind(object, kind, command.id, now);
        if let Progress::Failed(error) = progress {
            object.failed.insert(kind);
            end(object, command.id, Outcome::Failed { error }, reports);
            return Ok(());
        }
        if command.verb == Verb::Shutdown {
            end(object, command.id, Outcome::Done, reports);
        }
        object.work = Some(GuestWork { command: command.id, verb: command.verb, progress });
        Ok(())
    }

    /// Completes what a command has set going, when it is over.
    pub(super) fn drive_work(
        &mut self,
        object: &mut SimObject,
        now: Timestamp,
        reports: &mut Vec<Report>,
    ) -> Result<()> {
        cancel_unless_running(object, reports);
        let skip_time = self.settings.skip_time;
        if !object.work.as_ref().is_some_and(|work| work.progress.is_over(now, skip_time)) {
            return Ok(());
        }
        self.crash_point(object, now)?;
        let Some(work) = object.work.take() else { return Ok(()) };
        match work.verb {
            Verb::Shutdown => object.current.guest = Guest::Off,
            // The guest runs before and after; that it started anew is all that happened.
            Verb::Reset | Verb::Reboot => end(object, work.command, Outcome::Done, reports),
        }
        Ok(())
    }
}
