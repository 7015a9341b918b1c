//! Commands on the simulated host: written down before their effect, run at most once, one at a time in each lane.

use wolke_domain::Result;
use wolke_wire::{Id, Timestamp};

use super::drive::Watch;
use super::object::SimObject;
use super::state::SimState;
use super::work::{LANES, Task, Work};
use super::{SimHost, snapshot};
use crate::command::{Command, CommandReport, Lane, Outcome, Seen, Verb};
use crate::host::Report;
use crate::object::{Desired, HostError};
use crate::plan::{Guest, Operation};
use crate::policy::Progress;

/// Writes an outcome down and tells it.
fn end(object: &mut SimObject, id: Id, outcome: Outcome, reports: &mut Vec<Report>) {
    object.commands.end(id, outcome.clone());
    reports.push(Report::Command(CommandReport { id, key: object.key, outcome }));
}

/// Ends what a command has set going in a guest that runs no more.
pub(super) fn cancel_unless_running(object: &mut SimObject, reports: &mut Vec<Report>) {
    if object.current.guest != Guest::Running {
        cancel(object, Lane::Power, reports);
        cancel(object, Lane::Agent, reports);
    }
}

/// Ends what is under way in a lane, without its effect.
pub(super) fn cancel(object: &mut SimObject, lane: Lane, reports: &mut Vec<Report>) {
    let Some(work) = object.lane(lane).take() else { return };
    // The button was pressed and that was told; the others have not had their effect.
    if work.task != Task::Shutdown {
        let error = HostError::new(HostError::SUPERSEDED, "something else happened to the machine first");
        end(object, work.command, error.into(), reports);
    }
}

impl<S: SimState> SimHost<'_, S> {
    /// Runs one command, or answers it from memory.
    pub(super) fn run(&mut self, command: &Command, now: Timestamp, reports: &mut Vec<Report>) -> Result<()> {
        let tell = |outcome| Report::Command(CommandReport { id: command.id, key: command.key, outcome });
        let Some(mut object) = self.state.get(command.key)? else {
            reports.push(tell(command.verb.on_absent()));
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
            Seen::Begun if object.works().any(|work| work.command == command.id) => {}
            Seen::Begun => {
                let error = HostError::new(HostError::INTERRUPTED, "the host died while the command ran");
                end(&mut object, command.id, error.into(), reports);
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
        if let Some(outcome) = self.refusal(object, &command.verb) {
            end(object, command.id, outcome, reports);
            return Ok(());
        }
        self.crash_point(object, now)?;
        let (task, lane) = (Task::of(&command.verb), command.verb.lane());
        cancel(object, lane, reports);
        if task.restarts_guest() {
            cancel(object, Lane::Agent, reports);
        }
        let progress = self.begin_kind(object, task.kind(), command.id, now);
        if let Progress::Failed(error) = progress {
            object.failed.insert(task.kind());
            end(object, command.id, error.into(), reports);
            return Ok(());
        }
        if task == Task::Shutdown {
            end(object, command.id, Outcome::Done, reports);
        }
        *object.lane(lane) = Some(Work { command: command.id, task, progress });
        Ok(())
    }

    /// How a command ends at once because of what the machine is doing.
    fn refusal(&self, object: &SimObject, verb: &Verb) -> Option<Outcome> {
        if object.is_absent() {
            return Some(verb.on_absent());
        }
        let under_way = object.step.as_ref().map(|step| &step.operation);
        let running = object.current.guest == Guest::Running && under_way != Some(&Operation::Stop);
        let no_agent = |why: &str| Some(HostError::new(HostError::GUEST_AGENT, why).into());
        match verb {
            Verb::Reset | Verb::Reboot | Verb::Shutdown => (!running).then_some(Outcome::Ignored),
            Verb::SetPassword { .. } if !running => no_agent("the server is not running"),
            Verb::SetPassword { .. } if self.settings.faults.no_guest_agent => {
                no_agent("the guest agent does not answer")
            }
            Verb::SetPassword { .. } if object.works().any(|work| work.task.restarts_guest()) => {
                no_agent("the guest agent does not answer while the guest restarts")
            }
            Verb::SetPassword { .. } => None,
            Verb::Snapshot { .. } => {
                let doomed = object.goal().is_some_and(Desired::is_tombstone);
                let lost = object.current.disk.is_none() || doomed || under_way.is_some_and(Operation::ends_disk);
                let why = "the server's disk is being removed or made anew";
                lost.then(|| HostError::new(HostError::NO_DISK, why).into())
            }
        }
    }

    /// Completes what commands have set going, where it is over.
    pub(super) fn drive_work(
        &mut self,
        object: &mut SimObject,
        now: Timestamp,
        reports: &mut Vec<Report>,
    ) -> Result<()> {
        let skip_time = self.settings.skip_time;
        for lane in LANES {
            cancel_unless_running(object, reports);
            if !object.lane(lane).as_ref().is_some_and(|work| work.progress.is_over(now, skip_time)) {
                continue;
            }
            self.crash_point(object, now)?;
            let Some(work) = object.lane(lane).take() else { continue };
            self.complete(object, &work, reports);
        }
        cancel_unless_running(object, reports);
        Ok(())
    }

    fn complete(&self, object: &mut SimObject, work: &Work, reports: &mut Vec<Report>) {
        let outcome = match work.task {
            // That the button was pressed has been told.
            Task::Shutdown => return object.current.halt(Guest::Off),
            Task::Reset | Task::Reboot => {
                object.current.boot();
                Outcome::Done
            }
            // No simulated guest has a password to compare with.
            Task::SetPassword => Outcome::Done,
            Task::Snapshot { image } => {
                let disk_gb = object.current.disk.as_ref().map_or(0, |disk| disk.size_gb);
                Outcome::Snapshotted { size_mb: snapshot::size_mb(self.settings.seed, object.key, image, disk_gb) }
            }
        };
        end(object, work.command, outcome, reports);
    }
}
