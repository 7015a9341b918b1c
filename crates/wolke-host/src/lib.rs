//! Hosts: what a machine that runs servers is asked for, what it answers, and the simulated one.
//!
//! Desired objects go in ([`Delta`], [`Resync`]), observed facts come out ([`Report`]). A host plans purely
//! ([`plan::plan`]) and executes "ensure" operations, so that a death between any two of them is repaired by planning
//! again. Verbs that may happen at most once (reset, reboot, shutdown, snapshot, password) travel as [`Command`]s with ids.
//!
//! **Invariants:** no clock, no randomness, no database in here: world time and seeds are parameters, and what
//! [`sim::SimHost`] remembers lies behind [`sim::SimState`]. A host never applies a generation older than the newest
//! that it accepted, and never runs one command twice.

pub mod command;
pub mod conformance;
pub mod host;
mod millis;
pub mod object;
pub mod plan;
pub mod policy;
#[cfg(test)]
mod sample;
pub mod server;
pub mod sim;
pub mod work;

pub use command::{Command, CommandReport, Lane, Outcome, Verb};
pub use host::{
    Artefact, Capacity, Delta, Digest, Feature, Forget, Host, HostFacts, HostImage, Poll, Report, Resync,
    RuntimeChoice, Usage, latest,
};
pub use object::{Desired, HostError, ObjectKey, ObjectKind, Observed, ObservedState, PowerState, Spec, Wish};
pub use policy::{Beginning, LatencyProfile, OperationKind, Policy, Progress};
pub use server::{
    Architecture, Boot, Definition, FirstBoot, ImageRef, Power, PublicNic, Rescue, Runtime, Secret, ServerSpec,
};
pub use sim::{GuestEvent, MemoryState, SimFaults, SimHost, SimObject, SimSettings, SimState};
pub use work::Work;
