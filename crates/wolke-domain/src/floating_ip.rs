//! The pure rules of floating IPs (fact sheet §3.3, dialects D.1).

use crate::{Error, FieldError, Result};
use wolke_wire::{ErrorCode, Id};

/// The name of a floating IP to which none was given; 2018 knows no names at all (dialects A.10).
#[must_use]
pub fn default_name(id: Id) -> String {
    format!("floating-ip-{id}")
}

/// A new floating IP is asked for in a location or for a server, never both.
///
/// # Errors
/// `server` and `home_location`, together.
pub fn check_place(server: bool, home_location: bool) -> Result<(), Vec<FieldError>> {
    match (server, home_location) {
        (true, true) => Err(place_fields("must not be given together")),
        (false, false) => Err(place_fields("exactly one of the two is required")),
        _ => Ok(()),
    }
}

/// The refusal of a home location that does not exist: in the words of the real service, which names both fields.
#[must_use]
pub fn no_such_location(asked: &str) -> Error {
    Error::invalid_fields(place_fields(&format!("location not found: '{asked}'")))
}

fn place_fields(message: &str) -> Vec<FieldError> {
    ["server", "home_location"].into_iter().map(|field| FieldError::new(field, message)).collect()
}

/// Whether an assignment changes anything. A floating IP goes from one server to another at once: it need not be taken back
/// first.
///
/// # Errors
/// `floating_ip_assigned` when the server has it already and the dialect refuses that.
pub fn check_assign(id: Id, present: Option<Id>, wanted: Id, refuses_same: bool) -> Result<bool> {
    match present {
        Some(present) if present == wanted && refuses_same => {
            let message = format!("floating IP with ID '{id}' is already assigned to server with ID '{wanted}'");
            Err(Error::refused(ErrorCode::FloatingIpAssigned, message))
        }
        present => Ok(present != Some(wanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_assign, check_place, no_such_location};
    use wolke_wire::ErrorCode;

    #[test]
    fn exactly_one_place() {
        assert!(check_place(true, false).is_ok() && check_place(false, true).is_ok());
        for (server, home_location) in [(true, true), (false, false)] {
            let fields: Vec<String> =
                check_place(server, home_location).unwrap_err().into_iter().map(|field| field.name).collect();
            assert_eq!(fields, ["server", "home_location"]);
        }
        assert_eq!(no_such_location("x").message(), "invalid input in fields 'server', 'home_location'");
    }

    #[test]
    fn only_the_same_server_is_refused() {
        assert_eq!(check_assign(1, None, 7, true), Ok(true));
        assert_eq!(check_assign(1, Some(8), 7, true), Ok(true));
        assert_eq!(check_assign(1, Some(7), 7, true).unwrap_err().code(), ErrorCode::FloatingIpAssigned);
        assert_eq!(check_assign(1, Some(7), 7, false), Ok(false), "2018 has no code for it");
    }
}
