//! A selector as a conjunction of sets, at most two per key: what has the key with one of some values, or lacks that.

use super::ListQuery;
use super::compose::Builder;
use crate::label;
use crate::tx::Tx;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use wolke_domain::Result;
use wolke_wire::selector::Term;

/// Some values of a label; any, when there is none.
type Values<'a> = Option<BTreeSet<&'a str>>;

/// The resources that have a key, with one of some values; or those that have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set<'a> {
    key: &'a str,
    values: Values<'a>,
    /// Whether it is those that have not.
    pub negative: bool,
    /// How many have it.
    pub size: i64,
}

/// What is asked of one key.
#[derive(Default)]
struct Wish<'a> {
    has: Option<Values<'a>>,
    lacks: Option<Values<'a>>,
}

/// The sets of a selector's terms; none when they contradict each other.
pub(super) fn sets(terms: &[Term]) -> Option<Vec<Set<'_>>> {
    let mut wishes: BTreeMap<&str, Wish<'_>> = BTreeMap::new();
    for term in terms {
        let Set { key, values, negative, .. } = Set::new(term);
        let wish = wishes.entry(key).or_default();
        if negative {
            wish.lacks = Some(match (wish.lacks.take(), values) {
                (None, values) => values,
                (Some(Some(a)), Some(b)) => Some(&a | &b),
                _ => None,
            });
        } else {
            wish.has = Some(match (wish.has.take(), values) {
                (None | Some(None), values) | (Some(values), None) => values,
                (Some(Some(a)), Some(b)) => Some(&a & &b),
            });
        }
    }
    let mut sets = Vec::with_capacity(wishes.len());
    for (key, wish) in wishes {
        let (has, lacks) = match (wish.has, wish.lacks) {
            (Some(_), Some(None)) => return None,
            (Some(Some(a)), Some(Some(b))) => (Some(Some(&a - &b)), None),
            other => other,
        };
        if has.as_ref().is_some_and(|values| values.as_ref().is_some_and(BTreeSet::is_empty)) {
            return None;
        }
        let set = |negative| move |values| Set { key, values, negative, size: 0 };
        sets.extend(has.map(set(false)).into_iter().chain(lacks.map(set(true))));
    }
    Some(sets)
}

impl<'a> Set<'a> {
    /// The set of a term.
    pub fn new(term: &'a Term) -> Self {
        let (key, values, negative): (&str, Option<&[String]>, bool) = match term {
            Term::Equals(key, value) => (key, Some(std::slice::from_ref(value)), false),
            Term::NotEquals(key, value) => (key, Some(std::slice::from_ref(value)), true),
            Term::In(key, values) => (key, Some(values), false),
            Term::NotIn(key, values) => (key, Some(values), true),
            Term::Exists(key) => (key, None, false),
            Term::NotExists(key) => (key, None, true),
        };
        let values = values.map(|values| values.iter().map(String::as_str).collect());
        Self { key, values, negative, size: 0 }
    }

    /// Reads its size.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn measure(&mut self, tx: &mut dyn Tx, query: &ListQuery) -> Result<()> {
        let (kind, project) = (query.kind, query.project);
        self.size = match &self.values {
            None => label::count_key(tx, kind, project, self.key)?,
            Some(values) => {
                values.iter().map(|value| label::count_pair(tx, kind, project, self.key, value)).sum::<Result<_>>()?
            }
        };
        Ok(())
    }

    /// Whether an index holds it in the order of ids.
    pub fn is_ordered(&self) -> bool {
        self.values.as_ref().is_none_or(|values| values.len() == 1)
    }

    /// ` AND [l.]key = … [AND [l.]value …]`
    pub fn condition(&self, b: &mut Builder, alias: &str) {
        b.text(" AND ").text(alias).text("key = ").param(self.key);
        let Some(values) = &self.values else { return };
        b.text(" AND ").text(alias);
        let mut params = values.iter().map(|value| Value::from(*value));
        match (params.next(), values.len()) {
            // An equation, not a list of one: then the index gives the order of ids.
            (Some(value), 1) => b.text("value = ").param(value),
            (first, _) => b.text("value IN ").params(first.into_iter().chain(params)),
        };
    }

    /// ` AND [NOT ]EXISTS …` for the resource whose id is `id`.
    pub fn test(&self, b: &mut Builder, query: &ListQuery, id: &str) {
        b.text(if self.negative { " AND NOT EXISTS " } else { " AND EXISTS " });
        b.text("(SELECT 1 FROM label l WHERE l.kind = ").param(query.kind.singular());
        b.text(" AND l.project = ").param(query.project).text(" AND l.id = ").text(id);
        self.condition(b, "l.");
        b.text(")");
    }
}

#[cfg(test)]
mod tests {
    use super::{Set, sets};
    use wolke_wire::selector::Selector;

    /// The sets of a selector, in the selector's own words.
    fn text(selector: &str) -> Option<String> {
        let selector = Selector::parse(selector).unwrap();
        let show = |set: &Set<'_>| {
            let sign = if set.negative { "-" } else { "+" };
            let values = set.values.as_ref().map(|values| values.iter().copied().collect::<Vec<_>>().join("|"));
            format!("{sign}{}:{}", set.key, values.unwrap_or_else(|| "*".to_owned()))
        };
        sets(&selector.terms).map(|sets| sets.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn terms_on_one_key_become_one_set() {
        for (selector, expected) in [
            ("", Some("")),
            ("a=1,b!=2", Some("+a:1 -b:2")),
            ("a!=1,a!=2,a notin (2,3)", Some("-a:1|2|3")),
            ("!a,a!=1", Some("-a:*")),
            ("a,a in (1,2)", Some("+a:1|2")),
            ("a in (1,2),a in (2,3)", Some("+a:2")),
            ("a in (1,2),a!=2", Some("+a:1")),
            ("a,a!=2", Some("+a:* -a:2")),
            ("a=1,a=2", None),
            ("a=1,a!=1", None),
            ("a,!a", None),
            ("b,a=1,!a", None),
        ] {
            assert_eq!(text(selector).as_deref(), expected, "{selector}");
        }
    }
}
