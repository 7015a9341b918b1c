//! What the contract of a dialect says to somebody who makes requests: for each operation of the table its path, query and
//! body, and which noun an id belongs to. Nothing here lists resources: nouns come from paths and answers.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use wolke_http::operation::{Operation, Verb};
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;
use wolke_wire::contract::{Contract, OperationContract, Side};

/// Members that hold ids of a kind that their name does not say.
const ALIASES: [(&str, &str); 3] = [("assignee_id", "server"), ("ipv4", "primary_ip"), ("ipv6", "primary_ip")];

/// A segment of a path.
#[derive(Clone, Debug)]
pub enum Segment {
    Text(&'static str),
    /// The parameter's name, and the noun that it belongs to: `rr_name` of an `rrset`.
    Parameter(&'static str, String),
}

/// An operation in a dialect.
pub struct Planned {
    pub operation: &'static Operation,
    pub contract: &'static OperationContract,
    pub segments: Vec<Segment>,
    /// The schema of the body.
    pub body: Option<Value>,
}

/// All operations of the table that a dialect has.
pub struct Plan {
    pub dialect: Dialect,
    pub operations: Vec<Planned>,
    /// Singular by plural: `servers` are called `server`.
    nouns: BTreeMap<String, String>,
    /// Names of members that requests have: what is worth remembering of answers.
    pub members: BTreeSet<String>,
}

impl Plan {
    pub fn of(dialect: Dialect) -> Self {
        let contract = Contract::of(dialect);
        let nouns: BTreeMap<String, String> = contract.operations().filter_map(noun).collect();
        let mut members = BTreeSet::new();
        let planned = OPERATIONS.iter().filter_map(|operation| {
            let contract = contract.operation(operation.id)?;
            let body = contract.request.as_ref().map(|schema| schema.describe_whole(Side::Request));
            body.iter().for_each(|schema| note_members(schema, &mut members));
            members.extend(contract.query.iter().map(|parameter| parameter.name.clone()));
            Some(Planned { operation, contract, segments: segments(operation, &nouns), body })
        });
        let operations = planned.collect();
        Self { dialect, operations, nouns, members }
    }

    /// The noun that a member of a request or of an answer is about, if it is about one.
    pub fn noun(&self, member: &str, parent: &str) -> Option<&str> {
        let is = |name: &str| self.nouns.iter().find(|(plural, singular)| *plural == name || *singular == name);
        let alias = ALIASES.iter().find(|(name, _)| *name == member).map(|(_, noun)| *noun);
        let name = if member == "id" { parent } else { alias.unwrap_or(member) };
        // `home_location` is a location.
        let by_end = || self.nouns.iter().find(|(_, singular)| name.ends_with(&format!("_{singular}")));
        is(name).or_else(|| is(name.strip_suffix("_id")?)).or_else(by_end).map(|(_, singular)| singular.as_str())
    }

    /// The operation that makes things of a noun.
    pub fn create(&self, noun: &str) -> Option<&Planned> {
        self.operations.iter().find(|planned| {
            let last = planned.segments.last();
            let makes = matches!(last, Some(Segment::Text(text)) if self.noun(text, "") == Some(noun));
            makes && planned.operation.id.starts_with("create_") && planned.contract.ended.is_none()
        })
    }

    /// The lists that need nothing else to be known.
    pub fn roots(&self) -> impl Iterator<Item = &Planned> {
        self.operations.iter().filter(|planned| {
            let is_bare = planned.segments.iter().all(|segment| matches!(segment, Segment::Text(_)));
            let needs = planned.contract.query.iter().any(|parameter| parameter.required);
            planned.operation.verb == Verb::Get && is_bare && !needs && planned.contract.ended.is_none()
        })
    }
}

/// Plural and singular, from a GET of a single thing: the last literal of its path, and the member of its answer.
fn noun(contract: &OperationContract) -> Option<(String, String)> {
    let is_single = contract.method == "GET" && contract.path.ends_with('}');
    let plural = contract.path.rsplit('/').find(|segment| !segment.starts_with('{'))?;
    let singular = contract.success()?.member_names().next()?;
    is_single.then(|| (plural.to_owned(), singular.to_owned()))
}

fn segments(operation: &'static Operation, nouns: &BTreeMap<String, String>) -> Vec<Segment> {
    let mut noun = String::new();
    let segment = |text: &'static str| match text.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => Segment::Parameter(name, noun.clone()),
        None => {
            noun = nouns.get(text).cloned().unwrap_or_default();
            Segment::Text(text)
        }
    };
    operation.path.split('/').skip(1).map(segment).collect()
}

fn note_members(schema: &Value, members: &mut BTreeSet<String>) {
    match schema {
        Value::Object(parts) => {
            if let Some(Value::Object(named)) = parts.get("properties") {
                members.extend(named.keys().cloned());
            }
            parts.values().for_each(|part| note_members(part, members));
        }
        Value::Array(parts) => parts.iter().for_each(|part| note_members(part, members)),
        _ => {}
    }
}
