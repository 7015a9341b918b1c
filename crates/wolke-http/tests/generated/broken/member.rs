//! Members and items that are not what the schema says.

use super::spot::{Spot, is_only, plain, takes, types};
use super::{TOO_LARGE, Workshop};
use crate::request::{Expect, Request};
use crate::value::bound;
use serde_json::{Value, json};

pub fn wrong_type(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| !types(spot.schema).is_empty())?;
    wrong(shop, &spot)
}

pub fn wrong_item(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.field.ends_with(']') && !types(spot.schema).is_empty())?;
    wrong(shop, &spot)
}

pub fn wrong(shop: &mut Workshop<'_>, spot: &Spot<'_>) -> Option<Request> {
    let others = [
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("string", json!("text")),
        ("array", json!([1])),
        ("array", json!([])),
        ("object", json!({"a": 1})),
        ("object", json!({})),
    ];
    let fits =
        |(name, _): &&(&str, Value)| !(takes(spot.schema, name) || *name == "integer" && takes(spot.schema, "number"));
    let others: Vec<Value> = others.iter().filter(fits).map(|(_, value)| value.clone()).collect();
    let value = shop.dice.pick(&others).clone();
    shop.with(spot, value)
}

pub fn null(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.required && !takes(spot.schema, "null"))?;
    shop.with(&spot, Value::Null)
}

pub fn missing(shop: &mut Workshop<'_>) -> Option<Request> {
    let is_item = |spot: &Spot| spot.field.ends_with(']');
    let spot = shop.spot(|spot| spot.required && !is_item(spot) && !spot.field.contains("labels."))?;
    let (parent, name) = spot.pointer.rsplit_once('/')?;
    shop.draft.body.as_mut()?.pointer_mut(parent)?.as_object_mut()?.shift_remove(name)?;
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Field(spot.field), ..request })
}

pub fn out_of_range(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(spot.schema, "integer") || is_only(spot.schema, "number"))?;
    let schema = plain(spot.schema);
    let ends = [bound(&schema["minimum"], i64::MIN).checked_sub(1), bound(&schema["maximum"], i64::MAX).checked_add(1)];
    let ends: Vec<i64> = ends.into_iter().flatten().collect();
    let value = if ends.is_empty() { return None } else { *shop.dice.pick(&ends) };
    shop.with(&spot, json!(value))
}

pub fn float(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(spot.schema, "integer"))?;
    let value = shop.dice.pick(&[1.5, 1.0, 1e300, -0.5]).to_owned();
    shop.with(&spot, json!(value))
}

pub fn huge(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(spot.schema, "integer"))?;
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

pub fn too_long(shop: &mut Workshop<'_>) -> Option<Request> {
    let limited = shop.spot(|spot| plain(spot.schema)["maxLength"].is_u64());
    let (spot, length, is_sure) = match limited {
        Some(spot) => {
            let most = plain(spot.schema)["maxLength"].as_u64()?;
            (spot, most + 1, true)
        }
        None => {
            (shop.spot(|spot| is_only(spot.schema, "string") && plain(spot.schema)["enum"].is_null())?, 100_000, false)
        }
    };
    let letter = *shop.dice.pick(&["a", "ä", "😀"]);
    if length > TOO_LARGE as u64 / 4 {
        return None;
    }
    let request = shop.with(&spot, Value::from(letter.repeat(length as usize)))?;
    // Without a limit in the schema the rules have one; a few texts may be of any length.
    Some(if is_sure { request } else { Request { expect: Expect::Anything, ..request } })
}

pub fn nul(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| takes(spot.schema, "string"))?;
    let text = *shop.dice.pick(&["\0", "a\0b", "name\0"]);
    shop.with(&spot, json!(text))
}

pub fn no_value(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| plain(spot.schema)["enum"].is_array())?;
    let all = plain(spot.schema)["enum"].as_array()?;
    let known = all.first()?.as_str().unwrap_or_default();
    let others = [known.to_uppercase(), format!("{known} "), String::new(), "else".into(), "x".repeat(5000)];
    let value = json!(shop.dice.pick(&others));
    if all.contains(&value) { None } else { shop.with(&spot, value) }
}

pub fn too_many(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| is_only(spot.schema, "array"))?;
    let items = shop.draft.body.as_ref()?.pointer(&spot.pointer)?.as_array()?.clone();
    let item = items.first().cloned().unwrap_or(json!(1));
    let most = plain(spot.schema)["maxItems"].as_u64();
    let count = most.map_or_else(|| *shop.dice.pick(&[51, 101, 501, 5000]), |most| most as usize + 1);
    if item.to_string().len() * count > TOO_LARGE / 2 {
        return None;
    }
    let request = shop.with(&spot, Value::Array(vec![item; count]))?;
    Some(if most.is_some() { request } else { Request { expect: Expect::Anything, ..request } })
}

pub fn too_short(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| plain(spot.schema)["minLength"].as_u64().is_some_and(|least| least > 0))?;
    let least = plain(spot.schema)["minLength"].as_u64()? as usize;
    shop.with(&spot, json!("a".repeat(least - 1)))
}

pub fn pattern(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| plain(spot.schema)["pattern"].is_string())?;
    // No pattern of the contract takes any of these.
    let text = *shop.dice.pick(&["a\nb", "ä", "a?b", "😀", "a\\b", "$", "a\"b"]);
    shop.with(&spot, json!(text))
}

pub fn too_few(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| plain(spot.schema)["minItems"].as_u64().is_some_and(|least| least > 0))?;
    let least = plain(spot.schema)["minItems"].as_u64()? as usize;
    let items = shop.draft.body.as_ref()?.pointer(&spot.pointer)?.as_array()?.clone();
    shop.with(&spot, Value::Array(items.into_iter().take(least - 1).collect()))
}

/// What is there twice is refused or taken once, by rules of its own: no schema says that items are unique.
pub fn twice(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.holds_parts && is_only(spot.schema, "array"))?;
    let mut items = shop.draft.body.as_ref()?.pointer(&spot.pointer)?.as_array()?.clone();
    items.push(items.first()?.clone());
    let request = shop.with(&spot, Value::Array(items))?;
    Some(Request { expect: Expect::Anything, ..request })
}

/// It is as if it were absent (`contract/decisions.json`).
pub fn null_for_optional(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| !spot.required)?;
    let request = shop.with(&spot, Value::Null)?;
    Some(Request { expect: Expect::Anything, ..request })
}

/// Any text; where the schema or the rules take an empty one, that is what it is.
pub fn empty(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| takes(spot.schema, "string") && plain(spot.schema)["enum"].is_null())?;
    let request = shop.with(&spot, json!(""))?;
    Some(Request { expect: Expect::Anything, ..request })
}

pub fn control(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| takes(spot.schema, "string") && plain(spot.schema)["enum"].is_null())?;
    let texts =
        ["\u{1}", "a\tb", "a\r\nb", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}a", "\u{202e}a", "\u{fffe}"];
    let text = *shop.dice.pick(&texts);
    let request = shop.with(&spot, json!(text))?;
    Some(Request { expect: Expect::Anything, ..request })
}

/// Something wrong within a member of the body: a type, or a value of an enumeration.
pub fn deep(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.is_deep() && !types(spot.schema).is_empty())?;
    if plain(spot.schema)["enum"].is_array() {
        return shop.with(&spot, json!("nothing-of-these"));
    }
    wrong(shop, &spot)
}

/// Where the contract says that there are no others.
pub fn refused_member(shop: &mut Workshop<'_>) -> Option<Request> {
    let is_closed = |schema: &Value| plain(schema)["additionalProperties"] == json!(false);
    let spot = shop.spot(|spot| spot.holds_parts && is_closed(spot.schema))?;
    let object = shop.draft.body.as_mut()?.pointer_mut(&spot.pointer)?.as_object_mut()?;
    object.insert("unknown".into(), json!(1));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Field(format!("{}.unknown", spot.field)), ..request })
}
