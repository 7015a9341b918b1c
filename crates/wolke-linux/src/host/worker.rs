//! Working on one object until it is as desired: one effect after the other, each followed by what can be seen then.

use wolke_host::plan::{Disk, Guest, Operation, PLAN_MAX, plan};
use wolke_host::{Definition, Desired, HostError, Lane, ObjectKind, Outcome, Runtime};
use wolke_wire::Id;

use super::core::{Core, Death};
use super::disk;
use super::execute::Pressed;
use super::object::{Entry, Object, Work};
use crate::engine::Result;

/// Effects after which an object gives way to others: no plan is longer, and commands come between.
const EFFECTS_MAX: usize = 4 * PLAN_MAX;

/// A guest that vanishes is started again at most so often within [`REVIVED_WITHIN_MS`]; then somebody has to look.
const REVIVED_MAX: usize = 3;
/// See [`REVIVED_MAX`]; longer than a few slow boots.
const REVIVED_WITHIN_MS: i64 = 5 * 60 * 1000;

/// What an object is to have done.
enum Next {
    Nothing,
    Command(Work),
    Operation(Box<Desired>, Operation),
}

/// What is read from the machine.
struct Seen {
    guest: Guest,
    disk: Option<Disk>,
    runtime: Option<Runtime>,
}

impl Core {
    /// Takes objects from the queue as long as there is one.
    pub(super) fn serve(&self) {
        while let Some(key) = self.work.take() {
            if let Some(entry) = self.registry.get(key) {
                // Death is known to everybody already.
                let _ = self.drive(&entry);
            }
            self.work.done(key);
            self.wake();
        }
    }

    fn drive(&self, entry: &Entry) -> std::result::Result<(), Death> {
        self.refresh(entry);
        for _ in 0..EFFECTS_MAX {
            self.wake();
            match self.next(entry) {
                Next::Nothing => {
                    self.clear_after(entry);
                    return Ok(());
                }
                Next::Command(work) => self.press(entry, &work)?,
                Next::Operation(desired, operation) => self.carry_out(entry, &desired, &operation)?,
            }
        }
        self.work.push(entry.key);
        Ok(())
    }

    /// A guest that went off by itself needs nothing of its run any more: a virtual machine would keep all its memory.
    fn clear_after(&self, entry: &Entry) {
        let (clears, runtime) = {
            let object = entry.lock();
            let is_off = object.memory.current.guest == Guest::Off;
            (object.went_off && object.power_work.is_none() && is_off, object.memory.runtime)
        };
        if !clears || self.is_over() {
            return;
        }
        // What it had used was measured when it was seen off.
        let directory = self.layout.server(entry.key.id);
        if let Err(error) = self.engines_of(runtime).into_iter().try_for_each(|engine| engine.stop(&directory)) {
            // The next start clears it, too.
            tracing::warn!(key = %entry.key, "what a guest has left cannot be cleared: {error}");
        }
        entry.lock().went_off = false;
    }

    /// Reads from the machine what there is.
    pub(super) fn refresh(&self, entry: &Entry) {
        let (home, runtime) = {
            let object = entry.lock();
            (object.home.path.clone(), object.memory.runtime)
        };
        let seen = match entry.key.kind {
            ObjectKind::Server => self.see_server(entry.key.id, &home, runtime),
            ObjectKind::Image => self.see_image(entry.key.id),
        };
        let mut object = entry.lock();
        match seen {
            Ok(Seen { guest, disk, runtime }) => {
                let guest = object.memory.judge(guest, self.now());
                let since = object.running_since.unwrap_or_else(|| self.options.clock.monotonic_ms());
                object.running_since = (guest == Guest::Running).then_some(since);
                let current = &mut object.memory.current;
                current.disk = disk;
                if current.guest != guest {
                    self.guest_changed(&mut object, guest);
                }
                object.memory.runtime = runtime;
                object.leftovers = object.home.has_leftovers().unwrap_or(true);
                // A link that nobody remembers is part of a definition that nobody remembers.
                if object.link && object.memory.current.definition.is_none() {
                    object.memory.current.definition = Some(unknown());
                }
            }
            Err(error) => self.fail(&mut object, error),
        }
        self.cancel_unless_running(&mut object);
        self.note(&mut object, self.now());
    }

    fn see_server(&self, id: Id, home: &std::path::Path, runtime: Option<Runtime>) -> Result<Seen> {
        let found = disk::find(home)?.map(|found| found.file);
        let runtime = runtime.or(found.as_ref().map(|file| file.runtime));
        Ok(Seen { guest: self.see_guest(id, runtime)?, disk: found.map(|file| file.as_disk()), runtime })
    }

    /// What a guest is doing.
    pub(super) fn see_guest(&self, id: Id, runtime: Option<Runtime>) -> Result<Guest> {
        let directory = self.layout.server(id);
        for engine in self.engines_of(runtime) {
            let guest = engine.guest(&directory)?;
            if guest != Guest::Off {
                return Ok(guest);
            }
        }
        Ok(Guest::Off)
    }

    fn see_image(&self, id: Id) -> Result<Seen> {
        let artefact = wolke_host::ObjectKey::image(id).to_string();
        let found = self.store.find(&artefact)?.map(|_| Disk { image: id, size_gb: 0, epoch: 0 });
        Ok(Seen { guest: Guest::Off, disk: found, runtime: None })
    }

    fn guest_changed(&self, object: &mut Object, guest: Guest) {
        let current = &mut object.memory.current;
        match guest {
            // Adopted: it was booted when nobody remembers.
            Guest::Running => current.boot(),
            Guest::Off | Guest::Lost => current.halt(guest),
        }
        object.went_off = guest == Guest::Off;
        match (guest, object.memory.returns_until) {
            (Guest::Lost, Some(_)) => tracing::info!(key = %object.key, "the guest has gone off and is started again"),
            (Guest::Lost, None) => tracing::warn!(key = %object.key, "the guest has vanished without having gone off"),
            _ => {}
        }
    }

    /// Decides what comes next and says so.
    fn next(&self, entry: &Entry) -> Next {
        let mut object = entry.lock();
        if object.gone || self.is_over() {
            return Next::Nothing;
        }
        if let Some(work) = object.power_work.as_mut().filter(|work| !work.begun) {
            work.begun = true;
            return Next::Command(work.clone());
        }
        let Some(desired) = object.desired.clone().filter(|_| object.memory.error.is_none()) else {
            return Next::Nothing;
        };
        let planned = self
            .admit(&object, &desired)
            .and_then(|()| plan(&object.memory.current, &desired))
            .and_then(|operations| self.may_revive(&mut object, operations.into_iter().next()));
        match planned {
            Ok(Some(operation)) => {
                object.step = Some(operation.clone());
                if operation.ends_disk() {
                    self.cancel(&mut object, Lane::Disk);
                }
                self.note(&mut object, self.now());
                Next::Operation(Box::new(desired), operation)
            }
            Ok(None) => {
                if object.memory.unlisted && object.is_tombstone() && object.is_absent() {
                    self.note(&mut object, self.now());
                    if let Err(error) = self.forget(entry, &mut object) {
                        self.fail(&mut object, error);
                    }
                }
                Next::Nothing
            }
            Err(error) => {
                self.fail(&mut object, error);
                Next::Nothing
            }
        }
    }

    /// A guest that vanishes as soon as it is started is not started for ever.
    fn may_revive(&self, object: &mut Object, operation: Option<Operation>) -> Result<Option<Operation>> {
        let lost = object.memory.current.guest == Guest::Lost && object.memory.returns_until.is_none();
        let revives = lost && operation == Some(Operation::Start);
        if !revives {
            return Ok(operation);
        }
        let now = self.options.clock.monotonic_ms();
        object.revived.retain(|at| now - at < REVIVED_WITHIN_MS);
        if object.revived.len() >= REVIVED_MAX {
            object.revived.clear();
            return Err(HostError::new(HostError::ENGINE, "the guest vanishes again and again after its start"));
        }
        object.revived.push(now);
        Ok(operation)
    }

    /// It goes no further without help.
    pub(super) fn fail(&self, object: &mut Object, error: HostError) {
        tracing::warn!(key = %object.key, generation = object.accepted(), "{error}");
        object.step = None;
        object.failed_at = Some(self.options.clock.monotonic_ms());
        object.memory.error = Some(error);
        if let Err(error) = self.save(object) {
            tracing::warn!(key = %object.key, "that it failed cannot be written down: {error}");
        }
        self.note(object, self.now());
    }

    fn carry_out(&self, entry: &Entry, desired: &Desired, operation: &Operation) -> std::result::Result<(), Death> {
        self.effect()?;
        if operation.ends_disk() {
            self.wait_for_disk(entry)?;
        }
        let done = self.execute(entry, desired, operation);
        if self.is_over() {
            return Err(Death);
        }
        let mut object = entry.lock();
        let before = object.memory.clone();
        object.step = None;
        let saved = done.and_then(|()| {
            operation.complete(desired, &mut object.memory.current);
            self.save(&mut object)
        });
        if let Err(error) = saved {
            // What is not written down has not happened.
            object.memory = before;
            self.fail(&mut object, error);
        }
        drop(object);
        self.refresh(entry);
        Ok(())
    }

    /// Waits until nobody reads the disk; engines bound their work.
    fn wait_for_disk(&self, entry: &Entry) -> std::result::Result<(), Death> {
        let mut object = entry.lock();
        while object.disk_busy {
            if self.is_over() {
                return Err(Death);
            }
            object = entry.idle.wait(object).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        Ok(())
    }

    /// A command of the lane of power.
    fn press(&self, entry: &Entry, work: &Work) -> std::result::Result<(), Death> {
        self.effect()?;
        let outcome = self.pressed(entry, &work.verb);
        self.effect()?;
        let mut object = entry.lock();
        match outcome {
            Ok(Pressed::Button) => object.memory.press(self.now()),
            Ok(Pressed::Asked) => object.memory.ask(self.now()),
            Ok(Pressed::Booted) => {
                object.memory.switch();
                object.memory.current.boot();
            }
            Err(_) => {}
        }
        let outcome = outcome.map_or_else(Outcome::from, |_| Outcome::Done);
        self.finish(&mut object, Lane::Power, work.command, outcome);
        drop(object);
        self.refresh(entry);
        Ok(())
    }
}

/// The definition of something that was found.
fn unknown() -> Definition {
    Definition {
        name: String::new(),
        uuid: String::new(),
        architecture: wolke_host::Architecture::X86,
        cores: 0,
        memory_mb: 0,
        public: None,
        region: String::new(),
        availability_zone: String::new(),
    }
}
