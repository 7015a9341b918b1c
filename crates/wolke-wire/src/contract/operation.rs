//! One operation of a dialect, with its checkers.

use serde_json::Value;

use super::path::FieldViolation;
use super::query::{self, QueryParam};
use super::request::RequestReport;
use super::response;
use super::schema::Schema;
use crate::Dialect;

/// An operation of the contract of one dialect.
#[derive(Debug)]
pub struct OperationContract {
    /// The id by the rule of `contract/README.md`: `create_server`, `server_poweron`.
    pub id: String,
    /// The method in upper case.
    pub method: String,
    /// The path template below the version prefix: `/servers/{id}`.
    pub path: String,
    /// The documented query parameters.
    pub query: Vec<QueryParam>,
    /// The schema of the request body; `None` for operations without one.
    pub request: Option<Schema>,
    /// The documented success answers: status and schema, `None` for an answer without a body.
    pub responses: Vec<(u16, Option<Schema>)>,
    /// Set when the operation exists no more but is still answered.
    pub ended: Option<Ended>,
    /// The dialect that the operation belongs to.
    pub dialect: Dialect,
}

/// An operation that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The status that stands for it: 410, with the code `deprecated_api_endpoint`.
    pub status: u16,
}

impl OperationContract {
    /// The schema of the first success answer that has a body.
    #[must_use]
    pub fn success(&self) -> Option<&Schema> {
        self.responses.iter().find_map(|(_, schema)| schema.as_ref())
    }

    /// The schema of the answer with this status.
    #[must_use]
    pub fn response(&self, status: u16) -> Option<&Schema> {
        self.responses.iter().find(|(s, _)| *s == status).and_then(|(_, schema)| schema.as_ref())
    }

    /// The documented success status; where a document names two, the first.
    #[must_use]
    pub fn success_status(&self) -> u16 {
        self.responses.first().map_or(200, |(status, _)| *status)
    }

    /// Checks a request body and collects every violation.
    ///
    /// A missing body is given as JSON null and counts as an empty object; operations without a documented body take
    /// anything (fact sheet §1: actions may come with no body, null or an empty object).
    #[must_use]
    pub fn check_request(&self, body: &Value) -> RequestReport {
        let empty = Value::Object(serde_json::Map::new());
        match &self.request {
            Some(schema) => schema.check_request(if body.is_null() { &empty } else { body }),
            None => RequestReport::default(),
        }
    }

    /// Checks the decoded pairs of the query string and collects every violation, one for each parameter at most.
    ///
    /// Unknown parameters are ignored. `page` is at least 1; `per_page` is 1 to 50 and more is refused, since the
    /// documents call 50 the maximum value; the list of RRSets goes to 100 (`contract/decisions.json`).
    #[must_use]
    pub fn check_query(&self, pairs: &[(String, String)]) -> Vec<FieldViolation> {
        query::check(&self.query, pairs)
    }

    /// The oracle: everything in which an answer departs from the contract.
    ///
    /// Success answers are checked strictly against their schema: an undocumented member, a missing required one, a
    /// wrong type, enumeration value or null is a violation. Errors are checked against the envelope and the table of
    /// codes (`contract/errors.json`). An answer without a body is given as JSON null.
    #[must_use]
    pub fn check_response(&self, status: u16, body: &Value) -> Vec<FieldViolation> {
        response::check(self, status, body)
    }
}
