//! What an image may be called: also the name of a directory and of an entry of the catalogue.

use wolke_host::HostError;

use crate::engine::Result;

/// The longest name, in characters. Beside it stand the marks of versions, and file names end at 255.
pub const NAME_MAX: usize = 100;

/// Letters, digits, `.`, `-` and `_`, beginning with a letter or digit: no way out of the directory of images, nothing
/// hidden, nothing that a program takes for an option.
///
/// # Errors
/// [`HostError::ENGINE`] with what a name looks like.
pub fn check(name: &str) -> Result<()> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if begins && plain && name.len() <= NAME_MAX {
        return Ok(());
    }
    let looks = "letters, digits, '.', '-' and '_', beginning with a letter or digit";
    Err(HostError::new(HostError::ENGINE, format!("the name of an image is up to {NAME_MAX} characters long: {looks}")))
}

#[cfg(test)]
mod tests {
    use super::{NAME_MAX, check};

    #[test]
    fn names_stay_in_their_directory() {
        for good in ["debian-12", "image-1000000007", "our_app", "24.04", &"a".repeat(NAME_MAX)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "-x", "a/b", "../a", "a b", "ä", "a\0", &"a".repeat(NAME_MAX + 1)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
