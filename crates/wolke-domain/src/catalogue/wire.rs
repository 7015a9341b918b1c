//! How the catalogue looks on the wire: the superset of all dialects.

use wolke_wire::Kind;
use wolke_wire::cloud::datacenter::DatacenterServerTypes;
use wolke_wire::cloud::image::{ImageStatus, ImageType};
use wolke_wire::cloud::server_type::{LocationPrice, ServerTypeLocation};
use wolke_wire::cloud::{self, DeleteProtection, Embed, Labels};

use super::price::Price;
use super::{Datacenter, Image, Location, Offer, ServerType};

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

impl From<&Datacenter> for cloud::datacenter::Datacenter {
    fn from(datacenter: &Datacenter) -> Self {
        Self {
            id: datacenter.id,
            name: datacenter.name.clone(),
            description: datacenter.description.clone(),
            location: Embed(Kind::Location, datacenter.location),
            server_types: DatacenterServerTypes {
                supported: datacenter.supported.clone(),
                available: datacenter.available.clone(),
                available_for_migration: datacenter.available.clone(),
            },
        }
    }
}

impl From<&ServerType> for cloud::server_type::ServerType {
    fn from(kind: &ServerType) -> Self {
        Self {
            id: kind.id,
            name: kind.name.clone(),
            description: kind.description.clone(),
            category: kind.category.clone(),
            cores: kind.cores,
            memory: kind.memory,
            disk: kind.disk,
            deprecated: kind.deprecation.is_some(),
            deprecation: kind.deprecation,
            locations: kind.offers.iter().map(location).collect(),
            prices: kind.offers.iter().map(prices).collect(),
            storage_type: kind.storage_type,
            cpu_type: kind.cpu_type,
            architecture: kind.architecture,
            included_traffic: 0,
        }
    }
}

fn location(offer: &Offer) -> ServerTypeLocation {
    ServerTypeLocation {
        id: offer.location,
        name: offer.location_name.clone(),
        deprecation: offer.deprecation,
        available: offer.available,
        recommended: offer.recommended,
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

impl From<&Image> for cloud::image::Image {
    fn from(image: &Image) -> Self {
        Self {
            id: image.id,
            kind: ImageType::System,
            status: ImageStatus::Available,
            name: Some(image.name.clone()),
            description: image.description.clone(),
            image_size: None,
            disk_size: f64::from(image.disk_size),
            created: image.created,
            created_from: None,
            bound_to: None,
            os_flavor: image.os_flavor.clone(),
            os_version: Some(image.os_version.clone()),
            rapid_deploy: true,
            protection: DeleteProtection::default(),
            deprecated: image.deprecation.map(|deprecation| deprecation.announced),
            deprecation: image.deprecation,
            deleted: None,
            labels: Labels::new(),
            architecture: image.architecture,
        }
    }
}
