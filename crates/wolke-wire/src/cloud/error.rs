//! The error envelope (fact sheet §6.2).

use serde::Serialize;

use crate::ErrorCode;

/// The body of every refusal and failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// For machines.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// More, where the code has more; null otherwise.
    pub details: Option<ErrorDetails>,
}

/// `error.details`, by code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ErrorDetails {
    /// Of `invalid_input` and `uniqueness_error`.
    Fields {
        /// The fields at fault.
        fields: Vec<ErrorField>,
    },
    /// Of `resource_limit_exceeded`.
    Limits {
        /// The limits that are reached.
        limits: Vec<ErrorLimit>,
    },
    /// Of `deprecated_api_endpoint`.
    Announcement {
        /// A URL.
        announcement: String,
    },
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorField {
    /// Its path.
    pub name: String,
    /// Why; absent for `uniqueness_error`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

/// A limit that is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorLimit {
    /// Its name.
    pub name: String,
}

/// `error` of a failed action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ActionError {
    /// For machines; `action_failed` when nothing better is known.
    pub code: String,
    /// For people.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::{ErrorBody, ErrorDetails, ErrorEnvelope, ErrorField};
    use crate::ErrorCode;

    fn json(code: ErrorCode, details: Option<ErrorDetails>) -> String {
        serde_json::to_string(&ErrorEnvelope { error: ErrorBody { code, message: "m".into(), details } }).unwrap()
    }

    #[test]
    fn shapes() {
        let field = |messages: &[&str]| ErrorField {
            name: "name".into(),
            messages: messages.iter().map(|&m| m.to_owned()).collect(),
        };
        assert_eq!(json(ErrorCode::NotFound, None), r#"{"error":{"code":"not_found","message":"m","details":null}}"#);
        assert_eq!(
            json(ErrorCode::InvalidInput, Some(ErrorDetails::Fields { fields: vec![field(&["x"])] })),
            r#"{"error":{"code":"invalid_input","message":"m","details":{"fields":[{"name":"name","messages":["x"]}]}}}"#
        );
        assert_eq!(
            json(ErrorCode::UniquenessError, Some(ErrorDetails::Fields { fields: vec![field(&[])] })),
            r#"{"error":{"code":"uniqueness_error","message":"m","details":{"fields":[{"name":"name"}]}}}"#
        );
    }
}
