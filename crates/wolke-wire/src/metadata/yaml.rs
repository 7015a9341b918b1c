//! A writer of small YAML documents that parsers of version 1.1 and of 1.2 read alike.

use std::fmt::{self, Display, Formatter, Write as _};
use std::net::Ipv4Addr;

/// Columns that a level is moved to the right.
const INDENT: usize = 2;
/// Words that some parser reads as something else than text, in lower case.
const RESERVED: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    /// Text; quoted where it might be read as something else.
    Text(String),
    /// A whole number.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A list, one entry a line.
    List(Vec<Yaml>),
    /// A list of plain values on one line.
    Flow(Vec<Yaml>),
    /// Members, in order. Keys are plain.
    Map(Vec<(&'static str, Yaml)>),
}

impl Yaml {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Whether it takes lines of its own.
    fn is_block(&self) -> bool {
        match self {
            Self::List(entries) => !entries.is_empty(),
            Self::Map(members) => !members.is_empty(),
            _ => false,
        }
    }

    /// The value after `key:` or `-`: on the same line, or on lines of its own.
    fn write(&self, f: &mut Formatter<'_>, indent: usize, after_key: bool) -> fmt::Result {
        match self {
            Self::List(entries) if !entries.is_empty() => {
                f.write_str(if after_key { "\n" } else { "" })?;
                for (position, entry) in entries.iter().enumerate() {
                    let skip = position == 0 && !after_key;
                    write!(f, "{:width$}- ", "", width = if skip { 0 } else { indent })?;
                    entry.write(f, indent + INDENT, false)?;
                }
                Ok(())
            }
            Self::Map(members) if !members.is_empty() => {
                f.write_str(if after_key { "\n" } else { "" })?;
                for (position, (key, value)) in members.iter().enumerate() {
                    let skip = position == 0 && !after_key;
                    write!(f, "{:width$}{key}:", "", width = if skip { 0 } else { indent })?;
                    f.write_str(if value.is_block() { "" } else { " " })?;
                    // A list stands as far left as its key.
                    value.write(f, if matches!(value, Self::List(_)) { indent } else { indent + INDENT }, true)?;
                }
                Ok(())
            }
            scalar => {
                scalar.write_plain(f)?;
                f.write_char('\n')
            }
        }
    }

    fn write_plain(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_text(f, text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(switch) => write!(f, "{switch}"),
            Self::Map(_) => f.write_str("{}"),
            Self::List(entries) | Self::Flow(entries) => {
                f.write_char('[')?;
                for (position, entry) in entries.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { ", " })?;
                    entry.write_plain(f)?;
                }
                f.write_char(']')
            }
        }
    }
}

impl Display for Yaml {
    /// The document, with a line break at its end.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, 0, false)
    }
}

/// Whether no parser reads a bare text as anything else: a word, an IPv4 address or an IPv4 range.
fn is_plain(text: &str) -> bool {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    word || (address.parse::<Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok())
}

fn write_text(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if is_plain(text) {
        return f.write_str(text);
    }
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return write!(f, "'{}'", text.replace('\'', "''"));
    }
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}"),
            '\n' => f.write_str("\\n"),
            '\t' => f.write_str("\\t"),
            ' '..='~' => f.write_char(c),
            '\0'..='\u{ff}' => write!(f, "\\x{:02x}", u32::from(c)),
            '\u{100}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c)),
            _ => write!(f, "\\U{:08x}", u32::from(c)),
        }?;
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::Yaml;

    #[test]
    fn texts_are_quoted_where_they_might_be_something_else() {
        let shown = |text: &str| Yaml::text(text).to_string().trim_end().to_owned();
        for plain in ["web-1", "eu-central", "hel1-dc2", "192.0.2.1", "10.0.0.0/8", "a.b_c"] {
            assert_eq!(shown(plain), plain);
        }
        for quoted in
            ["", "no", "Yes", "NULL", "1e5", "12", "0x1f", "96:00:00:00:00:12", "fe80::1", "a: b", "- a", "~", "a #b"]
        {
            assert_eq!(shown(quoted), format!("'{quoted}'"));
        }
        assert_eq!(shown("it's"), "'it''s'");
        assert_eq!(shown("a\nb\t\"\\\u{7}ü€𝄞"), r#""a\nb\t\"\\\x07\xfc\u20ac\U0001d11e""#);
    }

    #[test]
    fn nesting() {
        let inner = Yaml::Map(vec![("a", Yaml::Int(1)), ("b", Yaml::List(vec![Yaml::Bool(true)]))]);
        let empty = vec![("l", Yaml::List(Vec::new())), ("m", Yaml::Map(Vec::new()))];
        let flow = Yaml::Flow(vec![Yaml::Int(1), Yaml::text("2")]);
        let outer = vec![("list", Yaml::List(vec![inner.clone(), inner])), ("map", Yaml::Map(empty)), ("flow", flow)];
        let expected =
            "list:\n- a: 1\n  b:\n  - true\n- a: 1\n  b:\n  - true\nmap:\n  l: []\n  m: {}\nflow: [1, '2']\n";
        assert_eq!(Yaml::Map(outer).to_string(), expected);
        assert_eq!(Yaml::List(Vec::new()).to_string(), "[]\n");
        let nested = Yaml::List(vec![Yaml::List(vec![Yaml::Int(1), Yaml::Int(2)])]);
        assert_eq!(nested.to_string(), "- - 1\n  - 2\n");
    }
}
