//! Answers that the operator makes operations give instead of their own: maintenance, and errors that clients must survive.

use crate::action::Failure;
use crate::certificate::{ISSUE_CODES, issue_text};
use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use wolke_wire::contract::{Contract, error_status};
use wolke_wire::{Dialect, ErrorCode};

/// Stands for every operation.
pub const EVERY_OPERATION: &str = "*";
/// Stands for the renewals of managed certificates, which nobody asks for.
pub const RENEWALS: &str = "renew_certificate";
/// What issues a certificate: its own work asks for faults, when the authority should have answered.
pub const ISSUES: [&str; 3] = ["create_certificate", "certificate_retry", RENEWALS];
/// Codes that every action can end with; further ones are those of its operation (`contract/errors.json`).
pub const ACTION_CODES: [ErrorCode; 3] = [ErrorCode::ActionFailed, ErrorCode::ResourceUnavailable, ErrorCode::Timeout];
/// The members of an answer that hold actions.
const ACTION_MEMBERS: [&str; 3] = ["action", "actions", "next_actions"];
/// The longest message of a fault, in characters.
pub const MESSAGE_CHARACTERS_MAX: usize = 1000;
/// A thousand of a thousand: every call.
pub const PERMILLE_MAX: i64 = 1000;

/// When an operation gives the answer of a fault, or what it has begun ends with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Instead of the work.
    #[default]
    Before,
    /// When the work is done: the client cannot know.
    After,
    /// In the work that it begins: the operation is accepted, its actions fail, and nothing is left of what it did. Only of
    /// operations that answer with an action, and of [`ISSUES`].
    During,
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
        if !self.fits() {
            let what = if self.when == When::During { "end of an action" } else { "answer" };
            fields.push(FieldError::new("code", format!("{} is no {what} of {}", self.code, self.operation)));
        }
        if self.when == When::During && !has_work(&self.operation) {
            let message =
                format!("during is for operations that answer with an action, which {} is not", self.operation);
            fields.push(FieldError::new("when", message));
        }
        if self.when != When::During && self.operation == RENEWALS {
            fields.push(FieldError::new("when", format!("nobody asks for {RENEWALS}, so there is only during")));
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

    /// Whether the code is one that can be met there.
    fn fits(&self) -> bool {
        if self.when == When::During {
            if ISSUES.contains(&self.operation.as_str()) {
                return self.code == ErrorCode::ActionFailed || ISSUE_CODES.contains(&self.code);
            }
            let is_own = is_answer(&self.operation, self.code) && !is_answer("", self.code);
            return ACTION_CODES.contains(&self.code) || self.operation != EVERY_OPERATION && is_own;
        }
        is_answer(if self.operation == EVERY_OPERATION { "" } else { &self.operation }, self.code)
    }

    /// What is said.
    fn text(&self) -> String {
        let text = || issue_text(self.code).unwrap_or_else(|| default_message(self.code)).to_owned();
        self.message.clone().unwrap_or_else(text)
    }

    /// What work fails with.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.code, self.text())
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
        match self.code {
            ErrorCode::ResourceLimitExceeded => Error::LimitExceeded { limit: limit.to_owned(), message: self.text() },
            code => Error::refused(code, self.text()),
        }
    }
}

/// Whether an operation has such an answer in some dialect; an empty id stands for every operation.
fn is_answer(operation: &str, code: ErrorCode) -> bool {
    Dialect::ALL.iter().any(|dialect| error_status(operation, code, *dialect).is_some())
}

/// Whether an operation begins work that an action shows, in some dialect.
fn has_work(operation: &str) -> bool {
    let with_action = |dialect: &Dialect| {
        let found = Contract::of(*dialect).operation(operation).filter(|found| found.method != "GET");
        let schema = found.and_then(|found| found.success());
        schema.is_some_and(|schema| ACTION_MEMBERS.iter().any(|member| schema.member(member).is_some()))
    };
    operation == EVERY_OPERATION || ISSUES.contains(&operation) || Dialect::ALL.iter().any(with_action)
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
    use super::{ACTION_CODES, EVERY_OPERATION, Fault, ISSUES, RENEWALS, When};
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
    fn issues_fail_with_codes_of_the_authority() {
        let during = |operation, code| Fault { when: When::During, ..fault(operation, code) }.check().is_ok();
        for operation in ISSUES {
            assert!(during(operation, ErrorCode::CaTooManyDuplicateCertificates), "{operation}");
            assert!(
                during(operation, ErrorCode::ActionFailed) && !during(operation, ErrorCode::Conflict),
                "{operation}"
            );
        }
        assert!(fault(RENEWALS, ErrorCode::CaDnsValidationFailed).check().is_err(), "there is no request to answer");
        assert!(fault("create_certificate", ErrorCode::CaDnsValidationFailed).check().is_ok());
    }

    #[test]
    fn work_fails_only_where_an_action_shows_it() {
        let during = |operation, code| Fault { when: When::During, ..fault(operation, code) }.check().is_ok();
        for operation in
            [EVERY_OPERATION, "volume_attach", "create_server", "delete_zone", "firewall_set_rules", "server_poweron"]
        {
            for code in ACTION_CODES {
                assert!(during(operation, code), "{operation} {code}");
            }
            for code in [ErrorCode::Conflict, ErrorCode::InvalidInput, ErrorCode::Maintenance] {
                assert!(!during(operation, code), "{operation} {code}");
            }
        }
        assert!(during("create_server", ErrorCode::PlacementError), "a code of its own");
        assert!(!during("volume_attach", ErrorCode::PlacementError) && !during("*", ErrorCode::PlacementError));
        for operation in ["get_action", "delete_volume", "create_ssh_key", "attach_volume", "dance"] {
            let wrong = Fault { when: When::During, ..fault(operation, ErrorCode::ActionFailed) }.check().unwrap_err();
            assert!(format!("{wrong:?}").contains(operation), "it is named: {wrong:?}");
        }
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
