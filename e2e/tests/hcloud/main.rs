//! Flows with the official `hcloud` command line client, one file per noun. Each test has a server and a data directory of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod backups;
mod catalogue;
mod certificates;
mod everything;
mod firewalls;
mod floating_ips;
mod images;
mod networks;
mod operator;
mod placement_groups;
mod primary_ips;
mod project;
mod server_actions;
mod servers;
mod shown;
mod ssh_keys;
mod volumes;
