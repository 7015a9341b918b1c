//! Everything but the body: paths, queries, methods and tokens.

use super::{NO_METHOD, Workshop};
use crate::plan::{Planned, Segment};
use crate::pool::Wanted;
use crate::request::{Expect, Request, Who, encode};
use crate::rights::is_everybodys;
use crate::samples;

/// The places of parameters that are ids and nothing else.
fn id_places(planned: &Planned) -> Vec<usize> {
    let names = planned.segments.iter().filter_map(|segment| match segment {
        Segment::Parameter(name, _) => Some(*name),
        Segment::Text(_) => None,
    });
    names
        .enumerate()
        .filter(|(_, name)| *name == "id" || (name.ends_with("_id") && !name.starts_with("id_or_")))
        .map(|(at, _)| at)
        .collect()
}

pub fn no_id(shop: &mut Workshop<'_>) -> Option<Request> {
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

pub fn foreign(shop: &mut Workshop<'_>) -> Option<Request> {
    let subject = shop.foreign.subject(shop.plan, &shop.planned.segments, Wanted::default(), shop.dice);
    let theirs = shop.foreign.parameters(&shop.planned.segments, subject.as_ref(), shop.dice);
    let at = *id_places(shop.planned).first()?;
    shop.draft.parameters[at] = theirs.get(at)?.clone()?;
    let request = shop.draft.request(shop.planned);
    let expect = if is_everybodys(shop.planned) { Expect::Anything } else { Expect::Refused };
    Some(Request { expect, ..request })
}

pub fn odd_path(shop: &mut Workshop<'_>) -> Option<Request> {
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

pub fn wrong_query(shop: &mut Workshop<'_>) -> Option<Request> {
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

/// A parameter that is given right and then wrong: the wrong one is not overlooked.
pub fn wrong_beside_right(shop: &mut Workshop<'_>) -> Option<Request> {
    let parameters: Vec<_> =
        shop.planned.contract.query.iter().filter(|p| p.name.ends_with("page") || !p.values.is_empty()).collect();
    let parameter = if parameters.is_empty() { return None } else { *shop.dice.pick(&parameters) };
    let right = parameter.values.first().map_or_else(|| "1".to_owned(), |value| value.to_string());
    let name = parameter.name.clone();
    shop.draft.query.retain(|(known, _)| *known != name);
    shop.draft.query.extend([right, "nothing-of-these".to_owned()].map(|value| (name.clone(), value)));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Field(name), ..request })
}

pub fn odd_query(shop: &mut Workshop<'_>) -> Option<Request> {
    let names: Vec<String> = shop.planned.contract.query.iter().map(|parameter| parameter.name.clone()).collect();
    let name = if names.is_empty() { "page".to_owned() } else { shop.dice.pick(&names).clone() };
    let odd = encode(&samples::odd(shop.dice));
    let more = match shop.dice.below(10) {
        0 => "&&&".into(),
        1 => name,
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

pub fn method(shop: &mut Workshop<'_>) -> Option<Request> {
    let dialect = wolke_wire::contract::Contract::of(shop.planned.contract.dialect);
    let path = shop.planned.contract.path.as_str();
    let others = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"];
    let others: Vec<&str> = others.into_iter().filter(|method| dialect.find(method, path).is_none()).collect();
    let method = (*shop.dice.pick(&others)).to_owned();
    let request = shop.draft.request(shop.planned);
    Some(Request { method, expect: Expect::Status(NO_METHOD), ..request })
}

pub fn head(shop: &mut Workshop<'_>) -> Option<Request> {
    let request = shop.draft.request(shop.planned);
    (!shop.writes()).then_some(Request { method: "HEAD".into(), expect: Expect::Anything, ..request })
}

pub fn token(shop: &mut Workshop<'_>) -> Option<Request> {
    let who = *shop.dice.pick(&[Who::Reader, Who::Nobody, Who::Unknown, Who::NoScheme, Who::Stranger]);
    let expect = match who {
        Who::Reader if shop.writes() => Expect::Status(&[401, 403]),
        Who::Nobody | Who::Unknown | Who::NoScheme => Expect::Status(&[401]),
        _ => Expect::Anything,
    };
    let request = shop.draft.request(shop.planned);
    Some(Request { who, expect, ..request })
}
