//! Certificates and keys to upload: `wolke-control/tests/certificates/README.md`.

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../wolke-control/tests/certificates/", $name))
    };
}

/// Signed by [`INTERMEDIATE`]; for `example.com` and `www.example.com`.
pub const RSA: &str = file!("rsa.pem");
pub const RSA_KEY: &str = file!("rsa.pkcs1.key");
pub const INTERMEDIATE: &str = file!("intermediate.pem");
/// For `*.named.example`, by its common name alone.
pub const P256: &str = file!("p256.pem");
pub const P256_KEY: &str = file!("p256.sec1.key");
/// For no names.
pub const P384: &str = file!("p384.pem");
pub const P384_KEY: &str = file!("p384.sec1.key");
/// With [`P256_KEY`], until 2020.
pub const EXPIRED: &str = file!("expired.pem");
