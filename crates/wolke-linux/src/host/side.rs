//! What goes on beside the work on a server: its guest agent is talked to, its disk is copied. Neither holds up the power.
//!
//! **Invariant:** whoever ends the work in a lane tells its outcome; what the thread still does about it counts no more, and
//! an image that was not told of does not appear.

use std::sync::Arc;

use wolke_host::plan::Guest;
use wolke_host::{HostError, Lane, ObjectKey, Outcome, Verb};
use wolke_wire::Id;

use super::core::{Core, Death};
use super::disk;
use super::object::{Entry, Work};
use crate::engine::{Engine, Result};
use crate::image::{Image, Manifest, Origin, Slot};

/// How often a snapshot is begun anew because the guest below it was started or stopped.
const SNAPSHOT_TRIES: usize = 3;

impl Core {
    /// Talks to guest agents as long as there is a queue.
    pub(super) fn serve_agents(&self) {
        while let Some(key) = self.agents.take() {
            if let Some(entry) = self.registry.get(key) {
                while self.set_password(&entry).is_ok_and(|more| more) {}
            }
            self.agents.done(key);
            self.wake();
        }
    }

    /// Makes snapshots as long as there is a queue.
    pub(super) fn serve_snapshots(&self) {
        while let Some(key) = self.snapshots.take() {
            if let Some(entry) = self.registry.get(key) {
                while self.snapshot(&entry).is_ok_and(|more| more) {}
            }
            self.snapshots.done(key);
            self.wake();
        }
    }

    /// Says whether there was something to do.
    fn set_password(&self, entry: &Entry) -> std::result::Result<bool, Death> {
        let (work, runtime) = {
            let mut object = entry.lock();
            let Some(work) = begin(&mut object.agent_work) else { return Ok(false) };
            (work, object.memory.runtime)
        };
        self.effect()?;
        let Verb::SetPassword { hash } = &work.verb else { return Ok(true) };
        let engine = runtime.map_or_else(
            || Err(HostError::new(HostError::GUEST_AGENT, "nobody remembers how the server was started")),
            |runtime| self.engine(runtime),
        );
        let set = engine.and_then(|engine| engine.set_password(&self.layout.server(entry.key.id), &hash.0));
        self.effect()?;
        let mut object = entry.lock();
        let outcome = match set {
            Ok(()) => Outcome::Done,
            // The agent went with its guest: that, and not the agent, ended it.
            Err(_) if !object.is_running() => {
                HostError::new(HostError::SUPERSEDED, "the guest was switched off meanwhile").into()
            }
            Err(error) => error.into(),
        };
        self.finish(&mut object, Lane::Agent, work.command, outcome);
        drop(object);
        self.wake();
        Ok(true)
    }

    /// Says whether there was something to do.
    fn snapshot(&self, entry: &Entry) -> std::result::Result<bool, Death> {
        let work = {
            let mut object = entry.lock();
            let Some(work) = begin(&mut object.disk_work) else { return Ok(false) };
            object.disk_busy = true;
            work
        };
        let made = self.effect().map(|()| self.copy(entry, &work));
        {
            entry.lock().disk_busy = false;
            entry.idle.notify_all();
        }
        let made = made?;
        self.effect()?;
        let image = work_image(&work);
        match made {
            Ok((slot, manifest)) => {
                let current = {
                    let mut object = entry.lock();
                    let current = object.disk_work.take_if(|now| now.command == work.command).is_some();
                    // From here on it is complete, whatever happens to the disk.
                    object.keeping = current.then_some(work.command);
                    current
                };
                if current {
                    let outcome = self.keep(slot, &manifest, image);
                    let mut object = entry.lock();
                    object.keeping = None;
                    self.answer(&mut object, work.command, outcome);
                } else {
                    self.abandon(slot);
                }
            }
            Err(error) => {
                self.finish(&mut entry.lock(), Lane::Disk, work.command, error.into());
            }
        }
        self.work.push(ObjectKey::image(image));
        self.wake();
        Ok(true)
    }

    fn copy(&self, entry: &Entry, work: &Work) -> Result<(Slot, Manifest)> {
        let artefact = ObjectKey::image(work_image(work)).to_string();
        let directory = self.layout.server(entry.key.id);
        self.spare("a snapshot")?;
        let mut tries = 0;
        loop {
            tries += 1;
            let no_disk = || HostError::new(HostError::NO_DISK, "the server has no disk");
            let found = disk::find(&directory.path)?.ok_or_else(no_disk)?;
            let base = self.store.version(&self.store.root().join(&found.file.version))?;
            let engine = self.engine(found.file.runtime)?;
            let before = guest(entry);
            let slot = self.store.begin(&artefact)?;
            let wanted = || !self.is_over() && entry.lock().works_on(work.command);
            match engine.snapshot(&directory, &found.path, &base, &slot, &wanted) {
                Ok(size_mb) => return Ok((slot, manifest(engine, &base, entry.key.id, (size_mb, found.file.size_gb)))),
                Err(error) => {
                    self.abandon(slot);
                    // A guest that was started or stopped below it may have cut it short; once it is believed without proof.
                    let cut_short = error.code == HostError::ENGINE && (tries == 1 || guest(entry) != before);
                    if !wanted() || tries >= SNAPSHOT_TRIES || !cut_short {
                        return Err(error);
                    }
                    tracing::info!(key = %entry.key, "the snapshot is begun anew: {error}");
                }
            }
        }
    }

    /// The image appears, unless it was wished away meanwhile.
    fn keep(&self, slot: Slot, manifest: &Manifest, image: Id) -> Outcome {
        // Held, so that a tombstone that comes now removes what appears now.
        let claims = self.images();
        let unwanted = self.registry.get(ObjectKey::image(image)).is_some_and(|entry| entry.lock().is_tombstone());
        if unwanted {
            drop(claims);
            return self.abandon(slot);
        }
        match self.store.commit(slot, manifest) {
            Ok(_) => Outcome::Snapshotted { size_mb: manifest.size_mb },
            Err(error) => error.into(),
        }
    }

    fn abandon(&self, slot: Slot) -> Outcome {
        if let Err(error) = self.store.abandon(slot) {
            tracing::warn!("an image that was begun cannot be removed: {error}");
        }
        HostError::new(HostError::SUPERSEDED, "the image or its server was removed meanwhile").into()
    }
}

/// Takes the work of a lane, if nobody has.
fn begin(lane: &mut Option<Work>) -> Option<Work> {
    let work = lane.as_mut().filter(|work| !work.begun)?;
    work.begun = true;
    Some(work.clone())
}

fn guest(entry: &Entry) -> Guest {
    entry.lock().memory.current.guest
}

const fn work_image(work: &Work) -> Id {
    match &work.verb {
        Verb::Snapshot { image } => *image,
        _ => 0,
    }
}

fn manifest(engine: &Arc<dyn Engine>, base: &Image, server: Id, (size_mb, disk_gb): (u64, u32)) -> Manifest {
    Manifest {
        origin: Origin::Snapshot { server },
        sha256: String::new(),
        runtimes: vec![engine.runtime()],
        min_disk_gb: disk_gb,
        size_mb,
        ..base.manifest.clone()
    }
}
