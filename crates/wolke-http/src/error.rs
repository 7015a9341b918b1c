//! The one mapping of errors to status, code, message and details of the Cloud API (design §8; fact sheet §6).
//!
//! Which code an operation may answer, with which status, and what stands for it in a dialect that does not know it, is the
//! contract's table (`contract/errors.json`).

use http::StatusCode;
use wolke_domain::{Error, Result};
use wolke_wire::cloud::error::{ErrorBody, ErrorDetails, ErrorEnvelope, ErrorField, ErrorLimit};
use wolke_wire::contract::{FieldViolation, error_answer};
use wolke_wire::{Dialect, ErrorCode};

/// Where `deprecated_api_endpoint` points to: the provider's public changelog announces each end.
pub const ANNOUNCEMENT: &str = "https://docs.hetzner.cloud/changelog";

/// The answer to an error, and what the log says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The code.
    pub code: ErrorCode,
    /// The body.
    pub envelope: ErrorEnvelope,
}

/// Maps an error. `operation` is empty before an operation is known.
#[must_use]
pub fn refusal(error: &Error, operation: &str, dialect: Dialect) -> Refusal {
    let (code, status) = error_answer(operation, error.code(), dialect);
    Refusal {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        code,
        envelope: ErrorEnvelope {
            error: ErrorBody { code, message: error.message(), details: details(error, dialect) },
        },
    }
}

/// The payload of a code, where it has one (fact sheet §6.2).
fn details(error: &Error, dialect: Dialect) -> Option<ErrorDetails> {
    match error {
        Error::InvalidInput { fields, .. } if !fields.is_empty() => Some(ErrorDetails::Fields {
            fields: fields.iter().map(|f| ErrorField { name: f.name.clone(), messages: f.messages.clone() }).collect(),
        }),
        Error::NotUnique { fields, .. } => Some(ErrorDetails::Fields {
            fields: fields.iter().map(|f| ErrorField { name: f.clone(), messages: Vec::new() }).collect(),
        }),
        Error::LimitExceeded { limit, .. } if !dialect.lacks_limit_details() => {
            Some(ErrorDetails::Limits { limits: vec![ErrorLimit { name: limit.clone() }] })
        }
        Error::Refused { code: ErrorCode::DeprecatedApiEndpoint, .. } => {
            Some(ErrorDetails::Announcement { announcement: ANNOUNCEMENT.into() })
        }
        _ => None,
    }
}

/// What the contract found wrong, one entry for each field.
///
/// # Errors
/// `invalid_input` unless there is nothing.
pub fn check(violations: Vec<FieldViolation>) -> Result<()> {
    let mut fields: Vec<wolke_domain::FieldError> = Vec::new();
    // The body itself has no name that could stand among the fields.
    if let Some(whole) = violations.iter().find(|violation| violation.path.is_empty()) {
        let message = Some(format!("the request body {}", whole.message));
        return Err(Error::InvalidInput { fields: Vec::new(), message });
    }
    for FieldViolation { path, message } in violations {
        match fields.iter_mut().find(|field| field.name == path) {
            Some(field) => field.messages.push(message),
            None => fields.push(wolke_domain::FieldError { name: path, messages: vec![message] }),
        }
    }
    if fields.is_empty() { Ok(()) } else { Err(Error::invalid_fields(fields)) }
}

/// An endpoint that has ended in a dialect.
#[must_use]
pub fn ended() -> Error {
    Error::refused(ErrorCode::DeprecatedApiEndpoint, "this API endpoint has been removed")
}

/// A path that leads nowhere.
#[must_use]
pub fn no_route() -> Error {
    Error::NotFound { message: "the requested API endpoint does not exist".into() }
}

/// A path and method that the dialect has and this server has not yet. Whoever sees it should not look for a mistake of
/// their own.
#[must_use]
pub fn not_yet() -> Error {
    Error::NotFound { message: "this endpoint is part of the API, but not yet of Wolke".into() }
}

#[cfg(test)]
mod tests {
    use super::{ANNOUNCEMENT, check, ended, refusal};
    use crate::table::OPERATIONS;
    use wolke_domain::Error;
    use wolke_wire::contract::{FieldViolation, error_status};
    use wolke_wire::{Dialect, ErrorCode};

    fn json(error: &Error, operation: &str, dialect: Dialect) -> (u16, serde_json::Value) {
        let refusal = refusal(error, operation, dialect);
        (refusal.status.as_u16(), serde_json::to_value(refusal.envelope).unwrap()["error"].clone())
    }

    #[test]
    fn general_codes_have_the_published_status() {
        let of = |code, dialect| refusal(&Error::refused(code, "m"), "get_server", dialect).status.as_u16();
        for (code, status) in [
            (ErrorCode::JsonError, 400),
            (ErrorCode::Unauthorized, 401),
            (ErrorCode::TokenReadonly, 401),
            (ErrorCode::Forbidden, 403),
            (ErrorCode::MethodNotAllowed, 405),
            (ErrorCode::Conflict, 409),
            (ErrorCode::ResourceUnavailable, 412),
            (ErrorCode::Locked, 423),
            (ErrorCode::RateLimitExceeded, 429),
            (ErrorCode::Unavailable, 503),
        ] {
            assert_eq!(of(code, Dialect::Compat), status, "{code}");
        }
    }

    #[test]
    fn the_2018_document_speaks_its_own_codes() {
        let of = |code| {
            let (status, error) = json(&Error::refused(code, "m"), "delete_server", Dialect::D2018_04);
            (status, error["code"].as_str().unwrap().to_owned())
        };
        assert_eq!(of(ErrorCode::Conflict), (422, "service_error".into()));
        assert_eq!(of(ErrorCode::UnsupportedError), (422, "invalid_input".into()));
        assert_eq!(of(ErrorCode::TokenReadonly), (403, "forbidden".into()));
        assert_eq!(of(ErrorCode::Unavailable), (422, "service_error".into()));
    }

    /// Whatever a handler refuses with: no dialect answers a code that its operation does not have.
    #[test]
    fn every_dialect_speaks_its_own_codes() {
        for operation in OPERATIONS {
            for (code, dialect) in ErrorCode::ALL.iter().flat_map(|code| Dialect::ALL.iter().map(move |d| (code, d))) {
                let shown = refusal(&Error::refused(*code, "m"), operation.id, *dialect);
                let known = error_status(operation.id, shown.code, *dialect);
                assert_eq!(known, Some(shown.status.as_u16()), "{dialect} {}: {code}", operation.id);
            }
        }
    }

    #[test]
    fn details_by_code() {
        let (_, error) = json(&Error::name_used(), "create_server", Dialect::Compat);
        assert_eq!(error["details"], serde_json::json!({"fields": [{"name": "name"}]}));
        let (status, error) = json(&ended(), "list_actions", Dialect::Compat);
        assert_eq!((status, error["details"]["announcement"].as_str()), (410, Some(ANNOUNCEMENT)));
        let (_, error) = json(&Error::internal("secret"), "", Dialect::Compat);
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn violations_of_one_field_stand_together() {
        let violation = |path: &str, message: &str| FieldViolation { path: path.into(), message: message.into() };
        let error = check(vec![violation("a", "x"), violation("b", "y"), violation("a", "z")]).unwrap_err();
        assert_eq!(error.message(), "invalid input in fields 'a', 'b'");
        assert!(check(Vec::new()).is_ok());
    }
}
