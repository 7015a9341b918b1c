//! Reading X.509 certificates: PEM, chains, signatures, names, keys. Pure functions over bytes.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use wolke_domain::certificate::{CHAIN_LENGTH_MAX, NAMES_SHOWN_MAX, fingerprint};
use wolke_wire::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

/// Object identifiers of what is signed with, and of keys and curves.
mod oid {
    use super::ObjectIdentifier;
    pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    pub(super) const RSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
    pub(super) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
    pub(super) const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
    pub(super) const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
    pub(super) const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
    pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    pub(super) const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
    pub(super) const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
    pub(super) const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
    pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
    pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
    pub(super) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
}

/// What begins a section of PEM.
const BEGIN: &str = "-----BEGIN ";

/// The sort of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySort {
    Rsa,
    P256,
    P384,
    P521,
}

/// A certificate with the bytes that it was read from.
#[derive(Debug)]
pub(super) struct Link {
    der: Vec<u8>,
    parsed: Certificate,
}

/// Reads the certificates of a PEM text, in their order.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn read_chain(pem: &str) -> Result<Vec<Link>, String> {
    // Whatever else stands there would be shown again, and might be a key.
    let sections = pem.matches(BEGIN).count();
    let mut links = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let (kind, der) = section.map_err(|e| format!("is no valid PEM: {e}"))?;
        if kind != SectionKind::Certificate {
            return Err("must hold certificates only".into());
        }
        if links.len() == CHAIN_LENGTH_MAX {
            return Err(format!("must not hold more than {CHAIN_LENGTH_MAX} certificates"));
        }
        let number = links.len() + 1;
        let parsed =
            Certificate::from_der(&der).map_err(|e| format!("holds no X.509 certificate at position {number}: {e}"))?;
        links.push(Link { der, parsed });
    }
    match links.len() {
        0 => Err("must hold a certificate in PEM".into()),
        read if read != sections => Err("must hold certificates only".into()),
        _ => Ok(links),
    }
}

/// Checks that each certificate certifies the one before (dialects D.1).
///
/// # Errors
/// The first that does not.
pub(super) fn check_order(chain: &[Link]) -> Result<(), String> {
    for (position, pair) in chain.windows(2).enumerate() {
        let [one, issuer] = pair else { continue };
        if !issuer.certifies(one) {
            return Err(format!(
                "certificate {} of the chain does not certify certificate {}",
                position + 2,
                position + 1
            ));
        }
    }
    Ok(())
}

impl Link {
    /// Whether it has signed another one, as a certificate authority.
    fn certifies(&self, other: &Self) -> bool {
        let is_authority = self.extension::<BasicConstraints>().is_none_or(|constraints| constraints.ca);
        let tbs = &self.parsed.tbs_certificate;
        is_authority && tbs.subject == other.parsed.tbs_certificate.issuer && self.has_signed(other)
    }

    fn has_signed(&self, other: &Self) -> bool {
        let Some(tbs) = signed_part(&other.der) else { return false };
        let Some(signature) = other.parsed.signature.as_bytes() else { return false };
        let key = self.public_key();
        let algorithm = &other.parsed.signature_algorithm.oid;
        let fits = |with: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*with, key).verify(tbs, signature).is_ok()
        };
        algorithms(algorithm, self.key_sort()).iter().any(fits)
    }

    fn extension<T>(&self) -> Option<T>
    where
        T: for<'a> x509_cert::der::Decode<'a> + x509_cert::der::oid::AssociatedOid,
    {
        self.parsed.tbs_certificate.get::<T>().ok().flatten().map(|(_, value)| value)
    }

    /// The bytes of its public key, as its sort writes them.
    pub(super) fn public_key(&self) -> &[u8] {
        self.parsed.tbs_certificate.subject_public_key_info.subject_public_key.raw_bytes()
    }

    /// The sort of its key; none of those that servers here cannot use.
    pub(super) fn key_sort(&self) -> Option<KeySort> {
        let algorithm = &self.parsed.tbs_certificate.subject_public_key_info.algorithm;
        if algorithm.oid == oid::RSA {
            return Some(KeySort::Rsa);
        }
        let curve: ObjectIdentifier = algorithm.parameters.as_ref()?.decode_as().ok()?;
        let sorts = [(oid::P256, KeySort::P256), (oid::P384, KeySort::P384), (oid::P521, KeySort::P521)];
        let known = sorts.into_iter().find(|(known, _)| *known == curve && algorithm.oid == oid::EC);
        known.map(|(_, sort)| sort)
    }

    /// The domains that it is for: those of its alternative names, else its common name.
    pub(super) fn domain_names(&self) -> Vec<String> {
        let names = self.extension::<SubjectAltName>().map(|names| names.0).unwrap_or_default();
        let mut domains: Vec<String> = Vec::new();
        for name in names {
            if let GeneralName::DnsName(domain) = name
                && domains.len() < NAMES_SHOWN_MAX
                && !domains.iter().any(|known| known == domain.as_str())
            {
                domains.push(domain.as_str().to_owned());
            }
        }
        if domains.is_empty() { self.common_name().into_iter().collect() } else { domains }
    }

    /// Its common name, if that is a domain.
    fn common_name(&self) -> Option<String> {
        let subject = &self.parsed.tbs_certificate.subject;
        let mut parts = subject.0.iter().flat_map(|part| part.0.iter());
        let value = &parts.find(|attribute| attribute.oid == oid::COMMON_NAME)?.value;
        let text = Utf8StringRef::try_from(value).map(|text| text.as_str().to_owned());
        let text = text.ok().or_else(|| String::from_utf8(value.value().to_vec()).ok())?;
        let domain = text.strip_prefix("*.").unwrap_or(&text);
        (domain.contains('.') && wolke_domain::name::host_name("", domain).is_ok()).then_some(text)
    }

    /// From when on and until when it is valid.
    pub(super) fn validity(&self) -> (Timestamp, Timestamp) {
        let validity = &self.parsed.tbs_certificate.validity;
        let time = |time: x509_cert::time::Time| {
            Timestamp(i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX))
        };
        (time(validity.not_before), time(validity.not_after))
    }

    /// Its fingerprint as the contract shows it.
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(digest(&SHA256, &self.der).as_ref())
    }

    /// Of one that was made here.
    pub(super) fn of(parsed: Certificate) -> x509_cert::der::Result<Self> {
        Ok(Self { der: parsed.to_der()?, parsed })
    }
}

/// The first element of a certificate, which is what its signature is about.
fn signed_part(der: &[u8]) -> Option<&[u8]> {
    let mut outer = SliceReader::new(der).ok()?;
    x509_cert::der::Header::decode(&mut outer).ok()?;
    outer.tlv_bytes().ok()
}

/// How a signature with an algorithm and a sort of key can be verified.
fn algorithms(algorithm: &ObjectIdentifier, key: Option<KeySort>) -> &'static [&'static dyn VerificationAlgorithm] {
    use signature as s;
    match (*algorithm, key) {
        (oid::RSA_SHA1, Some(KeySort::Rsa)) => &[&s::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY],
        (oid::RSA_SHA256, Some(KeySort::Rsa)) => &[&s::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY],
        (oid::RSA_SHA384, Some(KeySort::Rsa)) => &[&s::RSA_PKCS1_2048_8192_SHA384],
        (oid::RSA_SHA512, Some(KeySort::Rsa)) => &[&s::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY],
        (oid::RSA_PSS, Some(KeySort::Rsa)) => {
            &[&s::RSA_PSS_2048_8192_SHA256, &s::RSA_PSS_2048_8192_SHA384, &s::RSA_PSS_2048_8192_SHA512]
        }
        (oid::ECDSA_SHA256, Some(KeySort::P256)) => &[&s::ECDSA_P256_SHA256_ASN1],
        (oid::ECDSA_SHA384, Some(KeySort::P256)) => &[&s::ECDSA_P256_SHA384_ASN1],
        (oid::ECDSA_SHA512, Some(KeySort::P256)) => &[&s::ECDSA_P256_SHA512_ASN1],
        (oid::ECDSA_SHA256, Some(KeySort::P384)) => &[&s::ECDSA_P384_SHA256_ASN1],
        (oid::ECDSA_SHA384, Some(KeySort::P384)) => &[&s::ECDSA_P384_SHA384_ASN1],
        (oid::ECDSA_SHA512, Some(KeySort::P384)) => &[&s::ECDSA_P384_SHA512_ASN1],
        (oid::ECDSA_SHA256, Some(KeySort::P521)) => &[&s::ECDSA_P521_SHA256_ASN1],
        (oid::ECDSA_SHA384, Some(KeySort::P521)) => &[&s::ECDSA_P521_SHA384_ASN1],
        (oid::ECDSA_SHA512, Some(KeySort::P521)) => &[&s::ECDSA_P521_SHA512_ASN1],
        (oid::ED25519, None) => &[&s::ED25519],
        _ => &[],
    }
}
