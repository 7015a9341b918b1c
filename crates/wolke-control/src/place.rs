//! Where a resource goes: the `location` and `datacenter` of requests.

use crate::core::Core;
use crate::operator::stock;
use wolke_domain::catalogue::{Catalogue, ServerType};
use wolke_domain::{Error, FieldError, Result};
use wolke_store::Tx;
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

/// The places for a server, the best first: where it is asked for, else wherever its type is in stock.
pub(crate) fn for_server(
    catalogue: &Catalogue,
    server_type: &ServerType,
    asked: Option<Place>,
    now: Timestamp,
) -> Result<Vec<Place>> {
    let places = match asked {
        Some(place) if server_type.is_orderable_in(place.location, now) => vec![place],
        Some(_) => Vec::new(),
        None => {
            let anywhere = catalogue.default_locations(server_type, now);
            anywhere.map(|location| in_location(catalogue, location.id)).collect::<Result<_>>()?
        }
    };
    if places.is_empty() { Err(stock::sold_out(&server_type.name)) } else { Ok(places) }
}

/// Takes a server of a type from the first of these places that still has one: what the catalogue shows as in stock may just
/// have been sold.
pub(crate) fn take(tx: &mut dyn Tx, core: &Core, server_type: &ServerType, places: &[Place]) -> Result<Place> {
    for place in places {
        match stock::take(tx, core, server_type.id, place.location) {
            Err(Error::Refused { code: ErrorCode::ResourceUnavailable, .. }) => {}
            taken => return taken.map(|()| *place),
        }
    }
    Err(stock::sold_out(&server_type.name))
}
