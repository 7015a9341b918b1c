//! Sort keys of lists: repeated `sort` parameters, each `field`, `field:asc` or `field:desc` (fact sheet §1.1).

/// The most keys that one request may name; no list has more sortable fields.
pub const SORT_KEYS_MAX: usize = 8;

/// Which way a list runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Smallest first; what a bare field means.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// One of the fields that the list allows.
    pub field: &'static str,
    /// Which way.
    pub direction: Direction,
}

/// A `sort` parameter that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortError {
    /// The list cannot be sorted like this.
    Unknown {
        /// The value as sent.
        value: String,
        /// The fields that the list allows.
        allowed: &'static [&'static str],
    },
    /// More than [`SORT_KEYS_MAX`] keys.
    TooMany,
}

impl std::fmt::Display for SortError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { value, allowed } => {
                write!(f, "unknown sort '{value}': use one of {}, alone or with ':asc' or ':desc'", allowed.join(", "))
            }
            Self::TooMany => write!(f, "at most {SORT_KEYS_MAX} sort keys are allowed"),
        }
    }
}

impl std::error::Error for SortError {}

/// Reads the values of all `sort` parameters in their order. A field that comes again is redundant and dropped.
///
/// # Errors
/// Names the first value whose field or direction is not allowed.
pub fn parse_sort<'a>(
    values: impl IntoIterator<Item = &'a str>,
    allowed: &'static [&'static str],
) -> Result<Vec<SortKey>, SortError> {
    let mut keys: Vec<SortKey> = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        if index == SORT_KEYS_MAX {
            return Err(SortError::TooMany);
        }
        let unknown = || SortError::Unknown { value: value.to_owned(), allowed };
        let (name, direction) = match value.split_once(':') {
            None => (value, Direction::Ascending),
            Some((name, "asc")) => (name, Direction::Ascending),
            Some((name, "desc")) => (name, Direction::Descending),
            Some(_) => return Err(unknown()),
        };
        let field = allowed.iter().copied().find(|field| *field == name).ok_or_else(unknown)?;
        if keys.iter().all(|key| key.field != field) {
            keys.push(SortKey { field, direction });
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::{Direction, SORT_KEYS_MAX, SortError, SortKey, parse_sort};

    const FIELDS: &[&str] = &["id", "name", "created"];

    #[test]
    fn keys_in_order() {
        let keys = parse_sort(["name:desc", "created", "id:asc", "name"], FIELDS).unwrap();
        let key = |field, direction| SortKey { field, direction };
        assert_eq!(
            keys,
            [key("name", Direction::Descending), key("created", Direction::Ascending), key("id", Direction::Ascending)]
        );
        assert_eq!(parse_sort([], FIELDS).unwrap(), []);
    }

    #[test]
    fn names_the_wrong_value() {
        for wrong in ["color", "id:down", "id:", "id:asc:desc", "", "Name", ":asc"] {
            let error = parse_sort(["id", wrong], FIELDS).unwrap_err();
            assert!(error.to_string().contains(&format!("'{wrong}'")), "{error}");
        }
        assert_eq!(parse_sort(["id"; SORT_KEYS_MAX + 1], FIELDS).unwrap_err(), SortError::TooMany);
    }
}
