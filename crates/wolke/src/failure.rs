//! Why a command ends without success: one sentence for standard error and the exit code.

use std::fmt::Display;
use std::path::Path;

/// Exit code of a command that could not do what it was asked.
const FAILED: u8 = 1;
/// Exit code of a command that was asked wrongly: flags, environment or configuration file.
const MISUSED: u8 = 2;

/// What this program's functions return.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// One sentence, with the fix where there is one.
    pub text: String,
}

impl Failure {
    /// The command was understood and could not be done.
    pub fn new(text: impl Into<String>) -> Self {
        Self { code: FAILED, text: text.into() }
    }

    /// A flag, a variable or a key of the configuration file is wrong.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { code: MISUSED, text: text.into() }
    }

    /// A file or directory: `cannot read /x/y: permission denied`.
    pub fn file(verb: &str, path: &Path, error: impl Display) -> Self {
        Self::new(format!("cannot {verb} {}: {error}", path.display()))
    }
}

impl From<wolke_domain::Error> for Failure {
    /// The operator sees the internal text: there is nobody to hide it from, and it is what helps.
    fn from(error: wolke_domain::Error) -> Self {
        use wolke_domain::Error::{Internal, Unavailable};
        match error {
            Unavailable { internal } | Internal { internal } => Self::new(internal),
            other => Self::new(other.message()),
        }
    }
}
