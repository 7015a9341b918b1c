//! Data centers, from the catalogue (fact sheet §8.2). Legacy: gone in the newest dialect.

use crate::call::{Call, Reply};
use wolke_domain::{Error, Result, name};
use wolke_wire::Kind;

/// `GET /datacenters`: the list also names the one that is recommended. A malformed name is refused, not just missing
/// (dialects A.4).
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (sort, page) = (call.sort(&["id", "name"])?, call.page()?);
    let wanted = call.parameter("name");
    if let Some(wanted) = wanted {
        name::host_name("name", wanted).map_err(|e| Error::invalid_fields(vec![e]))?;
    }
    let list = call.control.list_catalogue(&call.caller, Kind::Datacenter, wanted, &sort, page).await?;
    let recommended = call.control.recommended_datacenter().await?;
    let recommendation = recommended.map(|id| format!(",\"recommendation\":{id}")).unwrap_or_default();
    Ok(call.shape(Kind::Datacenter.plural(), &list, page, recommendation.as_bytes()))
}
