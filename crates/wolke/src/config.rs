//! Configuration: every setting once (`list`), laid over each other (`overlay`), then read into types (`settings`).
//!
//! **Invariant:** nothing else in the program looks at the environment or at a configuration file.

pub mod document;
mod find;
pub mod list;
mod overlay;
mod settings;

pub use find::resolve;
pub use overlay::Source;
pub use settings::{Linux, LogForm, Settings};

#[cfg(test)]
mod tests;
