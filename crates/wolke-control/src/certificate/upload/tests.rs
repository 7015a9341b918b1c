//! Uploads that are read, and those that are not. The files: `tests/certificates/README.md`.

use super::{Uploaded, read};
use wolke_domain::certificate::{CHAIN_BYTES_MAX, CHAIN_LENGTH_MAX, KEY_BYTES_MAX};
use wolke_wire::Timestamp;
use wolke_wire::cloud::Secret;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/", $name))
    };
}

const RSA: &str = file!("rsa.pem");
const INTERMEDIATE: &str = file!("intermediate.pem");
const ROOT: &str = file!("root.pem");
const RSA_KEY: &str = file!("rsa.pkcs8.key");

fn of(chain: &str, key: &str) -> Result<Uploaded, Vec<(String, String)>> {
    let shown = |field: wolke_domain::FieldError| (field.name, field.messages.join(", "));
    read(chain, &Secret::new(key.to_owned())).map_err(|wrong| wrong.into_iter().map(shown).collect())
}

/// The one field that is wrong, and why.
fn fault(chain: &str, key: &str) -> (String, String) {
    let Err(mut wrong) = of(chain, key) else { panic!("it was read") };
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    wrong.remove(0)
}

#[test]
fn chains_and_keys_of_every_form_are_read() {
    let whole = [RSA, INTERMEDIATE, ROOT].concat();
    for key in [RSA_KEY, file!("rsa.pkcs1.key")] {
        let read = of(&whole, key).unwrap();
        assert_eq!(read.domain_names, ["example.com", "www.example.com"]);
        assert_eq!(read.issued.chain, whole, "as it was given");
        assert_eq!(
            read.issued.fingerprint,
            "9F:38:2E:9C:EB:5F:43:E8:AF:BF:6F:A1:69:07:FD:A0:BD:08:16:DA:41:84:F9:86:48:95:15:72:75:CC:A1:8D"
        );
        let time = |text| Timestamp::parse(text).unwrap();
        assert_eq!(read.issued.not_before, time("2026-01-01T00:00:00Z"));
        assert_eq!(read.issued.not_after, time("2076-01-01T00:00:00Z"));
        read.check_time(time("2075-12-31T23:59:59Z")).unwrap();
        assert_eq!(read.check_time(time("2076-01-01T00:00:00Z")).unwrap_err().code().as_str(), "invalid_input");
    }
    for key in [file!("p256.sec1.key"), file!("p256.pkcs8.key")] {
        assert_eq!(of(file!("p256.pem"), key).unwrap().domain_names, ["*.named.example"]);
    }
    assert!(of(file!("p384.pem"), file!("p384.sec1.key")).unwrap().domain_names.is_empty());
    assert_eq!(of(file!("p521.pem"), file!("p521.sec1.key")).unwrap().domain_names, ["large.example"]);
    of(&[RSA, INTERMEDIATE].concat(), RSA_KEY).unwrap();
    of(&format!("subject=nobody\n{RSA}\nand so on\n"), RSA_KEY).unwrap();
    of(&RSA.replace('\n', "\r\n"), RSA_KEY).unwrap();
}

#[test]
fn a_chain_is_in_order() {
    let order = |links: &[&str]| fault(&links.concat(), RSA_KEY);
    let swapped = order(&[RSA, ROOT, INTERMEDIATE]);
    assert_eq!(swapped, ("certificate".into(), "certificate 2 of the chain does not certify certificate 1".into()));
    assert_eq!(
        order(&[RSA, INTERMEDIATE, file!("p256.pem")]).1,
        "certificate 3 of the chain does not certify certificate 2"
    );
    assert_eq!(order(&[RSA, RSA]).1, "certificate 2 of the chain does not certify certificate 1");
    let long = [RSA, INTERMEDIATE, ROOT].into_iter().chain([ROOT; CHAIN_LENGTH_MAX]).collect::<Vec<_>>();
    assert_eq!(order(&long).1, format!("must not hold more than {CHAIN_LENGTH_MAX} certificates"));
}

/// The name of the issuer is right and the signature is not.
#[test]
fn a_forged_signature_is_found() {
    use x509_cert::Certificate;
    use x509_cert::der::asn1::BitString;
    use x509_cert::der::{DecodePem as _, EncodePem as _, pem::LineEnding};
    let mut forged = Certificate::from_pem(RSA).unwrap();
    let mut bytes = forged.signature.raw_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    forged.signature = BitString::from_bytes(&bytes).unwrap();
    let chain = [forged.to_pem(LineEnding::LF).unwrap().as_str(), INTERMEDIATE].concat();
    assert_eq!(fault(&chain, RSA_KEY).1, "certificate 2 of the chain does not certify certificate 1");
}

#[test]
fn nothing_but_certificates_is_kept() {
    for other in [RSA_KEY, file!("encrypted.key"), file!("rsa.pkcs1.key"), "-----BEGIN X-----\nAAAA\n-----END X-----\n"]
    {
        assert_eq!(
            fault(&[RSA, other].concat(), RSA_KEY),
            ("certificate".into(), "must hold certificates only".into())
        );
    }
    assert_eq!(fault("nothing", RSA_KEY).1, "must hold a certificate in PEM");
    let broken = RSA.replace("-----END CERTIFICATE-----", "");
    assert!(fault(&broken, RSA_KEY).1.starts_with("is no valid PEM"));
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(fault(empty, RSA_KEY).1.starts_with("holds no X.509 certificate at position 1"));
    let long = " ".repeat(CHAIN_BYTES_MAX + 1);
    assert_eq!(fault(&long, RSA_KEY).1, format!("must not be longer than {CHAIN_BYTES_MAX} bytes"));
}

#[test]
fn a_key_must_be_one_of_the_certificate() {
    let other = ("private_key".to_owned(), "does not belong to the certificate".to_owned());
    assert_eq!(fault(RSA, file!("p256.sec1.key")), other);
    assert_eq!(fault(file!("p256.pem"), RSA_KEY), other);
    assert_eq!(fault(file!("p256.pem"), file!("p384.sec1.key")), other);
    assert_eq!(fault(RSA, file!("encrypted.key")), ("private_key".into(), "must not be encrypted".into()));
    for bad in ["nothing", RSA, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", file!("rsa1024.key")]
    {
        assert!(fault(RSA, bad).1.starts_with("must be"), "{bad}");
    }
    assert_eq!(fault(RSA, &" ".repeat(KEY_BYTES_MAX + 1)).1, format!("must not be longer than {KEY_BYTES_MAX} bytes"));
    assert_eq!(fault(file!("ed25519.pem"), RSA_KEY).0, "certificate");
}

#[test]
fn everything_wrong_is_named_at_once() {
    let Err(wrong) = of("", "") else { panic!("it was read") };
    let names: Vec<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["certificate", "private_key"]);
    assert!(of("x", "x").is_err_and(|wrong| wrong.len() == 2));
}
