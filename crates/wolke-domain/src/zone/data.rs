//! The data of records, type by type: what is wrong with a value, and what it means.
//!
//! The canonical form is absolute, lower case where names are, and without needless escapes: values with the same one are
//! the same record.

use super::lex::{Word, words};
use super::{VALUE_BYTES_MAX, name, svcb};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::{Ipv4Addr, Ipv6Addr};
use wolke_wire::cloud::rrset::RrsetType;

/// The longest string in TXT and HINFO data (RFC 1035 §3.3).
pub const STRING_BYTES_MAX: usize = 255;
/// The longest tag of CAA data (RFC 8659 §4.1).
const TAG_LENGTH_MAX: usize = 15;

/// What a value means: its canonical form.
///
/// # Errors
/// What is wrong with it.
pub fn canonical(kind: RrsetType, value: &str, zone: &str) -> Result<String, String> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(format!("must not be longer than {VALUE_BYTES_MAX} bytes"));
    }
    if value.trim() != value {
        return Err("must not begin or end with white space".into());
    }
    let mut fields = Fields { words: words(value)?.into_iter(), zone };
    let canonical = read(kind, &mut fields)?;
    match fields.words.next() {
        None => Ok(canonical),
        Some(word) => Err(format!("has more than {kind} data: '{}'", shown(word.raw))),
    }
}

fn read(kind: RrsetType, fields: &mut Fields<'_>) -> Result<String, String> {
    Ok(match kind {
        RrsetType::A => fields.parsed::<Ipv4Addr>("IPv4 address")?.to_string(),
        RrsetType::Aaaa => fields.parsed::<Ipv6Addr>("IPv6 address")?.to_string(),
        RrsetType::Caa => caa(fields)?,
        RrsetType::Cname | RrsetType::Ns | RrsetType::Ptr => fields.name("name")?,
        RrsetType::Ds => ds(fields)?,
        RrsetType::Hinfo => [fields.string("CPU")?, fields.string("operating system")?].join(" "),
        RrsetType::Https | RrsetType::Svcb => svcb::read(fields)?,
        RrsetType::Mx => [fields.number("preference", u16::MAX.into())?, fields.name("mail exchanger")?].join(" "),
        RrsetType::Rp => [fields.name("mailbox")?, fields.name("name of a text")?].join(" "),
        RrsetType::Soa => soa(fields)?,
        RrsetType::Srv => srv(fields)?,
        RrsetType::Tlsa => tlsa(fields)?,
        RrsetType::Txt => txt(fields)?,
    })
}

/// As much of a wrong word as a message repeats.
pub(super) fn shown(raw: &str) -> String {
    const SHOWN_MAX: usize = 64;
    raw.chars().take(SHOWN_MAX).collect()
}

/// The words of a value, read one after another.
pub(super) struct Fields<'a> {
    words: std::vec::IntoIter<Word<'a>>,
    zone: &'a str,
}

impl<'a> Fields<'a> {
    pub fn next(&mut self, what: &str) -> Result<Word<'a>, String> {
        self.words.next().ok_or_else(|| format!("lacks the {what}"))
    }

    pub fn rest(&mut self) -> impl Iterator<Item = Word<'a>> {
        self.words.by_ref()
    }

    fn parsed<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, String> {
        let word = self.next(what)?;
        word.raw.parse().map_err(|_| format!("has no valid {what}: '{}'", shown(word.raw)))
    }

    /// A number, in digits only.
    pub fn number(&mut self, what: &str, max: u32) -> Result<String, String> {
        let word = self.next(what)?;
        number(word.raw, max)
            .map(|number| number.to_string())
            .ok_or_else(|| format!("has no valid {what}: must be a number from 0 to {max}"))
    }

    pub fn name(&mut self, what: &str) -> Result<String, String> {
        let word = self.next(what)?;
        name::in_data(&word, self.zone).map_err(|fault| format!("has no valid {what}: {fault}"))
    }

    /// A string of up to [`STRING_BYTES_MAX`] bytes, quoted or not; quoted.
    fn string(&mut self, what: &str) -> Result<String, String> {
        string(&self.next(what)?, what)
    }

    /// Bytes in hexadecimal digits, all the words that are left.
    fn hex(&mut self, what: &str) -> Result<String, String> {
        let digits: String = self.rest().map(|word| word.raw.to_ascii_lowercase()).collect();
        if digits.is_empty() || digits.len() % 2 == 1 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("has no valid {what}: must be pairs of hexadecimal digits"));
        }
        Ok(digits)
    }
}

/// A number in digits only, up to a maximum.
pub(super) fn number(text: &str, max: u32) -> Option<u32> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_digits && *number <= max)
}

/// Bytes in base64; none when it is none.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn string(word: &Word<'_>, what: &str) -> Result<String, String> {
    let bytes = word.bytes()?;
    if bytes.len() > STRING_BYTES_MAX {
        return Err(format!("has no valid {what}: must not be longer than {STRING_BYTES_MAX} bytes"));
    }
    Ok(quoted(&bytes))
}

/// Bytes as a quoted string.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:03}")),
        }
    }
    text + "\""
}

fn caa(fields: &mut Fields<'_>) -> Result<String, String> {
    let flags = fields.number("flags", u8::MAX.into())?;
    let tag = fields.next("tag")?.raw.to_ascii_lowercase();
    if tag.len() > TAG_LENGTH_MAX || tag.is_empty() || !tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!("has no valid tag: must be 1 to {TAG_LENGTH_MAX} letters and digits"));
    }
    let bytes = fields.next("value of the property")?.bytes()?;
    let is_issuer = matches!(tag.as_str(), "issue" | "issuewild" | "issuemail");
    if is_issuer && !is_issuer_value(&bytes) {
        return Err(format!(
            "has no valid value of '{tag}': must be the domain of a certificate authority, with parameters behind ';', or ';'"
        ));
    }
    let has_scheme =
        |scheme: &str| bytes.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()));
    if tag == "iodef" && !["mailto:", "http://", "https://"].into_iter().any(has_scheme) {
        return Err("has no valid value of 'iodef': must be a URL that begins with mailto:, http:// or https://".into());
    }
    Ok([flags, tag, quoted(&bytes)].join(" "))
}

/// A domain, parameters, both or neither (RFC 8659 §4.2).
fn is_issuer_value(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (domain, parameters) = text.split_once(';').unwrap_or((text, ""));
    let is_pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, "\0"));
        let is_value = value.bytes().all(|byte| byte.is_ascii_graphic());
        !key.is_empty() && key.trim_end().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && is_value
    };
    let domain = domain.trim();
    (domain.is_empty() || domain.split('.').all(crate::label::is_dns_label))
        && parameters.split(';').map(str::trim).filter(|pair| !pair.is_empty()).all(is_pair)
}

fn ds(fields: &mut Fields<'_>) -> Result<String, String> {
    let (tag, algorithm) = (fields.number("key tag", u16::MAX.into())?, fields.number("algorithm", u8::MAX.into())?);
    let kind = fields.number("digest type", u8::MAX.into())?;
    let digest = fields.hex("digest")?;
    let bytes = match kind.as_str() {
        "1" => Some(20),
        "2" | "3" => Some(32),
        "4" => Some(48),
        _ => None,
    };
    check_length("digest", &digest, bytes)?;
    Ok([tag, algorithm, kind, digest].join(" "))
}

fn tlsa(fields: &mut Fields<'_>) -> Result<String, String> {
    /// Codes that are everybody's own (RFC 7218).
    const PRIVATE: &str = "255";
    let mut numbers = Vec::new();
    for (what, max) in [("usage", 3), ("selector", 1), ("matching type", 2)] {
        let number = fields.number(what, u8::MAX.into())?;
        if number != PRIVATE && number.parse::<u8>().is_ok_and(|number| number > max) {
            return Err(format!("has no valid {what}: must be a number from 0 to {max}, or {PRIVATE}"));
        }
        numbers.push(number);
    }
    let data = fields.hex("certificate association")?;
    let bytes = match numbers.last().map(String::as_str) {
        Some("1") => Some(32),
        Some("2") => Some(64),
        _ => None,
    };
    check_length("certificate association", &data, bytes)?;
    numbers.push(data);
    Ok(numbers.join(" "))
}

fn check_length(what: &str, hex: &str, bytes: Option<usize>) -> Result<(), String> {
    match bytes {
        Some(bytes) if hex.len() != 2 * bytes => Err(format!("has no valid {what}: must be {bytes} bytes long")),
        _ => Ok(()),
    }
}

fn soa(fields: &mut Fields<'_>) -> Result<String, String> {
    let mut texts = vec![fields.name("primary nameserver")?, fields.name("mailbox")?];
    for what in ["serial", "refresh time", "retry time", "expiry time", "minimum TTL"] {
        texts.push(fields.number(what, u32::MAX)?);
    }
    Ok(texts.join(" "))
}

fn srv(fields: &mut Fields<'_>) -> Result<String, String> {
    let mut texts = Vec::new();
    for what in ["priority", "weight", "port"] {
        texts.push(fields.number(what, u16::MAX.into())?);
    }
    texts.push(fields.name("target")?);
    Ok(texts.join(" "))
}

/// The API takes quoted strings only; a zone file's other words are quoted when it is read.
fn txt(fields: &mut Fields<'_>) -> Result<String, String> {
    let mut strings = vec![fields.next("text")?];
    strings.extend(fields.rest());
    let quoted = |word: &Word<'_>| {
        if word.is_quoted() {
            string(word, "string")
        } else {
            Err("must consist of strings in double quotes".to_owned())
        }
    };
    Ok(strings.iter().map(quoted).collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
