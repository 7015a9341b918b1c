//! Labels: what keys and values may look like, and which labels a selector matches (fact sheet §1.1, dialects D.1).

use std::collections::BTreeMap;

use wolke_wire::selector::{Selector, Term};

use crate::FieldError;

/// The longest name segment of a key and the longest value.
pub const LABEL_LENGTH_MAX: usize = 63;

/// The longest prefix of a key, without its slash.
pub const LABEL_PREFIX_LENGTH_MAX: usize = 253;

/// The most labels of one resource.
pub const LABELS_MAX: usize = 64;

/// The prefix that is kept for the service itself.
pub const RESERVED_PREFIX: &str = "hetzner.cloud";

/// How much of a wrong key an answer repeats; the key itself can be as long as the request.
const SHOWN_KEY_LENGTH_MAX: usize = LABEL_PREFIX_LENGTH_MAX + 1 + LABEL_LENGTH_MAX;

/// Everything that is wrong with a set of labels; empty when nothing is. Fields are named `labels.KEY`.
#[must_use]
pub fn validate(labels: &BTreeMap<String, String>) -> Vec<FieldError> {
    if labels.len() > LABELS_MAX {
        return vec![FieldError::new("labels", format!("must not have more than {LABELS_MAX} entries"))];
    }
    let mut errors = Vec::new();
    for (key, value) in labels {
        let messages: Vec<String> =
            [key_fault(key), value_fault(value)].into_iter().flatten().map(str::to_owned).collect();
        if !messages.is_empty() {
            let shown: String = key.chars().take(SHOWN_KEY_LENGTH_MAX).collect();
            errors.push(FieldError { name: format!("labels.{shown}"), messages });
        }
    }
    errors
}

/// Whether labels satisfy every term. `!=` and `notin` hold for a missing key, as in Kubernetes.
#[must_use]
pub fn matches(selector: &Selector, labels: &BTreeMap<String, String>) -> bool {
    selector.terms.iter().all(|term| match term {
        Term::Equals(key, value) => labels.get(key) == Some(value),
        Term::NotEquals(key, value) => labels.get(key) != Some(value),
        Term::Exists(key) => labels.contains_key(key),
        Term::NotExists(key) => !labels.contains_key(key),
        Term::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
        Term::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
    })
}

fn key_fault(key: &str) -> Option<&'static str> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        if prefix.len() > LABEL_PREFIX_LENGTH_MAX || !prefix.split('.').all(is_dns_label) {
            return Some("the key's prefix must be a DNS subdomain of at most 253 characters");
        }
        if prefix.eq_ignore_ascii_case(RESERVED_PREFIX) {
            return Some("the prefix 'hetzner.cloud/' is reserved");
        }
    }
    (!is_segment(name)).then_some(
        "the key must be 1 to 63 characters, begin and end with a letter or digit, and hold only letters, digits, '-', '_' and '.' between",
    )
}

fn value_fault(value: &str) -> Option<&'static str> {
    (!value.is_empty() && !is_segment(value)).then_some(
        "the value must be empty or at most 63 characters, begin and end with a letter or digit, and hold only letters, digits, '-', '_' and '.' between",
    )
}

/// 1..=63 characters, alphanumeric at both ends, `-_.` allowed inside.
fn is_segment(text: &str) -> bool {
    framed(text, |byte| matches!(byte, b'-' | b'_' | b'.'))
}

/// 1..=63 characters, alphanumeric at both ends, `-` allowed inside (RFC 1123).
pub(crate) fn is_dns_label(text: &str) -> bool {
    framed(text, |byte| byte == b'-')
}

fn framed(text: &str, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    (1..=LABEL_LENGTH_MAX).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || inner(*byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::{LABEL_LENGTH_MAX, LABEL_PREFIX_LENGTH_MAX, LABELS_MAX, matches, validate};
    use std::collections::BTreeMap;
    use wolke_wire::selector::Selector;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn is_valid(key: &str, value: &str) -> bool {
        validate(&labels(&[(key, value)])).is_empty()
    }

    #[test]
    fn keys() {
        let longest = "a".repeat(LABEL_LENGTH_MAX);
        let prefix = vec!["a".repeat(61); 4].join(".") + "." + &"b".repeat(5);
        assert_eq!(prefix.len(), LABEL_PREFIX_LENGTH_MAX);
        for key in ["a", "HC-Use-Staging-CA", "a.b_c-d", "1", "example.com/my", "a/b", &longest, &format!("{prefix}/a")]
        {
            assert!(is_valid(key, ""), "{key}");
        }
        let names = ["", "-a", "a-", ".a", "a_", "a b", "ä", "a/b/c", "/a", "a/", "a\n", &format!("{longest}a")];
        let prefixes =
            ["-a/b", "a_b/c", "a..b/c", ".a/b", "hetzner.cloud/x", "Hetzner.Cloud/x", &format!("{prefix}b/a")];
        for key in names.into_iter().chain(prefixes) {
            assert!(!is_valid(key, ""), "{key}");
        }
        assert!(is_valid("my.hetzner.cloud/x", ""));
    }

    #[test]
    fn values() {
        for value in ["", "a", "v1.2_3-4", &"a".repeat(63)] {
            assert!(is_valid("k", value), "{value}");
        }
        for value in ["-", "a-", "a b", "a/b", &"a".repeat(64)] {
            assert!(!is_valid("k", value), "{value}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let errors = validate(&labels(&[("-a", "!"), ("b", "?"), ("c", "d")]));
        let names: Vec<_> = errors.iter().map(|e| (e.name.as_str(), e.messages.len())).collect();
        assert_eq!(names, [("labels.-a", 2), ("labels.b", 1)]);
        let many: BTreeMap<_, _> = (0..=LABELS_MAX).map(|n| (format!("k{n}"), String::new())).collect();
        assert_eq!(validate(&many)[0].name, "labels");
    }

    #[test]
    fn selectors() {
        let set = labels(&[("env", "prod"), ("tier", "")]);
        for (selector, expected) in [
            ("", true),
            ("env=prod", true),
            ("env=test", false),
            ("none=", false),
            ("tier=", true),
            ("env!=test", true),
            ("env!=prod", false),
            ("none!=x", true),
            ("env", true),
            ("none", false),
            ("!none", true),
            ("!env", false),
            ("env in (test,prod)", true),
            ("env in (test)", false),
            ("none in (test)", false),
            ("env notin (test)", true),
            ("env notin (test,prod)", false),
            ("none notin (test)", true),
            ("env=prod,!none", true),
            ("env=prod,none", false),
        ] {
            assert_eq!(matches(&Selector::parse(selector).unwrap(), &set), expected, "{selector}");
        }
    }
}
