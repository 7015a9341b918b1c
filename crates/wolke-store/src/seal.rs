//! Sealing: secrets (user data, passwords) lie in the database encrypted with a key that lies beside it, in a file.
//!
//! ChaCha20-Poly1305; the nonce is random and stands before the ciphertext; the whole is base64. What is sealed for one
//! purpose cannot be opened for another: the purpose is authenticated.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wolke_domain::rng::Rng;
use wolke_domain::{Error, Result};

/// The length of the key in bytes.
pub const KEY_LENGTH: usize = 32;

/// Seals and opens with the installation's key.
pub struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// A sealer with this key.
    ///
    /// # Errors
    /// Internal, when the key has another length than [`KEY_LENGTH`].
    pub fn new(key: &[u8]) -> Result<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| Error::internal("the seal key is malformed"))?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Encrypts a secret.
    ///
    /// # Errors
    /// Internal, when the cipher refuses.
    pub fn seal(&self, rng: &mut dyn Rng, purpose: &str, secret: &str) -> Result<String> {
        let mut nonce = [0_u8; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut text = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose.as_bytes()), &mut text)
            .map_err(|_| Error::internal("sealing failed"))?;
        let mut sealed = nonce.to_vec();
        sealed.append(&mut text);
        Ok(STANDARD.encode(sealed))
    }

    /// Decrypts what [`Sealer::seal`] made for the same purpose with the same key.
    ///
    /// # Errors
    /// Internal, when it was made otherwise or has been changed.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<String> {
        let broken = || Error::internal(format!("a sealed {purpose} cannot be opened: is the seal key the right one?"));
        let bytes = STANDARD.decode(sealed).map_err(|_| broken())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut text = text.to_vec();
        let secret = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text).map_err(|_| broken())?;
        String::from_utf8(secret.to_vec()).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY_LENGTH, Sealer};
    use crate::random::Stream;

    #[test]
    fn opens_only_what_it_sealed() {
        let sealer = Sealer::new(&[7; KEY_LENGTH]).unwrap();
        let sealed = sealer.seal(&mut Stream::new(b"k", b"s", 1, "seal"), "user_data", "#cloud-config").unwrap();
        assert!(!sealed.contains("cloud"));
        assert_eq!(sealer.open("user_data", &sealed).unwrap(), "#cloud-config");
        assert!(sealer.open("password", &sealed).is_err());
        assert!(Sealer::new(&[8; KEY_LENGTH]).unwrap().open("user_data", &sealed).is_err());
        assert!(Sealer::new(&[7; 5]).is_err());
    }
}
