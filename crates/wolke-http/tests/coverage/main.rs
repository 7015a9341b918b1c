//! Which operations behave, in which dialect: computed from what tests have done, and written to `docs/coverage.md`.
//!
//! An operation behaves when a test has changed something through it and seen that through another operation after a
//! restart. The behaviours of [`behaviour`] do that in every dialect; the page and the demands on the operation table
//! follow from what they record. `WOLKE_COVERAGE_WRITE` writes the page; without it a difference fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

mod behaviour;
#[path = "../common/mod.rs"]
mod common;
mod page;
mod proof;

use proof::Proofs;
use std::collections::BTreeSet;
use std::path::Path;
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;
use wolke_wire::contract::Contract;

/// The page, from this crate's directory.
const PAGE: &str = "../../docs/coverage.md";

#[tokio::test]
async fn every_operation_of_the_table_behaves_where_the_contract_has_it() {
    let mut proofs = Proofs::default();
    for dialect in Dialect::ALL {
        behaviour::run(*dialect, &mut proofs).await;
    }
    let mut idle = Vec::new();
    for dialect in Dialect::ALL {
        for operation in OPERATIONS {
            let contract = Contract::of(*dialect).operation(operation.id);
            if contract.is_some_and(|c| c.ended.is_none()) && !proofs.behaves(*dialect, operation.id) {
                idle.push(format!("{dialect} {}", operation.id));
            }
        }
    }
    assert!(idle.is_empty(), "no behaviour proves: {idle:#?}");
    let page = page::render(&proofs);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    #[allow(clippy::disallowed_methods, reason = "the switch of the chore that writes the page")]
    let write = std::env::var("WOLKE_COVERAGE_WRITE").is_ok();
    if write {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/coverage.md is out of date: run `cargo xtask coverage`");
}

#[test]
fn the_table_and_the_contract_agree() {
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for operation in OPERATIONS {
        assert!(ids.insert(operation.id), "{} stands twice", operation.id);
        assert!(places.insert((operation.verb.as_str(), operation.path)), "{} twice", operation.path);
        let of = |dialect: &Dialect| Contract::of(*dialect).operation(operation.id);
        let contracts: Vec<_> = Dialect::ALL.iter().filter_map(of).collect();
        assert!(!contracts.is_empty(), "{} is in no contract", operation.id);
        for contract in contracts {
            assert_eq!(contract.method, operation.verb.as_str(), "{}", operation.id);
            let found = Contract::of(contract.dialect).find(&contract.method, operation.path).map(|c| &c.id);
            assert_eq!(found, Some(&contract.id), "{}", operation.path);
        }
        let starts_action = operation.path.contains("/actions/") && operation.mutating();
        assert!(!starts_action || operation.command.is_some(), "{} names no command", operation.id);
        assert!(operation.rate().cost() > 0);
    }
}
