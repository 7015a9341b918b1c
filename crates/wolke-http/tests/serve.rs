//! Connections: keep-alive, draining, heads that are too large. The listener is a channel, so no socket is needed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::{Notify, mpsc, oneshot};
use wolke_http::pipeline::Peer;
use wolke_http::server::{Listener, serve};

/// Connections come from a test.
struct Channel(mpsc::Receiver<DuplexStream>);

impl Listener for Channel {
    type Stream = DuplexStream;

    async fn next(&mut self) -> io::Result<(DuplexStream, IpAddr)> {
        let stream = self.0.recv().await.ok_or_else(|| io::Error::other("closed"))?;
        Ok((stream, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))))
    }
}

struct Server {
    connect: mpsc::Sender<DuplexStream>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

fn start(router: Router) -> Server {
    let (connect, accept) = mpsc::channel(1);
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(serve(Channel(accept), router, async { drop(stopped.await) }));
    Server { connect, stop, ended }
}

impl Server {
    async fn connect(&self) -> DuplexStream {
        let (mine, theirs) = duplex(16 << 10);
        self.connect.send(theirs).await.unwrap();
        mine
    }
}

async fn ask(stream: &mut DuplexStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
}

/// Reads until the text ends with what is expected.
async fn read_until(stream: &mut DuplexStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut buffer = [0; 1024];
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(n > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    text
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_knows_its_peer() {
    let peer = async |request: Request| request.extensions().get::<Peer>().unwrap().0.to_string();
    let server = start(Router::new().route("/", get(peer)));
    let mut stream = server.connect().await;
    for _ in 0..3 {
        ask(&mut stream, "/").await;
        let answer = read_until(&mut stream, "192.0.2.7").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "an idle connection is closed by the drain");
}

#[tokio::test]
async fn a_drain_waits_for_requests_under_way() {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (in_handler, from_test) = (Arc::clone(&reached), Arc::clone(&go));
    let slow = async move || {
        in_handler.notify_one();
        from_test.notified().await;
        "done"
    };
    let server = start(Router::new().route("/", get(slow)));
    let mut stream = server.connect().await;
    ask(&mut stream, "/").await;
    reached.notified().await;
    server.stop.send(()).unwrap();
    // The listener is dropped first: nobody is accepted any more.
    server.connect.closed().await;
    assert!(!server.ended.is_finished());
    go.notify_one();
    let answer = read_until(&mut stream, "done").await;
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    server.ended.await.unwrap();
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = start(Router::new().route("/", get(async || "never")));
    let mut stream = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    // The server may stop reading before everything is written.
    drop(stream.write_all(head.as_bytes()).await);
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer).await);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
