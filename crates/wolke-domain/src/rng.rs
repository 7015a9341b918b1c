//! Randomness as a parameter: f(seed, world, commit sequence, purpose), never a shared stream (design §1.5).

/// A source of random bytes for one purpose inside one transaction.
pub trait Rng {
    /// Fills the buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// The letters of tokens and passwords: no confusion with shells, URLs or YAML.
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A string of letters and digits, each equally likely.
pub fn alphanumeric(rng: &mut dyn Rng, length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut byte = [0_u8; 1];
    while text.len() < length {
        rng.fill(&mut byte);
        // 248 is the largest multiple of 62 that fits: larger bytes would favour the first letters.
        if byte[0] < 248 {
            text.push(char::from(ALPHANUMERIC[usize::from(byte[0] % 62)]));
        }
    }
    text
}
