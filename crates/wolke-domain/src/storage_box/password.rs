//! The password policy of storage boxes and their further accounts (the 2026 document, tag Storage Boxes).

use crate::FieldError;

/// The shortest password, in characters.
pub const LENGTH_MIN: usize = 12;
/// The longest password, in characters.
pub const LENGTH_MAX: usize = 128;

/// Letters beyond ASCII that a password may hold.
const UMLAUTS: &str = "ÄÖÜäöüß";
/// Special characters that it may hold, and of which it needs one.
const SPECIAL: &str = "^°!§$%/()=?+#-.,;:~*@{}_&";

/// Passwords that satisfy everything else and have been in so many breaches that everybody tries them first. The real
/// service asks a database of breaches; here nothing is asked of anybody (decision 0016).
const BREACHED: [&str; 8] = [
    "Passw0rd!234",
    "Password123!",
    "Password1234!",
    "P@ssw0rd1234",
    "P@ssword1234",
    "Qwerty123456!",
    "Welcome12345!",
    "Administrator1!",
];

/// Refuses a password that the policy does not allow. Nothing of it is repeated.
///
/// # Errors
/// The field with everything that is wrong.
pub fn check(field: &str, password: &str) -> Result<(), FieldError> {
    let length = password.chars().count();
    let has = |test: fn(char) -> bool| password.chars().any(test);
    let mut messages = Vec::new();
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        messages.push(format!("must be between {LENGTH_MIN} and {LENGTH_MAX} characters long"));
    }
    if !password.chars().all(is_allowed) {
        messages.push(format!("must only contain letters, {UMLAUTS}, digits and {SPECIAL}"));
    }
    if !has(char::is_uppercase) {
        messages.push("must contain an upper case letter".to_owned());
    }
    if !has(char::is_lowercase) {
        messages.push("must contain a lower case letter".to_owned());
    }
    if !has(|c| c.is_ascii_digit()) {
        messages.push("must contain a number".to_owned());
    }
    if !has(|c| SPECIAL.contains(c)) {
        messages.push("must contain a special character".to_owned());
    }
    if BREACHED.contains(&password) {
        messages.push("must not have appeared in a data breach".to_owned());
    }
    if messages.is_empty() { Ok(()) } else { Err(FieldError { name: field.to_owned(), messages }) }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || UMLAUTS.contains(c) || SPECIAL.contains(c)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn good_ones() {
        for good in ["1-secret-PASSW0RD-=)", "Abcdefghij1!", "ÄÖÜäöüß12345°", &format!("aA1-{}", "x".repeat(124))]
        {
            assert_eq!(check("password", good), Ok(()), "{good}");
        }
    }

    #[test]
    fn everything_wrong_is_said_and_nothing_repeated() {
        let wrong = |password: &str| check("password", password).unwrap_err().messages;
        assert_eq!(wrong("").len(), 5);
        assert_eq!(wrong("Abcdefghi1!").len(), 1);
        assert_eq!(wrong(&format!("aA1-{}", "x".repeat(125))), ["must be between 12 and 128 characters long"]);
        for (password, part) in [
            ("abcdefghij1!", "upper case"),
            ("ABCDEFGHIJ1!", "lower case"),
            ("Abcdefghijk!", "a number"),
            ("Abcdefghijk1", "special"),
            ("Abcdefghij1! ", "only contain"),
            ("Abcdefghij1!\"", "only contain"),
            ("Abcdéfghij1!", "only contain"),
            ("Password123!", "breach"),
        ] {
            let messages = wrong(password);
            assert!(messages.len() == 1 && messages[0].contains(part), "{password}: {messages:?}");
            assert!(!messages[0].contains(password));
        }
    }
}
