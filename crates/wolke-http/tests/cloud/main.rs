//! The Cloud API in process, by what a client can see of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

#[path = "../common/mod.rs"]
mod common;

mod actions;
mod admin;
mod auth;
mod backups;
mod catalogue;
mod certificates;
mod change_type;
mod console;
mod contention;
mod dialects;
mod firewalls;
mod floating_ips;
mod found;
mod images;
mod input;
mod iso;
mod limits;
mod lists;
mod load_balancer_guests;
mod load_balancer_health;
mod load_balancer_primary_ips;
mod load_balancer_targets;
mod load_balancers;
mod managed_certificates;
mod metadata;
mod metrics;
mod monitor;
mod networks;
mod operator;
mod operator_entries;
mod paced;
mod paced_contention;
mod password;
mod placement_groups;
mod primary_ips;
mod private_nets;
mod producible;
mod quotas;
mod rebuild;
mod rescue;
mod reverse_dns;
mod routes;
mod rrsets;
mod servers;
mod ssh_keys;
mod storage_box_snapshots;
mod storage_box_subaccounts;
mod storage_boxes;
mod volumes;
mod zone_files;
mod zones;
