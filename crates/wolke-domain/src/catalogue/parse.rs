//! Reading a catalogue from TOML and checking its invariants.

use std::collections::HashSet;
use std::hash::Hash;

use wolke_wire::cloud::image::ImageType;
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{Kind, Timestamp};

use super::document::Document;
use super::file::{
    DatacenterEntry, ImageEntry, IsoEntry, LoadBalancerTypeEntry, LocationEntry, OfferEntry, PricingEntry,
    ServerTypeEntry, StorageBoxTypeEntry,
};
use super::price::Price;
use super::{
    AddressPrice, Catalogue, DEPRECATED_IMAGE_DAYS, Datacenter, Gone, Image, Iso, LoadBalancerType, Location, Offer,
    Pricing, ServerType, StorageBoxType, StorageOffer,
};
use crate::storage_box::{SNAPSHOTS_MAX, SUBACCOUNTS_MAX};

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
    /// An entry that lacks something, or holds what it cannot hold.
    #[error("catalogue: {entry}: {problem}")]
    Entry {
        /// `server_type 'cpx22'`.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
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
    /// A location in which nothing can be.
    #[error("catalogue: location '{location}' has no data center")]
    NoDatacenter {
        /// Which.
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

/// Reads a catalogue from its document.
pub(super) fn catalogue(document: &Document) -> Result<Catalogue, CatalogueError> {
    let pricing: PricingEntry = document.read_pricing()?;
    let locations: Vec<LocationEntry> = document.read_list(Kind::Location.singular())?;
    let gone_locations: Vec<LocationEntry> = document.read_gone(Kind::Location.singular())?;
    // What is gone may have been where nothing is any more; what is there may not.
    let ever: Vec<LocationEntry> = locations.iter().chain(&gone_locations).cloned().collect();
    let vat = pricing.vat_rate.as_str();
    let there = |kind: Kind| kind.singular();
    let mut catalogue = Catalogue {
        currency: pricing.currency.clone(),
        vat_rate: pricing.vat_rate.clone(),
        pricing: new_pricing(&pricing, &locations, &gone_locations)?,
        datacenters: each(document.read_list(there(Kind::Datacenter))?, |entry| datacenter(entry, &locations))?,
        server_types: each(document.read_list(there(Kind::ServerType))?, |entry| server_type(entry, &locations, vat))?,
        load_balancer_types: each(document.read_list(there(Kind::LoadBalancerType))?, |entry| {
            load_balancer_type(entry, &locations, vat)
        })?,
        storage_box_types: each(document.read_list(there(Kind::StorageBoxType))?, |entry| {
            storage_box_type(entry, &locations, vat)
        })?,
        images: each(document.read_list(there(Kind::Image))?, images)?.into_iter().flatten().collect(),
        isos: each(document.read_list(there(Kind::Iso))?, |entry| Ok(iso(entry)))?,
        gone: Gone {
            datacenters: each(document.read_gone(there(Kind::Datacenter))?, |entry| datacenter(entry, &ever))?,
            server_types: each(document.read_gone(there(Kind::ServerType))?, |entry| server_type(entry, &ever, vat))?,
            load_balancer_types: each(document.read_gone(there(Kind::LoadBalancerType))?, |entry| {
                load_balancer_type(entry, &ever, vat)
            })?,
            storage_box_types: each(document.read_gone(there(Kind::StorageBoxType))?, |entry| {
                storage_box_type(entry, &ever, vat)
            })?,
            images: each(document.read_gone(there(Kind::Image))?, images)?.into_iter().flatten().collect(),
            isos: each(document.read_gone(there(Kind::Iso))?, |entry| Ok(iso(entry)))?,
            locations: gone_locations.into_iter().map(location).collect(),
        },
        locations: locations.into_iter().map(location).collect(),
        epoch: 0,
        offer_epoch: 0,
        dates: Vec::new(),
    };
    catalogue.sort();
    catalogue.check()?;
    catalogue.tidy_gone();
    catalogue.dates = dates(&catalogue);
    Ok(catalogue)
}

fn each<E, T>(entries: Vec<E>, read: impl Fn(E) -> Result<T, CatalogueError>) -> Result<Vec<T>, CatalogueError> {
    entries.into_iter().map(read).collect()
}

/// Every point in time at which something of a catalogue changes.
fn dates(catalogue: &Catalogue) -> Vec<Timestamp> {
    let offers = |offers: &[Offer]| offers.iter().map(|offer| offer.deprecation).collect::<Vec<_>>();
    let mut all: Vec<Option<Deprecation>> = Vec::new();
    for kind in catalogue.server_types.iter().chain(&catalogue.gone.server_types) {
        all.push(kind.deprecation);
        all.extend(offers(&kind.offers));
    }
    for kind in catalogue.load_balancer_types.iter().chain(&catalogue.gone.load_balancer_types) {
        all.push(kind.deprecation);
        all.extend(offers(&kind.offers));
    }
    let storage_boxes = catalogue.storage_box_types.iter().chain(&catalogue.gone.storage_box_types);
    all.extend(storage_boxes.map(|kind| kind.deprecation));
    all.extend(catalogue.images.iter().chain(&catalogue.gone.images).map(|image| image.deprecation));
    all.extend(catalogue.isos.iter().chain(&catalogue.gone.isos).map(|iso| iso.deprecation));
    let mut dates: Vec<Timestamp> =
        all.into_iter().flatten().flat_map(|d| [d.announced, d.unavailable_after]).collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

impl Catalogue {
    fn sort(&mut self) {
        self.locations.sort_by_key(|entry| entry.id);
        self.datacenters.sort_by_key(|entry| entry.id);
        self.server_types.sort_by_key(|entry| entry.id);
        self.images.sort_by_key(|entry| entry.id);
        self.load_balancer_types.sort_by_key(|entry| entry.id);
        self.storage_box_types.sort_by_key(|entry| entry.id);
        self.isos.sort_by_key(|entry| entry.id);
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
        unique("load balancer type id", self.load_balancer_types.iter().map(|entry| entry.id))?;
        unique("load balancer type", self.load_balancer_types.iter().map(|entry| &entry.name))?;
        unique("storage box type id", self.storage_box_types.iter().map(|entry| entry.id))?;
        unique("storage box type", self.storage_box_types.iter().map(|entry| &entry.name))?;
        unique("iso id", self.isos.iter().map(|entry| entry.id))?;
        unique("iso", self.isos.iter().map(|entry| &entry.name))?;
        for (what, prices) in [
            ("price of a floating IP", &self.pricing.floating_ips),
            ("price of a primary IP", &self.pricing.primary_ips),
        ] {
            unique(what, prices.iter().map(|price| format!("{} in {}", price.kind, price.location_name)))?;
        }
        if let Some(empty) = self.locations.iter().find(|location| self.datacenter_in(location.id).is_none()) {
            return Err(CatalogueError::NoDatacenter { location: empty.name.clone() });
        }
        for server_type in &self.server_types {
            unique("location of a server type", server_type.offers.iter().map(|offer| offer.location))?;
        }
        for kind in &self.load_balancer_types {
            unique("location of a load balancer type", kind.offers.iter().map(|offer| offer.location))?;
        }
        for kind in &self.storage_box_types {
            unique("location of a storage box type", kind.offers.iter().map(|offer| offer.location))?;
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

fn datacenter(entry: DatacenterEntry, locations: &[LocationEntry]) -> Result<Datacenter, CatalogueError> {
    let location = location_named(locations, &entry.name, &entry.location)?.id;
    Ok(Datacenter { location, id: entry.id, name: entry.name, description: entry.description })
}

fn server_type(
    entry: ServerTypeEntry,
    locations: &[LocationEntry],
    vat_rate: &str,
) -> Result<ServerType, CatalogueError> {
    let offers = new_offers(&entry.offers, locations, vat_rate, (&entry.name, entry.deprecation))?;
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

fn load_balancer_type(
    entry: LoadBalancerTypeEntry,
    locations: &[LocationEntry],
    vat_rate: &str,
) -> Result<LoadBalancerType, CatalogueError> {
    let offers = new_offers(&entry.offers, locations, vat_rate, (&entry.name, entry.deprecation))?;
    Ok(LoadBalancerType {
        id: entry.id,
        name: entry.name,
        description: entry.description,
        max_connections: entry.max_connections,
        max_services: entry.max_services,
        max_targets: entry.max_targets,
        max_assigned_certificates: entry.max_assigned_certificates,
        deprecation: entry.deprecation,
        offers,
    })
}

fn storage_box_type(
    entry: StorageBoxTypeEntry,
    locations: &[LocationEntry],
    vat_rate: &str,
) -> Result<StorageBoxType, CatalogueError> {
    let problem =
        |problem: String| CatalogueError::Entry { entry: format!("storage box type '{}'", entry.name), problem };
    if entry.size < 1 {
        return Err(problem("its size must be at least a byte".to_owned()));
    }
    let limits = [
        ("snapshot_limit", entry.snapshot_limit, SNAPSHOTS_MAX),
        ("automatic_snapshot_limit", entry.automatic_snapshot_limit, SNAPSHOTS_MAX),
        ("subaccounts_limit", Some(entry.subaccounts_limit), SUBACCOUNTS_MAX),
    ];
    for (name, limit, max) in limits {
        if limit.is_some_and(|limit| !(0..=max).contains(&limit)) {
            return Err(problem(format!("{name} must be between 0 and {max}")));
        }
    }
    let mut offers = Vec::new();
    for offer in &entry.offers {
        for name in &offer.at {
            let location = location_named(locations, &entry.name, name)?;
            offers.push(StorageOffer {
                location: location.id,
                location_name: location.name.clone(),
                hourly: price(&entry.name, &offer.hourly, vat_rate)?,
                monthly: price(&entry.name, &offer.monthly, vat_rate)?,
                setup_fee: price(&entry.name, &offer.setup_fee, vat_rate)?,
            });
        }
    }
    Ok(StorageBoxType {
        id: entry.id,
        name: entry.name,
        description: entry.description,
        size: entry.size,
        snapshot_limit: entry.snapshot_limit,
        automatic_snapshot_limit: entry.automatic_snapshot_limit,
        subaccounts_limit: entry.subaccounts_limit,
        deprecation: entry.deprecation,
        offers,
    })
}

fn new_offers(
    entries: &[OfferEntry],
    locations: &[LocationEntry],
    vat_rate: &str,
    (owner, deprecation): (&str, Option<Deprecation>),
) -> Result<Vec<Offer>, CatalogueError> {
    let mut offers = Vec::new();
    for entry in entries {
        for name in &entry.at {
            let location = location_named(locations, owner, name)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few TiB")]
            let included_traffic = (location.included_traffic * TIB) as u64;
            offers.push(Offer {
                location: location.id,
                location_name: location.name.clone(),
                hourly: price(owner, &entry.hourly, vat_rate)?,
                monthly: price(owner, &entry.monthly, vat_rate)?,
                included_traffic,
                price_per_tb_traffic: price(&location.name, &location.price_per_tb_traffic, vat_rate)?,
                // What goes away everywhere goes away here.
                deprecation: entry.deprecation.or(deprecation),
                available: entry.available,
                recommended: entry.recommended,
            });
        }
    }
    Ok(offers)
}

fn price(owner: &str, text: &str, vat_rate: &str) -> Result<Price, CatalogueError> {
    Price::parse(text, vat_rate)
        .ok_or_else(|| CatalogueError::Price { entry: owner.to_owned(), price: text.to_owned() })
}

/// Where a price holds; none in a location that was removed: the table of prices need not be cut down for that.
fn priced<'a>(
    (locations, gone): (&'a [LocationEntry], &[LocationEntry]),
    entry: &str,
    name: &str,
) -> Result<Option<&'a LocationEntry>, CatalogueError> {
    match location_named(locations, entry, name) {
        Err(_) if gone.iter().any(|location| location.name == name) => Ok(None),
        found => found.map(Some),
    }
}

fn new_pricing(
    entry: &PricingEntry,
    locations: &[LocationEntry],
    gone: &[LocationEntry],
) -> Result<Pricing, CatalogueError> {
    let place = |entry: &str, name: &str| priced((locations, gone), entry, name);
    let of = |name: &str, text: &str| price(name, text, &entry.vat_rate);
    // The rate alone is no price, but has the same form.
    of("pricing.server_backup", &entry.server_backup)?;
    let mut floating_ips = Vec::new();
    for price in &entry.floating_ips {
        for name in &price.at {
            let Some(location) = place("pricing.floating_ips", name)? else { continue };
            let location_name = location.name.clone();
            let monthly = of("pricing.floating_ips", &price.monthly)?;
            floating_ips.push(AddressPrice { kind: price.kind, location_name, hourly: None, monthly });
        }
    }
    let mut primary_ips = Vec::new();
    for price in &entry.primary_ips {
        for name in &price.at {
            let Some(location) = place("pricing.primary_ips", name)? else { continue };
            let location_name = location.name.clone();
            let (hourly, monthly) =
                (Some(of("pricing.primary_ips", &price.hourly)?), of("pricing.primary_ips", &price.monthly)?);
            primary_ips.push(AddressPrice { kind: price.kind, location_name, hourly, monthly });
        }
    }
    Ok(Pricing {
        image: of("pricing.image", &entry.image)?,
        volume: of("pricing.volume", &entry.volume)?,
        floating_ip: of("pricing.floating_ip", &entry.floating_ip)?,
        traffic: of("pricing.traffic", &entry.traffic)?,
        server_backup: entry.server_backup.clone(),
        floating_ips,
        primary_ips,
    })
}

fn iso(entry: IsoEntry) -> Iso {
    Iso {
        id: entry.id,
        name: entry.name,
        description: entry.description,
        architecture: entry.architecture,
        deprecation: entry.deprecation,
    }
}

/// One image for each architecture.
fn images(entry: ImageEntry) -> Result<Vec<Image>, CatalogueError> {
    let problem =
        |problem: &str| CatalogueError::Entry { entry: format!("image '{}'", entry.name), problem: problem.to_owned() };
    if !matches!(entry.kind, ImageType::System | ImageType::App) {
        return Err(problem("type must be system or app: the others belong to projects"));
    }
    let ids: Vec<_> = [(entry.ids.x86, Architecture::X86), (entry.ids.arm, Architecture::Arm)]
        .into_iter()
        .filter_map(|(id, architecture)| Some((id?, architecture)))
        .collect();
    if ids.is_empty() {
        return Err(problem("ids must name x86 or arm"));
    }
    if ids.iter().any(|(id, _)| !(1..crate::image::OWN_ID_MIN).contains(id)) {
        return Err(problem("its ids must lie below those of snapshots and backups"));
    }
    let deprecation = entry.deprecated.map(|announced| Deprecation {
        announced,
        unavailable_after: announced.plus_ms(DEPRECATED_IMAGE_DAYS * DAY_MS),
    });
    let image = |(id, architecture)| Image {
        id,
        kind: entry.kind,
        name: entry.name.clone(),
        description: entry.description.clone(),
        os_flavor: entry.os_flavor.clone(),
        os_version: entry.os_version.clone(),
        architecture,
        disk_size: entry.disk_size,
        rapid_deploy: entry.rapid_deploy,
        created: entry.created,
        deprecation,
        removed: false,
    };
    Ok(ids.into_iter().map(image).collect())
}
