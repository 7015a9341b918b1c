//! Label selectors: the query language of `label_selector` and of objects that select by label.
//!
//! ```text
//! selector = [ term { "," term } ]           comma means and; white space is free between tokens
//! term     = key | "!" key | key ( "=" | "==" | "!=" ) [ value ] | key ( "in" | "notin" ) "(" values ")"
//! values   = [ value ] { "," [ value ] }     an empty value is a value
//! ```
//!
//! Meaning as in Kubernetes: `!=` and `notin` also match what lacks the key. Matching itself is in `wolke-domain`.

use std::fmt;

/// The longest accepted selector, in bytes.
pub const SELECTOR_LENGTH_MAX: usize = 4096;

/// The most terms of one selector.
pub const SELECTOR_TERMS_MAX: usize = 32;

/// The most values of one `in` or `notin`.
pub const SELECTOR_VALUES_MAX: usize = 64;

/// A conjunction of terms; without terms it matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Selector {
    /// All of these must hold.
    pub terms: Vec<Term>,
}

/// One condition on a set of labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// `k=v`, `k==v`: the label is there with this value.
    Equals(String, String),
    /// `k!=v`: the label has another value or is missing.
    NotEquals(String, String),
    /// `k`: the label is there.
    Exists(String),
    /// `!k`: the label is missing.
    NotExists(String),
    /// `k in (a,b)`: the label is there with one of the values.
    In(String, Vec<String>),
    /// `k notin (a,b)`: the label has none of the values or is missing.
    NotIn(String, Vec<String>),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectorError {
    /// Longer than [`SELECTOR_LENGTH_MAX`].
    TooLong,
    /// More than [`SELECTOR_TERMS_MAX`] terms.
    TooManyTerms,
    /// More than [`SELECTOR_VALUES_MAX`] values in one term.
    TooManyValues,
    /// Something else was expected at a place.
    Expected {
        /// What.
        what: &'static str,
        /// Where, in bytes from the start.
        at: usize,
    },
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "label selector is longer than {SELECTOR_LENGTH_MAX} bytes"),
            Self::TooManyTerms => write!(f, "label selector has more than {SELECTOR_TERMS_MAX} terms"),
            Self::TooManyValues => write!(f, "label selector lists more than {SELECTOR_VALUES_MAX} values"),
            Self::Expected { what, at } => write!(f, "invalid label selector: expected {what} at position {at}"),
        }
    }
}

impl std::error::Error for SelectorError {}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// A limit or the first place that does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > SELECTOR_LENGTH_MAX {
            return Err(SelectorError::TooLong);
        }
        let mut parser = Parser { text, at: 0 };
        let mut terms = Vec::new();
        parser.blanks();
        if parser.at == text.len() {
            return Ok(Self { terms });
        }
        loop {
            if terms.len() == SELECTOR_TERMS_MAX {
                return Err(SelectorError::TooManyTerms);
            }
            terms.push(parser.term()?);
            if parser.at == text.len() {
                return Ok(Self { terms });
            }
            parser.require(",", "',' or the end")?;
        }
    }

    /// Whether every object matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

impl std::str::FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

impl fmt::Display for Selector {
    /// The shortest form; parsing it gives the same selector.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(key, value) => write!(f, "{key}={value}"),
            Self::NotEquals(key, value) => write!(f, "{key}!={value}"),
            Self::Exists(key) => f.write_str(key),
            Self::NotExists(key) => write!(f, "!{key}"),
            Self::In(key, values) => write!(f, "{key} in ({})", values.join(",")),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(",")),
        }
    }
}

/// A cursor over the text. Every method leaves it behind white space, in front of the next token.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Takes a fixed token if it comes next.
    fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
            self.blanks();
        }
        found
    }

    fn require(&mut self, token: &str, what: &'static str) -> Result<(), SelectorError> {
        if self.accept(token) { Ok(()) } else { Err(SelectorError::Expected { what, at: self.at }) }
    }

    /// The longest run of label characters, possibly empty.
    fn word(&mut self, more: &[char]) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') || more.contains(&c)))
            .unwrap_or(rest.len());
        self.at += end;
        self.blanks();
        rest.get(..end).unwrap_or_default()
    }

    fn key(&mut self) -> Result<String, SelectorError> {
        let at = self.at;
        match self.word(&['/']) {
            "" => Err(SelectorError::Expected { what: "a label key", at }),
            key => Ok(key.to_owned()),
        }
    }

    fn term(&mut self) -> Result<Term, SelectorError> {
        if self.accept("!") {
            return Ok(Term::NotExists(self.key()?));
        }
        let key = self.key()?;
        if self.accept("!=") {
            return Ok(Term::NotEquals(key, self.word(&[]).to_owned()));
        }
        if self.accept("==") || self.accept("=") {
            return Ok(Term::Equals(key, self.word(&[]).to_owned()));
        }
        let at = self.at;
        match self.word(&[]) {
            "" => Ok(Term::Exists(key)),
            "in" => Ok(Term::In(key, self.values()?)),
            "notin" => Ok(Term::NotIn(key, self.values()?)),
            _ => Err(SelectorError::Expected { what: "'=', '!=', 'in', 'notin' or ','", at }),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, SelectorError> {
        self.require("(", "'('")?;
        let mut values = Vec::new();
        loop {
            if values.len() == SELECTOR_VALUES_MAX {
                return Err(SelectorError::TooManyValues);
            }
            values.push(self.word(&[]).to_owned());
            if self.accept(")") {
                return Ok(values);
            }
            self.require(",", "',' or ')'")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SELECTOR_LENGTH_MAX, SELECTOR_TERMS_MAX, SELECTOR_VALUES_MAX, Selector, SelectorError, Term};
    use proptest::prelude::*;

    fn terms(text: &str) -> Vec<Term> {
        Selector::parse(text).unwrap().terms
    }

    #[test]
    fn every_form() {
        let s = |text: &str| text.to_owned();
        assert_eq!(terms(""), []);
        assert_eq!(terms("  "), []);
        assert_eq!(terms("k=v"), [Term::Equals(s("k"), s("v"))]);
        assert_eq!(terms(" k == v "), [Term::Equals(s("k"), s("v"))]);
        assert_eq!(terms("k="), [Term::Equals(s("k"), s(""))]);
        assert_eq!(terms("k != v"), [Term::NotEquals(s("k"), s("v"))]);
        assert_eq!(terms("hcloud-ccm/service-uid"), [Term::Exists(s("hcloud-ccm/service-uid"))]);
        assert_eq!(terms("! k"), [Term::NotExists(s("k"))]);
        assert_eq!(terms("k in (a, b)"), [Term::In(s("k"), vec![s("a"), s("b")])]);
        assert_eq!(terms("k notin(a)"), [Term::NotIn(s("k"), vec![s("a")])]);
        assert_eq!(terms("in in (in)"), [Term::In(s("in"), vec![s("in")])]);
        assert_eq!(terms("k in ()"), [Term::In(s("k"), vec![s("")])]);
        assert_eq!(
            terms("a=1,!b,c in (x,y),d"),
            [
                Term::Equals(s("a"), s("1")),
                Term::NotExists(s("b")),
                Term::In(s("c"), vec![s("x"), s("y")]),
                Term::Exists(s("d"))
            ]
        );
    }

    #[test]
    fn says_where_it_goes_wrong() {
        for (text, position) in [
            (",", 0),
            ("a,", 2),
            ("a,,b", 2),
            ("=v", 0),
            ("!", 1),
            ("!a=b", 2),
            ("a b", 2),
            ("a=b c", 4),
            ("a in b", 5),
            ("a in (b", 7),
            ("a in (b c)", 8),
            ("a=b)", 3),
            ("a=b/c", 3),
            ("ä=b", 0),
            ("a>1", 1),
        ] {
            match Selector::parse(text) {
                Err(SelectorError::Expected { at, .. }) => assert_eq!(at, position, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn limits() {
        let long = "a".repeat(SELECTOR_LENGTH_MAX);
        assert!(Selector::parse(&long).is_ok());
        assert_eq!(Selector::parse(&format!("{long}a")), Err(SelectorError::TooLong));
        let many = vec!["a"; SELECTOR_TERMS_MAX].join(",");
        assert!(Selector::parse(&many).is_ok());
        assert_eq!(Selector::parse(&format!("{many},a")), Err(SelectorError::TooManyTerms));
        let values = vec!["a"; SELECTOR_VALUES_MAX].join(",");
        assert!(Selector::parse(&format!("k in ({values})")).is_ok());
        assert_eq!(Selector::parse(&format!("k in ({values},a)")), Err(SelectorError::TooManyValues));
    }

    fn any_term() -> impl Strategy<Value = Term> {
        let key = || "([a-z][a-z0-9.-]{0,8}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,9}";
        let value = || "[A-Za-z0-9._-]{0,8}";
        prop_oneof![
            (key(), value()).prop_map(|(k, v)| Term::Equals(k, v)),
            (key(), value()).prop_map(|(k, v)| Term::NotEquals(k, v)),
            key().prop_map(Term::Exists),
            key().prop_map(Term::NotExists),
            (key(), prop::collection::vec(value(), 1..5)).prop_map(|(k, v)| Term::In(k, v)),
            (key(), prop::collection::vec(value(), 1..5)).prop_map(|(k, v)| Term::NotIn(k, v)),
        ]
    }

    proptest! {
        #[test]
        fn display_round_trips(terms in prop::collection::vec(any_term(), 0..8)) {
            let selector = Selector { terms };
            prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
        }

        #[test]
        fn never_panics(text in "[ a-c,=!()in\u{e4}\t/]{0,40}") {
            if let Ok(selector) = Selector::parse(&text) {
                prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
            }
        }
    }
}
