//! Requests that do not keep to the contract, each made from one that does, with what must come of it where that is sure.

mod body;
mod member;
mod place;
mod rule;
mod spot;

use crate::dice::Dice;
use crate::plan::{Plan, Planned};
use crate::pool::Pool;
use crate::request::{Draft, Expect, Request, Who};
use crate::texts::Family;
use serde_json::Value;
pub use spot::plain;
use spot::{At, Spot, collect};
use std::collections::BTreeMap;
use wolke_http::operation::Verb;

/// So many of a hundred broken requests are broken in the way that was taken least so far and fits.
const RARE_PERCENT: u32 = 40;
/// More than a body may have, in bytes.
const TOO_LARGE: usize = (1 << 20) + 1;

/// What can be broken.
pub struct Workshop<'a> {
    plan: &'a Plan,
    planned: &'a Planned,
    /// Things of another project.
    foreign: &'a Pool,
    draft: Draft,
    /// Every member of the body that its schema knows, and every item of a list.
    spots: Vec<Spot<'a>>,
    dice: &'a mut Dice,
}

/// Breaks a request; none when this way does not fit it.
type Way = fn(&mut Workshop<'_>) -> Option<Request>;

/// All ways.
const WAYS: [(&str, Way); 53] = [
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
    ("a text that is too short", member::too_short),
    ("a text of another pattern", member::pattern),
    ("too few items", member::too_few),
    ("an item twice", member::twice),
    ("null for what may be left out", member::null_for_optional),
    ("an empty text", member::empty),
    ("control characters", member::control),
    ("a wrong part deep inside", member::deep),
    ("a member where none else may be", member::refused_member),
    ("a name that its rules refuse", |shop| rule::broken(shop, Family::Name)),
    ("a label that its rules refuse", |shop| rule::broken(shop, Family::Label)),
    ("a label's key that its rules refuse", rule::label_key),
    ("a range that its rules refuse", |shop| rule::broken(shop, Family::Range)),
    ("an address that its rules refuse", |shop| rule::broken(shop, Family::Address)),
    ("ports that their rules refuse", |shop| rule::broken(shop, Family::Ports)),
    ("a domain that its rules refuse", |shop| rule::broken(shop, Family::Domain)),
    ("a record that its rules refuse", |shop| rule::broken(shop, Family::Record)),
    ("a zone file that its rules refuse", |shop| rule::broken(shop, Family::ZoneFile)),
    ("a key or certificate that is none", |shop| rule::broken(shop, Family::Key)),
    ("a password that its rules refuse", |shop| rule::broken(shop, Family::Password)),
    ("a selector that is none", |shop| rule::broken(shop, Family::Selector)),
    ("a number that its rules refuse", |shop| rule::broken(shop, Family::Number)),
    ("a text that its rules refuse", |shop| rule::broken(shop, Family::Text)),
    ("a selector in the query that is none", rule::selector),
    ("a wrong value beside a right one in the query", place::wrong_beside_right),
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

/// The names of all ways.
pub fn ways() -> impl Iterator<Item = &'static str> {
    WAYS.iter().map(|(name, _)| *name)
}

/// A request that keeps to all rules, with one value at their edge; none where nothing in the draft has such rules.
pub fn edge(
    plan: &Plan,
    planned: &Planned,
    draft: Draft,
    foreign: &Pool,
    (dice, fresh): (&mut Dice, &mut u64),
) -> Option<Request> {
    let mut shop = Workshop::new(plan, planned, draft, foreign, dice);
    if shop.writes() { rule::edge(&mut shop, fresh) } else { rule::good_selector(&mut shop) }
}

/// Breaks a draft in one way.
pub fn request(
    plan: &Plan,
    planned: &Planned,
    draft: Draft,
    foreign: &Pool,
    taken: &BTreeMap<&'static str, usize>,
    dice: &mut Dice,
) -> Request {
    let mut order: Vec<usize> = (0..WAYS.len()).collect();
    dice.shuffle(&mut order);
    if dice.percent(RARE_PERCENT) {
        order.sort_by_key(|way| taken.get(WAYS[*way].0));
    }
    let mut shop = Workshop::new(plan, planned, draft, foreign, dice);
    let made = order.into_iter().find_map(|way| {
        let (name, way) = WAYS[way];
        way(&mut shop).map(|request| Request { broken: Some(name), ..request })
    });
    let mut request = made.unwrap_or_else(|| {
        let request = shop.draft.request(planned);
        Request { who: Who::Nobody, expect: Expect::Status(&[401]), broken: Some("no token"), ..request }
    });
    // A spicy body may be too large before anything is broken.
    let is_too_large = request.body.len() >= TOO_LARGE && request.expect != Expect::Status(&[422]);
    if is_too_large && matches!(request.expect, Expect::Field(_) | Expect::Rule(_) | Expect::Status(&[400])) {
        request.expect = Expect::Refused;
    }
    // What has ended says so to everybody who may ask.
    if planned.contract.ended.is_some() && request.who == Who::Writer && request.expect != Expect::Status(NO_METHOD) {
        request.expect = Expect::Refused;
    }
    request
}

const NO_METHOD: &[u16] = &[404, 405];

impl<'a> Workshop<'a> {
    fn new(plan: &'a Plan, planned: &'a Planned, draft: Draft, foreign: &'a Pool, dice: &'a mut Dice) -> Self {
        let mut spots = Vec::new();
        if let (Some(schema), Some(body)) = (&planned.body, &draft.body) {
            collect(schema, body, At::default(), &mut spots);
        }
        Self { plan, planned, foreign, draft, spots, dice }
    }

    fn spot(&mut self, fits: impl Fn(&Spot<'_>) -> bool) -> Option<Spot<'a>> {
        let mut spots: Vec<&Spot<'a>> = self.spots.iter().filter(|spot| fits(spot)).collect();
        if spots.is_empty() { None } else { Some(spots.swap_remove(self.dice.below(spots.len())).clone()) }
    }

    /// The request with another value in a place, which must be refused there.
    fn with(&mut self, spot: &Spot<'_>, value: Value) -> Option<Request> {
        *self.draft.body.as_mut()?.pointer_mut(&spot.pointer)? = value;
        let request = self.draft.request(self.planned);
        Some(Request { expect: Expect::Field(spot.field.clone()), ..request })
    }

    fn raw(&self, body: impl Into<Vec<u8>>, expect: Expect) -> Request {
        let request = self.draft.request(self.planned);
        Request { body: body.into(), content_type: Some("application/json"), expect, ..request }
    }

    /// The noun that the operation is about.
    fn about(&self) -> &str {
        crate::request::about(self.plan, self.planned)
    }

    fn writes(&self) -> bool {
        self.planned.operation.verb != Verb::Get
    }
}
