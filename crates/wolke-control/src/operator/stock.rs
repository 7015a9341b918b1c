//! How many servers of a type a location has left.
//!
//! Where the operator has set a limit, each server that is made takes one and each that goes gives one back. Without a limit
//! nothing is counted, and no statement is spent on it.

use super::{Control, Core};
use wolke_domain::catalogue::ServerType;
use wolke_domain::{Error, Result};
use wolke_store::operator::{self, Taken};
use wolke_store::{Race, Tx};
use wolke_wire::{ErrorCode, Id, IdOrName, Kind};

/// The most that can be said to be left.
pub const STOCK_MAX: i64 = 1_000_000_000;

/// What is left of a type in a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockView {
    /// The server type's name.
    pub server_type: String,
    /// The location's name.
    pub location: String,
    /// How many more servers can be made; no end of them when none.
    pub left: Option<i64>,
}

/// Takes one from stock for a server that is made, or changed to this type.
///
/// # Errors
/// `resource_unavailable` when it is sold out.
pub(crate) fn take(tx: &mut dyn Tx, core: &Core, server_type: Id, location: Id) -> Result<()> {
    if !core.operator.decided().is_limited(server_type, location) {
        return Ok(());
    }
    match operator::take_stock(tx, server_type, location)? {
        Taken::Unlimited | Taken::Left(_) => Ok(()),
        Taken::SoldOut => {
            let catalogue = core.catalogue();
            let name = catalogue.server_type_by_id(server_type).map_or("", |kind| kind.name.as_str());
            Err(sold_out(name))
        }
    }
}

/// Whether one is left, for work that takes it later.
///
/// # Errors
/// `resource_unavailable` when it is sold out.
pub(crate) fn check(tx: &mut dyn Tx, core: &Core, server_type: &ServerType, location: Id) -> Result<()> {
    let is_limited = core.operator.decided().is_limited(server_type.id, location);
    if is_limited && operator::left_in_stock(tx, server_type.id, location)? == Some(0) {
        return Err(sold_out(&server_type.name));
    }
    Ok(())
}

/// Gives one back to stock, of a server that is gone or was changed to another type.
///
/// # Errors
/// The engine's failure.
pub(crate) fn give(tx: &mut dyn Tx, core: &Core, server_type: Id, location: Id) -> Result<()> {
    if core.operator.decided().is_limited(server_type, location) {
        operator::give_stock(tx, server_type, location)?;
    }
    Ok(())
}

/// The refusal of a type that a location has not, or has none left of.
pub(crate) fn sold_out(server_type: &str) -> Error {
    let message = format!("server type {server_type} is not available in the requested location");
    Error::refused(ErrorCode::ResourceUnavailable, message)
}

impl Control {
    /// What is counted.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_stock(&self) -> Result<Vec<StockView>> {
        let catalogue = self.core.catalogue();
        let stock = self.db.read(operator::stock).await?;
        let name = |kind, id: Id| match kind {
            Kind::Location => catalogue.location_by_id(id).map(|location| location.name.clone()),
            _ => catalogue.server_type_by_id(id).map(|kind| kind.name.clone()),
        };
        let view = |stock: &operator::Stock| StockView {
            server_type: name(Kind::ServerType, stock.server_type).unwrap_or_else(|| stock.server_type.to_string()),
            location: name(Kind::Location, stock.location).unwrap_or_else(|| stock.location.to_string()),
            left: Some(stock.remaining),
        };
        Ok(stock.iter().map(view).collect())
    }

    /// Limits what a location has left of a type, or lifts the limit.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a type that is not offered there and for a number out of range.
    pub async fn set_stock(&self, server_type: &IdOrName, location: &IdOrName, left: Option<i64>) -> Result<StockView> {
        self.refresh_operator().await?;
        if left.is_some_and(|left| !(0..=STOCK_MAX).contains(&left)) {
            return Err(Error::invalid("left", format!("must be between 0 and {STOCK_MAX}")));
        }
        let catalogue = self.core.catalogue();
        let missing = |kind, asked: &IdOrName| Error::not_found_named(kind, &asked.to_string());
        let kind = catalogue.server_type(server_type).ok_or_else(|| missing(Kind::ServerType, server_type))?;
        let place = catalogue.location(location).ok_or_else(|| missing(Kind::Location, location))?;
        if kind.offer(place.id).is_none() {
            return Err(Error::invalid("location", format!("does not offer {}", kind.name)));
        }
        let (type_id, place_id) = (kind.id, place.id);
        self.db.write(vec![Race::Addresses], move |tx| operator::set_stock(tx, type_id, place_id, left)).await?;
        self.operator_changed().await?;
        Ok(StockView { server_type: kind.name.clone(), location: place.name.clone(), left })
    }
}
