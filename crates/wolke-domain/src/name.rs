//! What names may look like. Uniqueness is the store's business.

use crate::FieldError;
use crate::label::is_dns_label;
use crate::rng::{Rng, alphanumeric};

/// The longest name of a resource that is no host name, in characters.
pub const NAME_LENGTH_MAX: usize = 255;

/// The longest description, in characters.
pub const DESCRIPTION_LENGTH_MAX: usize = 1024;

/// Letters and digits behind a default name that is taken.
const SUFFIX_LENGTH: usize = 8;

/// The longest host name (RFC 1123 §2.1).
pub const HOST_NAME_LENGTH_MAX: usize = 253;

/// A host name as of RFC 1123: the names of servers, and what reverse DNS points to.
///
/// # Errors
/// The field with what a host name looks like.
pub fn host_name(field: &str, text: &str) -> Result<(), FieldError> {
    if text.len() <= HOST_NAME_LENGTH_MAX && text.split('.').all(is_dns_label) {
        return Ok(());
    }
    Err(FieldError::new(
        field,
        "must be a valid host name as of RFC 1123: letters, digits, '-' and '.', each part 1 to 63 characters long and neither beginning nor ending with '-'",
    ))
}

/// Any other name: something to read, on one line.
///
/// # Errors
/// The field with what is wrong.
pub fn resource_name(field: &str, text: &str) -> Result<(), FieldError> {
    let fault = if text.trim().is_empty() {
        "must not be empty".to_owned()
    } else if text.chars().count() > NAME_LENGTH_MAX {
        format!("must not be longer than {NAME_LENGTH_MAX} characters")
    } else if text.chars().any(char::is_control) {
        "must not contain control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(FieldError::new(field, fault))
}

/// What a description may be.
///
/// # Errors
/// The field `description` with what is wrong.
pub fn check_description(text: &str) -> Result<(), FieldError> {
    if text.chars().count() <= DESCRIPTION_LENGTH_MAX {
        return Ok(());
    }
    Err(FieldError::new("description", format!("must not be longer than {DESCRIPTION_LENGTH_MAX} characters")))
}

/// A default name of which somebody has given the plain form to another resource.
pub fn varied(default: &str, rng: &mut dyn Rng) -> String {
    format!("{default}-{}", alphanumeric(rng, SUFFIX_LENGTH))
}

#[cfg(test)]
mod tests {
    use super::{
        DESCRIPTION_LENGTH_MAX, HOST_NAME_LENGTH_MAX, NAME_LENGTH_MAX, check_description, host_name, resource_name,
        varied,
    };
    use crate::rng::Rng;

    #[test]
    fn descriptions_are_bounded() {
        assert!(check_description(&"ä".repeat(DESCRIPTION_LENGTH_MAX)).is_ok());
        assert_eq!(check_description(&"a".repeat(DESCRIPTION_LENGTH_MAX + 1)).unwrap_err().name, "description");
    }

    #[test]
    fn a_default_name_that_is_taken_gets_a_suffix() {
        struct Ones;
        impl Rng for Ones {
            fn fill(&mut self, buffer: &mut [u8]) {
                buffer.fill(1);
            }
        }
        assert_eq!(varied("primary_ip-7", &mut Ones), "primary_ip-7-BBBBBBBB");
    }

    #[test]
    fn host_names() {
        let longest = vec!["a".repeat(62); 4].join(".") + ".b";
        assert_eq!(longest.len(), HOST_NAME_LENGTH_MAX);
        for good in ["a", "my-server", "Web.example.com", "123", "a--b", &"a".repeat(63), &longest] {
            assert!(host_name("name", good).is_ok(), "{good}");
        }
        let long = ["a".repeat(64), longest + "b"];
        for bad in ["", "-a", "a-", "a.", ".a", "a..b", "a_b", "a b", "ä", long[0].as_str(), long[1].as_str()] {
            assert_eq!(host_name("name", bad).unwrap_err().name, "name", "{bad}");
        }
    }

    #[test]
    fn resource_names() {
        for good in ["a", "My Key (2024) ä", &"ä".repeat(NAME_LENGTH_MAX)] {
            assert!(resource_name("name", good).is_ok(), "{good}");
        }
        for bad in ["", "  ", "a\nb", "a\0", &"a".repeat(NAME_LENGTH_MAX + 1)] {
            assert!(resource_name("name", bad).is_err(), "{bad}");
        }
    }
}
