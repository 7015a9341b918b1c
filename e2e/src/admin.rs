//! The operator's side: requests to the admin API on the socket in the data directory.

use crate::process::Installation;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// Sends one request to the admin API of the running server and returns the JSON of its answer (null when there is none).
///
/// # Panics
/// When the answer is not a success, with what it said.
pub fn ask(installation: &Installation, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let socket = installation.data().join("admin.sock");
    let mut stream = UnixStream::connect(&socket).unwrap_or_else(|error| panic!("{}: {error}", socket.display()));
    let head = format!("{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n");
    let length = body.len();
    write!(stream, "{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").expect("admin API");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer that is text");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer:?}"));
    let success = head.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
    assert!(success, "{method} {path}: {answer}");
    serde_json::from_str(body).unwrap_or(Value::Null)
}
