//! The store's behaviour, the same on both engines.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "test code: a failure may panic, and which PostgreSQL to use is told by the environment"
)]

#[path = "../common/mod.rs"]
mod common;

/// Makes one test per engine of each function `fn name(engine: &Engine)`, on a new world or a new root database.
macro_rules! on_both_engines {
    ($role:ident: $($name:ident),* $(,)?) => {
        mod on_sqlite {
            use crate::common::Engine;
            use wolke_store::migrate::Role;
            $(#[test] fn $name() { super::$name(&Engine::sqlite(Role::$role)); })*
        }
        mod on_postgres {
            use crate::common::Engine;
            use wolke_store::migrate::Role;
            $(#[test] fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                if let Some(engine) = Engine::postgres(test, Role::$role) {
                    super::$name(&engine);
                }
            })*
        }
    };
}
pub(crate) use on_both_engines;

mod actions;
mod addresses;
mod certificates;
mod consoles;
mod firewalls;
mod floating_ips;
mod groups;
mod hosts;
mod images;
mod lists;
mod load_balancer_health;
mod load_balancers;
mod migrations;
mod networks;
mod postgres_only;
mod power;
mod resources;
mod sample;
mod schema;
mod selections;
mod storage_boxes;
mod strands;
mod tokens;
mod transactions;
mod volumes;
mod zones;
