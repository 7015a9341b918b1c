//! ISOs: the catalogue's, and those that only the project sees (fact sheet §3.10).

use crate::call::{Call, Reply};
use wolke_control::IsoFilter;
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /isos`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let page = call.page()?;
    let architectures = call.architectures()?;
    // Works only together with a filter by architecture: without one nothing is left out that it could bring back.
    let with_wildcards = call.flag("include_architecture_wildcard");
    let filter = IsoFilter { name: call.parameter("name").map(str::to_owned), architectures, with_wildcards };
    let list = call.control.list_isos(&call.caller, &filter, page).await?;
    Ok(call.shape(Kind::Iso.plural(), &list, page, b""))
}
