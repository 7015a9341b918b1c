//! Members of answers and of requests, by dialect.

use super::cells::{ABSENT, Cells, Groups, NOWHERE, THERE};
use std::collections::{BTreeMap, BTreeSet};
use wolke_wire::contract::{Contract, OperationContract, Schema};
use wolke_wire::{Dialect, Kind};

/// Members that hold an object with a row of its own.
const ELSEWHERE: &[&str] = &["action", "next_actions", "actions", "home_location", "metrics"];

/// What a document says of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Member {
    required: bool,
    nullable: bool,
}

/// The members below a schema, by path, without those of resources inside of it.
fn members(schema: &Schema, path: &str, into: &mut BTreeMap<String, Member>) {
    if let Some(items) = schema.items() {
        return members(items, path, into);
    }
    for name in schema.member_names() {
        let Some(member) = schema.member(name) else { continue };
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let of_its_own = ELSEWHERE.contains(&name) || Kind::from_singular(name).is_some();
        into.insert(path.clone(), Member { required: schema.requires(name), nullable: member.is_nullable() });
        if !of_its_own {
            members(member, &path, into);
        }
    }
}

/// The members of the same object in each dialect; none where there is no such object.
type Sides = Vec<Option<BTreeMap<String, Member>>>;

fn sides(schema: impl Fn(Dialect) -> Option<&'static Schema>) -> Sides {
    let side = |dialect: &Dialect| {
        let mut into = BTreeMap::new();
        schema(*dialect).map(|schema| members(schema, "", &mut into))?;
        Some(into)
    };
    Dialect::ALL.iter().map(side).collect()
}

/// Adds what differs. What is part of something that comes and goes with it is not told again.
fn add(groups: &mut Groups, place: &str, sides: &Sides, cell: impl Fn(Member, bool) -> &'static str) {
    let paths: BTreeSet<&String> = sides.iter().flatten().flat_map(BTreeMap::keys).collect();
    let presence = |path: &str| -> Vec<Option<bool>> {
        sides.iter().map(|side| side.as_ref().map(|side| side.contains_key(path))).collect()
    };
    for path in paths {
        let with_parent = path.rsplit_once('.').is_some_and(|(parent, _)| presence(parent) == presence(path));
        let here = |side: &Option<BTreeMap<String, Member>>| side.as_ref().and_then(|side| side.get(path)).copied();
        let all: Vec<Member> = sides.iter().filter_map(here).collect();
        let varies = all.windows(2).any(|two| two[0] != two[1]);
        let is_whole = presence(path).iter().flatten().all(|there| *there);
        if (is_whole || with_parent) && !varies {
            continue;
        }
        let cells: Cells = sides
            .iter()
            .map(|side| match (side, here(side)) {
                (None, _) => NOWHERE,
                (Some(_), None) => ABSENT,
                (_, Some(member)) => cell(member, varies),
            })
            .map(str::to_owned)
            .collect();
        groups.add(place, cells, path.clone());
    }
}

/// The table of answers: the objects that `GET` by id shows, and prices.
pub fn answers() -> String {
    let mut groups = Groups::default();
    let shown = |member: Member, varies: bool| if varies && member.nullable { "✓ or null" } else { THERE };
    for kind in Kind::ALL {
        add(&mut groups, kind.singular(), &sides(|dialect| Contract::of(dialect).resource(*kind)), shown);
    }
    let prices = |dialect| Contract::of(dialect).operation("get_pricing")?.success()?.member("pricing");
    add(&mut groups, "pricing", &sides(prices), shown);
    for id in operations(|operation| operation.method != "GET") {
        let answer = |dialect| Contract::of(dialect).operation(&id).and_then(OperationContract::success);
        add(&mut groups, &called(&id), &sides(answer), |_, _| THERE);
    }
    groups.table(&["object, operation", "members"])
}

/// The table of requests.
pub fn requests() -> String {
    let mut groups = Groups::default();
    for id in operations(|operation| operation.method != "GET") {
        let request = |dialect| Contract::of(dialect).operation(&id).and_then(|o| o.request.as_ref());
        let mut sides = sides(request);
        // An operation without a body has no members; one that is not there has no side.
        for (side, dialect) in sides.iter_mut().zip(Dialect::ALL) {
            if side.is_none() && Contract::of(*dialect).operation(&id).is_some() {
                *side = Some(BTreeMap::new());
            }
        }
        add(&mut groups, &called(&id), &sides, |member, varies| match (varies, member.required, member.nullable) {
            (true, true, true) => "required, or null",
            (true, true, false) => "required",
            (true, false, true) => "✓ or null",
            _ => THERE,
        });
    }
    groups.table(&["operation", "members"])
}

/// What people call an operation: `POST /servers`.
pub fn called(id: &str) -> String {
    let found = Dialect::ALL.iter().find_map(|dialect| Contract::of(*dialect).operation(id)).unwrap();
    format!("{} {}", found.method, found.path)
}

/// The ids of all operations of all dialects.
pub fn operations(wanted: impl Fn(&OperationContract) -> bool) -> BTreeSet<String> {
    let all = Dialect::ALL.iter().flat_map(|dialect| Contract::of(*dialect).operations());
    all.filter(|operation| wanted(operation)).map(|operation| operation.id.clone()).collect()
}
