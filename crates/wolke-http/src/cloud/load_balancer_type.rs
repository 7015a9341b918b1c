//! Load balancer types, from the catalogue (fact sheet §8.4).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /load_balancer_types`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (kind, page) = (Kind::LoadBalancerType, call.page()?);
    let list = call.control.list_catalogue(&call.caller, kind, call.parameter("name"), &[], page).await?;
    Ok(call.shape(kind.plural(), &list, page, b""))
}
