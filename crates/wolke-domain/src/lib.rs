//! The rules of the cloud as pure functions over plain values.
//!
//! **Invariant:** nothing here does IO, reads a clock, draws randomness or knows SQL or HTTP. Time, randomness and ids
//! come in as parameters (design §1).

pub mod action;
pub mod address;
pub mod backup;
pub mod catalogue;
pub mod certificate;
pub mod clock;
pub mod console;
pub mod contention;
pub mod error;
pub mod fault;
pub mod firewall;
pub mod floating_ip;
pub mod image;
pub mod label;
pub mod limit;
pub mod load_balancer;
pub mod metrics;
pub mod name;
pub mod network;
pub mod pace;
pub mod placement;
pub mod primary_ip;
pub mod reverse_dns;
pub mod rng;
pub mod server;
pub mod ssh_key;
pub mod storage_box;
pub mod volume;
pub mod zone;

pub use error::{Error, FieldError, Result};
