//! For whoever watches the process: alive, ready, counters. No token is asked for; nothing of a project is shown.

use crate::api::Api;
use axum::extract::State;
use http::StatusCode;
use std::sync::Arc;

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers, too.
pub async fn readyz(State(api): State<Arc<Api>>) -> (StatusCode, &'static str) {
    match api.control.clock().await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(error = %error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

/// `GET /metrics`: counters in the text format of Prometheus.
pub async fn metrics(State(api): State<Arc<Api>>) -> ([(http::HeaderName, &'static str); 1], String) {
    let kind = (http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([kind], api.metrics.render(api.control.db().commits()))
}
