//! The floor of the benchmarks: a bare axum server that does the least that any server must do for the same answer.
//!
//! `floor [FILE]`: `GET /` answers 200; `GET /page` answers the bytes of FILE as JSON; `POST /v1/servers` parses a JSON body
//! and answers 201 with a short one. Prints where it listens.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

/// Media type of every answer.
const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let page = match std::env::args_os().nth(1) {
        Some(file) => Bytes::from(std::fs::read(file)?),
        None => Bytes::new(),
    };
    let router = Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/page", get(move || async move { (JSON, page.clone()) }))
        .route("/v1/servers", post(create));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("floor listens on http://{}", listener.local_addr()?);
    axum::serve(listener, router).await
}

/// Parses the body, as every server must, and does nothing with it.
async fn create(body: Bytes) -> Response {
    match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(_) => (StatusCode::CREATED, JSON, r#"{"server":{"id":1}}"#).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
