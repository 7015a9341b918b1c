//! A blocking HTTP/1.1 client over one kept-alive connection: just enough to ask an API raw questions.
//!
//! Errors of the connection are values (a killed server is an expected thing here); anything that violates HTTP too.

use serde_json::Value;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long one answer may take before the connection counts as dead.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Largest answer that is read, in bytes.
const BODY_LIMIT: u64 = 64 << 20;

/// One answer.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header field of that (lower case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; JSON null when it is empty or no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The error code of the envelope, or an empty text.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// True for a status of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A client with its own connection, opened when needed.
pub struct Client {
    address: SocketAddr,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client that authenticates with `token` (none when empty).
    pub fn new(address: SocketAddr, token: &str) -> Self {
        Client { address, token: token.to_owned(), connection: None }
    }

    /// `GET`.
    pub fn get(&mut self, path: &str) -> Result<Response> {
        self.send("GET", path, None)
    }

    /// `POST` of a JSON value.
    pub fn post(&mut self, path: &str, body: &Value) -> Result<Response> {
        self.send("POST", path, Some(body.to_string().as_bytes()))
    }

    /// `PUT` of a JSON value.
    pub fn put(&mut self, path: &str, body: &Value) -> Result<Response> {
        self.send("PUT", path, Some(body.to_string().as_bytes()))
    }

    /// `DELETE` without a body.
    pub fn delete(&mut self, path: &str) -> Result<Response> {
        self.send("DELETE", path, None)
    }

    /// Sends one request and reads its answer. A failure closes the connection; nothing is sent twice.
    pub fn send(&mut self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if !self.token.is_empty() {
            request.push_str(&format!("Authorization: Bearer {}\r\n", self.token));
        }
        if let Some(body) = body {
            request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        connection.get_mut().write_all(&bytes)?;
        let response = read_response(&mut connection)?;
        if response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    fn connect(&self) -> Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        Ok(BufReader::new(stream))
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

fn read_line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
    }
    Ok(line.trim_end().to_owned())
}

fn read_response(reader: &mut BufReader<TcpStream>) -> Result<Response> {
    let status_line = read_line(reader)?;
    let status =
        status_line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| invalid(&status_line))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid(&line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response { status, headers, body: Vec::new() };
    if response.header("transfer-encoding") == Some("chunked") {
        response.body = read_chunks(reader)?;
    } else if let Some(length) = response.header("content-length") {
        let length: u64 = length.parse().map_err(|_| invalid("Content-Length"))?;
        response.body = read_exactly(reader, length)?;
    }
    Ok(response)
}

fn read_exactly(reader: &mut impl Read, length: u64) -> Result<Vec<u8>> {
    if length > BODY_LIMIT {
        return Err(invalid("the answer is too large"));
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    if body.len() as u64 == length { Ok(body) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

fn read_chunks(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?;
        let length =
            u64::from_str_radix(line.split(';').next().unwrap_or_default(), 16).map_err(|_| invalid("chunk"))?;
        body.extend(read_exactly(reader, length)?);
        read_line(reader)?;
        if length == 0 {
            return Ok(body);
        }
        if body.len() as u64 > BODY_LIMIT {
            return Err(invalid("the answer is too large"));
        }
    }
}
