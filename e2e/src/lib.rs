//! The harness of the end-to-end flows and benchmarks: starts real `wolke` processes, speaks to them with a small HTTP client
//! and with the official command line client, and kills them.
//!
//! Everything here serves tests: what goes wrong panics with a message that names it, because that is how a test fails.
//! Real time and the environment are read freely for the same reason; nothing of this is part of the product.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper fails its test, a benchmark its run; both run programs in real time"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

pub mod api;
pub mod cli;
pub mod database;
pub mod flow;
pub mod folder;
pub mod http;
pub mod leak;
pub mod prerequisite;
pub mod process;
pub mod truth;
pub mod wait;
