//! Locations, from the catalogue (fact sheet §8).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /locations`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (sort, page) = (call.sort(&["id", "name"])?, call.page()?);
    let list = call.control.list_catalogue(&call.caller, Kind::Location, call.parameter("name"), &sort, page).await?;
    Ok(call.shape(Kind::Location.plural(), &list, page, b""))
}
