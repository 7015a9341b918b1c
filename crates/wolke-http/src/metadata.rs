//! The metadata service: what a server is told about itself under `/hetzner/v1`, without authentication.
//!
//! [`Metadata::answer`] is all of it. Whoever listens finds out which server asks: a real host by the link, the admin API
//! by the path (`/servers/{id}/metadata/…`).

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use wolke_wire::metadata::{self, Metadata};

/// The answer as HTTP has it. It may hold secrets: nobody keeps it.
pub fn response(server: &Metadata, path: &str) -> Response {
    let (status, body) = match server.answer(path) {
        Some(found) => (StatusCode::OK, found),
        None => (StatusCode::NOT_FOUND, "not found\n".to_owned()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metadata::CONTENT_TYPE));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
