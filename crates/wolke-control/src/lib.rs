//! The application: one module per resource with its operations, strand steps and views. No SQL text, no HTTP types.
//!
//! An operation is an `async fn` of [`Control`]: it opens one transaction, looks everything up from the caller's project,
//! lets `wolke-domain` decide, writes, and commits. What takes time continues as a strand (the `program` of its module).

pub mod action;
mod address;
pub mod admin;
mod calendar;
mod catalogue;
pub mod certificate;
pub mod clock;
mod control;
mod core;
pub mod driver;
pub mod firewall;
pub mod floating_ip;
mod hosts;
pub mod image;
mod input;
pub mod listing;
pub mod load_balancer;
mod metadata;
pub mod metrics;
pub mod network;
pub mod operator;
mod pages;
mod place;
pub mod placement_group;
pub mod primary_ip;
pub mod project;
mod real;
pub mod server;
pub mod ssh_key;
pub mod storage_box;
mod tokens;
pub mod view;
pub mod volume;
pub mod zone;

pub use catalogue::IsoFilter;
pub use control::{Caller, Control, Options, Parts};
pub use core::{Core, Simulation};
pub use image::ImageFilter;
pub use listing::{Filter, List, ListRequest};
pub use tokens::Tokens;
