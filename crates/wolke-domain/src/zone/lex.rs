//! Words of the presentation format of DNS data (RFC 1035 §5.1): white space, quotes, escapes, comments, parentheses.
//!
//! A word is kept as it was written, so that what is read can be written again unchanged; [`Word::bytes`] tells what it
//! means.

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it was written, with quotes and escapes.
    pub raw: &'a str,
}

impl Word<'_> {
    /// Whether it is one quoted string.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.raw.starts_with('"')
    }

    /// What it means: without quotes, escapes undone.
    ///
    /// # Errors
    /// What is wrong with an escape.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'"' => {}
                b'\\' => bytes.push(unescape(&mut rest)?),
                _ => bytes.push(byte),
            }
        }
        Ok(bytes)
    }
}

/// The byte that an escape stands for; its backslash was read.
pub(crate) fn unescape(rest: &mut std::str::Bytes<'_>) -> Result<u8, String> {
    let first = rest.next().ok_or("ends in the middle of an escape")?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut number = u32::from(first - b'0');
    for _ in 0..2 {
        let digit = rest.next().filter(u8::is_ascii_digit).ok_or("has an escape that is not three digits long")?;
        number = number * 10 + u32::from(digit - b'0');
    }
    u8::try_from(number).map_err(|_| "has an escape above \\255".to_owned())
}

/// What stands on a line, continued over more lines by parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The number of its first line in the file, from 1.
    pub number: usize,
    /// Whether it begins with white space: then it has no owner.
    pub is_indented: bool,
    /// Its words.
    pub words: Vec<Word<'a>>,
    /// What stands behind a semicolon at its very end, without white space around.
    pub comment: &'a str,
}

/// Reads text from its beginning.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The word that begins here, where no white space is.
    fn word(&mut self) -> Result<Word<'a>, String> {
        let begin = self.at;
        let mut in_quotes = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 1,
                b'"' => in_quotes = !in_quotes,
                b'\n' => break,
                b' ' | b'\t' | b'\r' | b';' | b'(' | b')' if !in_quotes => break,
                _ if byte.is_ascii_control() && byte != b'\t' => return Err("has a control character".into()),
                _ => {}
            }
            if byte == b'\\' && self.peek().is_none_or(|next| next == b'\n' || next == b'\r') {
                return Err("ends in the middle of an escape".into());
            }
            self.at += 1;
            // A quoted string ends at its quote, whatever follows.
            let whole = byte == b'"' && !in_quotes && self.text.as_bytes().get(begin) == Some(&b'"');
            if whole && self.at > begin + 1 {
                break;
            }
        }
        if in_quotes {
            return Err("has a quoted string that does not end".into());
        }
        // An escape may have skipped the first byte of a character that has more.
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        Ok(Word { raw: &self.text[begin..self.at] })
    }

    /// The comment that begins here with its semicolon.
    fn comment(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let comment = rest.split('\n').next().unwrap_or_default();
        self.at += comment.len();
        comment.trim_start_matches(';').trim()
    }
}

/// The words of one value of a record.
///
/// # Errors
/// What is wrong: a value has no comments, parentheses, line breaks or control characters.
pub fn words(value: &str) -> Result<Vec<Word<'_>>, String> {
    let mut scanner = Scanner { text: value, at: 0, line: 1 };
    let mut words = Vec::new();
    while let Some(byte) = scanner.peek() {
        match byte {
            b' ' => scanner.at += 1,
            b';' => return Err("has a ';' outside of quotes, which begins a comment in zone files".into()),
            b'(' | b')' => return Err("has a parenthesis outside of quotes".into()),
            _ if byte.is_ascii_control() => return Err("has a control character".into()),
            _ => words.push(scanner.word()?),
        }
    }
    Ok(words)
}

/// The lines of a zone file that say anything; for what is wrong with one, its number and what it is.
pub fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, (usize, String)>> {
    let mut scanner = Scanner { text, at: 0, line: 1 };
    std::iter::from_fn(move || {
        while scanner.peek().is_some() {
            match line(&mut scanner) {
                Ok(line) if line.words.is_empty() => {}
                other => return Some(other),
            }
        }
        None
    })
}

/// The line that begins here; what is wrong with it, after it was skipped.
fn line<'a>(scanner: &mut Scanner<'a>) -> Result<Line<'a>, (usize, String)> {
    let number = scanner.line;
    let is_indented = matches!(scanner.peek(), Some(b' ' | b'\t'));
    let mut line = Line { number, is_indented, words: Vec::new(), comment: "" };
    let mut depth = 0_u32;
    while let Some(byte) = scanner.peek() {
        match byte {
            b' ' | b'\t' | b'\r' => scanner.at += 1,
            b'\n' => {
                scanner.at += 1;
                scanner.line += 1;
                if depth == 0 {
                    return Ok(line);
                }
                line.comment = "";
            }
            b';' => line.comment = scanner.comment(),
            b'(' => {
                scanner.at += 1;
                depth += 1;
            }
            b')' if depth == 0 => return Err(skip(scanner, number, "has a ')' without a '('")),
            b')' => {
                scanner.at += 1;
                depth -= 1;
            }
            _ => match scanner.word() {
                Ok(word) => line.words.push(word),
                Err(fault) => return Err(skip(scanner, number, &fault)),
            },
        }
    }
    if depth > 0 { Err((number, "has a '(' without a ')'".into())) } else { Ok(line) }
}

/// Goes to the end of the line that something is wrong with.
fn skip(scanner: &mut Scanner<'_>, number: usize, fault: &str) -> (usize, String) {
    while let Some(byte) = scanner.peek() {
        scanner.at += 1;
        if byte == b'\n' {
            scanner.line += 1;
            break;
        }
    }
    (number, fault.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Word, lines, words};

    fn raw<'a>(words: &[Word<'a>]) -> Vec<&'a str> {
        words.iter().map(|word| word.raw).collect()
    }

    #[test]
    fn words_of_values() {
        for (value, expected) in [
            ("10 mail", vec!["10", "mail"]),
            ("  a  b ", vec!["a", "b"]),
            (r#""a b" "c\"d" "e;(f)""#, vec![r#""a b""#, r#""c\"d""#, r#""e;(f)""#]),
            (r#""a""b""#, vec![r#""a""#, r#""b""#]),
            (r#"alpn="h2,h3" port=1"#, vec![r#"alpn="h2,h3""#, "port=1"]),
            (r"a\;b\ c", vec![r"a\;b\ c"]),
            ("\"\u{1f36a}\"", vec!["\"\u{1f36a}\""]),
            ("\\\u{1f36a}x", vec!["\\\u{1f36a}x"]),
            ("", vec![]),
        ] {
            assert_eq!(raw(&words(value).unwrap()), expected, "{value}");
        }
        for wrong in ["a;b", "(a", "a)", "\"a", "a\nb", "\"a\nb\"", "a\tb", "a\u{7f}", "a\\", "\"a\\"] {
            assert!(words(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn meanings() {
        let bytes = |raw: &str| Word { raw }.bytes();
        assert_eq!(bytes(r#""a\"b\\\065""#).unwrap(), br#"a"b\A"#);
        assert_eq!(bytes(r"\255").unwrap(), [255]);
        for wrong in [r"\256", r"\12", r"\1a3", "\\"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_of_files() {
        let text = "; alone\n\n@ SOA a. b. ( 1 ; serial\n 2\n\t3 ) ; whole \r\n\tNS\tx. ;;y\nz \"a\n b ) c\nd";
        let found: Vec<_> = lines(text).collect();
        let good = |index: usize| {
            let line = found[index].as_ref().unwrap();
            (line.number, line.is_indented, raw(&line.words), line.comment)
        };
        assert_eq!(good(0), (3, false, vec!["@", "SOA", "a.", "b.", "1", "2", "3"], "whole"));
        assert_eq!(good(1), (6, true, vec!["NS", "x."], "y"));
        assert_eq!(found[2].as_ref().unwrap_err().0, 7);
        assert_eq!(found[3].as_ref().unwrap_err().0, 8);
        assert_eq!(good(4), (9, false, vec!["d"], ""));
        assert_eq!(found.len(), 5);
        assert_eq!(lines("a ( b\nc").next().unwrap().unwrap_err().0, 1);
    }
}
