//! The contracts as types: what goes over the wire, and nothing that decides.
//!
//! Everything here is plain data with its text forms: identifiers, timestamps, error codes, label
//! selectors, sort keys, paging, dialects, the distilled contract and the serde types of the Cloud API.
//!
//! **Invariant:** this crate does no IO, knows no clock and no database.

pub mod cloud;
pub mod code;
pub mod contract;
pub mod dialect;
pub mod id_or_name;
pub mod kind;
pub mod metadata;
pub mod paging;
pub mod selector;
pub mod sort;
pub mod timestamp;

pub use code::ErrorCode;
pub use dialect::Dialect;
pub use id_or_name::IdOrName;
pub use kind::Kind;
pub use timestamp::Timestamp;

/// The identifier of any resource: positive, at most [`ID_MAX`].
pub type Id = i64;

/// The largest identifier that the contract allows: 2^53-1, exact in every JSON parser.
pub const ID_MAX: Id = 9_007_199_254_740_991;
