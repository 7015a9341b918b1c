//! The entries of a catalogue, and what holds of them at a point in world time.
//!
//! A deprecation is announced at one point in time and takes effect at another one: before the first nobody is told of it,
//! from the second on the entry is hidden from lists, readable by its id, and nothing new can be made of it (fact sheet
//! §3.9, §3.10, §3.13).

use wolke_wire::cloud::image::ImageType;
use wolke_wire::cloud::primary_ip::IpType;
use wolke_wire::cloud::server_type::{CpuType, StorageType};
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{Id, Timestamp};

use super::price::Price;
use crate::placement::Need;

/// A place where resources live.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Its id.
    pub id: Id,
    /// `fsn1`.
    pub name: String,
    /// For people.
    pub description: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// The city.
    pub city: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// `eu-central`.
    pub network_zone: String,
}

/// A data center inside a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datacenter {
    /// Its id.
    pub id: Id,
    /// `fsn1-dc14`.
    pub name: String,
    /// For people.
    pub description: String,
    /// The location's id.
    pub location: Id,
}

/// A size of server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerType {
    /// Its id.
    pub id: Id,
    /// `cpx22`.
    pub name: String,
    /// For people.
    pub description: String,
    /// `regular_purpose`, `cost_optimized`, `general_purpose`.
    pub category: String,
    /// Number of cores.
    pub cores: u32,
    /// Memory in GB.
    pub memory: f64,
    /// Disk in GB.
    pub disk: u32,
    /// Whose the cores are.
    pub cpu_type: CpuType,
    /// Where the disk lives.
    pub storage_type: StorageType,
    /// The instruction set.
    pub architecture: Architecture,
    /// Whether it goes away everywhere.
    pub deprecation: Option<Deprecation>,
    /// Where it is offered, in the order that is shown.
    pub offers: Vec<Offer>,
}

/// A server type or load balancer type in a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The location's id.
    pub location: Id,
    /// The location's name.
    pub location_name: String,
    /// For an hour.
    pub hourly: Price,
    /// At most for a month.
    pub monthly: Price,
    /// Bytes of outgoing traffic in a month that cost nothing.
    pub included_traffic: u64,
    /// For each TB after that.
    pub price_per_tb_traffic: Price,
    /// Whether it goes away here.
    pub deprecation: Option<Deprecation>,
    /// Whether it is in stock.
    pub available: bool,
    /// Whether it is the one to take here.
    pub recommended: bool,
}

/// An image that is provided with the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: Id,
    /// System or app.
    pub kind: ImageType,
    /// `ubuntu-24.04`; exists once for each architecture.
    pub name: String,
    /// For people.
    pub description: String,
    /// `ubuntu`.
    pub os_flavor: String,
    /// `24.04`.
    pub os_version: String,
    /// The instruction set.
    pub architecture: Architecture,
    /// The smallest disk that it fits on, in GB.
    pub disk_size: u32,
    /// Whether servers start quickly from it.
    pub rapid_deploy: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it goes away; `unavailable_after` is [`super::DEPRECATED_IMAGE_DAYS`] after the announcement.
    pub deprecation: Option<Deprecation>,
    /// Whether it is in [`super::Gone`].
    pub removed: bool,
}

/// A CD image that everybody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iso {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// The instruction set; any when none.
    pub architecture: Option<Architecture>,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
}

/// A size of load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerType {
    /// Its id.
    pub id: Id,
    /// `lb11`.
    pub name: String,
    /// For people.
    pub description: String,
    /// Connections at the same time.
    pub max_connections: u32,
    /// Services that one can have.
    pub max_services: u32,
    /// Targets that one can have.
    pub max_targets: u32,
    /// Certificates that one can use.
    pub max_assigned_certificates: u32,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
    /// Where it is offered, in the order that is shown.
    pub offers: Vec<Offer>,
}

/// A size of storage box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageBoxType {
    /// Its id.
    pub id: Id,
    /// `bx11`.
    pub name: String,
    /// For people.
    pub description: String,
    /// In bytes.
    pub size: i64,
    /// Snapshots that users can make; none where there is no end of them.
    pub snapshot_limit: Option<i64>,
    /// Snapshots that its plan can keep; none where there is no end of them.
    pub automatic_snapshot_limit: Option<i64>,
    /// Further accounts.
    pub subaccounts_limit: i64,
    /// Whether it goes away.
    pub deprecation: Option<Deprecation>,
    /// Where it is offered, in the order that is shown.
    pub offers: Vec<StorageOffer>,
}

/// A storage box type in a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageOffer {
    /// The location's id.
    pub location: Id,
    /// The location's name.
    pub location_name: String,
    /// For an hour.
    pub hourly: Price,
    /// At most for a month.
    pub monthly: Price,
    /// Once.
    pub setup_fee: Price,
}

/// What is not priced by type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pricing {
    /// A GB of a snapshot in a month.
    pub image: Price,
    /// A GB of a volume in a month.
    pub volume: Price,
    /// A floating IP in a month (legacy).
    pub floating_ip: Price,
    /// A TB of traffic (legacy).
    pub traffic: Price,
    /// What backups cost, in percent of the server's price, as text.
    pub server_backup: String,
    /// Floating IPs by kind and location.
    pub floating_ips: Vec<AddressPrice>,
    /// Primary IPs by kind and location.
    pub primary_ips: Vec<AddressPrice>,
}

/// What an address costs in a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPrice {
    /// IPv4 or IPv6.
    pub kind: IpType,
    /// The location's name.
    pub location_name: String,
    /// For an hour; none where it is billed by the month.
    pub hourly: Option<Price>,
    /// For a month.
    pub monthly: Price,
}

impl ServerType {
    /// Its memory in MiB, whole ones.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "memory sizes are small and positive")]
    pub fn memory_mb(&self) -> u32 {
        (self.memory * 1024.0) as u32
    }

    /// What a server of this type with a disk of so many GB takes of its host.
    #[must_use]
    pub fn need(&self, disk_gb: i64) -> Need {
        Need { cores: i64::from(self.cores), memory_mb: i64::from(self.memory_mb()), disk_gb }
    }

    /// Whether lists show it: as long as it can be had somewhere.
    #[must_use]
    pub fn is_listed(&self, now: Timestamp) -> bool {
        !is_past(self.deprecation, now) && self.offers.iter().any(|offer| !is_past(offer.deprecation, now))
    }

    /// The offer in a location.
    #[must_use]
    pub fn offer(&self, location: Id) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.location == location)
    }

    /// Whether a server of this type can be made in a location.
    #[must_use]
    pub fn is_orderable_in(&self, location: Id, now: Timestamp) -> bool {
        !is_past(self.deprecation, now) && self.offer(location).is_some_and(|offer| offer.is_orderable(now))
    }
}

impl Offer {
    /// Whether it is in stock and not gone.
    #[must_use]
    pub fn is_orderable(&self, now: Timestamp) -> bool {
        self.available && !is_past(self.deprecation, now)
    }
}

impl Image {
    /// Whether lists show it. Deprecated images are shown on demand, and not at all once they are gone.
    #[must_use]
    pub fn is_listed(&self, now: Timestamp, include_deprecated: bool) -> bool {
        let announced = self.deprecation.is_some_and(|deprecation| deprecation.announced <= now);
        !is_past(self.deprecation, now) && (include_deprecated || !announced)
    }

    /// Whether servers can be made from it.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        !is_past(self.deprecation, now)
    }
}

/// Whether something is gone for good.
pub(super) fn is_past(deprecation: Option<Deprecation>, now: Timestamp) -> bool {
    deprecation.is_some_and(|deprecation| deprecation.unavailable_after <= now)
}

/// What people are told of a deprecation at a point in time: nothing before it is announced.
#[must_use]
pub fn shown(deprecation: Option<Deprecation>, now: Timestamp) -> Option<Deprecation> {
    deprecation.filter(|deprecation| deprecation.announced <= now)
}

impl ServerType {
    /// What people are told of its end: its own, else that of all its offers together.
    #[must_use]
    pub fn shown_deprecation(&self, now: Timestamp) -> Option<Deprecation> {
        shown(self.deprecation, now).or_else(|| {
            let all: Option<Vec<Deprecation>> = self.offers.iter().map(|offer| shown(offer.deprecation, now)).collect();
            all?.into_iter().reduce(|a, b| Deprecation {
                announced: a.announced.max(b.announced),
                unavailable_after: a.unavailable_after.max(b.unavailable_after),
            })
        })
    }
}

impl Iso {
    /// Whether lists show it, and servers can be given it.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        !is_past(self.deprecation, now)
    }
}

impl LoadBalancerType {
    /// Whether lists show it, and load balancers can be made of it.
    #[must_use]
    pub fn is_listed(&self, now: Timestamp) -> bool {
        !is_past(self.deprecation, now)
    }
}

impl StorageBoxType {
    /// Whether lists show it, and storage boxes can be made of it.
    #[must_use]
    pub fn is_listed(&self, now: Timestamp) -> bool {
        !is_past(self.deprecation, now)
    }

    /// Whether a storage box of this type can be had in a location.
    #[must_use]
    pub fn is_orderable_in(&self, location: Id, now: Timestamp) -> bool {
        self.is_listed(now) && self.offers.iter().any(|offer| offer.location == location)
    }
}
