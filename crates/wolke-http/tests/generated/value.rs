//! Values that keep to a schema. *Plain* ones are meant to succeed: ids of what exists, texts that are usual, members that
//! belong together. *Spicy* ones keep to the schema and to nothing else.

use crate::dice::Dice;
use crate::plan::Plan;
use crate::pool::{self, Pool, Thing};
use crate::samples;
use serde_json::{Map, Value, json};

/// Items of an array at most, unless it is to be long.
const ITEMS: usize = 3;
/// The longest text that is made to reach the limit of a schema.
const TEXT_MAX: u64 = 200_000;

/// The location where most things are: near each other they can do more.
const HOME: i64 = 1;

/// Makes values of a world.
pub struct Maker<'a> {
    pub plan: &'a Plan,
    pub pool: &'a Pool,
    pub dice: &'a mut Dice,
    /// Numbers that were not used before.
    pub fresh: &'a mut u64,
    /// Whether nothing but the schema counts.
    pub spicy: bool,
    /// How often an optional member is there, in percent.
    pub filled: u32,
    /// What the path is about.
    pub subject: Option<&'a Thing>,
}

/// Where a value will stand.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub name: &'a str,
    pub parent: &'a str,
}

impl<'a> Maker<'a> {
    /// A value of a schema.
    pub fn value(&mut self, schema: &Value, place: Place<'_>) -> Value {
        if let Some(alternatives) = schema["anyOf"].as_array() {
            let null = alternatives.iter().any(|one| one["type"] == "null");
            if null && self.is_null() {
                return Value::Null;
            }
            let others: Vec<&Value> = alternatives.iter().filter(|one| one["type"] != "null").collect();
            if others.len() > 1 {
                return self.id_or_name(place);
            }
            return others.first().map_or(Value::Null, |one| self.value(one, place));
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        if types.contains(&"null") && self.is_null() {
            return Value::Null;
        }
        if let Some(values) = schema["enum"].as_array() {
            return self.dice.pick(values).clone();
        }
        let types: Vec<&str> = types.into_iter().filter(|one| *one != "null").collect();
        match types.get(self.dice.below(types.len())).copied() {
            Some("string") => Value::from(self.text(schema, place)),
            Some("integer") => self.integer(schema, place),
            Some("number") if self.spicy && self.dice.percent(30) => json!(10.5),
            Some("number") => self.integer(schema, place),
            Some("boolean") => json!(self.dice.percent(50)),
            Some("array") => self.array(schema, place),
            Some("object") => self.object(schema, place),
            _ => Value::Null,
        }
    }

    fn is_null(&mut self) -> bool {
        self.dice.percent(if self.spicy { 12 } else { 2 })
    }

    fn id_or_name(&mut self, place: Place<'_>) -> Value {
        if self.spicy && self.dice.percent(30) {
            let odd = samples::odd(self.dice);
            return if odd.is_empty() { json!("x") } else { Value::from(odd) };
        }
        let thing = self.plan.noun(place.name, place.parent).and_then(|noun| self.near(noun));
        let Some(thing) = thing.cloned() else { return json!("nothing") };
        let id = thing.get("id").cloned().unwrap_or_default();
        match (self.dice.below(3), thing.get("name").filter(|name| name.is_string() && *name != "")) {
            (0, _) => id,
            (1, _) => Value::from(crate::pool::text_of(&id)),
            (_, Some(name)) => name.clone(),
            (_, None) => id,
        }
    }

    fn text(&mut self, schema: &Value, place: Place<'_>) -> String {
        *self.fresh += 1;
        let fresh = *self.fresh;
        let text = match (self.spicy, self.dice.below(10)) {
            (true, 0..5) => samples::odd(self.dice),
            (true, 5) => self.pool.any_text(self.dice).unwrap_or_default(),
            (true, 6) => return self.limit(schema),
            (false, 0..6) if self.own(place).is_some_and(|own| own.is_string()) => {
                let own = self.own(place).unwrap_or_default();
                let own = own.as_str().unwrap_or_default();
                // Of a network it is the first address.
                own.strip_suffix("::/64").map_or_else(|| own.to_owned(), |network| format!("{network}::1"))
            }
            (false, 0..2) if !is_fresh(place.name) => self.pool.text(place.name, self.dice).unwrap_or_default(),
            _ => samples::text(place.name, place.parent, fresh, self.dice)
                .or_else(|| self.pool.text(place.name, self.dice))
                .unwrap_or_else(|| format!("text-{fresh}")),
        };
        self.fitting(schema, text)
    }

    /// Something that the subject says in a member of this name.
    fn own(&mut self, place: Place<'_>) -> Option<Value> {
        let subject = self.subject.filter(|_| !["name", "public_key", "password"].contains(&place.name))?;
        pool::said(subject, place.name, self.dice)
    }

    /// A thing of a noun: where the subject is, else at home, so that things come together.
    fn near(&mut self, noun: &str) -> Option<&'a Thing> {
        if self.spicy {
            return self.pool.thing(noun, self.dice);
        }
        let home = Value::from(HOME);
        let place = self.subject.and_then(|subject| subject.get("location")).unwrap_or(&home);
        self.pool.fitting(noun, self.dice, |thing| {
            thing
                .get("location")
                .or_else(|| thing.get("id").filter(|_| noun == "location"))
                .is_none_or(|at| at == place)
        })
    }

    /// A text as short or as long as the schema allows.
    fn limit(&mut self, schema: &Value) -> String {
        let (least, most) = lengths(schema);
        let length = if self.dice.percent(50) { least } else { most.unwrap_or(1000).min(TEXT_MAX) };
        "a".repeat(length as usize)
    }

    /// The text, made to keep to the limits of the schema.
    fn fitting(&mut self, schema: &Value, text: String) -> String {
        let (least, most) = lengths(schema);
        let mut text: String = match schema["pattern"].as_str() {
            // A directory has slashes; all others are values of labels.
            Some(pattern) => {
                let marks = if pattern.contains('/') { " ./_-" } else { "._-" };
                let kept = |c: &char| c.is_ascii_alphanumeric() || marks.contains(*c);
                let text: String = text.chars().filter(kept).take(63).collect();
                let is_mark = |c: char| !c.is_ascii_alphanumeric();
                if marks.contains('/') { text } else { text.trim_matches(is_mark).to_owned() }
            }
            None => text.chars().filter(|c| *c != '\0').take(most.unwrap_or(TEXT_MAX) as usize).collect(),
        };
        while (text.chars().count() as u64) < least.max(u64::from(schema["pattern"].is_string())) {
            text.push('a');
        }
        text
    }

    fn integer(&mut self, schema: &Value, place: Place<'_>) -> Value {
        let (least, most) = (bound(&schema["minimum"], 0), bound(&schema["maximum"], i64::from(i32::MAX)));
        let inside = |number: i64| json!(number.clamp(least, most));
        if self.spicy && self.dice.percent(50) {
            let odd = [least, most, 0, 1, -1, 65_536, i64::from(u32::MAX), 1 << 40];
            return inside(*self.dice.pick(&odd));
        }
        let wants_own = !self.spicy && self.dice.percent(50);
        if let Some(own) = self.own(place).filter(|own| wants_own && own.is_number()) {
            return own;
        }
        let thing = self.plan.noun(place.name, place.parent).and_then(|noun| self.near(noun));
        let id = thing.and_then(|thing| thing.get("id")).cloned();
        match id.filter(Value::is_number) {
            Some(id) => id,
            None => inside(samples::number(place.name, self.dice).unwrap_or(1 + self.dice.below(5) as i64)),
        }
    }

    fn array(&mut self, schema: &Value, place: Place<'_>) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0) as usize;
        let most = schema["maxItems"].as_u64().map_or(200, |most| most as usize);
        let count = match (self.spicy, self.dice.below(20)) {
            (true, 0) => most.min(200),
            (true, 1..4) | (false, 0) => least,
            _ => 1 + self.dice.below(ITEMS),
        };
        let mut items: Vec<Value> =
            (0..count.clamp(least, most)).map(|_| self.value(&schema["items"], place)).collect();
        if self.spicy && self.dice.percent(20) && !items.is_empty() && items.len() < most {
            items.push(items[0].clone());
        } else if !self.spicy {
            let mut seen = Vec::new();
            items.retain(|item| {
                !seen.contains(item) && {
                    seen.push(item.clone());
                    true
                }
            });
        }
        Value::Array(items)
    }

    fn object(&mut self, schema: &Value, place: Place<'_>) -> Value {
        let mut members = Map::new();
        let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            if required(name) || self.dice.percent(self.filled) {
                let value = self.value(inner, Place { name, parent: place.name });
                members.insert(name.clone(), value);
            }
        }
        if schema["additionalProperties"].is_object() {
            for _ in 0..self.dice.below(4) {
                let name = self.label_key();
                let value = *self.dice.pick(&["prod", "test", "", "1"]);
                members.insert(name, json!(value));
            }
        }
        if !self.spicy {
            crate::ties::tie(self, schema, &mut members);
        }
        Value::Object(members)
    }

    fn label_key(&mut self) -> String {
        match self.spicy && self.dice.percent(30) {
            true => samples::odd(self.dice),
            false => (*self.dice.pick(&["env", "role", "example.com/a", "b"])).to_owned(),
        }
    }
}

/// Members whose texts must not be repeated.
fn is_fresh(name: &str) -> bool {
    ["name", "public_key", "password", "value"].contains(&name)
}

fn lengths(schema: &Value) -> (u64, Option<u64>) {
    (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64())
}

/// A limit of a schema as an integer.
pub fn bound(limit: &Value, otherwise: i64) -> i64 {
    limit.as_i64().or_else(|| limit.as_f64().map(|limit| limit as i64)).unwrap_or(otherwise)
}
