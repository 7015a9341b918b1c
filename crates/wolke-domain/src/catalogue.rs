//! What can be ordered: locations, data centers, types of servers, load balancers and storage boxes with their prices, system
//! and app images, ISOs (fact sheet §8).
//!
//! The built-in catalogue is a TOML file inside the binary; an operator lays files and changes of the same form over it
//! ([`Document`]). It is data only; what has stock *now* and what is hidden *now* are functions of it and of world time.
//!
//! What was removed stays readable by its id, because servers go on showing it, but is on no list and cannot be named in an
//! order ([`Gone`]).
//!
//! **Invariants** (checked when a catalogue is read): lists are sorted by id; ids are unique within a kind; names are
//! unique within a kind, for images together with the architecture; every reference resolves; every offer has a price; every
//! location has a data center.

mod document;
mod entry;
mod file;
mod gone;
mod parse;
pub mod price;
mod wire;

use std::sync::OnceLock;

use wolke_wire::cloud::Architecture;
use wolke_wire::{Id, IdOrName, Timestamp};

pub use document::{DOCUMENT_BYTES_MAX, Document};
pub use entry::{
    AddressPrice, Datacenter, Image, Iso, LoadBalancerType, Location, Offer, Pricing, ServerType, StorageBoxType,
    StorageOffer, shown,
};
pub use gone::Gone;
pub use parse::CatalogueError;

/// How long a deprecated image can still be used after the announcement, in days (fact sheet §3.9).
pub const DEPRECATED_IMAGE_DAYS: i64 = 90;

/// The zone in which a server without a location is placed if it can be (fact sheet §3.1).
pub const DEFAULT_NETWORK_ZONE: &str = "eu-central";

/// Ids of images and ISOs that an operator adds at run time without naming one lie above; those of projects
/// ([`crate::image::OWN_ID_MIN`]) above these.
pub const OPERATOR_ID_BASE: Id = 900_000_000;

/// Room for the dates that pass within one epoch: [`Catalogue::version`].
const DATES_MAX: i64 = 1 << 20;

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
    /// Sizes of load balancers.
    pub load_balancer_types: Vec<LoadBalancerType>,
    /// Sizes of storage boxes.
    pub storage_box_types: Vec<StorageBoxType>,
    /// System and app images.
    pub images: Vec<Image>,
    /// ISOs that everybody sees.
    pub isos: Vec<Iso>,
    /// What is not priced by type.
    pub pricing: Pricing,
    /// What was removed.
    pub gone: Gone,
    /// Tells these entries from those before them.
    pub epoch: i64,
    /// Tells this catalogue from those before it, what is in stock included.
    pub offer_epoch: i64,
    /// Points in time at which something of it changes, in order.
    dates: Vec<Timestamp>,
}

impl Catalogue {
    /// The catalogue inside the binary.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
        #[allow(clippy::expect_used, reason = "the text is part of the binary and a test reads it")]
        BUILTIN.get_or_init(|| Document::builtin().catalogue().expect("the built-in catalogue is valid"))
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// As [`Document::parse`] and [`Document::catalogue`].
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        Document::parse(text)?.catalogue()
    }

    /// A number that differs whenever what this catalogue shows at `now` differs from what another one showed, or itself at
    /// another time; except for what is in stock.
    #[must_use]
    pub fn version(&self, now: Timestamp) -> i64 {
        self.version_of(self.epoch, now)
    }

    /// As [`Catalogue::version`], what is in stock included.
    #[must_use]
    pub fn offer_version(&self, now: Timestamp) -> i64 {
        self.version_of(self.offer_epoch, now)
    }

    fn version_of(&self, epoch: i64, now: Timestamp) -> i64 {
        let passed = self.dates.partition_point(|date| *date <= now);
        // More dates than that cannot be read from a file of bounded size.
        epoch * DATES_MAX + i64::try_from(passed).unwrap_or(DATES_MAX - 1)
    }

    /// The same entries in later epochs, (of entries, of what is in stock), in which these types are sold out in these
    /// locations: (type, location).
    #[must_use]
    pub fn at_epoch(&self, (epoch, offer_epoch): (i64, i64), sold_out: impl IntoIterator<Item = (Id, Id)>) -> Self {
        let mut catalogue = Self { epoch, offer_epoch, ..self.clone() };
        for (server_type, location) in sold_out {
            let found = catalogue.server_types.binary_search_by_key(&server_type, |kind| kind.id).ok();
            let kind = found.and_then(|index| catalogue.server_types.get_mut(index));
            let offers = kind.into_iter().flat_map(|kind| &mut kind.offers);
            offers.filter(|offer| offer.location == location).for_each(|offer| offer.available = false);
        }
        catalogue
    }

    /// The location that a request names.
    #[must_use]
    pub fn location(&self, asked: &IdOrName) -> Option<&Location> {
        find(&self.locations, asked)
    }

    /// The location with an id, removed ones included.
    #[must_use]
    pub fn location_by_id(&self, id: Id) -> Option<&Location> {
        by_id(&self.locations, id).or_else(|| by_id(&self.gone.locations, id))
    }

    /// The data center that a request names.
    #[must_use]
    pub fn datacenter(&self, asked: &IdOrName) -> Option<&Datacenter> {
        find(&self.datacenters, asked)
    }

    /// The data center with an id, removed ones included.
    #[must_use]
    pub fn datacenter_by_id(&self, id: Id) -> Option<&Datacenter> {
        by_id(&self.datacenters, id).or_else(|| by_id(&self.gone.datacenters, id))
    }

    /// The data center of a location.
    #[must_use]
    pub fn datacenter_in(&self, location: Id) -> Option<&Datacenter> {
        self.datacenters.iter().find(|datacenter| datacenter.location == location)
    }

    /// The data center that lists recommend: the one of the first location that has anything in stock, else the first.
    #[must_use]
    pub fn recommended_datacenter(&self, now: Timestamp) -> Option<&Datacenter> {
        let centers = || self.locations.iter().filter_map(|location| self.datacenter_in(location.id));
        let in_stock = |place: Id| self.server_types.iter().any(|kind| kind.is_orderable_in(place, now));
        centers().find(|datacenter| in_stock(datacenter.location)).or_else(|| centers().next())
    }

    /// The server type that a request names, also one whose end has come.
    #[must_use]
    pub fn server_type(&self, asked: &IdOrName) -> Option<&ServerType> {
        find(&self.server_types, asked)
    }

    /// The server type with an id, removed ones included: they stay readable (fact sheet §3.13).
    #[must_use]
    pub fn server_type_by_id(&self, id: Id) -> Option<&ServerType> {
        by_id(&self.server_types, id).or_else(|| by_id(&self.gone.server_types, id))
    }

    /// The server types of lists, by id.
    pub fn listed_server_types(&self, now: Timestamp) -> impl Iterator<Item = &ServerType> {
        self.server_types.iter().filter(move |server_type| server_type.is_listed(now))
    }

    /// The load balancer type that a request names, also one whose end has come.
    #[must_use]
    pub fn load_balancer_type(&self, asked: &IdOrName) -> Option<&LoadBalancerType> {
        find(&self.load_balancer_types, asked)
    }

    /// The load balancer type with an id, removed ones included.
    #[must_use]
    pub fn load_balancer_type_by_id(&self, id: Id) -> Option<&LoadBalancerType> {
        by_id(&self.load_balancer_types, id).or_else(|| by_id(&self.gone.load_balancer_types, id))
    }

    /// The storage box type that a request names, also one whose end has come.
    #[must_use]
    pub fn storage_box_type(&self, asked: &IdOrName) -> Option<&StorageBoxType> {
        find(&self.storage_box_types, asked)
    }

    /// The storage box type with an id, removed ones included.
    #[must_use]
    pub fn storage_box_type_by_id(&self, id: Id) -> Option<&StorageBoxType> {
        by_id(&self.storage_box_types, id).or_else(|| by_id(&self.gone.storage_box_types, id))
    }

    /// The public ISO that a request names, also one whose end has come.
    #[must_use]
    pub fn iso(&self, asked: &IdOrName) -> Option<&Iso> {
        find(&self.isos, asked)
    }

    /// The public ISO with an id, removed ones included: they stay readable (fact sheet §3.10).
    #[must_use]
    pub fn iso_by_id(&self, id: Id) -> Option<&Iso> {
        by_id(&self.isos, id).or_else(|| by_id(&self.gone.isos, id))
    }

    /// The system or app image with an id, removed ones included.
    #[must_use]
    pub fn image_by_id(&self, id: Id) -> Option<&Image> {
        by_id(&self.images, id).or_else(|| by_id(&self.gone.images, id))
    }

    /// The image that a request names for an architecture: by id whatever its architecture is, else by name.
    #[must_use]
    pub fn image_for(&self, asked: &IdOrName, architecture: Architecture) -> Option<&Image> {
        asked.id().and_then(|id| by_id(&self.images, id)).or_else(|| {
            let name = asked.name()?;
            self.images.iter().find(|image| image.name == name && image.architecture == architecture)
        })
    }

    /// The system and app images of lists, by id.
    pub fn listed_images(&self, now: Timestamp, include_deprecated: bool) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(move |image| image.is_listed(now, include_deprecated))
    }

    /// Where a server may go whose request names no place, the best first: locations of [`DEFAULT_NETWORK_ZONE`] that have
    /// the type in stock, then the others.
    pub fn default_locations(&self, server_type: &ServerType, now: Timestamp) -> impl Iterator<Item = &Location> {
        let is_near = |location: &&Location| location.network_zone == DEFAULT_NETWORK_ZONE;
        let near = self.locations.iter().filter(is_near);
        let far = self.locations.iter().filter(move |location| !is_near(location));
        near.chain(far).filter(move |location| server_type.is_orderable_in(location.id, now))
    }

    /// The first of [`Catalogue::default_locations`].
    #[must_use]
    pub fn default_location(&self, server_type: &ServerType, now: Timestamp) -> Option<&Location> {
        self.default_locations(server_type, now).next()
    }
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
entries!(Location, Datacenter, ServerType, LoadBalancerType, StorageBoxType, Image, Iso);

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
