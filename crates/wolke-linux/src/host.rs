//! The host itself: accepts what is desired, has it carried out, and reports.

use std::path::PathBuf;
use std::sync::Arc;

use wolke_domain::clock::Clock;
use wolke_host::{
    Artefact, Capacity, Delta, Digest, Host, HostError, HostFacts, ObjectKey, Poll, Report, Resync, RuntimeChoice,
    Secret,
};
use wolke_wire::Timestamp;

use crate::engine::{Engine, Result};
use crate::net::NetOptions;

/// Opens what is sealed in a spec.
pub type Unseal = Arc<dyn Fn(&Secret) -> wolke_domain::Result<String> + Send + Sync>;

/// Settings of a host.
#[derive(Clone)]
pub struct Options {
    /// Where it keeps everything ([`crate::layout::Layout`]); not longer than [`crate::layout::STATE_MAX`].
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
    fn dies(&self) -> bool;
}

/// A Linux machine that runs servers.
pub struct LinuxHost {
    options: Options,
}

impl LinuxHost {
    /// Locks the state directory and the network namespace, and adopts what is there.
    ///
    /// # Errors
    /// [`HostError::ENGINE`] when another process holds them, or when they cannot be used.
    pub fn open(options: Options) -> Result<Self> {
        Ok(Self { options })
    }

    /// The same with other parts.
    ///
    /// # Errors
    /// As [`LinuxHost::open`].
    pub fn with(options: Options, parts: Parts) -> Result<Self> {
        let _ = parts;
        Ok(Self { options })
    }
}

impl Host for LinuxHost {
    fn facts(&self) -> HostFacts {
        let _ = HostError::ENGINE;
        HostFacts {
            runtimes: Vec::new(),
            choice: self.options.choice.clone(),
            capacity: self.options.capacity,
            cores_max: self.options.cores_max,
            features: std::collections::BTreeSet::new(),
            images: Some(Vec::new()),
        }
    }

    fn apply(&mut self, _: &Delta, _: Timestamp) -> wolke_domain::Result<Vec<Report>> {
        todo!()
    }

    fn resync(&mut self, _: &Resync, _: Timestamp) -> wolke_domain::Result<Vec<Report>> {
        todo!()
    }

    fn digest(&mut self) -> wolke_domain::Result<Digest> {
        todo!()
    }

    fn list(&mut self, _: Option<ObjectKey>, _: usize) -> wolke_domain::Result<Vec<Artefact>> {
        todo!()
    }

    fn look(&mut self, _: ObjectKey, _: Timestamp) -> wolke_domain::Result<Vec<Report>> {
        todo!()
    }

    fn poll(&mut self, _: Timestamp) -> wolke_domain::Result<Poll> {
        todo!()
    }
}
