//! The document of a changed entry, and how a further change is laid over it.
//!
//! **Invariant:** it does not grow by changes that say the same: there is one offer for a location, and one former entry for
//! an id.

use serde_json::{Map, Value, json};
use wolke_domain::{Error, Result};
use wolke_store::operator::Change;
use wolke_wire::Kind;

/// The largest change, in bytes.
const CHANGE_BYTES_MAX: usize = 64 * 1024;
/// The member that removes an entry.
pub(super) const REMOVE: &str = "remove";
/// The member that holds entries that had the name before.
const WAS: &str = "was";
/// The members that hold what an entry is known by.
const IDS: [&str; 2] = ["id", "ids"];

/// Reads the document of a change.
pub(super) fn read(change: &Change) -> Result<Map<String, Value>> {
    serde_json::from_str(&change.doc)
        .map_err(|e| Error::internal(format!("{} '{}': broken change: {e}", change.kind, change.name)))
}

/// Writes the document of a change.
///
/// # Errors
/// `invalid_input` when it is too long.
pub(super) fn write(kind: Kind, name: &str, doc: &Map<String, Value>) -> Result<Change> {
    let doc = Value::Object(doc.clone()).to_string();
    if doc.len() > CHANGE_BYTES_MAX {
        return Err(Error::invalid("change", format!("must not be longer than {CHANGE_BYTES_MAX} bytes")));
    }
    Ok(Change { kind, name: name.to_owned(), doc })
}

/// Whether a change removes its entry.
pub(super) fn is_removed(doc: &Map<String, Value>) -> bool {
    doc.get(REMOVE) == Some(&Value::Bool(true))
}

/// Whether a change says what its entry is known by, as those do that add one.
pub(super) fn has_id(doc: &Map<String, Value>) -> bool {
    IDS.iter().any(|member| doc.contains_key(*member))
}

fn ids(doc: &Map<String, Value>) -> [Option<&Value>; 2] {
    IDS.map(|member| doc.get(member))
}

/// A further change of an entry over the earlier one.
pub(super) fn lay(old: Map<String, Value>, name: &str, change: &Map<String, Value>) -> Map<String, Value> {
    // What was removed and is named again is there again, from scratch.
    let mut doc = if is_removed(&old) && !is_removed(change) { afresh(old, change) } else { old };
    merge(&mut doc, change);
    doc.insert("name".to_owned(), name.into());
    doc
}

/// Nothing but what had the name before, the removed one included, unless it comes back.
fn afresh(mut old: Map<String, Value>, change: &Map<String, Value>) -> Map<String, Value> {
    let mut was = match old.remove(WAS) {
        Some(Value::Array(was)) => was,
        _ => Vec::new(),
    };
    old.remove(REMOVE);
    if has_id(&old) && ids(&old) != ids(change) {
        was.retain(|entry| entry.as_object().is_none_or(|entry| ids(entry) != ids(&old)));
        was.push(Value::Object(old));
    }
    let mut doc = Map::new();
    if !was.is_empty() {
        doc.insert(WAS.to_owned(), was.into());
    }
    doc
}

/// Lays the members of a change over an earlier one of the same entry.
fn merge(old: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (key, value) in new {
        match (old.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "offers" => merge_offers(old, new),
            _ => {
                old.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Offers of several locations are taken apart.
fn apart(offers: &[Value]) -> Vec<Value> {
    let one = |offer: &Value| {
        let Some(at) = offer.get("at").and_then(Value::as_array) else { return vec![offer.clone()] };
        let at_place = |place: &Value| {
            let mut offer = offer.clone();
            offer["at"] = json!([place]);
            offer
        };
        at.iter().map(at_place).collect()
    };
    offers.iter().flat_map(one).collect()
}

fn merge_offers(offers: &mut Vec<Value>, changes: &[Value]) {
    *offers = apart(offers);
    for change in apart(changes) {
        let removes = |offer: &Value| offer.get(REMOVE) == Some(&Value::Bool(true));
        match (offers.iter_mut().find(|offer| offer.get("at") == change.get("at")), &change) {
            (Some(Value::Object(offer)), Value::Object(new))
                if !removes(&change) && offer.get(REMOVE) != Some(&Value::Bool(true)) =>
            {
                merge(offer, new);
            }
            (Some(offer), _) => *offer = change,
            (None, _) => offers.push(change),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lay;
    use serde_json::{Map, Value, json};

    fn doc(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn laid(changes: &[Value]) -> Value {
        changes.iter().fold(Map::new(), |old, change| lay(old, "x", &doc(change.clone()))).into()
    }

    #[test]
    fn a_location_has_one_offer() {
        let end = json!({"offers": [{"at": ["nbg1"], "deprecation": {"announced": "a", "unavailable_after": "b"}}]});
        let back = json!({"offers": [{"at": ["nbg1"], "deprecation": false}]});
        let both = json!({"offers": [{"at": ["fsn1", "nbg1"], "hourly": "1"}]});
        let changes: Vec<Value> = (0..1000).flat_map(|_| [end.clone(), back.clone()]).chain([both]).collect();
        let shown = json!([{"at": ["nbg1"], "deprecation": false, "hourly": "1"}, {"at": ["fsn1"], "hourly": "1"}]);
        assert_eq!(laid(&changes), json!({"name": "x", "offers": shown}));
        let gone = json!({"offers": [{"at": ["nbg1"], "remove": true}]});
        assert_eq!(laid(&[end, gone.clone()])["offers"], gone["offers"]);
        assert_eq!(laid(&[gone, back.clone()])["offers"], back["offers"]);
    }

    #[test]
    fn what_had_the_name_is_kept_once() {
        let (one, two) = (json!({"id": 1, "description": "a"}), json!({"id": 2, "description": "b"}));
        let gone = json!({"remove": true});
        let was = |id: i64, text: &str| json!({"id": id, "description": text, "name": "x"});
        let back = laid(&[one.clone(), gone.clone(), one.clone()]);
        assert_eq!(back, json!({"id": 1, "description": "a", "name": "x"}));
        let toggled: Vec<Value> =
            (0..50).flat_map(|_| [&one, &gone, &two, &gone]).cloned().chain([one.clone()]).collect();
        let toggled = laid(&toggled);
        assert_eq!(toggled["was"].as_array().unwrap().len(), 2);
        assert_eq!((&toggled["id"], &toggled["was"][1]), (&json!(1), &was(2, "b")));
        assert_eq!(laid(&[one, gone])["remove"], true);
        assert_eq!(
            laid(&[json!({"memory": 1}), json!({"remove": true}), json!({"cores": 2})]),
            json!({"name": "x", "cores": 2})
        );
    }
}
