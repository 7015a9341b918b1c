//! Connections: accepting, time limits, draining.
//!
//! hyper is driven directly, because time limits for heads and an orderly drain are its settings.

use crate::pipeline::Peer;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::Service as _;

/// Connections that are served at the same time; more wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 10_000;
/// How long a client may take for a head, and how long a connection may idle between two requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(75);
/// The largest head (request line and headers), and what is written at once, in bytes: hyper has one limit for both. 500
/// ids of sixteen digits fit, and so does a page of 50 servers: written in two goes it would wake its reader twice.
const BUFFER_BYTES_MAX: usize = 256 << 10;
/// How long a drain waits for requests under way.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// Pause after a failed accept: the process is out of files, and asking again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Tells a connection that has left HTTP behind when the process drains; [`drive`] puts it into every request.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub watch::Receiver<()>);

/// Something that connections come from.
pub trait Listener: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection and where it comes from.
    fn next(&mut self) -> impl Future<Output = io::Result<(Self::Stream, IpAddr)>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&mut self) -> io::Result<(TcpStream, IpAddr)> {
        let (stream, peer) = self.accept().await?;
        // An answer is one write: waiting for more to send would only delay it.
        stream.set_nodelay(true)?;
        Ok((stream, peer.ip()))
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&mut self) -> io::Result<(UnixStream, IpAddr)> {
        let (stream, _) = self.accept().await?;
        Ok((stream, IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }
}

/// Serves a router until `shutdown` ends; then accepts nothing more, and returns when the requests under way are answered
/// or their time is over.
pub async fn serve<L: Listener>(mut listener: L, router: Router, shutdown: impl Future<Output = ()> + Send) {
    let (stop, stopping) = watch::channel(());
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.next().await)
        };
        tokio::select! {
            () = &mut shutdown => break,
            // Ended connections are taken out, so that the set holds the open ones only.
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let connection = drive(stream, Peer(peer), router.clone(), stopping.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(error = %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let _ = stop.send(());
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIME_MAX, drained).await.is_err() {
        tracing::warn!("connections were still open when the drain's time was over");
    }
}

/// Serves one connection.
async fn drive<S>(stream: S, peer: Peer, router: Router, mut stopping: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stops = Stopping(stopping.clone());
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stops.clone());
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection broke");
    }
}
