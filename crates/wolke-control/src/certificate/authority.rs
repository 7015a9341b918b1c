//! The authorities that issue managed certificates: a root each, made when it is first asked and kept for ever.
//!
//! Keys and serials are drawn from the transaction, and signatures are those of RFC 6979, which draw nothing: the same seed
//! and the same log give the same certificates again (design §1.5).

use super::KEY_SEAL;
use super::x509::Link;
use crate::core::Core;
use aws_lc_rs::digest::{SHA256, digest};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use std::str::FromStr as _;
use std::time::Duration;
use wolke_domain::certificate::{AuthorityName, VALIDITY_MS, validation};
use wolke_domain::{Error, Result};
use wolke_store::certificate::Issued;
use wolke_store::{Tx, authority};
use wolke_wire::Timestamp;
use wolke_wire::cloud::Secret;
use x509_cert::Certificate;
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::asn1::{BitString, GeneralizedTime, Ia5String, OctetString, UtcTime};
use x509_cert::der::{DateTime, Decode as _, DecodePem as _, Encode as _, EncodePem as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{AsExtension, Extension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

/// `ecdsa-with-SHA256`.
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// `id-kp-serverAuth`.
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
/// The length of a private key on P-256, in bytes.
const KEY_BYTES: usize = 32;
/// How often a key is drawn before something is wrong: one draw in 2^32 is too large.
const DRAWS_MAX: usize = 8;
/// The length of a serial number, in bytes: 126 random bits.
const SERIAL_BYTES: usize = 16;
/// The longest common name (RFC 5280, upper bounds).
const COMMON_NAME_MAX: usize = 64;
/// How much of a digest names a key (RFC 7093).
const KEY_NAME_BYTES: usize = 20;

fn broken(what: impl std::fmt::Display) -> Error {
    Error::internal(format!("X.509: {what}"))
}

/// An authority with its key.
pub(super) struct Issuer {
    certificate: Certificate,
    key: SecretKey,
}

/// An authority, made if need be.
pub(super) fn ensure(tx: &mut dyn Tx, core: &Core, name: AuthorityName) -> Result<Issuer> {
    if let Some(known) = authority::get(tx, name)? {
        let pem = core.sealer.open(KEY_SEAL, &known.sealed)?;
        let certificate = Certificate::from_pem(&known.certificate).map_err(broken)?;
        return Ok(Issuer { certificate, key: SecretKey::from_pkcs8_pem(&pem).map_err(broken)? });
    }
    let purpose = |what: &str| format!("authority_{}_{what}", name.as_str());
    let key = draw_key(tx, &purpose("key"))?;
    let subject = Name::from_str(&format!("CN={},O=Wolke", validation::title(name))).map_err(broken)?;
    let tbs = Tbs { subject: &subject, key: &key, serial: draw_serial(tx, &purpose("serial"))?, validity: for_ever()? };
    let extensions = [
        extension(&BasicConstraints { ca: true, path_len_constraint: Some(0) }, &subject)?,
        extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), &subject)?,
        extension(&SubjectKeyIdentifier(key_name(&key)?), &subject)?,
    ];
    let certificate = tbs.sign(&subject, &key, extensions.into())?;
    let issuer = Issuer { certificate, key };
    let sealed = core.sealer.seal(&mut *tx.random(&purpose("seal")), KEY_SEAL, key_pem(&issuer.key)?.expose())?;
    authority::insert(tx, name, &authority::Authority { certificate: issuer.pem()?, sealed })?;
    Ok(issuer)
}

impl Issuer {
    /// Its own certificate, in PEM.
    pub(super) fn pem(&self) -> Result<String> {
        self.certificate.to_pem(LineEnding::LF).map_err(broken)
    }

    /// Issues a certificate for domains, with a new key, which is returned in PEM.
    pub(super) fn issue(&self, tx: &mut dyn Tx, domains: &[String]) -> Result<(Issued, Secret)> {
        let not_before = tx.now().whole_second();
        // The last second counts (RFC 5280 §4.1.2.5).
        let not_after = not_before.plus_ms(VALIDITY_MS - 1000);
        let key = draw_key(tx, "certificate_key")?;
        let subject = subject(domains)?;
        let validity = Validity { not_before: time(not_before)?, not_after: time(not_after)? };
        let tbs = Tbs { subject: &subject, key: &key, serial: draw_serial(tx, "certificate_serial")?, validity };
        let name = |domain: &String| Ia5String::new(domain).map(GeneralName::DnsName);
        let names = domains.iter().map(name).collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let authority_key = AuthorityKeyIdentifier {
            key_identifier: Some(key_name(&self.key)?),
            authority_cert_issuer: None,
            authority_cert_serial_number: None,
        };
        let extensions = vec![
            extension(&BasicConstraints { ca: false, path_len_constraint: None }, &subject)?,
            extension(&KeyUsage(KeyUsages::DigitalSignature.into()), &subject)?,
            extension(&ExtendedKeyUsage(vec![SERVER_AUTH]), &subject)?,
            extension(&SubjectAltName(names), &subject)?,
            extension(&SubjectKeyIdentifier(key_name(&key)?), &subject)?,
            extension(&authority_key, &subject)?,
        ];
        let certificate = tbs.sign(&self.certificate.tbs_certificate.subject, &self.key, extensions)?;
        let chain = certificate.to_pem(LineEnding::LF).map_err(broken)?;
        let fingerprint = Link::of(certificate).map_err(broken)?.fingerprint();
        Ok((Issued { chain, fingerprint, not_before, not_after }, key_pem(&key)?))
    }
}

/// What is signed, but for what is the same in all.
struct Tbs<'a> {
    subject: &'a Name,
    key: &'a SecretKey,
    serial: SerialNumber,
    validity: Validity,
}

impl Tbs<'_> {
    fn sign(self, issuer: &Name, with: &SecretKey, extensions: Vec<Extension>) -> Result<Certificate> {
        let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_SHA256, parameters: None };
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number: self.serial,
            signature: algorithm.clone(),
            issuer: issuer.clone(),
            validity: self.validity,
            subject: self.subject.clone(),
            subject_public_key_info: public_key(self.key)?,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(extensions),
        };
        let text = tbs_certificate.to_der().map_err(broken)?;
        let signature: DerSignature = SigningKey::from(with).try_sign(&text).map_err(broken)?;
        let signature = BitString::from_bytes(signature.as_bytes()).map_err(broken)?;
        Ok(Certificate { tbs_certificate, signature_algorithm: algorithm, signature })
    }
}

/// The first domain as the common name, where it is short enough.
fn subject(domains: &[String]) -> Result<Name> {
    let fits = domains.first().filter(|domain| domain.len() <= COMMON_NAME_MAX);
    fits.map_or(Ok(Name::default()), |domain| Name::from_str(&format!("CN={domain}")).map_err(broken))
}

fn extension(value: &impl AsExtension, subject: &Name) -> Result<Extension> {
    value.to_extension(subject, &[]).map_err(broken)
}

fn public_key(key: &SecretKey) -> Result<SubjectPublicKeyInfoOwned> {
    let der = key.public_key().to_public_key_der().map_err(broken)?;
    SubjectPublicKeyInfoOwned::from_der(der.as_bytes()).map_err(broken)
}

/// How a key is named in certificates.
fn key_name(key: &SecretKey) -> Result<OctetString> {
    let info = public_key(key)?;
    let digest = digest(&SHA256, info.subject_public_key.raw_bytes());
    OctetString::new(&digest.as_ref()[..KEY_NAME_BYTES]).map_err(broken)
}

fn key_pem(key: &SecretKey) -> Result<Secret> {
    key.to_pkcs8_pem(LineEnding::LF).map(|pem| Secret::new(pem.to_string())).map_err(broken)
}

fn draw_key(tx: &mut dyn Tx, purpose: &str) -> Result<SecretKey> {
    let mut random = tx.random(purpose);
    let mut draw = || {
        let mut bytes = [0_u8; KEY_BYTES];
        random.fill(&mut bytes);
        SecretKey::from_slice(&bytes).ok()
    };
    (0..DRAWS_MAX).find_map(|_| draw()).ok_or_else(|| broken("no key could be drawn"))
}

/// A positive number, always of the same length.
fn draw_serial(tx: &mut dyn Tx, purpose: &str) -> Result<SerialNumber> {
    let mut bytes = [0_u8; SERIAL_BYTES];
    tx.random(purpose).fill(&mut bytes);
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::new(&bytes).map_err(broken)
}

fn time(at: Timestamp) -> Result<Time> {
    let seconds = u64::try_from(at.0.div_euclid(1000)).map_err(broken)?;
    let time = DateTime::from_unix_duration(Duration::from_secs(seconds)).map_err(broken)?;
    // Until 2049 in the short form, which is demanded (RFC 5280 §4.1.2.5).
    let short = UtcTime::from_date_time(time).map(Time::UtcTime);
    Ok(short.unwrap_or_else(|_| Time::GeneralTime(GeneralizedTime::from_date_time(time))))
}

/// World time can be set: a root is valid at all times. The end is the one that means "none" (RFC 5280 §4.1.2.5).
fn for_ever() -> Result<Validity> {
    let end = DateTime::new(9999, 12, 31, 23, 59, 59).map_err(broken)?;
    Ok(Validity { not_before: time(Timestamp(0))?, not_after: Time::GeneralTime(GeneralizedTime::from_date_time(end)) })
}

#[cfg(test)]
mod tests {
    use super::{Time, for_ever, subject, time};
    use wolke_wire::Timestamp;

    #[test]
    fn times_are_short_as_long_as_they_can_be() {
        let of = |text: &str| time(Timestamp::parse(text).unwrap()).unwrap();
        assert!(matches!(of("2049-12-31T23:59:59Z"), Time::UtcTime(_)));
        assert!(matches!(of("2050-01-01T00:00:00Z"), Time::GeneralTime(_)));
        assert_eq!(of("2026-11-21T12:00:00Z").to_string(), "2026-11-21T12:00:00Z");
        let root = for_ever().unwrap();
        assert_eq!(root.not_before.to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(root.not_after.to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn only_short_domains_are_common_names() {
        let of = |domain: &str| subject(&[domain.to_owned()]).unwrap().to_string();
        assert_eq!(of("*.example.com"), "CN=*.example.com");
        assert_eq!(of(&"a".repeat(65)), "");
    }
}
