//! What somebody uploads: certificate, chain and private key, read and checked.

use super::x509::{self, KeySort, Link};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use wolke_domain::certificate::{CHAIN_BYTES_MAX, KEY_BYTES_MAX};
use wolke_domain::{Error, FieldError, Result};
use wolke_store::certificate::Issued;
use wolke_wire::Timestamp;
use wolke_wire::cloud::Secret;

const CERTIFICATE: &str = "certificate";
const PRIVATE_KEY: &str = "private_key";

/// What was uploaded.
pub(super) struct Uploaded {
    /// What there is to show.
    pub issued: Issued,
    /// The domains that it is for.
    pub domain_names: Vec<String>,
    /// The key, as it was given.
    pub private_key: Secret,
}

impl Uploaded {
    /// A certificate whose time is over is of no use to anybody. One that is not valid yet may be brought early.
    ///
    /// # Errors
    /// `invalid_input` on `certificate`.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<()> {
        let end = self.issued.not_after;
        if end > now { Ok(()) } else { Err(Error::invalid(CERTIFICATE, format!("has expired at {end}"))) }
    }
}

/// Reads an upload: what can be said of it at any time.
///
/// # Errors
/// What is wrong with certificate and key.
pub(super) fn read(chain: &str, key: &Secret) -> std::result::Result<Uploaded, Vec<FieldError>> {
    let required = |text: &str| if text.is_empty() { Err("is required for type uploaded".to_owned()) } else { Ok(()) };
    let links = required(chain).and_then(|()| read_chain(chain));
    let private = required(key.expose()).and_then(|()| read_key(key.expose()));
    let (links, private) = match (links, private) {
        (Ok(links), Ok(private)) => (links, private),
        (links, private) => {
            let wrong = [(CERTIFICATE, links.err()), (PRIVATE_KEY, private.err())];
            return Err(wrong.into_iter().filter_map(|(name, fault)| Some(FieldError::new(name, fault?))).collect());
        }
    };
    let Some(own) = links.first() else {
        return Err(vec![FieldError::new(CERTIFICATE, "must hold a certificate in PEM")]);
    };
    if !private.fits(own) {
        return Err(vec![FieldError::new(PRIVATE_KEY, "does not belong to the certificate")]);
    }
    let (not_before, not_after) = own.validity();
    let issued = Issued { chain: chain.to_owned(), fingerprint: own.fingerprint(), not_before, not_after };
    Ok(Uploaded { issued, domain_names: own.domain_names(), private_key: key.clone() })
}

fn read_chain(chain: &str) -> std::result::Result<Vec<Link>, String> {
    if chain.len() > CHAIN_BYTES_MAX {
        return Err(format!("must not be longer than {CHAIN_BYTES_MAX} bytes"));
    }
    let links = x509::read_chain(chain)?;
    let own = links.first().ok_or("must hold a certificate in PEM")?;
    own.key_sort().ok_or("must have an RSA key or an ECDSA key on P-256, P-384 or P-521")?;
    let (not_before, not_after) = own.validity();
    if not_before > not_after {
        return Err("ends before it begins".into());
    }
    x509::check_order(&links)?;
    Ok(links)
}

/// A private key, as far as it tells which certificate it belongs to.
struct Private {
    sort: KeySort,
    public: Vec<u8>,
}

impl Private {
    fn fits(&self, link: &Link) -> bool {
        link.key_sort() == Some(self.sort) && link.public_key() == self.public
    }
}

const CURVES: [(KeySort, &EcdsaSigningAlgorithm); 3] = [
    (KeySort::P256, &ECDSA_P256_SHA256_ASN1_SIGNING),
    (KeySort::P384, &ECDSA_P384_SHA384_ASN1_SIGNING),
    (KeySort::P521, &ECDSA_P521_SHA512_ASN1_SIGNING),
];

/// Reads a private key in the forms that there are: PKCS#8, PKCS#1 (RSA) and SEC 1 (ECDSA). Nothing of it gets into a message.
fn read_key(pem: &str) -> std::result::Result<Private, String> {
    if pem.len() > KEY_BYTES_MAX {
        return Err(format!("must not be longer than {KEY_BYTES_MAX} bytes"));
    }
    if pem.contains("ENCRYPTED") {
        return Err("must not be encrypted".into());
    }
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "must be a private key in PEM: PKCS#8, PKCS#1 or SEC 1".to_owned())?;
    let rsa = |key: rsa::KeyPair| Private { sort: KeySort::Rsa, public: key.public_key().as_ref().to_vec() };
    let on_curve = |read: &dyn Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>| {
        CURVES.into_iter().find_map(|(sort, curve)| {
            let key = read(curve)?;
            Some(Private { sort, public: key.public_key().as_ref().to_vec() })
        })
    };
    let read = match &der {
        PrivateKeyDer::Pkcs1(key) => rsa::KeyPair::from_der(key.secret_pkcs1_der()).ok().map(rsa),
        PrivateKeyDer::Sec1(key) => {
            on_curve(&|curve| EcdsaKeyPair::from_private_key_der(curve, key.secret_sec1_der()).ok())
        }
        PrivateKeyDer::Pkcs8(key) => {
            let der = key.secret_pkcs8_der();
            let on_curve = on_curve(&|curve| EcdsaKeyPair::from_pkcs8(curve, der).ok());
            on_curve.or_else(|| rsa::KeyPair::from_pkcs8(der).ok().map(rsa))
        }
        _ => None,
    };
    read.ok_or_else(|| "must be an RSA key of 2048 to 8192 bits or an ECDSA key on P-256, P-384 or P-521".into())
}

#[cfg(test)]
mod tests;
