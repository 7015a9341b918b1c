//! Server types, from the catalogue (fact sheet §8).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /server_types`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (sort, page) = (call.sort(&["id", "name"])?, call.page()?);
    let list = call.control.list_catalogue(&call.caller, Kind::ServerType, call.parameter("name"), &sort, page).await?;
    Ok(call.shape(Kind::ServerType.plural(), &list, page, b""))
}
