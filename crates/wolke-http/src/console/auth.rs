//! VNC authentication: a challenge, encrypted with the password (RFC 6143 §7.2.2).

use des::Des;
use des::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};

/// Bytes of a challenge and of its response.
pub const CHALLENGE_LENGTH: usize = 16;
/// Bytes of a password that count.
const KEY_LENGTH: usize = 8;

/// What a client answers that knows the password.
///
/// DES because the protocol says so; what protects the console is the ticket in its URL. The key is the password with the
/// bits of each byte turned round: so the first implementation did it, and all others since.
#[must_use]
pub fn response(password: &str, challenge: &[u8; CHALLENGE_LENGTH]) -> [u8; CHALLENGE_LENGTH] {
    let mut key = [0; KEY_LENGTH];
    for (byte, given) in key.iter_mut().zip(password.bytes()) {
        *byte = given.reverse_bits();
    }
    let cipher = Des::new(&Array::from(key));
    let mut response = *challenge;
    for block in response.as_chunks_mut::<KEY_LENGTH>().0 {
        let mut text = Array::from(*block);
        cipher.encrypt_block(&mut text);
        block.copy_from_slice(&text);
    }
    response
}

/// Whether two responses are the same, in a time that does not tell where they differ.
#[must_use]
pub fn is_same(a: &[u8; CHALLENGE_LENGTH], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (x, y)| different | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::{is_same, response};

    /// The response is that of OpenSSL's DES-ECB with the key `ceccc64ea62e8c4c`.
    #[test]
    fn encrypts_with_the_bits_of_the_key_turned_round() {
        let challenge: [u8; 16] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let right = response("s3cret12", &challenge);
        assert_eq!(u128::from_be_bytes(right), 0x2dbb_9e7a_1501_bfa3_c400_5539_adc5_8be6);
        assert_eq!(right, response("s3cret12 and more", &challenge), "eight bytes count");
        assert_ne!(right, response("s3cret1", &challenge));
        assert!(is_same(&right, &right) && !is_same(&right, &challenge) && !is_same(&right, &right[..8]));
    }
}
