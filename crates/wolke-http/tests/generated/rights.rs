//! Every operation, asked by those who may not: a stranger, who must not learn that something exists; a token that only reads;
//! one that leads nowhere; nobody.

use crate::common::Answer;
use crate::drive::Drive;
use crate::plan::{Planned, Segment};
use crate::request::{self, Draft, Expect, NOTHING, Request, Who};
use serde_json::Value;
use wolke_wire::{Dialect, ErrorCode};

/// What belongs to everybody, or can.
const EVERYBODYS: [&str; 8] = [
    "datacenters",
    "images",
    "isos",
    "load_balancer_types",
    "locations",
    "pricing",
    "server_types",
    "storage_box_types",
];

/// Whether the first noun of a path is of the catalogue, at least in part.
pub fn is_everybodys(planned: &Planned) -> bool {
    matches!(planned.segments.first(), Some(Segment::Text(noun)) if EVERYBODYS.contains(noun))
}

impl Drive<'_> {
    /// Asks for everything with every other token.
    pub async fn everybody_else(&mut self) {
        let plan = self.plan;
        for planned in &plan.operations {
            let draft = request::draft(plan, planned, &self.pool, &mut self.dice, &mut self.fresh, true);
            let request = draft.request(planned);
            for who in [Who::Nobody, Who::Unknown, Who::NoScheme] {
                self.refused(planned, &Request { who, ..request.clone() }, 401, ErrorCode::Unauthorized).await;
            }
            let other = Request { method: "PATCH".into(), expect: Expect::Status(&[404, 405]), ..request.clone() };
            self.ask(planned, &Request { broken: Some("a method that nothing has"), ..other }).await;
            if planned.contract.ended.is_some() {
                for who in [Who::Reader, Who::Stranger] {
                    self.refused(planned, &Request { who, ..request.clone() }, 410, ErrorCode::DeprecatedApiEndpoint)
                        .await;
                }
                continue;
            }
            if planned.operation.mutating() {
                let torn = Request { body: b"{".to_vec(), content_type: Some("application/json"), ..request.clone() };
                let torn = Request { expect: Expect::Status(&[400]), broken: Some("garbage"), ..torn };
                self.ask(planned, &torn).await;
                let (status, code) = match self.course.dialect {
                    Dialect::D2018_04 => (403, ErrorCode::Forbidden),
                    _ => (401, ErrorCode::TokenReadonly),
                };
                self.refused(planned, &Request { who: Who::Reader, ..request.clone() }, status, code).await;
            } else {
                self.sees_the_same(planned, &request).await;
            }
            self.stranger_learns_nothing(planned, &draft).await;
        }
    }

    async fn refused(&mut self, planned: &Planned, request: &Request, status: u16, code: ErrorCode) {
        let request = Request { broken: Some("a token that may not"), expect: Expect::Anything, ..request.clone() };
        let answer = self.ask(planned, &request).await;
        if (answer.status, answer.code()) != (status, Some(code.as_str())) {
            let fault = format!("{:?} was not told {status} {code}", request.who);
            self.tally.fail(self.course, planned, &request, &answer, vec![fault]);
        }
    }

    /// A token that only reads sees what a token sees that writes.
    async fn sees_the_same(&mut self, planned: &Planned, request: &Request) {
        let writer = self.ask(planned, request).await;
        let reader = self.ask(planned, &Request { who: Who::Reader, ..request.clone() }).await;
        if (writer.status, &writer.bytes) != (reader.status, &reader.bytes) {
            let fault = vec!["a token that only reads sees something else".to_owned()];
            self.tally.fail(self.course, planned, request, &reader, fault);
        }
    }

    /// To a stranger, what is ours is what is not: the answers are the same, and it is not found. A list shows nothing of ours.
    async fn stranger_learns_nothing(&mut self, planned: &Planned, draft: &Draft) {
        let request = Request { who: Who::Stranger, ..draft.request(planned) };
        if is_everybodys(planned) {
            return;
        }
        if draft.parameters.is_empty() {
            if !planned.operation.mutating() {
                let answer = self.ask(planned, &request).await;
                self.is_not_ours(planned, &request, &answer);
            }
            return;
        }
        let nothing = Draft {
            parameters: vec![NOTHING.into(); draft.parameters.len()],
            query: draft.query.clone(),
            body: draft.body.clone(),
            is_plain: true,
        };
        let request = Request { broken: Some("an id of another project"), ..request };
        let ours = self.ask(planned, &request).await;
        let of_nothing = Request { who: Who::Stranger, ..nothing.request(planned) };
        let none = self.ask(planned, &Request { broken: Some("an id of nothing"), ..of_nothing }).await;
        if (ours.status, ours.code()) != (none.status, none.code()) || ours.status < 400 {
            let fault = format!("a stranger was told something else than of what is not: {}", none.json);
            self.tally.fail(self.course, planned, &request, &ours, vec![fault]);
        }
        self.tally.hidden += usize::from(ours.status == 404);
        self.tally.asked_by_strangers += 1;
    }

    fn is_not_ours(&mut self, planned: &Planned, request: &Request, answer: &Answer) {
        for (name, entries) in answer.json.as_object().into_iter().flatten() {
            let Some(noun) = self.plan.noun(name, "") else { continue };
            let ids = entries.as_array().into_iter().flatten().map(|entry| &entry["id"]);
            let seen: Vec<&Value> = ids.filter(|id| id.is_number() && self.pool.has(noun, id)).collect();
            if !seen.is_empty() && !EVERYBODYS.contains(&name.as_str()) {
                let fault = format!("a stranger sees ours: {noun} {seen:?}");
                self.tally.fail(self.course, planned, request, answer, vec![fault]);
            }
        }
    }
}
