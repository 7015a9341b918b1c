//! The store: transactions, the two drivers, migrations, and **all** SQL of the house, one file per resource.
//!
//! The way in is [`Db`]: `read` and `write` take a closure over `&mut dyn Tx`. Closures are re-runnable and free of
//! effects; nothing can be awaited inside one. Signals go out after commit.
//!
//! **Invariant:** SQL text exists in this crate only, and each text is valid on both engines.

pub mod action;
pub mod address;
pub mod authority;
mod bulk;
pub mod certificate;
pub mod clock;
pub mod console;
mod counter;
mod db;
pub mod dedicated_ip;
pub mod driven;
pub mod event;
pub mod firewall;
pub mod floating_ip;
pub mod guest;
pub mod host;
pub mod image;
pub mod inspect;
pub mod invariant;
mod job;
pub mod label;
pub mod limit;
pub mod list;
pub mod load_balancer;
pub mod load_balancer_health;
pub mod migrate;
mod named;
pub mod network;
mod network_run;
pub mod operator;
pub mod placement_group;
pub mod postgres;
pub mod primary_ip;
pub mod project;
pub mod random;
pub mod resource;
pub mod rrset;
pub mod seal;
pub mod selection;
pub mod server;
pub mod sqlite;
pub mod ssh_key;
pub mod stmt;
pub mod storage_box;
pub mod storage_box_snapshot;
pub mod storage_box_subaccount;
pub mod strand;
pub mod token;
pub mod tx;
pub mod usage;
pub mod value;
pub mod volume;
pub mod volume_space;
pub mod vswitch;
pub mod zone;

pub use db::{Db, OnCommit, Turn};
pub use resource::Stored;
pub use tx::{Counter, Facts, Race, Scope, Signal, Tx};

/// Every statement of the house, for the tests that prepare and explain them on both engines.
#[must_use]
pub fn world_statements() -> Vec<stmt::Stmt> {
    [
        action::STATEMENTS,
        address::STATEMENTS,
        authority::STATEMENTS,
        certificate::STATEMENTS,
        clock::STATEMENTS,
        console::STATEMENTS,
        counter::STATEMENTS,
        dedicated_ip::STATEMENTS,
        driven::STATEMENTS,
        event::STATEMENTS,
        firewall::STATEMENTS,
        floating_ip::STATEMENTS,
        guest::STATEMENTS,
        host::STATEMENTS,
        image::STATEMENTS,
        label::STATEMENTS,
        label::INSERT_MANY.statements(),
        load_balancer::STATEMENTS,
        load_balancer_health::STATEMENTS,
        migrate::STATEMENTS,
        limit::STATEMENTS,
        network::STATEMENTS,
        network_run::STATEMENTS,
        operator::STATEMENTS,
        placement_group::STATEMENTS,
        primary_ip::STATEMENTS,
        project::STATEMENTS,
        resource::STATEMENTS,
        selection::STATEMENTS,
        rrset::STATEMENTS,
        rrset::INSERT.statements(),
        server::STATEMENTS,
        ssh_key::STATEMENTS,
        storage_box::STATEMENTS,
        storage_box_snapshot::STATEMENTS,
        storage_box_subaccount::STATEMENTS,
        strand::STATEMENTS,
        usage::STATEMENTS,
        volume::STATEMENTS,
        volume_space::STATEMENTS,
        vswitch::STATEMENTS,
        zone::STATEMENTS,
    ]
    .concat()
}

/// Every statement on the root database.
#[must_use]
pub fn root_statements() -> Vec<stmt::Stmt> {
    [clock::STATEMENTS, counter::STATEMENTS, migrate::STATEMENTS, token::STATEMENTS].concat()
}

/// The questions of [`invariant`]: valid on both engines, and free to scan.
#[must_use]
pub fn invariant_statements() -> &'static [stmt::Stmt] {
    invariant::STATEMENTS
}

/// Everything in a database as text, table by table, row by row: two runs that did the same have the same dump.
/// Embedded engine only; for the simulator.
///
/// # Errors
/// The engine's failure.
pub fn dump(tx: &mut dyn Tx) -> wolke_domain::Result<String> {
    use std::fmt::Write as _;
    let mut text = String::new();
    let tables = tx.query_composed("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[])?;
    for table in &tables {
        let table = table.text(0)?;
        let _ = writeln!(text, "{table}");
        let mut rows: Vec<String> = tx
            .query_composed(&format!("SELECT * FROM {table}"), &[])?
            .iter()
            .map(|row| format!("{:?}", row.0))
            .collect();
        rows.sort();
        for row in rows {
            let _ = writeln!(text, "  {row}");
        }
    }
    Ok(text)
}
