//! The metadata service of one link: who asks is known by the listener, which is bound to the link's device.
//!
//! **Invariants:** a guest takes no more than [`CONNECTIONS_MAX`] connections, each for one question and no longer than
//! [`CONNECTION_TIME_MAX`]; a third party on the way does not exist, so plain HTTP it is, as on the real service.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wolke_wire::Id;
use wolke_wire::metadata::{self, METADATA_PATH, Metadata};

use super::Guests;

/// Connections of one guest at the same time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 16;
/// How long a connection may take: a guest under emulation is slow, but asks for kilobytes.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a guest may take for the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// The largest head in bytes, and what is written at once.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// When accepting fails, the process is out of files: it is tried again when a connection of ours has ended, which frees one, or
/// after this time, in which others may have.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// One server's service.
pub(super) struct Service {
    server: Id,
    guests: Arc<dyn Guests>,
}

impl Service {
    /// Of this server.
    pub(super) fn new(server: Id, guests: Arc<dyn Guests>) -> Arc<Self> {
        Arc::new(Self { server, guests })
    }

    /// Serves for ever; dropping it closes every connection.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) -> Infallible {
        let mut connections = JoinSet::new();
        loop {
            if connections.len() >= CONNECTIONS_MAX {
                connections.join_next().await;
            }
            tokio::select! {
                // Ended connections are taken out, so that the set holds the open ones only.
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(Arc::clone(&self).drive(stream))),
                    Err(error) => {
                        tracing::debug!(server = self.server, %error, "cannot accept a guest's connection");
                        let ended = async {
                            if connections.join_next().await.is_none() {
                                std::future::pending::<()>().await;
                            }
                        };
                        let _ = tokio::time::timeout(ACCEPT_PAUSE, ended).await;
                    }
                },
            }
        }
    }

    /// Serves one connection, for one question.
    async fn drive(self: Arc<Self>, stream: TcpStream) {
        let summary = Arc::new(AtomicBool::new(false));
        let service = service_fn(|request: Request<Incoming>| {
            let (this, summary) = (Arc::clone(&self), Arc::clone(&summary));
            async move {
                let response = this.respond(request.method(), request.uri().path()).await;
                let whole = request.method() == Method::GET && response.status() == StatusCode::OK;
                summary.store(whole && request.uri().path() == METADATA_PATH, Ordering::Relaxed);
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // It ends well when the answer is written and the connection is shut down.
        let written = tokio::time::timeout(CONNECTION_TIME_MAX, connection).await.is_ok_and(|ended| ended.is_ok());
        if written && summary.load(Ordering::Relaxed) {
            let (server, guests) = (self.server, Arc::clone(&self.guests));
            let _ = tokio::task::spawn_blocking(move || guests.delivered(server)).await;
        }
    }

    async fn respond(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if method != Method::GET && method != Method::HEAD {
            let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n".into());
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match self.ask().await {
            Ok(Some(metadata)) => metadata.answer(path).map_or_else(
                || text(StatusCode::NOT_FOUND, "not found\n".into()),
                |answer| text(StatusCode::OK, answer),
            ),
            // Not yet known, or not any more: cloud-init asks again, which is right for both.
            Ok(None) | Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "not available\n".into()),
        }
    }

    /// Asks in a thread where it may block: it opens what is sealed.
    async fn ask(&self) -> Result<Option<Metadata>, tokio::task::JoinError> {
        let (server, guests) = (self.server, Arc::clone(&self.guests));
        tokio::task::spawn_blocking(move || guests.metadata(server)).await
    }
}

/// It may hold secrets: nobody keeps it.
fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metadata::CONTENT_TYPE));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
