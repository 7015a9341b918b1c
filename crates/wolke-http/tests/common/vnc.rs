//! A VNC client over a websocket over a channel: what noVNC does, as far as a test needs it.

use super::World;
use futures_util::{SinkExt as _, StreamExt as _};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use wolke_http::server::{Listener, serve};

/// How long a server that is told something may take to answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Bytes on their way between the two ends.
const PIPE: usize = 64 << 10;

/// Connections come from a test.
struct Channel(mpsc::Receiver<DuplexStream>);

impl Listener for Channel {
    type Stream = DuplexStream;

    async fn next(&mut self) -> io::Result<(DuplexStream, IpAddr)> {
        let stream = self.0.recv().await.ok_or_else(|| io::Error::other("closed"))?;
        Ok((stream, IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }
}

/// A server with connections, on the router of a world.
pub struct Served {
    connect: mpsc::Sender<DuplexStream>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

impl Served {
    pub fn new(world: &World) -> Self {
        let (connect, accept) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let router = world.router.clone();
        let ended = tokio::spawn(serve(Channel(accept), router, async { drop(stopped.await) }));
        Self { connect, stop, ended }
    }

    /// Opens a console's URL. The status when that is refused.
    pub async fn open(&self, url: &str) -> Result<Vnc, u16> {
        let (mine, theirs) = duplex(PIPE);
        self.connect.send(theirs).await.unwrap();
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "binary".parse().unwrap());
        match timeout(ANSWER, client_async(request, mine)).await.unwrap() {
            Ok((socket, answer)) => {
                assert_eq!(answer.headers()["sec-websocket-protocol"], "binary");
                Ok(Vnc { socket, heard: Vec::new() })
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Drains the server.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap();
    }
}

/// An open console.
pub struct Vnc {
    socket: WebSocketStream<DuplexStream>,
    heard: Vec<u8>,
}

impl Vnc {
    pub async fn say(&mut self, bytes: &[u8]) {
        self.socket.send(Message::Binary(bytes.to_vec().into())).await.unwrap();
    }

    /// A frame that VNC does not know.
    pub async fn say_text(&mut self, text: &str) {
        self.socket.send(Message::Text(text.to_owned().into())).await.unwrap();
    }

    /// The next bytes.
    pub async fn hear(&mut self, length: usize) -> Vec<u8> {
        while self.heard.len() < length {
            match timeout(ANSWER, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Binary(bytes))) => self.heard.extend_from_slice(&bytes),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("instead of {length} bytes: {other:?}"),
            }
        }
        self.heard.drain(..length).collect()
    }

    /// Reads on until the connection is closed, and says why that was.
    pub async fn closed(&mut self) -> String {
        loop {
            match timeout(ANSWER, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Close(frame))) => return frame.map_or_else(String::new, |f| f.reason.to_string()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return "cut".into(),
            }
        }
    }

    /// The handshake with a password; the desktop's name, or why the server refuses.
    pub async fn log_in(&mut self, password: &str) -> Result<String, String> {
        assert_eq!(self.hear(12).await, b"RFB 003.008\n");
        self.say(b"RFB 003.008\n").await;
        assert_eq!(self.hear(2).await, [1, 2]);
        self.say(&[2]).await;
        let challenge = self.hear(16).await;
        self.say(&response(password, &challenge)).await;
        if self.hear(4).await != [0; 4] {
            return Err(self.text().await);
        }
        self.say(&[1]).await;
        assert_eq!(self.hear(4).await, [0x02, 0x80, 0x01, 0x90], "640 by 400");
        self.hear(16).await;
        Ok(self.text().await)
    }

    async fn text(&mut self) -> String {
        let length = u32::from_be_bytes(self.hear(4).await.try_into().unwrap());
        String::from_utf8(self.hear(length as usize).await).unwrap()
    }

    /// Asks for a picture and reads it: the distinct pixels that it has.
    pub async fn picture(&mut self, incremental: bool) -> std::collections::BTreeSet<Vec<u8>> {
        self.say(&[3, u8::from(incremental), 0, 0, 0, 0, 0x02, 0x80, 0x01, 0x90]).await;
        let head = self.hear(4).await;
        assert_eq!(head[..2], [0, 0]);
        let mut pixels = std::collections::BTreeSet::new();
        for _ in 0..u16::from_be_bytes([head[2], head[3]]) {
            let rectangle = self.hear(12).await;
            let number = |at: usize| usize::from(u16::from_be_bytes([rectangle[at], rectangle[at + 1]]));
            assert_eq!(rectangle[8..], [0; 4], "raw, since nothing else was offered");
            let raw = self.hear(number(4) * number(6) * 4).await;
            pixels.extend(raw.chunks(4).map(<[u8]>::to_vec));
        }
        pixels
    }

    /// Presses and releases a key.
    pub async fn press(&mut self, keysym: u32) {
        for down in [1, 0] {
            self.say(&[[4, down, 0, 0].as_slice(), &keysym.to_be_bytes()].concat()).await;
        }
    }
}

/// What a client answers to a challenge: DES with the bits of the password's bytes turned round.
fn response(password: &str, challenge: &[u8]) -> Vec<u8> {
    use des::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
    let mut key = [0; 8];
    key.iter_mut().zip(password.bytes()).for_each(|(key, byte)| *key = byte.reverse_bits());
    let cipher = des::Des::new(&Array::from(key));
    let encrypt = |block: &[u8]| {
        let mut block = Array::from(<[u8; 8]>::try_from(block).unwrap());
        cipher.encrypt_block(&mut block);
        block.to_vec()
    };
    challenge.chunks(8).flat_map(encrypt).collect()
}
