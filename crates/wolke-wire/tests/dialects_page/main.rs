//! `docs/dialects.md` is made from the contract and the switches: run with `WOLKE_TEST_WRITE=1` it is written anew, otherwise
//! compared.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

mod cells;
mod dated;
mod fields;
mod page;
mod words;

use std::path::Path;

/// Makes the page anew instead of comparing it.
const WRITE: &str = "WOLKE_TEST_WRITE";

#[test]
fn the_page_is_made_from_the_contract() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects.md");
    let page = page::page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "run `{WRITE}=1 cargo test -p wolke-wire --test dialects_page` and commit docs/dialects.md");
}

/// An overlay is a dated change: the page names it under its date.
#[test]
fn every_overlay_since_2023_is_among_the_dated_changes() {
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/overlays");
    for entry in std::fs::read_dir(overlays).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_named = dated::CHANGES.iter().any(|change| name.starts_with(change.date));
        assert!(is_named || name.starts_with("2018"), "{name}");
    }
}

/// A change that no dialect shows, or that all show, tells nothing.
#[test]
fn every_dated_change_tells_dialects_apart() {
    for change in dated::CHANGES {
        let seen: Vec<Option<bool>> = wolke_wire::Dialect::ALL.iter().map(|dialect| (change.has)(*dialect)).collect();
        assert!(seen.contains(&Some(true)), "{}: {seen:?}", change.what);
        assert!(seen.iter().any(|has| *has != Some(true)), "{}: {seen:?}", change.what);
    }
    assert!(dated::CHANGES.is_sorted_by_key(|change| change.date));
}
