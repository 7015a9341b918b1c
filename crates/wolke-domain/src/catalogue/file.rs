//! The entries of a catalogue's file, as TOML writes them.

use serde::Deserialize;
use wolke_wire::cloud::image::ImageType;
use wolke_wire::cloud::primary_ip::IpType;
use wolke_wire::cloud::server_type::{CpuType, StorageType};
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{Id, Timestamp};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PricingEntry {
    pub(super) currency: String,
    pub(super) vat_rate: String,
    pub(super) image: String,
    pub(super) volume: String,
    pub(super) floating_ip: String,
    pub(super) traffic: String,
    pub(super) server_backup: String,
    pub(super) floating_ips: Vec<FloatingIpEntry>,
    pub(super) primary_ips: Vec<PrimaryIpEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FloatingIpEntry {
    #[serde(rename = "type")]
    pub(super) kind: IpType,
    pub(super) at: Vec<String>,
    pub(super) monthly: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrimaryIpEntry {
    #[serde(rename = "type")]
    pub(super) kind: IpType,
    pub(super) at: Vec<String>,
    pub(super) hourly: String,
    pub(super) monthly: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationEntry {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) country: String,
    pub(super) city: String,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) network_zone: String,
    pub(super) included_traffic: f64,
    pub(super) price_per_tb_traffic: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatacenterEntry {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) location: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerTypeEntry {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) category: String,
    pub(super) cores: u32,
    pub(super) memory: f64,
    pub(super) disk: u32,
    pub(super) cpu_type: CpuType,
    #[serde(default = "local")]
    pub(super) storage_type: StorageType,
    pub(super) architecture: Architecture,
    pub(super) deprecation: Option<Deprecation>,
    pub(super) offers: Vec<OfferEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfferEntry {
    pub(super) at: Vec<String>,
    pub(super) hourly: String,
    pub(super) monthly: String,
    pub(super) deprecation: Option<Deprecation>,
    #[serde(default = "yes")]
    pub(super) available: bool,
    #[serde(default = "yes")]
    pub(super) recommended: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoadBalancerTypeEntry {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) max_connections: u32,
    pub(super) max_services: u32,
    pub(super) max_targets: u32,
    pub(super) max_assigned_certificates: u32,
    pub(super) deprecation: Option<Deprecation>,
    pub(super) offers: Vec<OfferEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageBoxTypeEntry {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    /// In bytes.
    pub(super) size: i64,
    pub(super) snapshot_limit: Option<i64>,
    pub(super) automatic_snapshot_limit: Option<i64>,
    pub(super) subaccounts_limit: i64,
    pub(super) deprecation: Option<Deprecation>,
    pub(super) offers: Vec<StorageOfferEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageOfferEntry {
    pub(super) at: Vec<String>,
    pub(super) hourly: String,
    pub(super) monthly: String,
    #[serde(default = "nothing")]
    pub(super) setup_fee: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageEntry {
    #[serde(rename = "type", default = "system")]
    pub(super) kind: ImageType,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) os_flavor: String,
    pub(super) os_version: String,
    pub(super) disk_size: u32,
    #[serde(default = "yes")]
    pub(super) rapid_deploy: bool,
    pub(super) created: Timestamp,
    pub(super) deprecated: Option<Timestamp>,
    pub(super) ids: ImageIds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageIds {
    pub(super) x86: Option<Id>,
    pub(super) arm: Option<Id>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IsoEntry {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) architecture: Option<Architecture>,
    pub(super) deprecation: Option<Deprecation>,
}

const fn local() -> StorageType {
    StorageType::Local
}

const fn system() -> ImageType {
    ImageType::System
}

fn nothing() -> String {
    "0".to_owned()
}

const fn yes() -> bool {
    true
}
