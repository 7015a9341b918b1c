//! The handlers of the Cloud API, one file per noun: parse, call one operation of the application, shape the answer.

pub mod action;
pub mod certificate;
pub mod datacenter;
pub mod firewall;
pub mod floating_ip;
pub mod image;
pub mod iso;
pub mod load_balancer;
pub mod load_balancer_type;
pub mod location;
mod metrics;
pub mod network;
pub mod placement_group;
pub mod pricing;
pub mod primary_ip;
pub mod resource;
pub mod server;
pub mod server_type;
pub mod ssh_key;
pub mod storage_box;
pub mod storage_box_type;
pub mod volume;
pub mod zone;
