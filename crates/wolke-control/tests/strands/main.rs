//! Every program survives crashes before and after every step, the repetition of every step, and a failure at every step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

mod backups;
mod certificates;
mod change_type;
#[path = "../common/mod.rs"]
mod common;
mod create;
mod delete;
mod driven;
mod enrol;
mod firewalls;
mod health;
mod held;
mod helpers;
mod image_in_use;
mod images;
mod load_balancers;
mod network;
mod operator;
mod password;
mod placement;
mod power;
mod project;
mod rebuild;
mod rescue;
mod shown;
mod storage_boxes;
mod time;
mod volumes;
