//! Names of zones, of sets, and in the data of records.

use super::APEX;
use super::lex::{Word, unescape};
use super::punycode::decode as punycode;
use crate::FieldError;

/// The longest name with its dots, without one at the end (RFC 1035 §2.3.4: 255 bytes with all lengths).
pub const NAME_LENGTH_MAX: usize = 253;
/// The longest part of a name.
pub const LABEL_LENGTH_MAX: usize = 63;
/// Bytes of a name as it is sent, with the length of each part and of the root.
const WIRE_BYTES_MAX: usize = 255;
/// How internationalized parts begin (RFC 5890).
const ACE_PREFIX: &str = "xn--";

/// Second levels under which countries register names, as in `co.uk`: with them a zone has three parts. An
/// approximation of the list of public suffixes (decision 0012).
const SECOND_LEVELS: &[&str] = &[
    "ab",
    "ac",
    "ad",
    "adm",
    "adv",
    "art",
    "asn",
    "asso",
    "biz",
    "blog",
    "co",
    "com",
    "cri",
    "ed",
    "edu",
    "eng",
    "fam",
    "fin",
    "firm",
    "gen",
    "geek",
    "go",
    "gob",
    "gop",
    "gouv",
    "gov",
    "govt",
    "gr",
    "health",
    "id",
    "idv",
    "in",
    "ind",
    "inf",
    "info",
    "int",
    "iwi",
    "kiwi",
    "law",
    "lg",
    "ltd",
    "maori",
    "me",
    "med",
    "mil",
    "mob",
    "muni",
    "name",
    "ne",
    "net",
    "ngo",
    "nhs",
    "nic",
    "nom",
    "ns",
    "or",
    "org",
    "parliament",
    "plc",
    "police",
    "pp",
    "pro",
    "pub",
    "re",
    "res",
    "sc",
    "sch",
    "school",
    "tm",
    "tv",
    "vet",
    "web",
];

/// The name of a zone: lower case, Punycode, no dot at the end, a domain right below a public suffix.
///
/// # Errors
/// The field with what is wrong.
pub fn zone_name(field: &str, name: &str) -> Result<(), FieldError> {
    zone_fault(name).map_or(Ok(()), |fault| Err(FieldError::new(field, fault)))
}

fn zone_fault(name: &str) -> Option<String> {
    if let Some(fault) = spelling_fault(name) {
        return Some(fault.into());
    }
    if name.len() > NAME_LENGTH_MAX {
        return Some(format!("must not be longer than {NAME_LENGTH_MAX} characters"));
    }
    let labels: Vec<&str> = name.split('.').collect();
    if let Some(fault) = labels.iter().find_map(|label| label_fault(label)) {
        return Some(fault);
    }
    let is_host = |label: &&str| !label.starts_with('-') && !label.ends_with('-') && !label.contains(['_', '*']);
    if !labels.iter().all(is_host) {
        return Some("must consist of letters, digits and '-', and no part may begin or end with '-'".into());
    }
    match labels.as_slice() {
        [_, top] | [_, _, top] if top.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some("must end with a public suffix such as .com or .co.uk".into())
        }
        [_, _] => None,
        [_, second, top] if top.len() == 2 && SECOND_LEVELS.contains(second) => None,
        [_] => Some("must be a domain below a public suffix such as .com or .co.uk".into()),
        _ => Some(
            "must be a domain right below a public suffix such as .com or .co.uk: subdomains are not supported".into(),
        ),
    }
}

/// What is wrong with how any name is spelled.
fn spelling_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("must not be empty")
    } else if !name.is_ascii() {
        Some("must be transcribed to Punycode (xn--…) where it has other characters than those of ASCII")
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("must be in lower case")
    } else if name.ends_with('.') {
        Some("must not end with a dot")
    } else {
        None
    }
}

/// What is wrong with one part of the name of a zone or set.
fn label_fault(label: &str) -> Option<String> {
    if label.is_empty() || label.len() > LABEL_LENGTH_MAX {
        return Some(format!("must consist of parts of 1 to {LABEL_LENGTH_MAX} characters, separated by dots"));
    }
    if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*')) {
        return Some("must consist of letters, digits, '-' and '_'".into());
    }
    ace_fault(label)
}

fn ace_fault(label: &str) -> Option<String> {
    let encoded = label
        .get(..ACE_PREFIX.len())
        .filter(|prefix| prefix.eq_ignore_ascii_case(ACE_PREFIX))
        .and(label.get(ACE_PREFIX.len()..))?;
    let is_text =
        |decoded: &Vec<char>| decoded.iter().any(|c| !c.is_ascii()) && !decoded.iter().any(|c| c.is_control());
    let decoded = punycode(encoded).filter(is_text);
    decoded.is_none().then(|| format!("has a part that begins with {ACE_PREFIX} and is no valid Punycode"))
}

/// The name of a set in a zone: [`APEX`], or what stands before the zone's name. `*` stands for any name as its first part.
///
/// # Errors
/// The field with what is wrong.
pub fn rrset_name(field: &str, name: &str, zone: &str) -> Result<(), FieldError> {
    rrset_fault(name, zone).map_or(Ok(()), |fault| Err(FieldError::new(field, fault)))
}

fn rrset_fault(name: &str, zone: &str) -> Option<String> {
    if name == APEX {
        return None;
    }
    if let Some(fault) = spelling_fault(name) {
        return Some(fault.into());
    }
    if name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')) {
        return Some(format!("must not end with the name of the zone; for the zone itself use '{APEX}'"));
    }
    if name.len() + 1 + zone.len() > NAME_LENGTH_MAX {
        return Some(format!(
            "must not be longer than {NAME_LENGTH_MAX} characters together with the name of the zone"
        ));
    }
    if let Some(fault) = name.split('.').find_map(label_fault) {
        return Some(fault);
    }
    let mut labels = name.split('.');
    let first_is_wild = labels.next() == Some("*");
    let behind = if first_is_wild { labels.any(|label| label.contains('*')) } else { name.contains('*') };
    behind.then(|| "may have '*' as its whole first part only".into())
}

/// A name in the data of a record: absolute with a dot at its end, else below the zone. As the lower-case absolute name.
///
/// # Errors
/// What is wrong.
pub fn in_data(word: &Word<'_>, zone: &str) -> Result<String, String> {
    let raw = word.raw;
    if !raw.is_ascii() {
        return Err("must be transcribed to Punycode (xn--…) where it has other characters than those of ASCII".into());
    }
    if raw.contains('"') {
        return Err("must not be quoted".into());
    }
    if raw == "." {
        return Ok(raw.into());
    }
    if raw == APEX {
        return Ok(format!("{zone}."));
    }
    let (mut labels, is_absolute) = labels(raw)?;
    if !is_absolute {
        labels.extend(zone.split('.').map(|label| label.as_bytes().to_vec()));
    }
    let wire: usize = labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1;
    if wire > WIRE_BYTES_MAX {
        return Err(format!("must not be longer than {NAME_LENGTH_MAX} characters"));
    }
    Ok(labels.iter().map(|label| written(label) + ".").collect())
}

/// The parts of a name and whether it ends with a dot.
fn labels(raw: &str) -> Result<(Vec<Vec<u8>>, bool), String> {
    let (mut all, mut label, mut bytes) = (Vec::new(), Vec::new(), raw.bytes());
    let mut ended = false;
    while let Some(byte) = bytes.next() {
        ended = byte == b'.';
        match byte {
            b'.' => all.push(std::mem::take(&mut label)),
            b'\\' => label.push(unescape(&mut bytes)?),
            _ if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'/') => label.push(byte),
            _ => return Err("must consist of letters, digits, '-' and '_'".into()),
        }
    }
    if !ended {
        all.push(label);
    }
    if all.iter().any(|label| label.is_empty() || label.len() > LABEL_LENGTH_MAX) {
        return Err(format!("must consist of parts of 1 to {LABEL_LENGTH_MAX} characters, separated by dots"));
    }
    match all.iter().find_map(|label| ace_fault(std::str::from_utf8(label).unwrap_or_default())) {
        Some(fault) => Err(fault),
        None => Ok((all, ended)),
    }
}

/// A part of a name, lower case, with escapes where they are needed.
fn written(label: &[u8]) -> String {
    let mut text = String::with_capacity(label.len());
    for byte in label.iter().map(u8::to_ascii_lowercase) {
        match byte {
            b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => text.extend(['\\', char::from(byte)]),
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03}")),
        }
    }
    text
}

/// The name of a set from a name in a zone file, which must lie in the zone.
///
/// # Errors
/// What is wrong.
pub fn owner(word: &Word<'_>, zone: &str) -> Result<String, String> {
    let raw = word.raw.to_ascii_lowercase();
    let name = match raw.strip_suffix('.') {
        None => raw,
        Some(absolute) if absolute == zone => APEX.to_owned(),
        Some(absolute) => absolute
            .strip_suffix(zone)
            .and_then(|below| below.strip_suffix('.'))
            .ok_or_else(|| format!("has the name '{}', which is not in the zone", word.raw))?
            .to_owned(),
    };
    match rrset_fault(&name, zone) {
        Some(fault) => Err(format!("has the name '{}', which {fault}", word.raw)),
        None => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME_LENGTH_MAX, in_data, owner, rrset_name, zone_name};
    use crate::zone::lex::Word;

    #[test]
    fn names_of_zones() {
        for good in
            ["example.com", "a.de", "xn--mnchen-3ya.de", "example.co.uk", "1und1.de", "a--b.example", "b.xn--p1ai"]
        {
            assert!(zone_name("name", good).is_ok(), "{good}: {:?}", zone_name("name", good));
        }
        let long = format!("{}.com", vec!["a".repeat(62); 4].join("."));
        for (bad, why) in [
            ("", "empty"),
            ("Example.com", "lower case"),
            ("example.com.", "dot"),
            ("m\u{fc}nchen.de", "Punycode"),
            ("com", "public suffix"),
            ("sub.example.com", "subdomains"),
            ("a.b.co.uk", "subdomains"),
            ("a..com", "parts"),
            (&format!("{}.com", "a".repeat(64)), "parts"),
            (&long, "longer"),
            ("-a.com", "'-'"),
            ("a_b.com", "'-'"),
            ("*.com", "'-'"),
            ("a b.com", "letters"),
            ("1.2", "suffix"),
            ("xn--a.com", "Punycode"),
            ("xn--abc-.com", "Punycode"),
        ] {
            let fault = zone_name("name", bad).unwrap_err();
            assert!(fault.messages[0].contains(why), "{bad}: {fault:?}");
        }
    }

    #[test]
    fn names_of_sets() {
        let check = |name: &str| rrset_name("name", name, "example.com");
        for good in
            ["@", "www", "_dmarc", "a.b.c", "*", "*.sub", "_sip._tcp", "xn--4bi", "example.org", "notexample.com"]
        {
            assert!(check(good).is_ok(), "{good}: {:?}", check(good));
        }
        let long = vec!["a".repeat(60); 4].join(".");
        for (bad, why) in [
            ("", "empty"),
            ("WWW", "lower case"),
            ("www.", "dot"),
            ("example.com", "zone"),
            ("www.example.com", "zone"),
            ("\u{2709}", "Punycode"),
            ("a..b", "parts"),
            ("a b", "letters"),
            ("@a", "letters"),
            ("a.*", "first part"),
            ("*a", "first part"),
            (&long, "longer"),
        ] {
            let fault = check(bad).unwrap_err();
            assert!(fault.messages[0].contains(why), "{bad}: {fault:?}");
        }
    }

    #[test]
    fn names_in_data() {
        let read = |raw: &str| in_data(&Word { raw }, "example.com");
        for (raw, expected) in [
            ("Mail", "mail.example.com."),
            ("mail.example.org.", "mail.example.org."),
            ("@", "example.com."),
            (".", "."),
            (r"first\.last.example.com.", r"first\.last.example.com."),
            (r"a\032b.", r"a\032b."),
            ("_a.b", "_a.b.example.com."),
        ] {
            assert_eq!(read(raw).as_deref(), Ok(expected), "{raw}");
        }
        let long = "a.".repeat(NAME_LENGTH_MAX / 2 + 2);
        for bad in ["a..b.", ".a", "\"a\"", "\u{e4}.", "a,b", "a\\", &"a".repeat(64), &long, "xn--a."] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn owners_in_files() {
        let read = |raw: &str| owner(&Word { raw }, "example.com");
        for (raw, expected) in [("@", "@"), ("WWW", "www"), ("www.example.com.", "www"), ("Example.com.", "@")] {
            assert_eq!(read(raw).as_deref(), Ok(expected));
        }
        for bad in ["www.example.org.", "notexample.com.", ".", "com."] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
