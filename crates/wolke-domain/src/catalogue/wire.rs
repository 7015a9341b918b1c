//! How the catalogue looks on the wire at a point in world time: the superset of all dialects.

use wolke_wire::cloud::datacenter::DatacenterServerTypes;
use wolke_wire::cloud::image::ImageStatus;
use wolke_wire::cloud::iso::IsoType;
use wolke_wire::cloud::primary_ip::IpType;
use wolke_wire::cloud::server_type::{LocationPrice, ServerTypeLocation};
use wolke_wire::cloud::{self, DeleteProtection, Embed, Labels, pricing};
use wolke_wire::{Id, Kind, Timestamp};

use super::price::Price;
use super::{
    AddressPrice, Catalogue, Datacenter, Image, Iso, LoadBalancerType, Location, Offer, ServerType, StorageBoxType,
    shown,
};

impl From<&Location> for cloud::location::Location {
    fn from(location: &Location) -> Self {
        Self {
            id: location.id,
            name: location.name.clone(),
            description: location.description.clone(),
            country: location.country.clone(),
            city: location.city.clone(),
            latitude: location.latitude,
            longitude: location.longitude,
            network_zone: location.network_zone.clone(),
        }
    }
}

impl Catalogue {
    /// A data center, with the types that can be ordered there now.
    #[must_use]
    pub fn datacenter_to_wire(&self, datacenter: &Datacenter, now: Timestamp) -> cloud::datacenter::Datacenter {
        let place = datacenter.location;
        let is_there = self.datacenters.iter().any(|known| known.id == datacenter.id);
        let ids = |which: &dyn Fn(&ServerType) -> bool| -> Vec<Id> {
            self.listed_server_types(now).filter(|kind| is_there && which(kind)).map(|kind| kind.id).collect()
        };
        let available = ids(&|kind| kind.is_orderable_in(place, now));
        cloud::datacenter::Datacenter {
            id: datacenter.id,
            name: datacenter.name.clone(),
            description: datacenter.description.clone(),
            location: Embed(Kind::Location, place),
            server_types: DatacenterServerTypes {
                supported: ids(&|kind| kind.offer(place).is_some()),
                available_for_migration: available.clone(),
                available,
            },
        }
    }

    /// What everything that can be ordered now costs.
    #[must_use]
    pub fn pricing_to_wire(&self, now: Timestamp) -> pricing::Pricing {
        let per_gb = |price: &Price| pricing::GbMonth { price_per_gb_month: price.into() };
        let types = |id, name: &str, offers: &[Offer]| pricing::TypePrices {
            id,
            name: name.to_owned(),
            prices: offers.iter().map(prices).collect(),
        };
        let balancers = self.load_balancer_types.iter().filter(|kind| kind.is_listed(now));
        pricing::Pricing {
            currency: self.currency.clone(),
            vat_rate: self.vat_rate.clone(),
            image: per_gb(&self.pricing.image),
            volume: per_gb(&self.pricing.volume),
            floating_ip: pricing::Monthly { price_monthly: (&self.pricing.floating_ip).into() },
            floating_ips: by_kind(&self.pricing.floating_ips)
                .map(|(kind, of)| pricing::FloatingIpPrices { kind, prices: of.into_iter().map(floating).collect() })
                .collect(),
            primary_ips: by_kind(&self.pricing.primary_ips)
                .map(|(kind, of)| pricing::PrimaryIpPrices { kind, prices: of.into_iter().map(primary).collect() })
                .collect(),
            traffic: pricing::Traffic { price_per_tb: (&self.pricing.traffic).into() },
            server_backup: pricing::ServerBackup { percentage: self.pricing.server_backup.clone() },
            server_types: self.listed_server_types(now).map(|kind| types(kind.id, &kind.name, &kind.offers)).collect(),
            load_balancer_types: balancers.map(|kind| types(kind.id, &kind.name, &kind.offers)).collect(),
        }
    }
}

fn by_kind(prices: &[AddressPrice]) -> impl Iterator<Item = (IpType, Vec<&AddressPrice>)> {
    let of = |kind: IpType| (kind, prices.iter().filter(|price| price.kind == kind).collect());
    [IpType::Ipv4, IpType::Ipv6].into_iter().map(of)
}

fn floating(price: &AddressPrice) -> pricing::FloatingIpPrice {
    pricing::FloatingIpPrice { location: price.location_name.clone(), price_monthly: (&price.monthly).into() }
}

fn primary(price: &AddressPrice) -> pricing::PrimaryIpPrice {
    pricing::PrimaryIpPrice {
        location: price.location_name.clone(),
        price_hourly: price.hourly.as_ref().unwrap_or(&price.monthly).into(),
        price_monthly: (&price.monthly).into(),
    }
}

impl ServerType {
    /// As the contract shows it.
    #[must_use]
    pub fn to_wire(&self, now: Timestamp) -> cloud::server_type::ServerType {
        let deprecation = self.shown_deprecation(now);
        cloud::server_type::ServerType {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            category: self.category.clone(),
            cores: self.cores,
            memory: self.memory,
            disk: self.disk,
            deprecated: deprecation.is_some(),
            deprecation,
            locations: self.offers.iter().map(|offer| self.location(offer, now)).collect(),
            prices: self.offers.iter().map(prices).collect(),
            storage_type: self.storage_type,
            cpu_type: self.cpu_type,
            architecture: self.architecture,
            included_traffic: 0,
        }
    }

    fn location(&self, offer: &Offer, now: Timestamp) -> ServerTypeLocation {
        ServerTypeLocation {
            id: offer.location,
            name: offer.location_name.clone(),
            deprecation: shown(offer.deprecation, now),
            available: self.is_orderable_in(offer.location, now),
            recommended: offer.recommended,
        }
    }
}

fn prices(offer: &Offer) -> LocationPrice {
    LocationPrice {
        location: offer.location_name.clone(),
        price_hourly: (&offer.hourly).into(),
        price_monthly: (&offer.monthly).into(),
        included_traffic: offer.included_traffic,
        price_per_tb_traffic: (&offer.price_per_tb_traffic).into(),
    }
}

impl From<&Price> for cloud::server_type::Price {
    fn from(price: &Price) -> Self {
        Self { net: price.net(), gross: price.gross() }
    }
}

impl LoadBalancerType {
    /// As the contract shows it.
    #[must_use]
    pub fn to_wire(&self, now: Timestamp) -> cloud::load_balancer_type::LoadBalancerType {
        let deprecation = shown(self.deprecation, now);
        cloud::load_balancer_type::LoadBalancerType {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            max_connections: self.max_connections,
            max_services: self.max_services,
            max_targets: self.max_targets,
            max_assigned_certificates: self.max_assigned_certificates,
            deprecated: deprecation.map(|deprecation| deprecation.announced),
            deprecation,
            prices: self.offers.iter().map(prices).collect(),
        }
    }
}

impl StorageBoxType {
    /// As the contract shows it.
    #[must_use]
    pub fn to_wire(&self, now: Timestamp) -> cloud::storage_box_type::StorageBoxType {
        let prices = self.offers.iter().map(|offer| cloud::storage_box_type::StorageBoxPrice {
            location: offer.location_name.clone(),
            price_hourly: (&offer.hourly).into(),
            price_monthly: (&offer.monthly).into(),
            setup_fee: (&offer.setup_fee).into(),
        });
        cloud::storage_box_type::StorageBoxType {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            snapshot_limit: self.snapshot_limit,
            automatic_snapshot_limit: self.automatic_snapshot_limit,
            subaccounts_limit: self.subaccounts_limit,
            size: self.size,
            deprecation: shown(self.deprecation, now),
            prices: prices.collect(),
        }
    }
}

impl Iso {
    /// As the contract shows it.
    #[must_use]
    pub fn to_wire(&self, now: Timestamp) -> cloud::iso::Iso {
        let deprecation = shown(self.deprecation, now);
        cloud::iso::Iso {
            id: self.id,
            name: Some(self.name.clone()),
            description: self.description.clone(),
            kind: IsoType::Public,
            deprecated: deprecation.map(|deprecation| deprecation.unavailable_after),
            deprecation,
            architecture: self.architecture,
        }
    }
}

impl Image {
    /// As the contract shows it.
    #[must_use]
    pub fn to_wire(&self, now: Timestamp) -> cloud::image::Image {
        let deprecation = shown(self.deprecation, now);
        cloud::image::Image {
            id: self.id,
            kind: self.kind,
            status: if self.is_usable(now) && !self.removed {
                ImageStatus::Available
            } else {
                ImageStatus::Unavailable
            },
            name: Some(self.name.clone()),
            description: self.description.clone(),
            image_size: None,
            disk_size: f64::from(self.disk_size),
            created: self.created,
            created_from: None,
            bound_to: None,
            os_flavor: self.os_flavor.clone(),
            os_version: Some(self.os_version.clone()),
            rapid_deploy: self.rapid_deploy,
            protection: DeleteProtection::default(),
            deprecated: deprecation.map(|deprecation| deprecation.announced),
            deprecation,
            deleted: None,
            labels: Labels::new(),
            architecture: self.architecture,
        }
    }
}
