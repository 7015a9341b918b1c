//! A whole request: what is sent, and what must come of it.

use crate::dice::Dice;
use crate::plan::{Plan, Planned, Segment};
use crate::pool::{Pool, Wanted};
use crate::samples;
use crate::value::{Maker, Place};
use serde_json::Value;
use std::fmt::Write as _;

/// Whose token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Writer,
    Reader,
    Stranger,
    Nobody,
    /// A token that leads nowhere.
    Unknown,
    /// A header that is no token.
    NoScheme,
}

/// What must come of a request, beyond what holds of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Whatever the rules say.
    Anything,
    /// No success.
    Refused,
    /// A refusal with one of these statuses.
    Status(&'static [u16]),
    /// `invalid_input` that names this field.
    Field(String),
    /// A refusal; if it is `invalid_input` it names this field, or one that it stands in.
    Rule(String),
    /// Whatever the rules say, but nothing about this field.
    NotBlamed(String),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, below the version prefix.
    pub path: String,
    pub who: Who,
    pub content_type: Option<&'static str>,
    pub body: Vec<u8>,
    pub expect: Expect,
    /// What is wrong with it; none when it keeps to the contract.
    pub broken: Option<&'static str>,
    /// At which edge of the rules it stands, without passing it.
    pub edge: Option<&'static str>,
}

/// The parts of a request that keeps to the contract, before it is put together.
pub struct Draft {
    /// The parameters of the path.
    pub parameters: Vec<String>,
    /// The pairs of the query, not encoded.
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    /// Whether it is meant to succeed.
    pub is_plain: bool,
}

/// Stands for a parameter of which nothing is known: nothing has this id.
pub const NOTHING: &str = "9007199254740990";

/// The longest value in a query, in characters: what is longer than a URI may be, nobody of ours sees.
const VALUE_MAX: usize = 500;

/// So many of a hundred drafts keep to the schemas and to nothing else.
const SPICY_PERCENT: u32 = 30;

/// Drafts a request that keeps to the contract; a plain one is meant to succeed.
pub fn draft(plan: &Plan, planned: &Planned, pool: &Pool, dice: &mut Dice, fresh: &mut u64, is_plain: bool) -> Draft {
    let required = planned.body.as_ref().and_then(|schema| schema["required"].as_array());
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let known = planned.body.as_ref().and_then(|schema| schema["properties"].as_object());
    let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let wanted = Wanted { required: &required, known: &known };
    let subject = pool.subject(plan, &planned.segments, wanted, dice);
    let parameters = pool.parameters(&planned.segments, subject.as_ref(), dice);
    let parameters: Vec<String> = parameters.into_iter().map(|text| text.unwrap_or_else(|| NOTHING.into())).collect();
    let spicy = dice.percent(SPICY_PERCENT) && !is_plain;
    let filled = *dice.pick(&[0, 10, 30, 60, 100]);
    let query = query(plan, planned, pool, dice);
    let mut maker = Maker { plan, pool, dice, fresh, spicy, filled, subject: subject.as_ref() };
    let place = Place { name: about(plan, planned), parent: "" };
    let mut body = planned.body.as_ref().map(|schema| maker.value(schema, place));
    if let (Some(schema), Some(Value::Object(members)), false) = (&planned.body, &mut body, spicy) {
        crate::ties::part(&mut maker, schema, wanted, members);
    }
    Draft { parameters, query, body: body.filter(|body| !body.is_null()), is_plain: !spicy }
}

/// The noun that an operation is about: that of its last literal before those of actions.
pub fn about<'a>(plan: &'a Plan, planned: &Planned) -> &'a str {
    let about = planned.segments.iter().take_while(|segment| !matches!(segment, Segment::Text("actions")));
    let nouns = about.filter_map(|segment| if let Segment::Text(text) = segment { plan.noun(text, "") } else { None });
    nouns.last().unwrap_or_default()
}

fn query(plan: &Plan, planned: &Planned, pool: &Pool, dice: &mut Dice) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for parameter in &planned.contract.query {
        if !parameter.required && !dice.percent(20) {
            continue;
        }
        let times = if parameter.repeatable && dice.percent(30) { 2 } else { 1 };
        for _ in 0..times {
            let name = parameter.name.as_str();
            let value = if !parameter.values.is_empty() {
                dice.pick(&parameter.values).to_string()
            } else if name == "id" {
                plan.noun("action", "")
                    .and_then(|noun| pool.id(noun, dice))
                    .map_or_else(|| "1".into(), |id| id.to_string())
            } else {
                use wolke_wire::contract::QueryKind as Type;
                match parameter.kind {
                    Type::Boolean => (*dice.pick(&["true", "false", "True"])).to_owned(),
                    Type::Integer | Type::Number => samples::number(name, dice).unwrap_or(60).to_string(),
                    Type::String if dice.percent(15) => samples::odd(dice).replace('\0', ""),
                    Type::String => {
                        pool.text(name, dice).or_else(|| samples::text(name, "", 1, dice)).unwrap_or_default()
                    }
                }
            };
            pairs.push((name.to_owned(), value.chars().take(VALUE_MAX).collect()));
        }
    }
    pairs
}

impl Draft {
    /// Puts it together.
    pub fn request(&self, planned: &Planned) -> Request {
        let body = self.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let content_type = self.body.is_some().then_some("application/json");
        let (method, path) = (planned.operation.verb.as_str().to_owned(), self.path(planned));
        let expect = if planned.contract.ended.is_some() { Expect::Status(&[410]) } else { Expect::Anything };
        Request { method, path, who: Who::Writer, content_type, body, expect, broken: None, edge: None }
    }

    /// Path and query.
    pub fn path(&self, planned: &Planned) -> String {
        let mut path = String::new();
        let mut parameters = self.parameters.iter();
        for segment in &planned.segments {
            let text = match segment {
                Segment::Text(text) => (*text).to_owned(),
                Segment::Parameter(..) => encode(parameters.next().map_or("", String::as_str)),
            };
            let _ = write!(path, "/{text}");
        }
        let pairs: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) }
    }
}

/// Percent-encoding of everything that is not a plain letter, digit or one of a few marks.
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@*:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
