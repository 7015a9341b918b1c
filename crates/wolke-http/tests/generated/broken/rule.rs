//! Values that keep to the schema and not to the rules, and values at the edge of the rules.

use super::Workshop;
use super::spot::{Spot, plain, takes};
use crate::request::{Expect, Request};
use crate::texts::{Family, SELECTORS, Sort};
use serde_json::json;

/// Keys of labels that none may have (fact sheet §1.1, dialects D.1).
const KEYS: [&str; 12] =
    ["", "-a", "a-", "a b", "ä", "a/b/c", "/a", "a/", "-a/b", "a..b/c", "hetzner.cloud/a", "Hetzner.Cloud/a"];

impl Workshop<'_> {
    fn sort(&self, spot: &Spot<'_>) -> Option<Sort> {
        if self.is_ignored(spot) {
            return None;
        }
        let parent = if spot.parent.is_empty() { self.about() } else { spot.parent.as_str() };
        Sort::of(self.planned.operation.id, parent, &spot.name)
    }

    /// Whether the service looks at a place at all: what belongs to a zone of the other mode is ignored (the 2026 document).
    fn is_ignored(&self, spot: &Spot<'_>) -> bool {
        let is_secondary = self.draft.body.as_ref().is_some_and(|body| body["mode"] == "secondary");
        let of_other_mode = match is_secondary {
            true => ["/rrsets", "/zonefile"].iter().any(|at| spot.pointer.starts_with(at)),
            false => spot.pointer.starts_with("/primary_nameservers"),
        };
        self.planned.operation.id == "create_zone" && of_other_mode
    }

    /// What must come of a wrong value: what else is wrong with a draft that is not plain may keep it from being named.
    fn refusal(&self, field: String) -> Expect {
        if self.draft.is_plain { Expect::Rule(field) } else { Expect::Refused }
    }

    /// The type of the record that stands in a place: it is said beside the records, or in the path.
    fn kind(&self, spot: &Spot<'_>) -> String {
        let set = spot.pointer.rsplitn(4, '/').nth(3).unwrap_or_default();
        let beside = self.draft.body.as_ref().and_then(|body| body.pointer(set)?.get("type")?.as_str());
        let in_path = self.draft.parameters.last().filter(|_| self.draft.parameters.len() == 3);
        beside.map(str::to_owned).or_else(|| in_path.cloned()).unwrap_or_default()
    }
}

/// Whether one value stands there, and no enumeration says which: that is another way to break a request.
fn is_plain_value(spot: &Spot<'_>) -> bool {
    let is_list = ["array", "object"].iter().any(|kind| takes(spot.schema, kind));
    !spot.holds_parts && !is_list && plain(spot.schema)["enum"].is_null()
}

/// A value that its rules refuse.
pub fn broken(shop: &mut Workshop<'_>, family: Family) -> Option<Request> {
    let sorts: Vec<(Spot<'_>, Sort)> = shop
        .spots
        .iter()
        .cloned()
        .filter_map(|spot| shop.sort(&spot).filter(|sort| sort.family() == family).map(|sort| (spot, sort)))
        .filter(|(spot, _)| is_plain_value(spot))
        .collect();
    let (spot, sort) = if sorts.is_empty() { return None } else { &sorts[shop.dice.below(sorts.len())] };
    let kind = shop.kind(spot);
    let value = sort.bad(&kind, shop.dice);
    let request = shop.with(spot, value)?;
    Some(Request { expect: shop.refusal(spot.field.clone()), ..request })
}

/// A key that no label may have.
pub fn label_key(shop: &mut Workshop<'_>) -> Option<Request> {
    let spot = shop.spot(|spot| spot.name == "labels" && spot.holds_parts)?;
    let long = "a".repeat(64);
    let mut keys = KEYS.to_vec();
    keys.push(&long);
    let key = (*shop.dice.pick(&keys)).to_owned();
    let labels = shop.draft.body.as_mut()?.pointer_mut(&spot.pointer)?.as_object_mut()?;
    labels.insert(key.clone(), json!("a"));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: shop.refusal(format!("{}.{key}", spot.field)), ..request })
}

/// A request with one value at the edge of its rules; none where the body has no such place.
pub fn edge(shop: &mut Workshop<'_>, fresh: &mut u64) -> Option<Request> {
    let sorts: Vec<(Spot<'_>, Sort)> = shop
        .spots
        .iter()
        .cloned()
        .filter_map(|spot| shop.sort(&spot).map(|sort| (spot, sort)))
        .filter(|(spot, _)| is_plain_value(spot))
        .collect();
    let (spot, sort) = if sorts.is_empty() { return None } else { &sorts[shop.dice.below(sorts.len())] };
    *fresh += 1;
    let kind = shop.kind(spot);
    let value = sort.good(shop.planned.operation.id, &kind, *fresh, shop.dice)?;
    let request = shop.with(spot, value)?;
    let expect =
        if shop.planned.contract.ended.is_some() { request.expect } else { Expect::NotBlamed(spot.field.clone()) };
    Some(Request { expect, edge: Some("a value at the edge of its rules"), ..request })
}

/// A selector in the query.
pub fn selector(shop: &mut Workshop<'_>) -> Option<Request> {
    shop.planned.contract.query.iter().find(|parameter| parameter.name == "label_selector")?;
    shop.draft.query.retain(|(name, _)| name != "label_selector");
    let bad = Sort::Selector.bad("", shop.dice);
    shop.draft.query.push(("label_selector".into(), bad.as_str()?.to_owned()));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::Rule("label_selector".into()), ..request })
}

/// A good one.
pub fn good_selector(shop: &mut Workshop<'_>) -> Option<Request> {
    shop.planned.contract.query.iter().find(|parameter| parameter.name == "label_selector")?;
    shop.draft.query.retain(|(name, _)| name != "label_selector");
    let good = (*shop.dice.pick(&SELECTORS)).to_owned();
    shop.draft.query.push(("label_selector".into(), good));
    let request = shop.draft.request(shop.planned);
    Some(Request { expect: Expect::NotBlamed("label_selector".into()), edge: Some("a selector"), ..request })
}
