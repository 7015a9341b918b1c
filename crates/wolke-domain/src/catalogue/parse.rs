//! Reading a catalogue from TOML and checking its invariants.

use std::collections::HashSet;
use std::hash::Hash;

use serde::Deserialize;
use wolke_wire::cloud::server_type::{CpuType, StorageType};
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{Id, Timestamp};

use super::price::Price;
use super::{Catalogue, DEPRECATED_IMAGE_DAYS, Datacenter, Image, Location, Offer, ServerType};

/// Bytes of a TiB; the file counts traffic in these, the contract in bytes.
const TIB: f64 = 1_099_511_627_776.0;

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Why a text is no catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// No TOML, or another shape than expected.
    #[error("cannot read the catalogue: {0}")]
    Syntax(String),
    /// Two entries cannot be told apart.
    #[error("catalogue: {what} '{which}' is there twice")]
    Duplicate {
        /// `location id`, …
        what: &'static str,
        /// The id or name.
        which: String,
    },
    /// A location that does not exist.
    #[error("catalogue: '{entry}' refers to the unknown location '{location}'")]
    UnknownLocation {
        /// Who refers.
        entry: String,
        /// To what.
        location: String,
    },
    /// A price that is no decimal.
    #[error("catalogue: '{entry}' has the malformed price '{price}'")]
    Price {
        /// Whose.
        entry: String,
        /// The text.
        price: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pricing: Pricing,
    location: Vec<LocationEntry>,
    datacenter: Vec<DatacenterEntry>,
    server_type: Vec<ServerTypeEntry>,
    image: Vec<ImageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pricing {
    currency: String,
    vat_rate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationEntry {
    id: Id,
    name: String,
    description: String,
    country: String,
    city: String,
    latitude: f64,
    longitude: f64,
    network_zone: String,
    included_traffic: f64,
    price_per_tb_traffic: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatacenterEntry {
    id: Id,
    name: String,
    description: String,
    location: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTypeEntry {
    id: Id,
    name: String,
    description: String,
    category: String,
    cores: u32,
    memory: f64,
    disk: u32,
    cpu_type: CpuType,
    #[serde(default = "local")]
    storage_type: StorageType,
    architecture: Architecture,
    deprecation: Option<Deprecation>,
    offers: Vec<OfferEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferEntry {
    at: Vec<String>,
    hourly: String,
    monthly: String,
    deprecation: Option<Deprecation>,
    #[serde(default = "yes")]
    available: bool,
    #[serde(default = "yes")]
    recommended: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageEntry {
    name: String,
    description: String,
    os_flavor: String,
    os_version: String,
    disk_size: u32,
    created: Timestamp,
    deprecated: Option<Timestamp>,
    ids: ImageIds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageIds {
    x86: Option<Id>,
    arm: Option<Id>,
}

const fn local() -> StorageType {
    StorageType::Local
}

const fn yes() -> bool {
    true
}

impl Catalogue {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// The first thing that is malformed or breaks an invariant of [`super`].
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let file: File = toml::from_str(text).map_err(|error| CatalogueError::Syntax(error.to_string()))?;
        let vat_rate = file.pricing.vat_rate;
        let mut server_types = Vec::with_capacity(file.server_type.len());
        for entry in file.server_type {
            server_types.push(server_type(entry, &file.location, &vat_rate)?);
        }
        let mut datacenters = Vec::with_capacity(file.datacenter.len());
        for entry in file.datacenter {
            datacenters.push(datacenter(entry, &file.location, &server_types)?);
        }
        let mut catalogue = Self {
            currency: file.pricing.currency,
            vat_rate,
            locations: file.location.into_iter().map(location).collect(),
            datacenters,
            server_types,
            images: file.image.into_iter().flat_map(images).collect(),
        };
        catalogue.sort();
        catalogue.check()?;
        Ok(catalogue)
    }

    fn sort(&mut self) {
        self.locations.sort_by_key(|entry| entry.id);
        self.datacenters.sort_by_key(|entry| entry.id);
        self.server_types.sort_by_key(|entry| entry.id);
        self.images.sort_by_key(|entry| entry.id);
        for datacenter in &mut self.datacenters {
            datacenter.supported.sort_unstable();
            datacenter.available.sort_unstable();
        }
    }

    fn check(&self) -> Result<(), CatalogueError> {
        unique("location id", self.locations.iter().map(|entry| entry.id))?;
        unique("location", self.locations.iter().map(|entry| &entry.name))?;
        unique("datacenter id", self.datacenters.iter().map(|entry| entry.id))?;
        unique("datacenter", self.datacenters.iter().map(|entry| &entry.name))?;
        unique("server type id", self.server_types.iter().map(|entry| entry.id))?;
        unique("server type", self.server_types.iter().map(|entry| &entry.name))?;
        unique("image id", self.images.iter().map(|entry| entry.id))?;
        unique("image", self.images.iter().map(|entry| format!("{} ({})", entry.name, entry.architecture)))?;
        for server_type in &self.server_types {
            unique("location of a server type", server_type.offers.iter().map(|offer| offer.location))?;
        }
        Ok(())
    }
}

fn unique<T: Hash + Eq + ToString>(what: &'static str, values: impl Iterator<Item = T>) -> Result<(), CatalogueError> {
    let mut seen = HashSet::new();
    for value in values {
        let which = value.to_string();
        if !seen.insert(value) {
            return Err(CatalogueError::Duplicate { what, which });
        }
    }
    Ok(())
}

fn location(entry: LocationEntry) -> Location {
    Location {
        id: entry.id,
        name: entry.name,
        description: entry.description,
        country: entry.country,
        city: entry.city,
        latitude: entry.latitude,
        longitude: entry.longitude,
        network_zone: entry.network_zone,
    }
}

fn location_named<'a>(
    locations: &'a [LocationEntry],
    entry: &str,
    name: &str,
) -> Result<&'a LocationEntry, CatalogueError> {
    locations
        .iter()
        .find(|location| location.name == name)
        .ok_or_else(|| CatalogueError::UnknownLocation { entry: entry.to_owned(), location: name.to_owned() })
}

fn datacenter(
    entry: DatacenterEntry,
    locations: &[LocationEntry],
    server_types: &[ServerType],
) -> Result<Datacenter, CatalogueError> {
    let location = location_named(locations, &entry.name, &entry.location)?.id;
    let offered = || server_types.iter().filter_map(|kind| Some((kind, kind.offer(location)?)));
    Ok(Datacenter {
        location,
        supported: offered().filter(|(kind, _)| kind.deprecation.is_none()).map(|(kind, _)| kind.id).collect(),
        available: offered().filter(|(_, offer)| offer.available).map(|(kind, _)| kind.id).collect(),
        id: entry.id,
        name: entry.name,
        description: entry.description,
    })
}

fn server_type(
    entry: ServerTypeEntry,
    locations: &[LocationEntry],
    vat_rate: &str,
) -> Result<ServerType, CatalogueError> {
    let mut offers = Vec::new();
    for offer in &entry.offers {
        for name in &offer.at {
            let location = location_named(locations, &entry.name, name)?;
            offers.push(new_offer(offer, location, vat_rate, &entry)?);
        }
    }
    Ok(ServerType {
        id: entry.id,
        name: entry.name,
        description: entry.description,
        category: entry.category,
        cores: entry.cores,
        memory: entry.memory,
        disk: entry.disk,
        cpu_type: entry.cpu_type,
        storage_type: entry.storage_type,
        architecture: entry.architecture,
        deprecation: entry.deprecation,
        offers,
    })
}

fn new_offer(
    offer: &OfferEntry,
    location: &LocationEntry,
    vat_rate: &str,
    owner: &ServerTypeEntry,
) -> Result<Offer, CatalogueError> {
    let price = |text: &str| {
        Price::parse(text, vat_rate)
            .ok_or_else(|| CatalogueError::Price { entry: owner.name.clone(), price: text.to_owned() })
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few TiB")]
    let included_traffic = (location.included_traffic * TIB) as u64;
    Ok(Offer {
        location: location.id,
        location_name: location.name.clone(),
        hourly: price(&offer.hourly)?,
        monthly: price(&offer.monthly)?,
        included_traffic,
        price_per_tb_traffic: price(&location.price_per_tb_traffic)?,
        // What goes away everywhere goes away here.
        deprecation: offer.deprecation.or(owner.deprecation),
        available: offer.available,
        recommended: offer.recommended,
    })
}

/// One image for each architecture.
fn images(entry: ImageEntry) -> impl Iterator<Item = Image> {
    let deprecation = entry.deprecated.map(|announced| Deprecation {
        announced,
        unavailable_after: announced.plus_ms(DEPRECATED_IMAGE_DAYS * DAY_MS),
    });
    [(entry.ids.x86, Architecture::X86), (entry.ids.arm, Architecture::Arm)].into_iter().filter_map(
        move |(id, architecture)| {
            Some(Image {
                id: id?,
                name: entry.name.clone(),
                description: entry.description.clone(),
                os_flavor: entry.os_flavor.clone(),
                os_version: entry.os_version.clone(),
                architecture,
                disk_size: entry.disk_size,
                created: entry.created,
                deprecation,
            })
        },
    )
}
