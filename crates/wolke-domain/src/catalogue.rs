//! What can be ordered: locations, data centers, server types with their prices, system images (fact sheet §8).
//!
//! The built-in catalogue is a TOML file inside the binary. It is data only; what has stock *now* and what is hidden
//! *now* are functions of it and of world time.
//!
//! **Invariants** (checked when a catalogue is read): lists are sorted by id; ids are unique within a kind; names are
//! unique within a kind, for images together with the architecture; every reference resolves; every offer has a price.

mod parse;
pub mod price;
mod wire;

use std::sync::OnceLock;

use wolke_wire::cloud::server_type::{CpuType, StorageType};
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{Id, IdOrName, Timestamp};

pub use parse::CatalogueError;
use price::Price;

/// How long a deprecated image can still be used after the announcement, in days (fact sheet §3.9).
pub const DEPRECATED_IMAGE_DAYS: i64 = 90;

/// The zone in which a server without a location is placed if it can be (fact sheet §3.1).
pub const DEFAULT_NETWORK_ZONE: &str = "eu-central";

/// Everything that can be ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// The currency of all prices: `EUR`.
    pub currency: String,
    /// Value added tax in percent, as text: `19.00`.
    pub vat_rate: String,
    /// Places.
    pub locations: Vec<Location>,
    /// Data centers (legacy).
    pub datacenters: Vec<Datacenter>,
    /// Sizes of servers.
    pub server_types: Vec<ServerType>,
    /// System images.
    pub images: Vec<Image>,
}

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
    /// Server types that can stand here.
    pub supported: Vec<Id>,
    /// Server types that are in stock here.
    pub available: Vec<Id>,
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

/// A server type in a location.
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

/// A system image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: Id,
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
    /// When it was made.
    pub created: Timestamp,
    /// Whether it goes away; `unavailable_after` is [`DEPRECATED_IMAGE_DAYS`] after the announcement.
    pub deprecation: Option<Deprecation>,
}

impl Catalogue {
    /// The catalogue inside the binary.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
        #[allow(clippy::expect_used, reason = "the text is part of the binary and a test reads it")]
        BUILTIN.get_or_init(|| Self::parse(include_str!("catalogue.toml")).expect("the built-in catalogue is valid"))
    }

    /// A number that differs whenever what this catalogue shows at `now` differs from what another one showed, or itself at
    /// another time.
    #[must_use]
    pub const fn version(&self, _now: Timestamp) -> i64 {
        0
    }

    /// The location that a request names.
    #[must_use]
    pub fn location(&self, asked: &IdOrName) -> Option<&Location> {
        find(&self.locations, asked)
    }

    /// The location with an id.
    #[must_use]
    pub fn location_by_id(&self, id: Id) -> Option<&Location> {
        by_id(&self.locations, id)
    }

    /// The data center that a request names.
    #[must_use]
    pub fn datacenter(&self, asked: &IdOrName) -> Option<&Datacenter> {
        find(&self.datacenters, asked)
    }

    /// The data center with an id.
    #[must_use]
    pub fn datacenter_by_id(&self, id: Id) -> Option<&Datacenter> {
        by_id(&self.datacenters, id)
    }

    /// The data center of a location.
    #[must_use]
    pub fn datacenter_in(&self, location: Id) -> Option<&Datacenter> {
        self.datacenters.iter().find(|datacenter| datacenter.location == location)
    }

    /// The data center that lists recommend: the one of the first location.
    #[must_use]
    pub fn recommended_datacenter(&self) -> Option<&Datacenter> {
        self.locations.first().and_then(|location| self.datacenter_in(location.id))
    }

    /// The server type that a request names, removed ones included.
    #[must_use]
    pub fn server_type(&self, asked: &IdOrName) -> Option<&ServerType> {
        find(&self.server_types, asked)
    }

    /// The server type with an id, removed ones included: they stay readable (fact sheet §3.13).
    #[must_use]
    pub fn server_type_by_id(&self, id: Id) -> Option<&ServerType> {
        by_id(&self.server_types, id)
    }

    /// The server types of lists, by id.
    pub fn listed_server_types(&self, now: Timestamp) -> impl Iterator<Item = &ServerType> {
        self.server_types.iter().filter(move |server_type| server_type.is_listed(now))
    }

    /// The system image with an id, removed ones included.
    #[must_use]
    pub fn image_by_id(&self, id: Id) -> Option<&Image> {
        by_id(&self.images, id)
    }

    /// The image that a request names for an architecture: by id whatever its architecture is, else by name.
    #[must_use]
    pub fn image_for(&self, asked: &IdOrName, architecture: Architecture) -> Option<&Image> {
        asked.id().and_then(|id| self.image_by_id(id)).or_else(|| {
            let name = asked.name()?;
            self.images.iter().find(|image| image.name == name && image.architecture == architecture)
        })
    }

    /// The system images of lists, by id.
    pub fn listed_images(&self, now: Timestamp, include_deprecated: bool) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(move |image| image.is_listed(now, include_deprecated))
    }

    /// Where a server goes whose request names no place: the first location of [`DEFAULT_NETWORK_ZONE`] that has the
    /// type in stock, else the first anywhere.
    #[must_use]
    pub fn default_location(&self, server_type: &ServerType, now: Timestamp) -> Option<&Location> {
        let mut in_stock = self.locations.iter().filter(|location| server_type.is_orderable_in(location.id, now));
        let first = in_stock.clone().next();
        in_stock.find(|location| location.network_zone == DEFAULT_NETWORK_ZONE).or(first)
    }
}

impl ServerType {
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
fn is_past(deprecation: Option<Deprecation>, now: Timestamp) -> bool {
    deprecation.is_some_and(|deprecation| deprecation.unavailable_after <= now)
}

/// What has an id and a name that is unique within its kind.
trait Entry {
    fn id(&self) -> Id;
    fn name(&self) -> &str;
}

macro_rules! entries {
    ($($type:ty),*) => { $(impl Entry for $type {
        fn id(&self) -> Id { self.id }
        fn name(&self) -> &str { &self.name }
    })* };
}
entries!(Location, Datacenter, ServerType, Image);

fn by_id<T: Entry>(entries: &[T], id: Id) -> Option<&T> {
    entries.binary_search_by_key(&id, Entry::id).ok().and_then(|index| entries.get(index))
}

/// A numeric string is an id first and a name second (fact sheet §1).
fn find<'a, T: Entry>(entries: &'a [T], asked: &IdOrName) -> Option<&'a T> {
    asked
        .id()
        .and_then(|id| by_id(entries, id))
        .or_else(|| asked.name().and_then(|name| entries.iter().find(|entry| entry.name() == name)))
}

#[cfg(test)]
mod tests;
