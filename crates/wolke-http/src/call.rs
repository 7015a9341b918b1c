//! A call that has passed every gate, and its answer: what handlers see of HTTP.

use crate::body::Pieces;
use crate::operation::Operation;
use crate::query::Pairs;
use http::Uri;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use wolke_control::{Caller, Control};
use wolke_domain::{Error, Result};
use wolke_wire::Id;
use wolke_wire::cloud::Architecture;
use wolke_wire::contract::OperationContract;

/// A call: who asks, for what, with which parameters. Ids, query and body have been checked against the contract.
pub struct Call {
    /// The application.
    pub control: Arc<Control>,
    /// Who asks.
    pub caller: Caller,
    /// The row of the operation table.
    pub operation: &'static Operation,
    /// The operation's contract in the caller's dialect.
    pub contract: &'static OperationContract,
    /// The ids in the path; zero where the path has none.
    pub ids: [Id; crate::route::PARAMETERS_MAX],
    /// The names in the path, decoded: a zone by its id or name, a set by its name and type.
    pub names: Vec<String>,
    /// The pairs of the query that the dialect documents; others are ignored.
    pub query: Pairs,
    /// The body; null when there was none. Cut down to what the dialect documents.
    pub body: Value,
    /// Where the request went, for links: scheme and authority as the client sees them, and the request's own URI.
    pub origin: String,
    /// The request's path and query.
    pub uri: Uri,
}

impl Call {
    /// The first id in the path.
    #[must_use]
    pub fn id(&self) -> Id {
        self.ids[0]
    }

    /// The second id in the path: an action's.
    #[must_use]
    pub fn second_id(&self) -> Id {
        self.ids[1]
    }

    /// A name in the path; empty where the path has none.
    #[must_use]
    pub fn name(&self, position: usize) -> &str {
        self.names.get(position).map(String::as_str).unwrap_or_default()
    }

    /// The body as the operation's request type.
    ///
    /// # Errors
    /// `invalid_input`, naming the place: some documents leave types open that the real service does not.
    pub fn request<T: DeserializeOwned>(&mut self) -> Result<T> {
        let body = match self.body.take() {
            Value::Null => Value::Object(serde_json::Map::new()),
            body => body,
        };
        // The error's own text may quote the body, which may hold secrets; its place is enough.
        serde_path_to_error::deserialize(body)
            .map_err(|error| Error::invalid(error.path().to_string(), "has the wrong type"))
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &'static str) -> Option<&str> {
        self.parameters(name).next()
    }

    /// Whether a switch of the query is on. The contract has checked that it is one.
    #[must_use]
    pub fn flag(&self, name: &'static str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The architectures that a list is filtered by. The 2023 document names no values of them; one that is none is refused
    /// there, too, because dropped it would match everything.
    ///
    /// # Errors
    /// `invalid_input`.
    pub fn architectures(&self) -> Result<Vec<Architecture>> {
        let known =
            |text| Architecture::parse(text).ok_or_else(|| Error::invalid("architecture", "must be x86 or arm"));
        self.parameters("architecture").map(known).collect()
    }

    /// All values of a query parameter.
    pub fn parameters(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// An answer. Its status is the contract's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A JSON object.
    Json(Vec<u8>),
    /// A page of a list, with its `Link` header.
    Page {
        /// The JSON object, in pieces: what is shared between answers is not copied into each.
        json: Pieces,
        /// The value of `Link`; none where the answer has no `meta`.
        link: Option<String>,
    },
    /// No body.
    Nothing,
}
