//! What the threads of a host share.
//!
//! **Locks:** one object's lock at a time, never while an engine works, and the registry's or a queue's only below it for a
//! moment. Lists of images are changed under [`Core::images`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use wolke_host::plan::Guest;
use wolke_host::{HostError, ObjectKey, Report, Runtime};
use wolke_wire::Timestamp;

use super::object::{Entry, Object};
use super::outbox::Outbox;
use super::queue::Queue;
use super::registry::Registry;
use super::{Hooks, Options, file};
use crate::engine::{Engine, Result};
use crate::image::ImageStore;
use crate::layout::Layout;
use crate::net::Net;

/// The host has died, by order of a test: nothing has an effect any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death;

/// What the threads of a host share.
pub(super) struct Core {
    pub(super) options: Options,
    pub(super) layout: Layout,
    /// Which host this is.
    pub(super) identity: String,
    pub(super) engines: Vec<Arc<dyn Engine>>,
    pub(super) hooks: Arc<dyn Hooks>,
    pub(super) net: Option<Net>,
    pub(super) store: ImageStore,
    /// The versions from which disks are being made.
    images: Mutex<BTreeMap<ObjectKey, PathBuf>>,
    pub(super) registry: Arc<Registry>,
    pub(super) outbox: Outbox,
    /// Objects that have something to do.
    pub(super) work: Queue,
    /// Servers with a command for their guest agent.
    pub(super) agents: Queue,
    /// Servers with a snapshot to be made.
    pub(super) snapshots: Queue,
    over: AtomicBool,
    pub(super) rest: Mutex<()>,
    pub(super) ended: Condvar,
}

impl Core {
    pub(super) fn new(
        (options, identity): (Options, String),
        (engines, hooks): (Vec<Arc<dyn Engine>>, Arc<dyn Hooks>),
        net: Option<Net>,
        registry: Arc<Registry>,
    ) -> Self {
        let layout = Layout::new(options.state.clone());
        let store = ImageStore::new(layout.images());
        Self {
            options,
            layout,
            identity,
            engines,
            hooks,
            net,
            store,
            images: Mutex::new(BTreeMap::new()),
            registry,
            outbox: Outbox::default(),
            work: Queue::default(),
            agents: Queue::default(),
            snapshots: Queue::default(),
            over: AtomicBool::new(false),
            rest: Mutex::new(()),
            ended: Condvar::new(),
        }
    }

    /// World time.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.wall()
    }

    /// Whether the host has died or is being closed.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Nothing is begun any more; threads come to their end.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
        for queue in [&self.work, &self.agents, &self.snapshots] {
            queue.close();
        }
        // Under its lock, so that nobody goes to rest between looking and waiting.
        let _rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        self.ended.notify_all();
        for entry in self.registry.all() {
            entry.idle.notify_all();
        }
    }

    /// Just before an effect, with everything before it written down.
    pub(super) fn effect(&self) -> std::result::Result<(), Death> {
        if self.is_over() {
            return Err(Death);
        }
        if self.hooks.dies() {
            self.end();
            // The control plane learns of it when it next asks.
            (self.options.notify)();
            return Err(Death);
        }
        Ok(())
    }

    pub(super) fn images(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, PathBuf>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an object's memory down, if it has changed.
    pub(super) fn save(&self, object: &mut Object) -> Result<()> {
        if object.gone || self.is_over() {
            return Ok(());
        }
        let mut memory = object.memory.clone();
        memory.current.disk = None;
        memory.current.halt(Guest::Off);
        if object.written.as_ref() != Some(&memory) {
            file::directory(&object.home.path)?;
            object.home.remember(&memory)?;
            object.written = Some(memory);
        }
        Ok(())
    }

    /// Tells the state of an object if it has visibly changed.
    pub(super) fn note(&self, object: &mut Object, at: Timestamp) {
        let seen = object.observe(at);
        let same = object.told.as_ref().is_some_and(|told| {
            (told.generation, told.accepted, &told.state) == (seen.generation, seen.accepted, &seen.state)
        });
        if !same {
            self.tell(object, at);
        }
    }

    /// Tells the state of an object.
    pub(super) fn tell(&self, object: &mut Object, at: Timestamp) {
        if self.is_over() {
            return;
        }
        let seen = object.observe(at);
        object.told = Some(seen.clone());
        self.outbox.push(object.key, Report::Observed(seen));
    }

    /// Says that there is something to fetch. Not under a lock: whoever is told may fetch at once.
    pub(super) fn wake(&self) {
        if self.outbox.is_fresh() && !self.is_over() {
            (self.options.notify)();
        }
    }

    /// The engine of a runtime.
    pub(super) fn engine(&self, runtime: Runtime) -> Result<&Arc<dyn Engine>> {
        let found = self.engines.iter().find(|engine| engine.runtime() == runtime);
        found.ok_or_else(|| {
            HostError::new(HostError::UNSUPPORTED, format!("the host cannot run servers as a {}", runtime.as_str()))
        })
    }

    /// The engines that may have something of a server: its own, or any when nobody remembers.
    pub(super) fn engines_of(&self, runtime: Option<Runtime>) -> Vec<&Arc<dyn Engine>> {
        let own = |engine: &&Arc<dyn Engine>| runtime.is_none_or(|runtime| engine.runtime() == runtime);
        self.engines.iter().filter(own).collect()
    }

    /// Forgets an object of which nothing is left.
    pub(super) fn forget(&self, entry: &Entry, object: &mut Object) -> Result<()> {
        object.home.forget()?;
        object.gone = true;
        self.registry.remove(entry.key);
        Ok(())
    }
}
