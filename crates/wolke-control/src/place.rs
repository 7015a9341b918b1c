//! Where a resource goes: the `location` and `datacenter` of requests.

use wolke_domain::catalogue::{Catalogue, ServerType};
use wolke_domain::{Error, FieldError, Result};
use wolke_wire::{ErrorCode, Id, IdOrName, Kind, Timestamp};

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub location: Id,
    pub datacenter: Id,
}

/// The place that a request names; none when it names none. `location` and `datacenter` exclude each other.
pub(crate) fn asked(
    catalogue: &Catalogue,
    location: Option<&IdOrName>,
    datacenter: Option<&IdOrName>,
) -> Result<Option<Place>> {
    match (location, datacenter) {
        (Some(_), Some(_)) => Err(Error::invalid_fields(vec![
            FieldError::new("location", "must not be given together with datacenter"),
            FieldError::new("datacenter", "must not be given together with location"),
        ])),
        (Some(location), None) => {
            let found = catalogue
                .location(location)
                .ok_or_else(|| Error::not_found_named(Kind::Location, &location.to_string()))?;
            in_location(catalogue, found.id).map(Some)
        }
        (None, Some(datacenter)) => {
            let found = catalogue
                .datacenter(datacenter)
                .ok_or_else(|| Error::not_found_named(Kind::Datacenter, &datacenter.to_string()))?;
            Ok(Some(Place { location: found.location, datacenter: found.id }))
        }
        (None, None) => Ok(None),
    }
}

pub(crate) fn in_location(catalogue: &Catalogue, location: Id) -> Result<Place> {
    let datacenter = catalogue
        .datacenter_in(location)
        .ok_or_else(|| Error::internal(format!("location {location} has no data center")))?;
    Ok(Place { location, datacenter: datacenter.id })
}

/// The place for a server: where it is asked for, else where its type is in stock, `eu-central` first.
pub(crate) fn for_server(
    catalogue: &Catalogue,
    server_type: &ServerType,
    asked: Option<Place>,
    now: Timestamp,
) -> Result<Place> {
    let unavailable = || {
        let message = format!("server type {} is not available in the requested location", server_type.name);
        Error::refused(ErrorCode::ResourceUnavailable, message)
    };
    match asked {
        Some(place) if server_type.is_orderable_in(place.location, now) => Ok(place),
        Some(_) => Err(unavailable()),
        None => {
            let location = catalogue.default_location(server_type, now).ok_or_else(unavailable)?;
            in_location(catalogue, location.id)
        }
    }
}
