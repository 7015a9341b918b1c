//! The Cloud API in process, by what a client can see of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

#[path = "../common/mod.rs"]
mod common;

mod servers;
