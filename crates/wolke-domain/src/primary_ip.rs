//! The pure rules of primary IPs (fact sheet §3.2, dialects D.1).

use crate::server::{Server, Status};
use crate::{Error, FieldError, Result};
use wolke_wire::{ErrorCode, Id, Kind};

/// The name of a primary IP that was made together with a server.
#[must_use]
pub fn default_name(id: Id) -> String {
    format!("primary_ip-{id}")
}

/// Delete protection and deletion together with the assignee exclude each other.
///
/// # Errors
/// The field that was asked to change: `delete` or `auto_delete`.
pub fn check_protection(field: &'static str, protected: bool, auto_delete: bool) -> Result<(), FieldError> {
    if protected && auto_delete {
        Err(FieldError::new(field, "delete protection is only possible while auto_delete is false"))
    } else {
        Ok(())
    }
}

/// Addresses and the placement group change while a server stands still: it is off, and nobody works on it.
///
/// # Errors
/// `server_not_stopped`; `locked` while work on it is under way or queued.
pub fn check_stopped(server: &Server, is_busy: bool) -> Result<()> {
    if server.status != Status::Off {
        return Err(Error::refused(ErrorCode::ServerNotStopped, "server must be powered off"));
    }
    if is_busy || server.details.doomed { Err(Error::locked(Kind::Server)) } else { Ok(()) }
}

/// The refusal of a second address of a family on one server.
#[must_use]
pub fn has_family(family: i64) -> Error {
    let code = if family == 4 { ErrorCode::ServerHasIpv4 } else { ErrorCode::ServerHasIpv6 };
    Error::refused(code, format!("server already has an IPv{family} address"))
}

#[cfg(test)]
mod tests {
    use super::{check_protection, has_family};
    use wolke_wire::ErrorCode;

    #[test]
    fn protection_excludes_auto_delete() {
        assert_eq!(check_protection("delete", true, true).unwrap_err().name, "delete");
        assert!(check_protection("delete", true, false).is_ok());
        assert!(check_protection("auto_delete", false, true).is_ok());
    }

    #[test]
    fn families_have_codes_of_their_own() {
        assert_eq!(has_family(4).code(), ErrorCode::ServerHasIpv4);
        assert_eq!(has_family(6).code(), ErrorCode::ServerHasIpv6);
    }
}
