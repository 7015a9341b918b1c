//! The load generator: many kept-alive HTTP/1.1 connections on one thread, so that it takes at most one core from the server.
//!
//! It reads no more of an answer than its status and its length. Both sides of every comparison are driven by it alike.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Bytes read from a socket at once.
const CHUNK: usize = 64 << 10;

/// When a load ends.
#[derive(Clone, Copy)]
pub enum Until {
    /// After so many requests in all.
    Count(u64),
    /// After that time.
    Time(Duration),
}

/// Makes the bytes of request number n.
pub type Maker = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// One load: what to send, to whom, how much at once.
#[derive(Clone)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Connections, each with one request under way.
    pub connections: usize,
    /// When it ends.
    pub until: Until,
    /// The status that every answer must have.
    pub status: u16,
    /// Keeps the bodies of the answers.
    pub keep: bool,
    /// What is sent.
    pub request: Maker,
}

/// What a load measured.
pub struct Measured {
    /// Answers per second.
    pub rate: f64,
    /// From the first byte sent to the last answer read, seconds.
    pub seconds: f64,
    /// Every answer's time in microseconds, ascending.
    pub micros: Vec<u64>,
    /// Bodies, when they were kept.
    pub bodies: Vec<Vec<u8>>,
}

impl Measured {
    /// The time that this share of the answers took at most, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        let index = ((last as f64) * share).ceil() as usize;
        self.micros.get(index).map_or(0.0, |micros| *micros as f64 / 1000.0)
    }
}

/// The bytes of a request with a token (none when empty) and, if not empty, a JSON body.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    if !token.is_empty() {
        text.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

impl Load {
    /// Runs the load. An error is the first connection that failed or the first answer with another status.
    pub fn run(&self) -> Result<Measured> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.drive())
    }

    async fn drive(&self) -> Result<Measured> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(self.address).await?);
        }
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let drivers: Vec<_> = connections
            .into_iter()
            .map(|connection| tokio::spawn(self.clone().drive_one(connection, next.clone(), began)))
            .collect();
        let mut results = Vec::new();
        for driver in drivers {
            results.push(driver.await.map_err(Error::other)?);
        }
        let seconds = began.elapsed().as_secs_f64();
        let (mut micros, mut bodies) = (Vec::new(), Vec::new());
        for result in results {
            let (more_micros, more_bodies) = result?;
            micros.extend(more_micros);
            bodies.extend(more_bodies);
        }
        micros.sort_unstable();
        Ok(Measured { rate: micros.len() as f64 / seconds, seconds, micros, bodies })
    }

    async fn drive_one(
        self,
        mut connection: Connection,
        next: Arc<AtomicU64>,
        began: Instant,
    ) -> Result<(Vec<u64>, Vec<Vec<u8>>)> {
        let (mut micros, mut bodies) = (Vec::new(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let over = match self.until {
                Until::Count(count) => number >= count,
                Until::Time(limit) => began.elapsed() >= limit,
            };
            if over {
                return Ok((micros, bodies));
            }
            let request = (self.request)(number);
            let sent = Instant::now();
            let (status, body) = connection.exchange(&request).await?;
            micros.push(sent.elapsed().as_micros() as u64);
            if status != self.status {
                let body = String::from_utf8_lossy(&connection.buffer[body]);
                return Err(Error::other(format!("status {status} instead of {}: {body}", self.status)));
            }
            if self.keep {
                bodies.push(connection.buffer[body].to_vec());
            }
        }
    }
}

/// One kept-alive connection.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(CHUNK) })
    }

    /// Sends one request and reads its answer: the status, and where its body lies in the buffer.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, std::ops::Range<usize>)> {
        let mut rest = request;
        while !rest.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.clear();
        loop {
            if let Some((status, start, end)) = head(&self.buffer)?
                && self.buffer.len() >= end
            {
                return Ok((status, start..end));
            }
            self.stream.readable().await?;
            let filled = self.buffer.len();
            self.buffer.resize(filled + CHUNK, 0);
            let read = self.stream.try_read(&mut self.buffer[filled..]);
            self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Status, start and end of the body, once the head is complete. Answers without a length have no body.
fn head(buffer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&buffer[..end]).map_err(Error::other)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(Error::other)?;
        }
    }
    Ok(Some((status, end + 4, end + 4 + length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};

    /// Answers every request on one connection with its path, in two pieces.
    fn echo(stream: std::net::TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        stream.set_nodelay(true).unwrap();
        let mut writer = stream;
        let mut line = String::new();
        let mut path = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.starts_with("GET") {
                path = line.split(' ').nth(1).unwrap().to_owned();
            } else if line == "\r\n" {
                write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", path.len()).unwrap();
                writer.flush().unwrap();
                write!(writer, "\r\n{path}").unwrap();
            }
            line.clear();
        }
    }

    fn load(connections: usize, count: u64, status: u16) -> Result<Measured> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let streams: Vec<_> = (0..connections).map(|_| listener.accept().unwrap().0).collect();
            let echoes: Vec<_> = streams.into_iter().map(|stream| std::thread::spawn(|| echo(stream))).collect();
            echoes.into_iter().for_each(|echo| echo.join().unwrap());
        });
        let request: Maker = Arc::new(|number| request("GET", &format!("/{number}"), "token", ""));
        let measured = Load { address, connections, until: Until::Count(count), status, keep: true, request }.run();
        server.join().unwrap();
        measured
    }

    #[test]
    fn sends_each_request_once_and_reads_whole_answers() {
        let measured = load(3, 100, 200).unwrap();
        let mut seen: Vec<u64> =
            measured.bodies.iter().map(|body| String::from_utf8_lossy(body)[1..].parse().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
        assert_eq!(measured.micros.len(), 100);
        assert!(measured.percentile(0.5) <= measured.percentile(1.0));
    }

    #[test]
    fn another_status_is_an_error() {
        assert!(load(1, 1, 201).is_err());
    }
}
