//! A whole control plane in one process, without sockets: a world on SQLite, a clock that only tests move, and the router.
//!
//! Every request and every answer passes the contract's oracle in the dialect under test; every refusal is checked to have
//! committed nothing; every answer is checked for the headers that all answers have.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

mod ask;
pub mod pem;
pub mod vnc;
mod world;

pub use ask::Answer;
pub use world::{Setup, World};

use serde_json::{Value, json};

/// An Ed25519 public key of nobody: 32 bytes of `n`.
pub fn public_key(n: u8) -> String {
    use std::fmt::Write as _;
    let mut blob = vec![0, 0, 0, 11];
    blob.extend_from_slice(b"ssh-ed25519");
    blob.extend_from_slice(&[0, 0, 0, 32]);
    blob.extend_from_slice(&[n; 32]);
    let mut text = String::from("ssh-ed25519 ");
    for chunk in blob.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                [(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    let _ = write!(text, " key-{n}");
    text
}

/// The least request for a server, by names of the catalogue.
pub fn server(name: &str) -> Value {
    json!({"name": name, "server_type": "cpx22", "image": "debian-12"})
}

/// The names in a list answer.
pub fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

/// The ids in a list answer.
pub fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|entry| entry["id"].as_i64().unwrap()).collect()
}
