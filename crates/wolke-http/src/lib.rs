//! The way in: the operation table, authentication, rate limits, error mapping, the Cloud API and the admin API.
//!
//! One function ([`pipeline::handle`]) takes a request of the Cloud API through all steps in order; a handler parses, calls
//! one operation of `wolke-control` and shapes the answer. Which operations exist in a dialect is decided by the
//! contract alone; what is known of an operation stands once, in [`table::OPERATIONS`].
//!
//! **Invariant:** no decisions here. A refused request has called nothing that writes.

pub mod admin;
pub mod api;
pub mod body;
pub mod call;
mod caught;
pub mod cloud;
mod console;
pub mod correlation;
pub mod error;
mod listing;
pub mod metadata;
pub mod metrics;
mod monitor;
mod openapi;
pub mod operation;
pub mod pipeline;
pub mod query;
pub mod rate;
mod read;
pub mod route;
pub mod server;
pub mod table;

pub use api::{Api, Settings};
pub use server::serve;

use axum::Router;
use axum::routing::{any, get};
use std::sync::Arc;

/// The version prefix of the Cloud API.
pub const PREFIX: &str = "/v1";

/// Everything that is served to clients: the Cloud API and the monitoring endpoints.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/healthz", get(monitor::healthz))
        .route("/readyz", get(monitor::readyz))
        .route("/metrics", get(monitor::metrics))
        .route("/v1/openapi.json", get(openapi::serve))
        // Every method and whatever follows: no other path may see, and log, what stands there.
        .route("/console/{*token}", any(console::open))
        .fallback(pipeline::handle)
        .method_not_allowed_fallback(pipeline::handle)
        .with_state(api)
}
