//! Randomness of a transaction: SHA-256 over (seed, sequence, purpose, counter).
//!
//! On the embedded engine the seed is the world's and the sequence its commit number, so one seed and one log give the
//! same bytes again; on PostgreSQL both are drawn from the system for every transaction (design §1.5).

use sha2::{Digest, Sha256};
use wolke_domain::rng::Rng;

/// A keyed stream for one purpose.
pub(crate) struct Stream {
    key: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    /// The stream of (seed, sequence, purpose).
    pub(crate) fn new(seed: &[u8], sequence: i64, purpose: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update((seed.len() as u64).to_le_bytes());
        hash.update(seed);
        hash.update(sequence.to_le_bytes());
        hash.update(purpose.as_bytes());
        Self { key: hash.finalize().into(), counter: 0, block: [0; 32], used: 32 }
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
        let draw =
            |seed: &str, sequence, purpose| alphanumeric(&mut Stream::new(seed.as_bytes(), sequence, purpose), 64);
        let base = draw("a", 1, "token");
        assert_eq!(base, draw("a", 1, "token"));
        for other in [draw("b", 1, "token"), draw("a", 2, "token"), draw("a", 1, "password")] {
            assert_ne!(base, other);
        }
    }
}
