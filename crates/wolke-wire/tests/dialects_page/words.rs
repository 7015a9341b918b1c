//! Operations, list parameters, words of enumerations, error codes and switches, by dialect.

use super::cells::{ABSENT, Cells, Groups, NOWHERE, THERE, cells, head, quoted, row};
use super::fields::{called, operations};
use std::collections::{BTreeMap, BTreeSet};
use wolke_wire::contract::{Contract, OperationContract, Schema, error_instead, error_status};
use wolke_wire::dialect::Switch;
use wolke_wire::{Dialect, ErrorCode, Kind};

/// Parameters that every list has in every dialect.
const OF_EVERY_LIST: &[&str] = &["page", "per_page"];

fn operation(dialect: Dialect, id: &str) -> Option<&'static OperationContract> {
    Contract::of(dialect).operation(id)
}

fn segment(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// How many operations the dialects have, and which ones resources lack that are there.
pub fn operation_tables() -> (String, String) {
    let mut counts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (column, dialect) in Dialect::ALL.iter().enumerate() {
        for operation in Contract::of(*dialect).operations().filter(|operation| operation.ended.is_none()) {
            counts.entry(segment(&operation.path)).or_insert_with(|| vec![0; Dialect::ALL.len()])[column] += 1;
        }
    }
    let total = (0..Dialect::ALL.len()).map(|column| counts.values().map(|row| row[column]).sum()).collect();
    let mut numbers = head(&["below"]);
    let shown =
        |row: &Vec<usize>| row.iter().map(|n| if *n == 0 { ABSENT.to_owned() } else { n.to_string() }).collect();
    for (place, number) in &counts {
        numbers.push_str(&row(&[&format!("`/{place}`")], &shown(number)));
    }
    numbers.push_str(&row(&["all"], &shown(&total)));

    let mut groups = Groups::default();
    for id in operations(|_| true) {
        let place = Dialect::ALL.iter().find_map(|dialect| operation(*dialect, &id)).map(|o| segment(&o.path)).unwrap();
        let resource = |dialect: Dialect| Contract::of(dialect).operations().any(|o| segment(&o.path) == place);
        let cell = |dialect| match operation(dialect, &id) {
            Some(there) if there.ended.is_some() => "410",
            Some(_) => THERE,
            None if resource(dialect) => ABSENT,
            None => NOWHERE,
        };
        groups.add(&format!("/{place}"), cells(cell), called(&id));
    }
    (numbers, groups.table(&["below", "operations"]))
}

/// Parameters of lists.
pub fn parameters() -> String {
    let mut groups = Groups::default();
    for id in operations(|operation| operation.method == "GET") {
        let of = |dialect| operation(dialect, &id).map(|o| o.query.iter().map(|q| q.name.as_str()).collect());
        let sides: Vec<Option<BTreeSet<&str>>> = Dialect::ALL.iter().map(|dialect| of(*dialect)).collect();
        let names: BTreeSet<&str> = sides.iter().flatten().flatten().copied().collect();
        for name in names.into_iter().filter(|name| !OF_EVERY_LIST.contains(name)) {
            let cell = |side: &Option<BTreeSet<&str>>| match side {
                None => NOWHERE.to_owned(),
                Some(side) => (if side.contains(name) { THERE } else { ABSENT }).to_owned(),
            };
            groups.add(&called(&id), sides.iter().map(cell).collect(), name.to_owned());
        }
    }
    groups.table(&["list", "parameters"])
}

/// The words of all enumerations below a schema, by path.
fn enumerations(schema: &Schema, path: &str, into: &mut BTreeMap<String, BTreeSet<String>>) {
    if let Some(items) = schema.items() {
        return enumerations(items, path, into);
    }
    let words: BTreeSet<String> = schema.values().map(str::to_owned).collect();
    if !words.is_empty() {
        into.insert(path.to_owned(), words);
    }
    for name in schema.member_names().filter(|name| Kind::from_singular(name).is_none()) {
        if let Some(member) = schema.member(name) {
            enumerations(member, &if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }, into);
        }
    }
}

/// Adds the words in which dialects differ that have an enumeration there.
fn add(groups: &mut Groups, place: &str, sides: &[Option<BTreeSet<String>>]) {
    let words: BTreeSet<&String> = sides.iter().flatten().flatten().filter(|word| !word.contains(':')).collect();
    for word in words {
        let cell = |side: &Option<BTreeSet<String>>| match side {
            None => NOWHERE.to_owned(),
            Some(side) => (if side.contains(word) { THERE } else { ABSENT }).to_owned(),
        };
        groups.add(place, sides.iter().map(cell).collect(), word.clone());
    }
}

/// Words of answers, requests and parameters. Lists of actions are one line: they change together.
pub fn values() -> String {
    let mut groups = Groups::default();
    let mut places: BTreeMap<String, Vec<Option<BTreeSet<String>>>> = BTreeMap::new();
    for (column, dialect) in Dialect::ALL.iter().enumerate() {
        let mut note = |place: String, words: BTreeSet<String>| {
            places.entry(place).or_insert_with(|| vec![None; Dialect::ALL.len()])[column] = Some(words);
        };
        let contract = Contract::of(*dialect);
        for kind in Kind::ALL {
            let mut found = BTreeMap::new();
            contract.resource(*kind).into_iter().for_each(|schema| enumerations(schema, "", &mut found));
            found.into_iter().for_each(|(path, words)| note(format!("{kind}: {path}"), words));
        }
        for operation in contract.operations() {
            let mut found = BTreeMap::new();
            operation.request.iter().for_each(|schema| enumerations(schema, "", &mut found));
            for parameter in operation.query.iter().filter(|parameter| !parameter.values.is_empty()) {
                let words = parameter.values.iter().map(|word| String::from(&**word)).collect();
                found.insert(format!("?{}", parameter.name), words);
            }
            let is_of_actions = operation.id.ends_with("_actions");
            let id = if is_of_actions { "lists of actions".to_owned() } else { called(&operation.id) };
            found.into_iter().for_each(|(path, words)| note(format!("{id}: {path}"), words));
        }
    }
    for (place, sides) in &places {
        add(&mut groups, place, sides);
    }
    let mut text = head(&["place", "words"]);
    for ((place, cells), words) in groups.into_rows() {
        let place = place.replace(": ", " `") + "`";
        text.push_str(&row(&[&place, &quoted(&words)], &cells));
    }
    text
}

/// Codes that every operation may answer, and those of single operations.
pub fn codes() -> (String, String) {
    let general = |code: ErrorCode| cells(|d| if error_status("", code, d).is_some() { THERE } else { ABSENT });
    let mut groups = Groups::default();
    for code in ErrorCode::ALL {
        groups.add("", general(*code), code.as_str().to_owned());
    }
    let mut of_all = head(&["code"]);
    for ((_, cells), codes) in groups.into_rows() {
        of_all.push_str(&row(&[&quoted(&codes)], &cells));
    }
    let mut groups = Groups::default();
    for id in operations(|_| true) {
        for code in ErrorCode::ALL.iter().filter(|code| error_status("", **code, Dialect::Newest).is_none()) {
            let cell = |dialect| match operation(dialect, &id) {
                None => NOWHERE,
                Some(_) if error_status(&id, *code, dialect).is_some() => THERE,
                Some(_) => ABSENT,
            };
            groups.add(&called(&id), cells(cell), code.as_str().to_owned());
        }
    }
    (of_all, groups.table(&["operation", "codes"]))
}

/// What stands for codes, and in which dialects the code itself is known.
pub fn instead() -> String {
    let mut text = head(&["code", "in its place"]);
    for code in ErrorCode::ALL {
        let Some(instead) = error_instead(*code) else { continue };
        let ids: Vec<String> = operations(|_| true).into_iter().collect();
        let has = |dialect| {
            let mut all = ids.iter().map(String::as_str).chain([""]);
            if all.any(|id| error_status(id, *code, dialect).is_some()) { THERE } else { ABSENT }
        };
        text.push_str(&row(&[&format!("`{code}`"), &format!("`{instead}`")], &cells(has)));
    }
    text
}

/// The switches.
pub fn switches() -> String {
    let mut text = head(&["what holds", "switch"]);
    for switch in Switch::ALL {
        let on: Cells = cells(|dialect| if (switch.is_on)(dialect) { THERE } else { ABSENT });
        text.push_str(&row(&[switch.text, &format!("`{}`", switch.name)], &on));
    }
    text
}
