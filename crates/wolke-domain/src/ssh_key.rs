//! OpenSSH public keys: reading a line, and what makes two keys the same (fact sheet §3.11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::FieldError;

/// The longest accepted line, in bytes: several times that of the largest key.
pub const PUBLIC_KEY_LENGTH_MAX: usize = 16_384;

/// The smallest RSA modulus in bits that OpenSSH still accepts.
pub const RSA_BITS_MIN: usize = 1024;

/// The largest RSA modulus in bits that OpenSSH accepts.
pub const RSA_BITS_MAX: usize = 16_384;

/// A public key.
///
/// **Invariant:** `blob` is well-formed wire format (RFC 4253 §6.6) whose inner type is `algorithm`. Two keys are the
/// same exactly when their blobs are; the comment does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `ssh-ed25519`, …
    pub algorithm: &'static str,
    /// The key itself.
    pub blob: Vec<u8>,
    /// What stood behind the key, possibly nothing.
    pub comment: String,
}

impl PublicKey {
    /// Reads one line: type, base64, optional comment.
    ///
    /// # Errors
    /// The field `public_key` with the first thing that is wrong.
    pub fn parse(line: &str) -> Result<Self, FieldError> {
        parse(line).map_err(|fault| FieldError::new("public_key", fault))
    }

    /// MD5 of the blob as `b7:2f:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let octets: Vec<String> = Md5::digest(&self.blob).iter().map(|byte| format!("{byte:02x}")).collect();
        octets.join(":")
    }

    /// The line without its comment: the same for every spelling of the same key.
    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{} {}", self.algorithm, STANDARD.encode(&self.blob))
    }
}

/// What follows the type in a blob.
#[derive(Clone, Copy)]
enum Layout {
    /// Exponent and modulus.
    Rsa,
    /// A point of 32 bytes.
    Ed25519,
    /// The curve's name and an uncompressed point of so many bytes.
    Ecdsa(&'static str, usize),
}

/// The accepted types, their layouts, and whether the name of an application follows (security keys).
const ALGORITHMS: &[(&str, Layout, bool)] = &[
    ("ssh-ed25519", Layout::Ed25519, false),
    ("ssh-rsa", Layout::Rsa, false),
    ("ecdsa-sha2-nistp256", Layout::Ecdsa("nistp256", 65), false),
    ("ecdsa-sha2-nistp384", Layout::Ecdsa("nistp384", 97), false),
    ("ecdsa-sha2-nistp521", Layout::Ecdsa("nistp521", 133), false),
    ("sk-ssh-ed25519@openssh.com", Layout::Ed25519, true),
    ("sk-ecdsa-sha2-nistp256@openssh.com", Layout::Ecdsa("nistp256", 65), true),
];

fn parse(line: &str) -> Result<PublicKey, &'static str> {
    if line.len() > PUBLIC_KEY_LENGTH_MAX {
        return Err("is too long");
    }
    let line = line.trim();
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("must be a single line");
    }
    let mut words = line.splitn(2, [' ', '\t']);
    let name = words.next().unwrap_or_default();
    let rest = words.next().unwrap_or_default().trim_start();
    let (encoded, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    if name == "ssh-dss" {
        return Err("DSA keys are not supported any more");
    }
    let Some((algorithm, layout, with_application)) = ALGORITHMS.iter().copied().find(|(known, ..)| *known == name)
    else {
        return Err("must be an SSH public key in OpenSSH format of a supported type");
    };
    let blob = STANDARD.decode(encoded).map_err(|_| "the key is not valid base64")?;
    check_blob(&blob, algorithm, layout, with_application)?;
    Ok(PublicKey { algorithm, blob, comment: comment.trim().to_owned() })
}

fn check_blob(blob: &[u8], algorithm: &str, layout: Layout, with_application: bool) -> Result<(), &'static str> {
    const TRUNCATED: &str = "the key data is incomplete";
    let mut rest = blob;
    if take(&mut rest).ok_or(TRUNCATED)? != algorithm.as_bytes() {
        return Err("the key data is of another type than the line says");
    }
    match layout {
        Layout::Ed25519 => {
            if take(&mut rest).ok_or(TRUNCATED)?.len() != 32 {
                return Err("the key has a wrong length");
            }
        }
        Layout::Ecdsa(curve, length) => {
            if take(&mut rest).ok_or(TRUNCATED)? != curve.as_bytes() {
                return Err("the key data names another curve than the line");
            }
            let point = take(&mut rest).ok_or(TRUNCATED)?;
            // 4 marks an uncompressed point (SEC 1 §2.3.3), the only form that OpenSSH knows.
            if point.len() != length || point.first() != Some(&4) {
                return Err("the key has a wrong length");
            }
        }
        Layout::Rsa => {
            let exponent = bits(take(&mut rest).ok_or(TRUNCATED)?);
            let modulus = bits(take(&mut rest).ok_or(TRUNCATED)?);
            if exponent.is_none_or(|bits| bits < 2)
                || !modulus.is_some_and(|b| (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&b))
            {
                return Err("RSA keys must have 1024 to 16384 bits");
            }
        }
    }
    if with_application && take(&mut rest).ok_or(TRUNCATED)?.is_empty() {
        return Err("the security key names no application");
    }
    if rest.is_empty() { Ok(()) } else { Err("there is more data behind the key") }
}

/// Takes a string of the wire format: four bytes of length, then so many bytes.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (text, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = tail;
    Some(text)
}

/// The length in bits of a positive `mpint` in its shortest form; `None` for anything else, so that one number has
/// one encoding and one key one blob.
fn bits(mpint: &[u8]) -> Option<usize> {
    let (first, tail) = mpint.split_first()?;
    match (first, tail.first()) {
        // A leading zero byte is there exactly when the next one looks negative.
        (0, Some(next)) if *next >= 0x80 => Some(tail.len() * 8),
        (1..=0x7f, _) => Some(tail.len() * 8 + 8 - usize::try_from(first.leading_zeros()).ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{PUBLIC_KEY_LENGTH_MAX, PublicKey, STANDARD};
    use base64::Engine;

    /// Made by `ssh-keygen` for these tests (the last two from its keys); fingerprints as `ssh-keygen -E md5 -l` shows.
    const KEYS: &[(&str, &str, &str)] = &[
        (
            "ssh-rsa",
            "AAAAB3NzaC1yc2EAAAADAQABAAABAQC+GFIrjtDufUR1+dbMyfD7sYApCoh2jUZnZTz0r3YKqVpgS8QXthNcWtjD6MgD4HXhI9dMjdELzo+ZUc+LAni9NEs5UimqSjFtGyNsf9u2aQojLWA0oZXzVicXhBrZ2qNU5Y3kx6QNh9QHSVnVk3VzBsUHQYdlNo7t2eCG0eVjaSxdq4cezgKP1gHVbOyv6+w3m+HUJBnKDgUU6OWV8MzftKNF4Vzhl4FGG7V8I8aU0/OMmGQ/fYZXBDSzs2Z512M0LnV3ONwf3SXoz1/MNBdQYv8hLntDRqnERRMwJ8mv/+bA9zconv+8rO9Vt8XAViB83AGv0DTKTO8uwm0ZL9jN",
            "01:92:36:f9:f9:78:1d:70:89:2d:4f:b5:12:9c:f9:6c",
        ),
        (
            "ssh-ed25519",
            "AAAAC3NzaC1lZDI1NTE5AAAAIH8Mv9AFG2eOPP4Tm/QkbEX8jtu+3hq37Zvi9MIR50Mk",
            "0b:6d:42:3d:0b:63:bf:89:60:01:0d:c0:07:13:df:68",
        ),
        (
            "ecdsa-sha2-nistp256",
            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEKt7K/9KRj6MbVBgHHZcZO6QxwFDZsUZDPDteU/4Umyy0+vMYeqLraFpyoOgWcOpWO50OZhbdRnDC2Lcxlqs/Y=",
            "9c:5d:4e:8b:65:4d:09:15:54:6c:dc:e6:4c:04:eb:8f",
        ),
        (
            "ecdsa-sha2-nistp384",
            "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBJEqh+/dXM1+F0JUvKi98KhOj9AN3WgEu49YzY8HtnCBbPXWbTRYuoLV894fh1NthJPr3ebE/HwsWgtDjkd3A3WQgSBgFvQBli/vw78jYWy09vOJYJFAAzwAftRk7Z1U1A==",
            "54:db:26:66:8f:15:59:aa:8f:37:a8:b4:18:0e:b7:20",
        ),
        (
            "ecdsa-sha2-nistp521",
            "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBABypcy3rGLabpu7rRKljzRJp6zyO6A43WWfv1Rmx5j4n6JKUIxyKNBXMQR7SkobYKwXpd6ovbrh494ZCIiplGqltQCJX11vXNLACHN4qBIFX/wm+77osbfVMzX2eGZLr3Dwbwvsk8i2AoniqQZXCZjD7q0Pmcx4J3zljdxJui2pwGQaeg==",
            "99:b9:9e:bf:33:cf:35:a9:c5:f6:0a:66:47:b0:1a:f2",
        ),
        (
            "sk-ssh-ed25519@openssh.com",
            "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIH8Mv9AFG2eOPP4Tm/QkbEX8jtu+3hq37Zvi9MIR50MkAAAABHNzaDo=",
            "92:22:b6:3a:d9:a1:f5:97:f9:60:04:ed:75:e5:55:d5",
        ),
        (
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBEKt7K/9KRj6MbVBgHHZcZO6QxwFDZsUZDPDteU/4Umyy0+vMYeqLraFpyoOgWcOpWO50OZhbdRnDC2Lcxlqs/YAAAAEc3NoOg==",
            "29:dc:6b:20:5a:9f:ec:ef:ed:89:82:51:aa:7a:de:6d",
        ),
    ];

    fn fault(line: &str) -> String {
        let error = PublicKey::parse(line).unwrap_err();
        assert_eq!(error.name, "public_key");
        error.messages.join("; ")
    }

    fn with_blob(algorithm: &str, change: impl Fn(&mut Vec<u8>)) -> String {
        let (name, encoded, _) = KEYS.iter().find(|key| key.0 == algorithm).unwrap();
        let mut blob = STANDARD.decode(encoded).unwrap();
        change(&mut blob);
        fault(&format!("{name} {}", STANDARD.encode(blob)))
    }

    #[test]
    fn every_type_and_its_fingerprint() {
        for (name, encoded, fingerprint) in KEYS {
            let key = PublicKey::parse(&format!("  {name} \t{encoded}  me@host  \n")).unwrap();
            assert_eq!((key.algorithm, key.comment.as_str()), (*name, "me@host"));
            assert_eq!(key.fingerprint(), *fingerprint);
            assert_eq!(key.canonical(), format!("{name} {encoded}"));
            let bare = PublicKey::parse(&key.canonical()).unwrap();
            assert_eq!(bare.blob, key.blob);
        }
    }

    #[test]
    fn lines_that_are_no_keys() {
        let (name, encoded, _) = KEYS[1];
        for (line, reason) in [
            (String::new(), "OpenSSH format"),
            ("ssh-rsa AAAjjk76kgf...Xt".into(), "base64"),
            (format!("{name} "), "incomplete"),
            (format!("ssh-dss {encoded}"), "DSA"),
            (format!("ssh-rsa {encoded}"), "another type"),
            (format!("no-pty {name} {encoded}"), "OpenSSH format"),
            (format!("{name} {encoded}\n{name} {encoded}"), "single line"),
            (format!("{name} {}", "A".repeat(PUBLIC_KEY_LENGTH_MAX)), "too long"),
        ] {
            assert!(fault(&line).contains(reason), "{line}: {}", fault(&line));
        }
    }

    #[test]
    fn blobs_that_are_no_keys() {
        for (name, ..) in KEYS {
            assert!(with_blob(name, |blob| blob.push(0)).contains("more data"), "{name}");
            assert!(with_blob(name, |blob| blob.truncate(blob.len() - 1)).contains("incomplete"), "{name}");
        }
        let cut = |blob: &mut Vec<u8>| {
            blob.pop();
            blob[18] = 31;
        };
        assert!(with_blob("ssh-ed25519", cut).contains("wrong length"));
        assert!(with_blob("ecdsa-sha2-nistp256", |blob| blob[39] = 3).contains("wrong length"));
        assert!(with_blob("ecdsa-sha2-nistp256", |blob| blob[34] = b'7').contains("another curve"));
        // A modulus of 2048 bits whose leading zero is missing would be negative.
        assert!(with_blob("ssh-rsa", |blob| blob[22] = 0xff).contains("bits"));
    }
}
