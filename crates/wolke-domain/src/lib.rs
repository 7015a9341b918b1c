//! The rules of the cloud as pure functions over plain values.
//!
//! **Invariant:** nothing here does IO, reads a clock, draws randomness or knows SQL or HTTP. Time, randomness and ids
//! come in as parameters (design §1).

pub mod clock;
pub mod error;
pub mod rng;

pub use error::{Error, FieldError, Result};
