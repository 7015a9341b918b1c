//! Real servers, as a stranger meets them: `wolke serve --host linux`, the official client, SSH.
//!
//! Everything of a test lives in a network namespace of its own ([`stage::Stage`]): the server, the client, the guests. When it
//! is over, the whole machine is compared with what it was before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and say what they leave")]

mod adoption;
mod change;
mod debian;
mod kill;
mod refusals;
mod stage;
mod story;
