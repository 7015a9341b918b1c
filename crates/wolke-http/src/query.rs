//! Query strings: pairs of decoded names and values, in order, repeated keys kept.

/// Pairs that one query may hold.
pub const PAIRS_MAX: usize = 1000;

/// Decoded pairs of a query string.
pub type Pairs = Vec<(String, String)>;

/// Reads the raw query of a URI. None when it holds more than [`PAIRS_MAX`] pairs.
#[must_use]
pub fn parse(raw: &str) -> Option<Pairs> {
    if raw.is_empty() {
        return Some(Pairs::new());
    }
    let mut pairs = Pairs::new();
    for part in raw.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == PAIRS_MAX {
            return None;
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((decode(name), decode(value)));
    }
    Some(pairs)
}

/// Undoes percent-encoding as forms do it: `+` is a space. What is no valid escape stays; what is no UTF-8 is replaced.
#[must_use]
pub fn decode(text: &str) -> String {
    undo(text, true)
}

/// As [`decode`], in a path: `+` is itself.
#[must_use]
pub fn decode_path(text: &str) -> String {
    undo(text, false)
}

fn undo(text: &str, is_form: bool) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, escape(bytes.get(at + 1..at + 3))) {
            (b'%', Some(escaped)) => {
                decoded.push(escaped);
                at += 2;
            }
            (b'+', _) if is_form => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn escape(digits: Option<&[u8]>) -> Option<u8> {
    let [high, low] = digits? else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{PAIRS_MAX, decode, decode_path, parse};

    #[test]
    fn pairs_keep_order_and_repetition() {
        let pairs = parse("status=off&&a=b%3Dc&status=running&flag&x=").unwrap();
        let texts: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(texts, [("status", "off"), ("a", "b=c"), ("status", "running"), ("flag", ""), ("x", "")]);
        assert_eq!(parse(""), Some(Vec::new()));
        assert!(parse(&"a&".repeat(PAIRS_MAX + 1)).is_none());
        assert!(parse(&"a&".repeat(PAIRS_MAX)).is_some());
    }

    #[test]
    fn escapes() {
        assert_eq!(decode("a+b%20c%2Bd"), "a b c+d");
        assert_eq!(decode_path("a+b%2B%40"), "a+b+@");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%C3%A4"), "ä");
        assert_eq!(decode("%ff"), "\u{fffd}");
        assert_eq!(decode("%00"), "\0");
    }
}
