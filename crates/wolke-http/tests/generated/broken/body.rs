//! Bodies that are no JSON, no object, too much or too little.

use super::{TOO_LARGE, Workshop};
use crate::request::{Expect, Request};
use serde_json::{Value, json};

pub fn no_object(shop: &mut Workshop<'_>) -> Option<Request> {
    shop.planned.body.as_ref()?;
    let body = *shop.dice.pick(&["[]", "7", "\"text\"", "true", "[{}]", "1e400"]);
    // There is no member to be named.
    let expect = Expect::Status(if body == "1e400" { &[400] } else { &[422] });
    Some(shop.raw(body, expect))
}

pub fn empty(shop: &mut Workshop<'_>) -> Option<Request> {
    let required = shop.planned.body.as_ref()?["required"][0].as_str()?.to_owned();
    let body = *shop.dice.pick(&["", " ", "null", "{}", "\n\t "]);
    Some(shop.raw(body, Expect::Field(required)))
}

pub fn garbage(shop: &mut Workshop<'_>) -> Option<Request> {
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

pub fn cut(shop: &mut Workshop<'_>) -> Option<Request> {
    let whole = shop.draft.body.as_ref()?.to_string().into_bytes();
    let end = 1 + shop.dice.below(whole.len().checked_sub(1)?);
    Some(shop.raw(&whole[..end], Expect::Status(&[400])))
}

pub fn deep(shop: &mut Workshop<'_>) -> Option<Request> {
    if !shop.writes() {
        return None;
    }
    let depth = *shop.dice.pick(&[200, 5000, 100_000]);
    let open = *shop.dice.pick(&["[", "{\"a\":"]);
    Some(shop.raw(open.repeat(depth), Expect::Status(&[400])))
}

pub fn duplicate(shop: &mut Workshop<'_>) -> Option<Request> {
    let body = shop.draft.body.as_ref()?.as_object()?;
    let (name, _) = body.iter().next()?;
    let whole = Value::Object(body.clone()).to_string();
    let first = format!("{{{}:null,{}", json!(name), &whole[1..]);
    Some(shop.raw(first, Expect::Anything))
}

pub fn unknown(shop: &mut Workshop<'_>) -> Option<Request> {
    let spots: Vec<String> = shop.spots.iter().map(|spot| spot.pointer.clone()).collect();
    let body = shop.draft.body.as_mut()?;
    let pointer = if spots.is_empty() { String::new() } else { shop.dice.pick(&spots).clone() };
    let at = if body.pointer(&pointer).is_some_and(Value::is_object) { pointer } else { String::new() };
    let object = body.pointer_mut(&at)?.as_object_mut()?;
    object.insert("unknown".into(), json!({"a": [1, {"b": null}], "id": -1}));
    object.insert("Id".into(), json!(7));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Anything, ..request })
}

pub fn content_type(shop: &mut Workshop<'_>) -> Option<Request> {
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

pub fn too_large(shop: &mut Workshop<'_>) -> Option<Request> {
    if !shop.writes() || !shop.dice.percent(10) {
        return None;
    }
    Some(shop.raw(" ".repeat(TOO_LARGE), Expect::Status(&[422])))
}
