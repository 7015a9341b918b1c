//! Answers that the operator makes operations give instead of their own: maintenance, and errors that clients must survive.

use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use wolke_wire::contract::error_status;
use wolke_wire::{Dialect, ErrorCode};

/// Stands for every operation.
pub const EVERY_OPERATION: &str = "*";
/// The longest message of a fault, in characters.
pub const MESSAGE_CHARACTERS_MAX: usize = 1000;
/// A thousand of a thousand: every call.
pub const PERMILLE_MAX: i64 = 1000;

/// When an operation gives the answer of a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Instead of the work.
    #[default]
    Before,
    /// When the work is done: the client cannot know.
    After,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The id of an operation (`contract/README.md`), or [`EVERY_OPERATION`].
    pub operation: String,
    /// What is answered.
    pub code: ErrorCode,
    /// Why; a text that fits the code when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many calls get this answer; all when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<i64>,
    /// How many calls of a thousand get this answer, chosen by `seed`; all when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permille: Option<i64>,
    /// What the choice is drawn with.
    #[serde(default)]
    pub seed: u64,
    /// Before or after the work.
    #[serde(default)]
    pub when: When,
}

impl Fault {
    /// Checks that an operation can answer this at all.
    ///
    /// # Errors
    /// `invalid_input`, all fields at once.
    pub fn check(&self) -> Result<()> {
        let mut fields = Vec::new();
        let operation = if self.operation == EVERY_OPERATION { "" } else { &self.operation };
        if !Dialect::ALL.iter().any(|dialect| error_status(operation, self.code, *dialect).is_some()) {
            fields.push(FieldError::new("code", format!("{} is no answer of {}", self.code, self.operation)));
        }
        if self.message.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > MESSAGE_CHARACTERS_MAX) {
            let message = format!("must have between 1 and {MESSAGE_CHARACTERS_MAX} characters");
            fields.push(FieldError::new("message", message));
        }
        if self.calls.is_some_and(|calls| calls < 1) {
            fields.push(FieldError::new("calls", "must be at least 1"));
        }
        if self.permille.is_some_and(|permille| !(1..=PERMILLE_MAX).contains(&permille)) {
            fields.push(FieldError::new("permille", format!("must be between 1 and {PERMILLE_MAX}")));
        }
        if self.when == When::After && !is_of_the_server(self.code) {
            fields.push(FieldError::new("when", format!("{} says that nothing was done", self.code)));
        }
        if fields.is_empty() { Ok(()) } else { Err(Error::invalid_fields(fields)) }
    }

    /// Whether it is about an operation.
    #[must_use]
    pub fn is_about(&self, operation: &str) -> bool {
        self.operation == EVERY_OPERATION || self.operation == operation
    }

    /// Whether the `n`th call gets it, as far as chance decides.
    #[must_use]
    pub fn strikes(&self, n: u64) -> bool {
        let Some(permille) = self.permille else { return true };
        let drawn = mix(self.seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))) % PERMILLE_MAX.unsigned_abs();
        drawn < permille.unsigned_abs()
    }

    /// The answer. `limit` names what is full, where the code is about that.
    #[must_use]
    pub fn error(&self, limit: &str) -> Error {
        let message = self.message.clone().unwrap_or_else(|| default_message(self.code).to_owned());
        match self.code {
            ErrorCode::ResourceLimitExceeded => Error::LimitExceeded { limit: limit.to_owned(), message },
            code => Error::refused(code, message),
        }
    }
}

/// The finaliser of SplitMix64: near seeds give unlike numbers.
const fn mix(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

/// Codes after which a client cannot know what was done.
const fn is_of_the_server(code: ErrorCode) -> bool {
    use ErrorCode as C;
    matches!(code, C::ServerError | C::BadGateway | C::Unavailable | C::Timeout)
}

const fn default_message(code: ErrorCode) -> &'static str {
    use ErrorCode as C;
    match code {
        C::Maintenance => "cannot perform operation due to maintenance",
        C::ServerError => "an internal error occurred",
        C::BadGateway => "bad gateway",
        C::Unavailable => "the service is temporarily unavailable",
        C::Timeout => "the request timed out",
        C::Conflict => "the resource was changed while the request was processed",
        C::RateLimitExceeded => "rate limit exceeded",
        C::ResourceLimitExceeded => "resource limit exceeded",
        _ => "the operator has ordered this answer",
    }
}

#[cfg(test)]
mod tests {
    use super::{EVERY_OPERATION, Fault, When};
    use wolke_wire::ErrorCode;

    fn fault(operation: &str, code: ErrorCode) -> Fault {
        let (message, calls, permille) = (None, None, None);
        Fault { operation: operation.into(), code, message, calls, permille, seed: 1, when: When::Before }
    }

    #[test]
    fn only_what_an_operation_can_answer() {
        assert!(fault(EVERY_OPERATION, ErrorCode::Maintenance).check().is_ok());
        assert!(fault("create_server", ErrorCode::PlacementError).check().is_ok());
        assert!(fault(EVERY_OPERATION, ErrorCode::PlacementError).check().is_err());
        assert!(fault("get_server", ErrorCode::PlacementError).check().is_err());
        assert!(Fault { calls: Some(0), ..fault("get_server", ErrorCode::Conflict) }.check().is_err());
        assert!(Fault { permille: Some(1001), ..fault("get_server", ErrorCode::Conflict) }.check().is_err());
        assert!(Fault { message: Some(String::new()), ..fault("get_server", ErrorCode::Conflict) }.check().is_err());
        assert!(Fault { when: When::After, ..fault("get_server", ErrorCode::Conflict) }.check().is_err());
        assert!(Fault { when: When::After, ..fault("get_server", ErrorCode::Timeout) }.check().is_ok());
    }

    #[test]
    fn chance_is_about_right_and_repeats() {
        let fault = Fault { permille: Some(250), ..fault("get_server", ErrorCode::Timeout) };
        let struck: Vec<u64> = (0..4000).filter(|n| fault.strikes(*n)).collect();
        assert!((850..1150).contains(&struck.len()), "{}", struck.len());
        assert_eq!(struck, (0..4000).filter(|n| fault.strikes(*n)).collect::<Vec<_>>());
        let other = Fault { seed: 2, ..fault };
        assert_ne!(struck, (0..4000).filter(|n| other.strikes(*n)).collect::<Vec<_>>());
    }
}
