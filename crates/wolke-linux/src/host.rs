//! The host itself: accepts what is desired, has it carried out, and reports.
//!
//! **Map.** `open` locks and adopts (`identity` says what), `accept` and `command` take what comes, `worker` plans and `execute` does, `side` talks
//! to guest agents and makes snapshots, `supervisor` watches guests and measures, `registry` answers the network.
//!
//! **Invariants:** what was accepted is on the disk before it is answered; of one object one thread at a time changes
//! anything; a host that dies anywhere goes on where it was, since what there is is read from the machine.

mod accept;
mod command;
mod core;
mod disk;
mod execute;
mod facts;
mod file;
pub mod identity;
mod images;
mod memory;
mod meter;
mod object;
mod open;
mod outbox;
mod queue;
mod registry;
mod room;
mod side;
mod supervisor;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use wolke_domain::Error;
use wolke_domain::clock::Clock;
use wolke_host::{
    Artefact, Capacity, Delta, Digest, Host, HostFacts, ObjectKey, Poll, Report, Resync, RuntimeChoice, Secret,
};
use wolke_wire::Timestamp;

use self::core::Core;
use crate::engine::{Engine, Result};
use crate::net::NetOptions;
use accept::unavailable;

/// How many reports one poll returns, about.
const POLL_LIMIT: usize = 1000;

/// Opens what is sealed in a spec.
pub type Unseal = Arc<dyn Fn(&Secret) -> wolke_domain::Result<String> + Send + Sync>;

/// Settings of a host.
#[derive(Clone)]
pub struct Options {
    /// Where it keeps everything ([`crate::layout::Layout`]); absolute, and not longer than [`crate::layout::STATE_MAX`].
    pub state: PathBuf,
    /// The network of its guests.
    pub net: NetOptions,
    /// The runtime of servers whose spec leaves it to the host.
    pub choice: RuntimeChoice,
    /// What may be handed out in all.
    pub capacity: Capacity,
    /// Virtual CPUs of the largest server.
    pub cores_max: u32,
    /// Opens user data and password hashes, at the moment of their use.
    pub unseal: Unseal,
    /// World time of what its threads observe; a world with real hosts follows the wall clock.
    pub clock: Arc<dyn Clock>,
    /// Called, from any thread, when [`Host::poll`] has something new to tell.
    pub notify: Arc<dyn Fn() + Send + Sync>,
}

/// What a host is made of, for tests that put something else in its place.
pub struct Parts {
    /// What runs guests.
    pub engines: Vec<Arc<dyn Engine>>,
    /// Where the host dies.
    pub hooks: Arc<dyn Hooks>,
    /// Whether there is a network; without one no server has a public interface.
    pub network: bool,
}

/// Where a test takes hold of a host.
pub trait Hooks: Send + Sync {
    /// Asked before each effect (an operation, a command, the writing down of its outcome): whether the host dies now.
    /// From then on it answers nothing and does nothing.
    fn dies(&self) -> bool {
        false
    }
}

/// A host that lives.
struct Lives;

impl Hooks for Lives {}

/// A Linux machine that runs servers. Dropped, it ends its threads as soon as the engines let go; its guests run on.
pub struct LinuxHost {
    core: Arc<Core>,
    threads: Vec<JoinHandle<()>>,
    locks: Option<open::Locks>,
}

impl LinuxHost {
    /// Locks the state directory and the network namespace, and adopts what is there.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`] when another process holds them or they cannot be used;
    /// [`wolke_host::HostError::UNSUPPORTED`] when this machine lacks what a chosen runtime needs (with the command that
    /// installs it), or when the path of the state directory is too long or not absolute.
    pub fn open(options: Options) -> Result<Self> {
        let opened = open::open(options, Arc::new(Lives), true, facts::engines)?;
        Ok(Self { core: opened.core, threads: opened.threads, locks: Some(opened.locks) })
    }

    /// The same with other parts.
    ///
    /// # Errors
    /// As [`LinuxHost::open`].
    pub fn with(options: Options, parts: Parts) -> Result<Self> {
        let engines = parts.engines;
        let opened = open::open(options, parts.hooks, parts.network, |_| Ok(engines))?;
        Ok(Self { core: opened.core, threads: opened.threads, locks: Some(opened.locks) })
    }

    fn alive(&self) -> wolke_domain::Result<()> {
        if self.core.is_over() {
            return Err(Error::Unavailable { internal: "the real host died".into() });
        }
        Ok(())
    }
}

impl Drop for LinuxHost {
    fn drop(&mut self) {
        self.core.end();
        for thread in self.threads.drain(..) {
            // One that panicked has said so itself.
            let _ = thread.join();
        }
        if let Some(net) = &self.core.net
            && let Err(error) = net.close()
        {
            tracing::warn!("the network cannot be closed: {error}");
        }
        // Only now may another process begin.
        self.locks = None;
    }
}

impl Host for LinuxHost {
    fn facts(&self) -> HostFacts {
        self.core.facts()
    }

    fn apply(&mut self, delta: &Delta, now: Timestamp) -> wolke_domain::Result<Vec<Report>> {
        self.alive()?;
        for desired in &delta.objects {
            self.core.accept(desired, now)?;
        }
        for command in &delta.commands {
            self.core.command(command, now)?;
        }
        for forget in &delta.forget {
            self.core.acknowledge(forget)?;
        }
        self.alive()?;
        let objects = delta.objects.iter().map(|desired| desired.key);
        Ok(self.core.reports_of(objects.chain(delta.commands.iter().map(|command| command.key))))
    }

    fn resync(&mut self, whole: &Resync, now: Timestamp) -> wolke_domain::Result<Vec<Report>> {
        whole.verify()?;
        self.alive()?;
        self.core.accept_all(whole, now)?;
        self.alive()?;
        Ok(self.core.reports_of(whole.objects.iter().map(|desired| desired.key)))
    }

    fn digest(&mut self) -> wolke_domain::Result<Digest> {
        self.alive()?;
        Ok(self.core.fingerprint())
    }

    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> wolke_domain::Result<Vec<Artefact>> {
        self.alive()?;
        self.core.artefacts(after, limit).map_err(|error| unavailable(&error))
    }

    fn look(&mut self, key: ObjectKey, now: Timestamp) -> wolke_domain::Result<Vec<Report>> {
        self.alive()?;
        let Some(entry) = self.core.registry.get(key) else { return Ok(Vec::new()) };
        self.core.tell(&mut entry.lock(), now);
        Ok(self.core.reports_of([key]))
    }

    fn poll(&mut self, now: Timestamp) -> wolke_domain::Result<Poll> {
        self.alive()?;
        let (reports, more) = self.core.outbox.drain(POLL_LIMIT);
        Ok(Poll { reports, next: more.then_some(now) })
    }
}
