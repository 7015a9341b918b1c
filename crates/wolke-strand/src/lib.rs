//! Resumable work: a program of named steps whose state is a row.
//!
//! A worker claims a strand, runs its steps one after the other inside one transaction until it has to wait, and commits
//! the steps' changes together with the next step and its time (design §5). A crash at any moment leaves the strand where
//! its last commit put it; its lease runs out and somebody claims it again. So every step is written to be repeatable.
//!
//! **Invariant:** this crate knows no resource. What ending, unlocking and failing mean to the application is behind
//! [`Application`].

mod chain;
mod program;
pub mod testing;
mod worker;

pub use chain::{Chain, Ended, on_error, run_chain};
pub use program::{Application, Flow, Frame, Heard, Program, Registry, Step};
pub use worker::{Births, Cradle, Settled, Worker, WorkerOptions, births};
