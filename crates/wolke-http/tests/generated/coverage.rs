//! What a run must have reached: every operation of every dialect in every way, every error code as far as chance brings it
//! about.

use crate::tally::{Count, Tally};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use wolke_http::operation::Operation;
use wolke_http::table::OPERATIONS;
use wolke_wire::contract::{Contract, OperationContract, error_status};
use wolke_wire::{Dialect, ErrorCode};

/// Every operation gets at least so many requests of each sort in every dialect.
const VALID_MIN: usize = 12;
const BROKEN_MIN: usize = 8;
/// Every way to break a request is taken so often.
const WAY_MIN: usize = 20;
/// Of a hundred codes that are documented of one operation, so many come.
const CODES_PERCENT: usize = 60;
/// A new process is held against the old one in so many answers.
const COMPARED_MIN: usize = 1200;
/// Of a hundred questions of strangers for what is ours so many get as far as that it is not found; the others are refused for
/// what else is wrong with them.
const HIDDEN_PERCENT: usize = 80;

/// What was granted so rarely is told: the next change may take it away.
const RARELY: usize = 3;

/// Operations that a dialect does not grant in a run, and why. The list only shrinks.
const NEVER_GRANTED: &[(&str, &str, &str)] = &[];

/// The operations of every dialect.
fn operations() -> impl Iterator<Item = (&'static Operation, &'static OperationContract)> {
    Dialect::ALL.iter().flat_map(|dialect| {
        let of = |operation: &'static Operation| Some((operation, Contract::of(*dialect).operation(operation.id)?));
        OPERATIONS.iter().filter_map(of)
    })
}

/// The codes that stand at an operation beside those that every operation may answer with.
fn own_codes(operation: &Operation) -> BTreeSet<&'static str> {
    let is_own = |code: &ErrorCode, dialect: Dialect| {
        error_status(operation.id, *code, dialect).is_some() && error_status("", *code, dialect).is_none()
    };
    let of = |dialect: &Dialect| ErrorCode::ALL.iter().filter(|code| is_own(code, *dialect)).collect::<Vec<_>>();
    Dialect::ALL.iter().flat_map(of).map(|code| code.as_str()).collect()
}

/// How often each code came, by operation.
fn came(tally: &Tally) -> BTreeMap<(&str, &str), usize> {
    let mut sums = BTreeMap::new();
    for ((operation, _, code), count) in &tally.codes {
        *sums.entry((*operation, code.as_str())).or_default() += count;
    }
    sums
}

/// What was reached, and what was not.
pub fn table(tally: &Tally) -> String {
    let mut text = format!("{} requests, {:#?}\n", tally.sent, tally.ways);
    let sum = tally.by_operation().into_values().fold(Count::default(), |mut sum, one| {
        sum.add(one);
        sum
    });
    let _ = writeln!(text, "{} of {} valid requests were granted", sum.granted, sum.valid);
    let Tally { compared, hidden, asked_by_strangers, .. } = tally;
    let _ = writeln!(text, "{compared} answers were the same after a restart");
    let _ = writeln!(text, "{hidden} of {asked_by_strangers} questions of strangers: not found");
    for (operation, dialect) in never_granted(tally) {
        let _ = writeln!(text, "never granted: {operation} in {dialect}\n{}", tally.reasons(operation, dialect));
    }
    let rare = tally.counts.iter().filter(|(_, count)| (1..=RARELY).contains(&count.granted));
    let rare: Vec<String> = rare.map(|((operation, dialect), _)| format!("{operation} in {dialect}")).collect();
    let _ = writeln!(text, "rarely granted: {}", rare.join(", "));
    let came = came(tally);
    for operation in OPERATIONS {
        let told: Vec<String> = own_codes(operation)
            .into_iter()
            .map(|code| format!("{code} {}", came.get(&(operation.id, code)).copied().unwrap_or_default()))
            .collect();
        if !told.is_empty() {
            let _ = writeln!(text, "codes of {}: {}", operation.id, told.join(", "));
        }
    }
    text
}

fn never_granted(tally: &Tally) -> Vec<(&'static str, &'static str)> {
    let known = operations().filter(|(_, contract)| contract.ended.is_none());
    let keys = known.map(|(operation, contract)| (operation.id, contract.dialect.name()));
    keys.filter(|key| tally.counts.get(key).is_none_or(|count| count.granted == 0)).collect()
}

/// Fails where too little was reached.
pub fn check(tally: &Tally) {
    for (operation, contract) in operations() {
        let count = tally.counts.get(&(operation.id, contract.dialect.name())).copied().unwrap_or_default();
        let is_enough = count.valid >= VALID_MIN && count.broken >= BROKEN_MIN;
        assert!(is_enough, "{} in {}: {count:?}", operation.id, contract.dialect);
    }
    let never = never_granted(tally);
    let excused =
        |key: &(&str, &str)| NEVER_GRANTED.iter().any(|(operation, dialect, _)| (*operation, *dialect) == *key);
    let missing: Vec<_> = never.iter().filter(|key| !excused(key)).collect();
    assert!(missing.is_empty(), "never granted: {missing:?}");
    for (operation, dialect, reason) in NEVER_GRANTED {
        assert!(never.contains(&(operation, dialect)), "{operation} in {dialect} is granted: {reason}");
    }
    let rare: Vec<_> = crate::broken::ways().filter(|way| tally.ways.get(way).is_none_or(|n| *n < WAY_MIN)).collect();
    assert!(rare.is_empty(), "too rarely broken: {rare:?}");
    codes(tally);
    assert!(tally.compared >= COMPARED_MIN, "{} answers compared", tally.compared);
    let (hidden, asked) = (tally.hidden, tally.asked_by_strangers);
    assert!(asked > 0 && hidden * 100 >= asked * HIDDEN_PERCENT, "{hidden} of {asked} questions of strangers");
}

/// The codes that every operation of a sort must have answered with, and the share of those of single operations.
fn codes(tally: &Tally) {
    let came = came(tally);
    let has = |operation: &str, code: ErrorCode| came.contains_key(&(operation, code.as_str()));
    for operation in OPERATIONS {
        let demand = |code: ErrorCode| assert!(has(operation.id, code), "{}: {code} never came", operation.id);
        demand(ErrorCode::Unauthorized);
        demand(ErrorCode::MethodNotAllowed);
        if operation.mutating() {
            [ErrorCode::TokenReadonly, ErrorCode::JsonError].into_iter().for_each(demand);
        }
        if operation.path.contains('{') {
            demand(ErrorCode::NotFound);
        }
    }
    let own = OPERATIONS.iter().flat_map(|operation| own_codes(operation).into_iter().map(|code| (operation.id, code)));
    let (met, lacking): (Vec<_>, Vec<_>) = own.partition(|key| came.contains_key(key));
    let (met, all) = (met.len(), met.len() + lacking.len());
    println!("{met} of {all} codes of single operations came");
    assert!(met * 100 >= all * CODES_PERCENT, "too few codes came, not: {lacking:?}");
}
