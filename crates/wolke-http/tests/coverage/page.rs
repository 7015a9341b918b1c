//! `docs/coverage.md`: operations × dialects.

use crate::proof::Proofs;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wolke_wire::Dialect;
use wolke_wire::contract::Contract;

/// What a cell of the table says.
fn cell(proofs: &Proofs, dialect: Dialect, id: &str) -> &'static str {
    match Contract::of(dialect).operation(id) {
        None => "–",
        Some(contract) if contract.ended.is_some() => "ended",
        Some(_) if proofs.behaves(dialect, id) => "behaves",
        Some(_) => "missing",
    }
}

/// The whole page.
pub fn render(proofs: &Proofs) -> String {
    let mut operations: BTreeMap<(String, String, usize), String> = BTreeMap::new();
    for dialect in Dialect::ALL {
        for contract in Contract::of(*dialect).operations() {
            let segment = contract.path.split('/').nth(1).unwrap_or_default().to_owned();
            let rank = ["GET", "POST", "PUT", "DELETE"].iter().position(|m| *m == contract.method).unwrap_or(4);
            // The names of parameters differ between documents: the first dialect's path stands for all.
            let known = operations.iter().any(|(_, id)| *id == contract.id);
            if !known {
                operations.insert((segment, contract.path.clone(), rank), contract.id.clone());
            }
        }
    }
    let mut page = String::from(
        "# Coverage\n\n\
         Written by `cargo xtask coverage`; do not edit. An operation *behaves* when a test has changed something through it\n\
         and seen that through another operation after a restart, in that dialect (`crates/wolke-http/tests/coverage`).\n\
         *missing* operations answer `not_found`. *ended* ones answer `deprecated_api_endpoint`, as the dialect demands.\n\n\
         | dialect | operations | behave | missing | ended |\n| --- | --: | --: | --: | --: |\n",
    );
    for dialect in Dialect::ALL {
        let count = |what: &str| operations.values().filter(|id| cell(proofs, *dialect, id) == what).count();
        let (behave, missing, ended) = (count("behaves"), count("missing"), count("ended"));
        let _ = writeln!(page, "| {dialect} | {} | {behave} | {missing} | {ended} |", behave + missing + ended);
    }
    let mut last = String::new();
    for ((segment, path, rank), id) in &operations {
        if *segment != last {
            last.clone_from(segment);
            let heads: String = Dialect::ALL.iter().map(|d| format!(" {d} |")).collect();
            let rules = " --- |".repeat(Dialect::ALL.len() + 1);
            let _ = write!(page, "\n## {segment}\n\n| operation |{heads}\n|{rules}\n");
        }
        let method = ["GET", "POST", "PUT", "DELETE"].get(*rank).copied().unwrap_or("?");
        let cells: String = Dialect::ALL.iter().map(|d| format!(" {} |", cell(proofs, *d, id))).collect();
        let _ = writeln!(page, "| `{method} {path}` |{cells}");
    }
    page
}
