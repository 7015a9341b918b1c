//! What an operation of an API is: the row type of the operation table.

use crate::call::{Call, Reply};
use std::future::Future;
use std::pin::Pin;
use wolke_domain::Result;
use wolke_wire::Kind;

/// The methods that the Cloud API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Reads.
    Get,
    /// Creates, or starts an action.
    Post,
    /// Updates.
    Put,
    /// Deletes.
    Delete,
}

impl Verb {
    /// The method's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// The verb of a method; HEAD is answered like GET, without its body. None for methods that no operation has.
    #[must_use]
    pub fn of(method: &http::Method) -> Option<Self> {
        match method.as_str() {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// What a request counts for against the rate limit. Both cost one request of the project's hour today: the contract has
/// one limit for everything (fact sheet §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Looks.
    Read,
    /// Changes something.
    Write,
}

impl RateClass {
    /// Its name, for listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// How many requests of the limit one request counts for.
    #[must_use]
    pub const fn cost(self) -> u32 {
        match self {
            Self::Read | Self::Write => 1,
        }
    }
}

/// What a handler gives: the answer, later.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// Answers calls of one operation.
pub type Handler = fn(Call) -> Answer;

/// An operation: everything that the router, the audit line, rate limits and listings know of it.
#[derive(Debug)]
pub struct Operation {
    /// The contract's id (`contract/README.md`): `create_server`.
    pub id: &'static str,
    /// The method.
    pub verb: Verb,
    /// The path template below the version prefix: `/servers/{id}`.
    pub path: &'static str,
    /// The kind that it works on; the first parameter of the path is an id of this kind, or names one.
    pub target: Kind,
    /// The command of the action that it starts, if it starts one (fact sheet §5).
    pub command: Option<&'static str>,
    /// Answers its calls.
    pub handler: Handler,
}

impl Operation {
    /// Whether it needs a read-write token.
    #[must_use]
    pub const fn mutating(&self) -> bool {
        !matches!(self.verb, Verb::Get)
    }

    /// Its class in rate limits.
    #[must_use]
    pub const fn rate(&self) -> RateClass {
        if self.mutating() { RateClass::Write } else { RateClass::Read }
    }
}
