//! Consoles: the websocket that a ticket opens, speaking VNC (RFC 6143) in binary frames.
//!
//! The token in the path is the right to come in: it is never logged, and no other step of the request path sees it.
//! Behind the upgrade, `terminal` and what it is made of are pure; `session` owns the socket.
//!
//! **Invariant:** a ticket is redeemed once, in the transaction that lets its holder in. What cannot be upgraded redeems none.

mod auth;
mod keys;
mod paint;
mod pixel;
mod places;
mod rfb;
mod session;
mod terminal;

pub(crate) use places::Places;

use crate::api::Api;
use crate::server::Stopping;
use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use std::sync::Arc;
use wolke_control::server::Ticket;

/// Where consoles are; the token follows.
pub const PREFIX: &str = "/console/";

/// The subprotocol of VNC over websockets, for clients that name one.
const SUBPROTOCOL: &str = "binary";
/// The largest message of a client in bytes. Usual ones send a handful; a pasted clipboard comes in several.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// What is read and written at once, in bytes: consoles are many and mostly idle.
const BUFFER_BYTES: usize = 8 << 10;
/// What may wait to be written, in bytes: more than a whole picture, which is the most that is owed.
const WAITING_BYTES_MAX: usize = 2 << 20;

/// `GET /console/{token}`.
pub async fn open(
    State(api): State<Arc<Api>>,
    Path(token): Path<String>,
    stopping: Option<Extension<Stopping>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let response = admit(&api, &token, stopping.map(|Extension(stopping)| stopping), upgrade).await;
    tracing::info!(path = PREFIX, status = response.status().as_u16(), "console asked for");
    response
}

async fn admit(
    api: &Arc<Api>,
    token: &str,
    stopping: Option<Stopping>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let server = match api.control.console_ticket(token).await {
        Ok(Ticket::Good(server)) => server,
        Ok(Ticket::Spent) => return refusal(StatusCode::FORBIDDEN, SPENT),
        Ok(Ticket::Unknown) => return refusal(StatusCode::NOT_FOUND, "there is no such console ticket"),
        Err(error) => return failure(&error),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Some(place) = api.consoles.take(server) else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "too many consoles are open");
    };
    let redeemed = match api.control.redeem_console(server, token).await {
        Ok(Some(redeemed)) => redeemed,
        Ok(None) => return refusal(StatusCode::FORBIDDEN, SPENT),
        Err(error) => return failure(&error),
    };
    let control = Arc::clone(&api.control);
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(WAITING_BYTES_MAX)
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            session::run(socket, &control, redeemed, stopping.map(|Stopping(stopping)| stopping), place).await;
        })
}

const SPENT: &str = "the console ticket was used or has expired: request a new one";

fn refusal(status: StatusCode, message: &'static str) -> Response {
    (status, format!("{message}\n")).into_response()
}

fn failure(error: &wolke_domain::Error) -> Response {
    tracing::error!(error = %error, "a console cannot be opened");
    let status = match error {
        wolke_domain::Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refusal(status, "the console cannot be opened")
}
