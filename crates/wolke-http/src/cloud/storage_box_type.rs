//! Storage box types, from the catalogue (fact sheet §4.3).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /storage_box_types`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (kind, page) = (Kind::StorageBoxType, call.page()?);
    let list = call.control.list_catalogue(&call.caller, kind, call.parameter("name"), &[], page).await?;
    Ok(call.shape(kind.plural(), &list, page, b""))
}
