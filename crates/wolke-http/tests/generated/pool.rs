//! What answers have shown so far: things with ids, and texts by the name of their member. Requests are made of it, so that
//! a good part of them is about something that exists.

use crate::dice::Dice;
use crate::plan::{Plan, Segment};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};

/// So many things of a noun are remembered: the newest.
const THINGS_MAX: usize = 120;
/// So many of them are new; they are chosen more often, since what is old is the catalogue.
const NEW: usize = 8;
/// Under this name stands everything that a thing says, by name.
const SAID: &str = "*";
/// Under this one all objects within it.
const PARTS: &str = "**";
/// So many of them are kept.
const PARTS_MAX: usize = 40;
/// How often something that fits is sought.
const TRIES: usize = 12;
/// So many texts of a member.
const TEXTS_MAX: usize = 30;
/// Longer texts are not repeated.
const TEXT_BYTES_MAX: usize = 300;
/// Of a hundred subjects so many have the parts that are wanted.
const PART_PERCENT: u32 = 70;
/// Answers are searched for texts so deep.
const DEPTH_MAX: usize = 4;

/// What is known of a thing: its plain members, those of its parts, and the ids of the things in it.
pub type Thing = Map<String, Value>;

/// What is known of a world.
#[derive(Default)]
pub struct Pool {
    things: BTreeMap<String, VecDeque<Thing>>,
    texts: BTreeMap<String, VecDeque<String>>,
}

impl Pool {
    /// Remembers what an answer shows.
    pub fn learn(&mut self, plan: &Plan, answer: &Value) {
        for (name, value) in answer.as_object().into_iter().flatten() {
            let Some(noun) = plan.noun(name, "") else { continue };
            match value {
                Value::Object(thing) => self.add(plan, noun, thing),
                Value::Array(things) => {
                    things.iter().filter_map(Value::as_object).for_each(|thing| self.add(plan, noun, thing));
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, plan: &Plan, noun: &str, thing: &Map<String, Value>) {
        self.note(plan, thing, 0);
        let mut kept = Map::new();
        keep(thing, &mut kept, 0);
        let mut said = Map::new();
        collect(thing, &mut said, 0);
        kept.insert(SAID.into(), Value::Object(said));
        let mut parts = Vec::new();
        collect_parts(thing, &mut parts, 0);
        kept.insert(PARTS.into(), Value::Array(parts));
        let things = self.things.entry(noun.to_owned()).or_default();
        if let Some(same) = things.iter_mut().find(|other| is_same(other, &kept)) {
            *same = kept;
            return;
        }
        if things.len() == THINGS_MAX {
            things.pop_front();
        }
        things.push_back(kept);
    }

    /// How many things of a noun are known.
    pub fn count(&self, noun: &str) -> usize {
        self.things.get(noun).map_or(0, VecDeque::len)
    }

    /// Whether a thing of this noun and id is known.
    pub fn has(&self, noun: &str, id: &Value) -> bool {
        self.things.get(noun).is_some_and(|things| things.iter().any(|thing| thing.get("id") == Some(id)))
    }

    fn note(&mut self, plan: &Plan, members: &Map<String, Value>, depth: usize) {
        for (name, value) in members {
            let mut each = vec![value];
            if let Value::Array(items) = value {
                each = items.iter().take(TEXTS_MAX).collect();
            }
            for value in each {
                match value {
                    Value::String(text) if text.len() <= TEXT_BYTES_MAX && plan.members.contains(name) => {
                        let texts = self.texts.entry(name.clone()).or_default();
                        if !texts.contains(text) {
                            if texts.len() == TEXTS_MAX {
                                texts.pop_front();
                            }
                            texts.push_back(text.clone());
                        }
                    }
                    Value::Object(inner) if depth < DEPTH_MAX => self.note(plan, inner, depth + 1),
                    _ => {}
                }
            }
        }
    }

    /// One thing of a noun.
    pub fn thing(&self, noun: &str, dice: &mut Dice) -> Option<&Thing> {
        let things = self.things.get(noun).filter(|things| !things.is_empty())?;
        let old = if dice.percent(50) { things.len().saturating_sub(NEW) } else { 0 };
        things.get(old + dice.below(things.len() - old))
    }

    /// One thing of a noun that fits, if one is found soon; else any.
    pub fn fitting(&self, noun: &str, dice: &mut Dice, fits: impl Fn(&Thing) -> bool) -> Option<&Thing> {
        (0..TRIES).find_map(|_| self.thing(noun, dice).filter(|thing| fits(thing))).or_else(|| self.thing(noun, dice))
    }

    /// The id of one thing of a noun.
    pub fn id(&self, noun: &str, dice: &mut Dice) -> Option<Value> {
        self.thing(noun, dice)?.get("id").cloned()
    }

    /// One text that a member of this name has shown.
    pub fn text(&self, name: &str, dice: &mut Dice) -> Option<String> {
        let texts = self.texts.get(name).filter(|texts| !texts.is_empty())?;
        texts.get(dice.below(texts.len())).cloned()
    }

    /// One text of any member.
    pub fn any_text(&self, dice: &mut Dice) -> Option<String> {
        let names: Vec<&String> = self.texts.keys().collect();
        let name = names.get(dice.below(names.len()))?;
        self.text(name, dice)
    }

    /// Forgets things of a noun that have this id or name: they are gone.
    pub fn forget(&mut self, noun: &str, text: &str) {
        if let Some(things) = self.things.get_mut(noun) {
            things.retain(|thing| !["id", "name"].iter().any(|name| thing.get(*name).is_some_and(|v| says(v, text))));
        }
    }

    /// What a path is about: a thing of its last noun that belongs to the first, if it has parameters at all.
    /// A good part of the time it has a part with the members that are wanted, if there is such a thing.
    pub fn subject(&self, plan: &Plan, segments: &[Segment], wanted: Wanted<'_>, dice: &mut Dice) -> Option<Thing> {
        let first = segments.iter().find_map(|segment| match segment {
            Segment::Text(text) => plan.noun(text, ""),
            Segment::Parameter(..) => None,
        })?;
        let last = segments.iter().rev().find_map(|segment| match segment {
            Segment::Parameter(_, noun) => Some(noun),
            Segment::Text(_) => None,
        })?;
        let belongs = |thing: &Thing| first == last || parent(thing, first).is_some();
        if !wanted.required.is_empty() && dice.percent(PART_PERCENT) {
            let has_part = |thing: &Thing| belongs(thing) && !parts(thing, wanted).is_empty();
            return self.fitting(last, dice, has_part).cloned();
        }
        self.fitting(last, dice, belongs).cloned()
    }

    /// The parameters of a path about a thing; none for one of whose noun nothing is known.
    pub fn parameters(&self, segments: &[Segment], subject: Option<&Thing>, dice: &mut Dice) -> Vec<Option<String>> {
        let nouns = segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name, noun) => Some((*name, noun.as_str())),
            Segment::Text(_) => None,
        });
        let nouns: Vec<(&str, &str)> = nouns.collect();
        let Some((_, last)) = nouns.last() else { return Vec::new() };
        let filled = nouns.iter().map(|(name, noun)| match subject {
            Some(thing) if noun == last => parameter(thing, name, dice),
            Some(thing) => parent(thing, noun).or_else(|| self.id(noun, dice).map(|id| text_of(&id))),
            None => self.thing(noun, dice).and_then(|thing| parameter(thing, name, dice)),
        });
        filled.collect()
    }
}

/// What a body asks of a part: the members that it needs, and those that it can use.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'a> {
    pub required: &'a [&'a str],
    pub known: &'a [&'a str],
}

/// The objects within a thing that have what is wanted, those with the most of it.
pub fn parts<'a>(thing: &'a Thing, wanted: Wanted<'_>) -> Vec<&'a Map<String, Value>> {
    let has = |part: &Map<String, Value>, name: &&str| part.get(*name).is_some_and(|value| !value.is_null());
    let share = |part: &Map<String, Value>| wanted.known.iter().filter(|name| has(part, name)).count();
    let all = thing.get(PARTS).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let fits = |part: &&Map<String, Value>| {
        wanted.required.iter().all(|name| has(part, name)) && share(part) >= wanted.known.len().min(2)
    };
    let fitting: Vec<_> = all.filter(fits).collect();
    let most = fitting.iter().map(|part| share(part)).max().unwrap_or_default();
    fitting.into_iter().filter(|part| share(part) == most).collect()
}

fn collect_parts(thing: &Map<String, Value>, parts: &mut Vec<Value>, depth: usize) {
    for value in thing.values() {
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            if let Some(part) = value.as_object().filter(|_| depth < DEPTH_MAX && parts.len() < PARTS_MAX) {
                parts.push(value.clone());
                collect_parts(part, parts, depth + 1);
            }
        }
    }
}

/// What a thing says anywhere in a member of this name: one value of them.
pub fn said(thing: &Thing, name: &str, dice: &mut Dice) -> Option<Value> {
    let mut values = all_said(thing, name);
    if values.is_empty() { None } else { Some(values.swap_remove(dice.below(values.len()))) }
}

/// All of them.
pub fn all_said(thing: &Thing, name: &str) -> Vec<Value> {
    let values = thing.get(SAID).and_then(|said| said.get(name)).and_then(Value::as_array);
    values.cloned().unwrap_or_default()
}

fn collect(thing: &Map<String, Value>, said: &mut Map<String, Value>, depth: usize) {
    for (name, value) in thing {
        let single = std::slice::from_ref(value);
        for value in value.as_array().map_or(single, Vec::as_slice).iter().take(TEXTS_MAX) {
            match value {
                Value::Object(part) if depth < DEPTH_MAX => collect(part, said, depth + 1),
                Value::Number(_) | Value::String(_) if text_of(value).len() <= TEXT_BYTES_MAX => {
                    let values = said.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                    values.as_array_mut().into_iter().for_each(|values| values.push(value.clone()));
                }
                _ => {}
            }
        }
    }
}

/// Collects plain members; those of parts only where the thing has none of that name.
fn keep(thing: &Map<String, Value>, kept: &mut Thing, depth: usize) {
    for (name, value) in thing {
        let is_short = value.as_str().is_none_or(|text| text.len() <= TEXT_BYTES_MAX);
        if (value.is_number() || value.is_string() || name == "resources") && is_short && !kept.contains_key(name) {
            kept.insert(name.clone(), value.clone());
        }
    }
    for (name, value) in thing.iter().filter(|_| depth < DEPTH_MAX) {
        let part = value.as_object().or_else(|| value.as_array()?.first()?.as_object());
        let Some(part) = part.filter(|_| name != "resources") else { continue };
        match part.get("id").filter(|_| value.is_object()) {
            Some(id) if !kept.contains_key(name) => drop(kept.insert(name.clone(), id.clone())),
            _ => {}
        }
        keep(part, kept, depth + 1);
    }
}

/// What stands for a thing in a parameter of this name: `rr_type` is its type.
fn parameter(thing: &Map<String, Value>, name: &str, dice: &mut Dice) -> Option<String> {
    let member = match name.rsplit_once('_') {
        Some(("id_or", _)) => *dice.pick(&["id", "name"]),
        Some((_, member)) => member,
        None => name,
    };
    thing.get(member).map(text_of)
}

/// The id of what a thing belongs to: a member that is called like it, or a resource of an action.
fn parent(thing: &Map<String, Value>, noun: &str) -> Option<String> {
    let resources = thing.get("resources").and_then(Value::as_array);
    let of_action = resources.and_then(|all| all.iter().find(|resource| resource["type"] == noun));
    thing.get(noun).or_else(|| of_action.map(|resource| &resource["id"])).map(text_of)
}

fn is_same(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    ["id", "zone", "storage_box"].iter().all(|name| one.get(*name) == other.get(*name))
}

fn says(value: &Value, text: &str) -> bool {
    text_of(value) == text
}

/// A number or text as it stands in a path.
pub fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
