//! Randomness of a transaction: HMAC-SHA-256 with a key over (seed, sequence, purpose), then SHA-256 over that and a counter.
//!
//! On the embedded engine the seed is the database's, the sequence its commit number, and the key the installation's, so one
//! key, one seed and one log give the same bytes again (design §1.5). Seed and sequence stand in the database: without the key,
//! which does not, nobody who has a copy of the file can work out the tokens and passwords that it made. On PostgreSQL
//! the key is drawn from the system for every transaction.

use aws_lc_rs::hmac;
use sha2::{Digest, Sha256};
use wolke_domain::rng::Rng;

/// What the key is used for here; it seals secrets as well ([`crate::seal`]).
const LABEL: &[u8] = b"wolke randomness";

/// A keyed stream for one purpose.
pub(crate) struct Stream {
    key: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    /// The stream of (seed, sequence, purpose), told apart from everything else that the secret is a key for.
    pub(crate) fn new(secret: &[u8], seed: &[u8], sequence: i64, purpose: &str) -> Self {
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
        mac.update(LABEL);
        mac.update(&(seed.len() as u64).to_le_bytes());
        mac.update(seed);
        mac.update(&sequence.to_le_bytes());
        mac.update(purpose.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(mac.sign().as_ref());
        Self { key, counter: 0, block: [0; 32], used: 32 }
    }
}

impl Rng for Stream {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            if self.used == self.block.len() {
                let mut hash = Sha256::new();
                hash.update(self.key);
                hash.update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

/// Random bytes from the operating system, in hexadecimal: the seed of a new database.
///
/// # Errors
/// When `/dev/urandom` cannot be read.
pub fn system_seed() -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Lower-case hexadecimal. By table: every request hashes a token.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::Stream;
    use wolke_domain::rng::alphanumeric;

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(super::hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }

    #[test]
    fn depends_on_every_input() {
        let draw = |key: &str, seed: &str, sequence, purpose| {
            alphanumeric(&mut Stream::new(key.as_bytes(), seed.as_bytes(), sequence, purpose), 64)
        };
        let base = draw("k", "a", 1, "token");
        assert_eq!(base, draw("k", "a", 1, "token"));
        for other in [
            draw("l", "a", 1, "token"),
            draw("k", "b", 1, "token"),
            draw("k", "a", 2, "token"),
            draw("k", "a", 1, "password"),
        ] {
            assert_ne!(base, other);
        }
    }
}
