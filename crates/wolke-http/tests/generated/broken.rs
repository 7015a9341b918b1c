//! Requests that do not keep to the contract, each made from one that does, with what must come of it where that is sure.

use crate::dice::Dice;
use crate::plan::{Plan, Planned, Segment};
use crate::pool::Pool;
use crate::request::{Draft, Expect, Request, Who, encode};
use crate::samples;
use crate::value::bound;
use serde_json::{Value, json};
use wolke_http::operation::Verb;

/// How often a way to break a request is sought that fits it.
const TRIES: usize = 12;
/// More than a body may have, in bytes.
const TOO_LARGE: usize = (1 << 20) + 1;

/// What can be broken.
struct Workshop<'a> {
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
    ("wrong type", wrong_type),
    ("wrong type of an item", wrong_item),
    ("null for what is required", null),
    ("a required member is missing", missing),
    ("a number out of range", out_of_range),
    ("a float for an integer", float),
    ("a number that no integer holds", huge),
    ("a text that is too long", too_long),
    ("the character U+0000", nul),
    ("a value that the enumeration lacks", no_value),
    ("too many items", too_many),
    ("no object", no_object),
    ("an empty body", empty),
    ("garbage", garbage),
    ("a body that is cut off", cut),
    ("deep nesting", deep),
    ("duplicate members", duplicate),
    ("unknown members", unknown),
    ("a content type of something else", content_type),
    ("a body that is too large", too_large),
    ("an id that is none", no_id),
    ("an id of another project", foreign),
    ("a path that is odd", odd_path),
    ("a wrong value in the query", wrong_query),
    ("an odd query", odd_query),
    ("a method that is not allowed", method),
    ("a HEAD", head),
    ("a wrong token", token),
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

/// A place in the body: how the contract's messages write it, how a JSON pointer does, and the schema there.
struct Spot {
    field: String,
    pointer: String,
    schema: Value,
    required: bool,
}

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

fn collect(schema: &Value, value: &Value, field: &str, pointer: &str, spots: &mut Vec<Spot>) {
    let schema = plain(schema);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let (inner, required) = match schema["properties"].get(name) {
                    Some(inner) => (inner, schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)))),
                    None if schema["additionalProperties"].is_object() => (&schema["additionalProperties"], true),
                    None => continue,
                };
                let field = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                spots.push(Spot { field: field.clone(), pointer: pointer.clone(), schema: inner.clone(), required });
                collect(inner, member, &field, &pointer, spots);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let (field, pointer) = (format!("{field}[{at}]"), format!("{pointer}/{at}"));
                let inner = schema["items"].clone();
                spots.push(Spot { field: field.clone(), pointer: pointer.clone(), schema: inner, required: true });
                collect(&schema["items"], item, &field, &pointer, spots);
            }
        }
        _ => {}
    }
}

/// The schema without the null that stands beside it.
fn plain(schema: &Value) -> &Value {
    let alternatives = schema["anyOf"].as_array();
    let others: Vec<&Value> = alternatives.into_iter().flatten().filter(|one| one["type"] != "null").collect();
    if let [one] = others.as_slice() { one } else { schema }
}

/// The types that a place takes.
fn types(schema: &Value) -> Vec<&str> {
    let of = |schema: &'_ Value| match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let all: Vec<String> = match schema["anyOf"].as_array() {
        Some(alternatives) => alternatives.iter().flat_map(of).collect(),
        None => of(schema),
    };
    ["null", "boolean", "integer", "number", "string", "array", "object"]
        .into_iter()
        .filter(|t| all.iter().any(|a| a == t))
        .collect()
}

fn takes(schema: &Value, name: &str) -> bool {
    types(schema).contains(&name)
}

fn is_only(schema: &Value, name: &str) -> bool {
    types(schema).iter().all(|one| *one == name || *one == "null") && takes(schema, name)
}

fn wrong_type(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| !types(&spot.schema).is_empty())?;
    wrong(shop, &spot)
}

fn wrong_item(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.field.ends_with(']') && !types(&spot.schema).is_empty())?;
    wrong(shop, &spot)
}

fn wrong(shop: &mut Workshop<'_>, spot: &Spot) -> Option<Request> {
    let others = [
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("string", json!("text")),
        ("array", json!([1])),
        ("array", json!([])),
        ("object", json!({"a": 1})),
        ("object", json!({})),
    ];
    let fits = |(name, _): &&(&str, Value)| {
        !takes(&spot.schema, name) && !(*name == "integer" && takes(&spot.schema, "number"))
    };
    let others: Vec<Value> = others.iter().filter(fits).map(|(_, value)| value.clone()).collect();
    let value = shop.dice.pick(&others).clone();
    shop.with(spot, value)
}

fn null(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.required && !takes(&spot.schema, "null"))?;
    shop.with(&spot, Value::Null)
}

fn missing(shop: &mut Workshop<'_>) -> Option<Request> {
    let is_item = |spot: &Spot| spot.field.ends_with(']');
    let spot = shop.spot(|spot| spot.required && !is_item(spot) && !spot.field.contains("labels."))?;
    let (parent, name) = spot.pointer.rsplit_once('/')?;
    shop.draft.body.as_mut()?.pointer_mut(parent)?.as_object_mut()?.shift_remove(name)?;
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Field(spot.field), ..request })
}

fn out_of_range(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(&spot.schema, "integer") || is_only(&spot.schema, "number"))?;
    let schema = plain(&spot.schema);
    let ends = [bound(&schema["minimum"], i64::MIN).checked_sub(1), bound(&schema["maximum"], i64::MAX).checked_add(1)];
    let ends: Vec<i64> = ends.into_iter().flatten().collect();
    let value = if ends.is_empty() { return None } else { *shop.dice.pick(&ends) };
    shop.with(&spot, json!(value))
}

fn float(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(&spot.schema, "integer"))?;
    let value = shop.dice.pick(&[1.5, 1.0, 1e300, -0.5]).to_owned();
    shop.with(&spot, json!(value))
}

fn huge(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(&spot.schema, "integer"))?;
    let number = *shop.dice.pick(&[
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e3",
        "12345678901234567890123",
    ]);
    let request = shop.with(&spot, json!("@number@"))?;
    let body = String::from_utf8(request.body.clone()).ok()?.replace("\"@number@\"", number);
    Some(Request { body: body.into_bytes(), ..request })
}

fn too_long(shop: &mut Workshop<'_>) -> Option<Request> {
    let limited = shop.spot(|spot| plain(&spot.schema)["maxLength"].is_u64());
    let (spot, length, is_sure) = match limited {
        Some(spot) => {
            let most = plain(&spot.schema)["maxLength"].as_u64()?;
            (spot, most + 1, true)
        }
        None => (
            shop.spot(|spot| is_only(&spot.schema, "string") && plain(&spot.schema)["enum"].is_null())?,
            100_000,
            false,
        ),
    };
    let letter = *shop.dice.pick(&["a", "ä", "😀"]);
    if length > TOO_LARGE as u64 / 4 {
        return None;
    }
    let request = shop.with(&spot, Value::from(letter.repeat(length as usize)))?;
    // Without a limit in the schema the rules have one; a few texts may be of any length.
    Some(if is_sure { request } else { Request { expect: Expect::Anything, ..request } })
}

fn nul(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| takes(&spot.schema, "string"))?;
    let text = *shop.dice.pick(&["\0", "a\0b", "name\0"]);
    shop.with(&spot, json!(text))
}

fn no_value(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| plain(&spot.schema)["enum"].is_array())?;
    let all = plain(&spot.schema)["enum"].as_array()?;
    let known = all.first()?.as_str().unwrap_or_default();
    let others = [known.to_uppercase(), format!("{known} "), String::new(), "else".into(), "x".repeat(5000)];
    let value = json!(shop.dice.pick(&others));
    if all.contains(&value) { None } else { shop.with(&spot, value) }
}

fn too_many(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(&spot.schema, "array"))?;
    let items = shop.draft.body.as_ref()?.pointer(&spot.pointer)?.as_array()?.clone();
    let item = items.first().cloned().unwrap_or(json!(1));
    let most = plain(&spot.schema)["maxItems"].as_u64();
    let count = most.map_or_else(|| *shop.dice.pick(&[51, 101, 501, 5000]), |most| most as usize + 1);
    if item.to_string().len() * count > TOO_LARGE / 2 {
        return None;
    }
    let request = shop.with(&spot, Value::Array(vec![item; count]))?;
    Some(if most.is_some() { request } else { Request { expect: Expect::Anything, ..request } })
}

fn no_object(shop: &mut Workshop<'_>) -> Option<Request> {
    shop.planned.body.as_ref()?;
    let body = *shop.dice.pick(&["[]", "7", "\"text\"", "true", "[{}]", "1e400"]);
    let status = if body == "1e400" { 400 } else { 422 };
    let expect = if status == 400 { Expect::Status(&[400]) } else { Expect::Field(String::new()) };
    Some(shop.raw(body, expect))
}

fn empty(shop: &mut Workshop<'_>) -> Option<Request> {
    let required = shop.planned.body.as_ref()?["required"][0].as_str()?.to_owned();
    let body = *shop.dice.pick(&["", " ", "null", "{}", "\n\t "]);
    Some(shop.raw(body, Expect::Field(required)))
}

fn garbage(shop: &mut Workshop<'_>) -> Option<Request> {
    if !shop.writes() {
        return None;
    }
    let bodies: [&[u8]; 16] = [
        b"{",
        b"}",
        b"nope",
        b"{'a': 1}",
        b"{\"a\": 1,}",
        b"[1,]",
        b"{} {}",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{\"a\": \"\xc3\"}",
        b"{\"a\": \"\\ud800\"}",
        b"{\"a\": 01}",
        b"{\"a\": NaN}",
        b"// x\n{}",
        b"a=b&c=d",
        b"\"\x01\"",
    ];
    let body = *shop.dice.pick(&bodies);
    Some(shop.raw(body, Expect::Status(&[400])))
}

fn cut(shop: &mut Workshop<'_>) -> Option<Request> {
    let whole = shop.draft.body.as_ref()?.to_string().into_bytes();
    let end = 1 + shop.dice.below(whole.len().checked_sub(1)?);
    Some(shop.raw(&whole[..end], Expect::Status(&[400])))
}

fn deep(shop: &mut Workshop<'_>) -> Option<Request> {
    if !shop.writes() {
        return None;
    }
    let depth = *shop.dice.pick(&[200, 5000, 100_000]);
    let open = *shop.dice.pick(&["[", "{\"a\":"]);
    Some(shop.raw(open.repeat(depth), Expect::Status(&[400])))
}

fn duplicate(shop: &mut Workshop<'_>) -> Option<Request> {
    let body = shop.draft.body.as_ref()?.as_object()?;
    let (name, _) = body.iter().next()?;
    let whole = Value::Object(body.clone()).to_string();
    let first = format!("{{{}:null,{}", json!(name), &whole[1..]);
    Some(shop.raw(first, Expect::Anything))
}

fn unknown(shop: &mut Workshop<'_>) -> Option<Request> {
    let spots: Vec<String> = shop.spots().into_iter().map(|spot| spot.pointer).collect();
    let body = shop.draft.body.as_mut()?;
    let pointer = if spots.is_empty() { String::new() } else { shop.dice.pick(&spots).clone() };
    let at = if body.pointer(&pointer).is_some_and(Value::is_object) { pointer } else { String::new() };
    let object = body.pointer_mut(&at)?.as_object_mut()?;
    object.insert("unknown".into(), json!({"a": [1, {"b": null}], "id": -1}));
    object.insert("Id".into(), json!(7));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Anything, ..request })
}

fn content_type(shop: &mut Workshop<'_>) -> Option<Request> {
    let kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "x",
    ];
    let kind = *shop.dice.pick(&kinds);
    let request = shop.draft.request(shop.planned);
    shop.writes().then_some(Request { content_type: Some(kind), ..request })
}

fn too_large(shop: &mut Workshop<'_>) -> Option<Request> {
    if !shop.writes() || !shop.dice.percent(10) {
        return None;
    }
    Some(shop.raw(" ".repeat(TOO_LARGE), Expect::Status(&[422])))
}

/// The places of parameters that are ids and nothing else.
fn id_places(planned: &Planned) -> Vec<usize> {
    let names = planned.segments.iter().filter_map(|segment| match segment {
        Segment::Parameter(name, _) => Some(*name),
        Segment::Text(_) => None,
    });
    names.enumerate().filter(|(_, name)| *name == "id" || *name == "action_id").map(|(at, _)| at).collect()
}

fn no_id(shop: &mut Workshop<'_>) -> Option<Request> {
    let places = id_places(shop.planned);
    let at = if places.is_empty() { return None } else { *shop.dice.pick(&places) };
    let ids = [
        "0",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "abc",
        "9007199254740992",
        "9223372036854775808",
        "99999999999999999999999",
        " 1",
        "1 ",
        "0x1",
        "١",
        "null",
        "%",
        "1;2",
        "1,2",
        "..",
        "\0",
        "ünd",
    ];
    shop.draft.parameters[at] = (*shop.dice.pick(&ids)).to_owned();
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Status(&[404]), ..request })
}

fn foreign(shop: &mut Workshop<'_>) -> Option<Request> {
    let subject = shop.foreign.subject(shop.plan, &shop.planned.segments, shop.dice);
    let theirs = shop.foreign.parameters(&shop.planned.segments, subject.as_ref(), shop.dice);
    let at = *id_places(shop.planned).first()?;
    shop.draft.parameters[at] = theirs.get(at)?.clone()?;
    let request = shop.draft.request(shop.planned);
    // What is wrong besides may be told first; what belongs to everybody is found.
    Some(Request { expect: Expect::Anything, ..request })
}

fn odd_path(shop: &mut Workshop<'_>) -> Option<Request> {
    let path = shop.draft.path(shop.planned);
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let odd = match shop.dice.below(7) {
        0 => format!("{path}/"),
        1 => format!("/{path}"),
        2 => path.to_uppercase(),
        3 => path.replacen('/', "/./", 2),
        4 => format!("{path}/{}", encode(&samples::odd(shop.dice)).chars().take(2000).collect::<String>()),
        5 => format!("{path}%00"),
        _ => format!("{path};a=b"),
    };
    let request = shop.draft.request(shop.planned);
    Some(Request { path: format!("{odd}?{query}"), expect: Expect::Anything, ..request })
}

fn wrong_query(shop: &mut Workshop<'_>) -> Option<Request> {
    use wolke_wire::contract::QueryKind as Type;
    let parameters: Vec<_> =
        shop.planned.contract.query.iter().filter(|p| p.kind != Type::String || !p.values.is_empty()).collect();
    let parameter = if parameters.is_empty() { return None } else { *shop.dice.pick(&parameters) };
    let values: &[&str] = match (parameter.name.as_str(), parameter.kind) {
        ("page" | "per_page" | "id", _) => {
            &["0", "-1", "", "x", "1.5", "99999999999999999999", "9007199254740993", " 1", "1e1"]
        }
        (_, Type::Boolean) => &["", "1", "yes", "null", "truetrue"],
        (_, Type::Integer | Type::Number) => &["", "x", "1,5", "0x10", "--1"],
        _ => &["", "else", "id:up", ":asc", "running ", "RUNNING"],
    };
    let value = (*shop.dice.pick(values)).to_owned();
    let at = shop.dice.below(shop.draft.query.len() + 1);
    shop.draft.query.insert(at, (parameter.name.clone(), value));
    let (request, name) = (shop.draft.request(shop.planned), parameter.name.clone());
    Some(Request { expect: Expect::Field(name), ..request })
}

fn odd_query(shop: &mut Workshop<'_>) -> Option<Request> {
    let names: Vec<String> = shop.planned.contract.query.iter().map(|parameter| parameter.name.clone()).collect();
    let name = if names.is_empty() { "page".to_owned() } else { shop.dice.pick(&names).clone() };
    let odd = encode(&samples::odd(shop.dice));
    let more = match shop.dice.below(10) {
        0 => "&&&".into(),
        1 => format!("{name}"),
        2 => format!("{name}=%zz%4"),
        3 => format!("{name}=%ff%fe"),
        4 => format!("{name}=%00"),
        5 => format!("{name}={odd}&{name}={odd}"),
        6 => format!("{name}[]=1&[{name}]=2"),
        7 => "a=b&".repeat(1001),
        8 => format!("{}={odd}", encode(&name.to_uppercase())),
        _ => format!("{name}={odd}"),
    };
    let path = shop.draft.path(shop.planned);
    let joint = if path.contains('?') { '&' } else { '?' };
    let more: String = more.chars().take(30_000).collect();
    let request = shop.draft.request(shop.planned);
    Some(Request { path: format!("{path}{joint}{more}"), expect: Expect::Anything, ..request })
}

fn method(shop: &mut Workshop<'_>) -> Option<Request> {
    let dialect = wolke_wire::contract::Contract::of(shop.planned.contract.dialect);
    let path = shop.planned.contract.path.as_str();
    let others = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"];
    let others: Vec<&str> = others.into_iter().filter(|method| dialect.find(method, path).is_none()).collect();
    let method = (*shop.dice.pick(&others)).to_owned();
    let request = shop.draft.request(shop.planned);
    Some(Request { method, expect: Expect::Status(NO_METHOD), ..request })
}

fn head(shop: &mut Workshop<'_>) -> Option<Request> {
    let request = shop.draft.request(shop.planned);
    (!shop.writes()).then_some(Request { method: "HEAD".into(), expect: Expect::Anything, ..request })
}

fn token(shop: &mut Workshop<'_>) -> Option<Request> {
    let who = *shop.dice.pick(&[Who::Reader, Who::Nobody, Who::Unknown, Who::NoScheme, Who::Stranger]);
    let expect = match who {
        Who::Reader if shop.writes() => Expect::Status(&[401, 403]),
        Who::Nobody | Who::Unknown | Who::NoScheme => Expect::Status(&[401]),
        _ => Expect::Anything,
    };
    let request = shop.draft.request(shop.planned);
    Some(Request { who, expect, ..request })
}
