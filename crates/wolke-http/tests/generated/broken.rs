//! Requests that do not keep to the contract, each made from one that does, with what must come of it where that is sure.

mod body;
mod member;
mod place;
mod spot;

use crate::dice::Dice;
use crate::plan::{Plan, Planned};
use crate::pool::Pool;
use crate::request::{Draft, Expect, Request, Who};
use serde_json::Value;
use spot::{Spot, collect};
use wolke_http::operation::Verb;

/// How often a way to break a request is sought that fits it.
const TRIES: usize = 12;
/// More than a body may have, in bytes.
const TOO_LARGE: usize = (1 << 20) + 1;

/// What can be broken.
pub struct Workshop<'a> {
    plan: &'a Plan,
    planned: &'a Planned,
    /// Things of another project.
    foreign: &'a Pool,
    draft: Draft,
    dice: &'a mut Dice,
}

/// Breaks a request; none when this way does not fit it.
type Way = fn(&mut Workshop<'_>) -> Option<Request>;

/// All ways.
const WAYS: [(&str, Way); 28] = [
    ("wrong type", member::wrong_type),
    ("wrong type of an item", member::wrong_item),
    ("null for what is required", member::null),
    ("a required member is missing", member::missing),
    ("a number out of range", member::out_of_range),
    ("a float for an integer", member::float),
    ("a number that no integer holds", member::huge),
    ("a text that is too long", member::too_long),
    ("the character U+0000", member::nul),
    ("a value that the enumeration lacks", member::no_value),
    ("too many items", member::too_many),
    ("no object", body::no_object),
    ("an empty body", body::empty),
    ("garbage", body::garbage),
    ("a body that is cut off", body::cut),
    ("deep nesting", body::deep),
    ("duplicate members", body::duplicate),
    ("unknown members", body::unknown),
    ("a content type of something else", body::content_type),
    ("a body that is too large", body::too_large),
    ("an id that is none", place::no_id),
    ("an id of another project", place::foreign),
    ("a path that is odd", place::odd_path),
    ("a wrong value in the query", place::wrong_query),
    ("an odd query", place::odd_query),
    ("a method that is not allowed", place::method),
    ("a HEAD", place::head),
    ("a wrong token", place::token),
];

/// Breaks a draft in one way.
pub fn request(plan: &Plan, planned: &Planned, draft: Draft, foreign: &Pool, dice: &mut Dice) -> Request {
    let mut shop = Workshop { plan, planned, foreign, draft, dice };
    let made = (0..TRIES).find_map(|_| {
        let (name, way) = WAYS[shop.dice.below(WAYS.len())];
        way(&mut shop).map(|request| Request { broken: Some(name), ..request })
    });
    let mut request = made.unwrap_or_else(|| {
        let request = shop.draft.request(planned);
        Request { who: Who::Nobody, expect: Expect::Status(&[401]), broken: Some("no token"), ..request }
    });
    // A spicy body may be too large before anything is broken.
    let is_too_large = request.body.len() >= TOO_LARGE && request.expect != Expect::Status(&[422]);
    if is_too_large && matches!(request.expect, Expect::Field(_) | Expect::Status(&[400])) {
        request.expect = Expect::Refused;
    }
    // What has ended says so to everybody who may ask.
    if planned.contract.ended.is_some() && request.who == Who::Writer && request.expect != Expect::Status(NO_METHOD) {
        request.expect = Expect::Refused;
    }
    request
}

const NO_METHOD: &[u16] = &[404, 405];

impl Workshop<'_> {
    /// Every member of the body that its schema knows, and every item of a list.
    fn spots(&self) -> Vec<Spot> {
        let mut spots = Vec::new();
        if let (Some(schema), Some(body)) = (&self.planned.body, &self.draft.body) {
            collect(schema, body, "", "", &mut spots);
        }
        spots
    }

    fn spot(&mut self, fits: impl Fn(&Spot) -> bool) -> Option<Spot> {
        let mut spots: Vec<Spot> = self.spots().into_iter().filter(|spot| fits(spot)).collect();
        if spots.is_empty() { None } else { Some(spots.swap_remove(self.dice.below(spots.len()))) }
    }

    /// The request with another value in a place, which must be refused there.
    fn with(&mut self, spot: &Spot, value: Value) -> Option<Request> {
        *self.draft.body.as_mut()?.pointer_mut(&spot.pointer)? = value;
        let request = self.draft.request(self.planned);
        Some(Request { expect: Expect::Field(spot.field.clone()), ..request })
    }

    fn raw(&self, body: impl Into<Vec<u8>>, expect: Expect) -> Request {
        let request = self.draft.request(self.planned);
        Request { body: body.into(), content_type: Some("application/json"), expect, ..request }
    }

    fn writes(&self) -> bool {
        self.planned.operation.verb != Verb::Get
    }
}
