//! The metadata service: what a server is told about itself under `/hetzner/v1`, without authentication.
//!
//! [`answer`] is all of it. Whoever listens finds out which server asks: a real host by the source address, the admin API
//! by the path (`/servers/{id}/metadata/…`).

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use wolke_wire::metadata::{METADATA_PATH, Metadata, USERDATA_PATH};

/// Everything is text: the summary for people and parsers, the children for scripts, user data for whoever wrote it.
const TEXT: &str = "text/plain; charset=utf-8";

/// What a server is told at a path: content type and body. None is a 404.
///
/// User data is given byte for byte, as an empty text where there is none: cloud-init takes anything but a success for a
/// service that is not ready yet, and would ask again for minutes.
#[must_use]
pub fn answer(server: &Metadata, path: &str) -> Option<(&'static str, String)> {
    let body = match path {
        METADATA_PATH => server.summary(),
        USERDATA_PATH => server.user_data.clone().unwrap_or_default(),
        _ => server.child(path.strip_prefix(METADATA_PATH)?.strip_prefix('/')?)?,
    };
    Some((TEXT, body))
}

/// The answer as HTTP has it. It may hold secrets: nobody keeps it.
pub fn response(server: &Metadata, path: &str) -> Response {
    let (status, (content_type, body)) = match answer(server, path) {
        Some(found) => (StatusCode::OK, found),
        None => (StatusCode::NOT_FOUND, (TEXT, "not found\n".to_owned())),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
