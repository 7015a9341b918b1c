//! Everything that a project shows: every list to its last page, and things by their own paths.

use crate::common::World;
use crate::plan::{Plan, Planned, Segment};
use crate::pool::text_of;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use wolke_http::operation::Verb;

/// So many things of a list are also asked for one by one: the newest. The list itself shows all of them.
const EACH_MAX: usize = 8;
/// So many actions are asked for at once.
const ACTIONS_MAX: usize = 25;
/// So much of an answer is shown before the place where it differs, in characters.
const CONTEXT: usize = 100;

/// Status and body by path.
pub type Shown = BTreeMap<String, (u16, Vec<u8>)>;

struct Crawl<'a> {
    world: &'a World,
    shown: Shown,
    /// The entries of each list by its path, all pages.
    entries: BTreeMap<String, Vec<Value>>,
    actions: BTreeSet<i64>,
    granted: BTreeMap<&'static str, usize>,
}

/// Asks for everything that can be seen; also says how often each operation was granted.
pub async fn everything(world: &World, plan: &Plan) -> (Shown, BTreeMap<&'static str, usize>) {
    let (entries, actions, granted) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    let mut crawl = Crawl { world, shown: Shown::new(), entries, actions, granted };
    let mut looks: Vec<&Planned> = plan.operations.iter().filter(|planned| looks(planned)).collect();
    // What is shorter is the list of what is longer.
    looks.sort_by_key(|planned| planned.segments.len());
    for planned in looks {
        for path in crawl.paths(&planned.segments) {
            crawl.look(planned, &path).await;
        }
    }
    (crawl.shown, crawl.granted)
}

fn looks(planned: &Planned) -> bool {
    planned.operation.verb == Verb::Get && planned.contract.ended.is_none()
}

/// What is not the same.
pub fn differences(before: &Shown, after: &Shown) -> Vec<String> {
    let mut told = Vec::new();
    for path in before.keys().chain(after.keys().filter(|path| !before.contains_key(*path))) {
        let (before, after) = (before.get(path), after.get(path));
        if before == after {
            continue;
        }
        let text = |shown: Option<&(u16, Vec<u8>)>| {
            shown.map_or_else(String::new, |(status, body)| format!("{status} {}", String::from_utf8_lossy(body)))
        };
        let (before, after) = (text(before), text(after));
        let at = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
        let part = |text: &str| text.chars().skip(at.saturating_sub(CONTEXT)).take(4 * CONTEXT).collect::<String>();
        told.push(format!("{path} changed with a restart: {} became {}", part(&before), part(&after)));
    }
    told
}

impl Crawl<'_> {
    /// The paths that these segments stand for, out of the lists that were seen.
    fn paths(&self, segments: &[Segment]) -> Vec<String> {
        let mut paths = vec![String::new()];
        let mut rest = segments;
        while let Some((segment, after)) = rest.split_first() {
            let mut names = Vec::new();
            match segment {
                Segment::Text(text) => paths.iter_mut().for_each(|path| *path = format!("{path}/{text}")),
                Segment::Parameter(name, _) => names.push(*name),
            }
            rest = after;
            // A set of records has two: its name and its type.
            while let (false, Some((Segment::Parameter(name, _), after))) = (names.is_empty(), rest.split_first()) {
                names.push(name);
                rest = after;
            }
            if !names.is_empty() {
                paths = paths.iter().flat_map(|path| self.each(path, &names)).collect();
            }
        }
        paths
    }

    /// The newest entries of a list as paths.
    fn each(&self, list: &str, names: &[&str]) -> Vec<String> {
        if list == "/actions" {
            return self.actions.iter().rev().take(EACH_MAX).map(|id| format!("/actions/{id}")).collect();
        }
        let part = |entry: &Value, name: &&str| text_of(&entry[name.strip_prefix("rr_").unwrap_or("id")]);
        let path = |entry: &Value| {
            let parts: Vec<String> = names.iter().map(|name| crate::request::encode(&part(entry, name))).collect();
            format!("{list}/{}", parts.join("/"))
        };
        self.entries.get(list).into_iter().flatten().rev().take(EACH_MAX).map(path).collect()
    }

    /// Asks for a path; of a list for all its pages.
    async fn look(&mut self, planned: &Planned, path: &str) {
        let mut query: Vec<String> = Vec::new();
        for parameter in &planned.contract.query {
            match parameter.name.as_str() {
                "per_page" => query.push(format!("per_page={}", parameter.longest_page)),
                "id" if path == "/actions" => {
                    query.extend(self.actions.iter().rev().take(ACTIONS_MAX).map(|id| format!("id={id}")));
                }
                "start" => query.push("start=2026-11-20T23:00:00Z".into()),
                "end" => query.push("end=2026-11-21T00:00:00Z".into()),
                "path" => query.push("path=/".into()),
                name if parameter.required => {
                    query.push(format!("{name}={}", parameter.values.first().map_or("", |value| value)));
                }
                _ => {}
            }
        }
        let mut page = Some(1);
        while let Some(number) = page {
            let numbered = if number == 1 { String::new() } else { format!("&page={number}") };
            let asked = format!("{path}?{}{numbered}", query.join("&"));
            let (answer, faults) = self.world.ask("GET", &asked).send_and_look().await;
            assert!(faults.is_empty(), "{asked}: {faults:?}");
            page = answer.json["meta"]["pagination"]["next_page"].as_i64();
            let named = answer.json.as_object().into_iter().flatten();
            for entry in named.filter_map(|(_, value)| value.as_array()).flatten().filter(|entry| entry.is_object()) {
                if entry["command"].is_string() {
                    self.actions.extend(entry["id"].as_i64());
                }
                self.entries.entry(path.to_owned()).or_default().push(entry.clone());
            }
            *self.granted.entry(planned.operation.id).or_default() += usize::from(answer.status < 300);
            self.shown.insert(asked, (answer.status, answer.bytes.to_vec()));
        }
    }
}
