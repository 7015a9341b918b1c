//! Placement groups (fact sheet §3.12).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;
use wolke_wire::cloud::placement_group::AddToPlacementGroup;

/// `GET /placement_groups`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::PlacementGroup, &["id", "name", "created"], &["name", "type"])?;
    call.answer_list(request).await
}

/// `POST /placement_groups`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_placement_group(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /placement_groups/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_placement_group(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /placement_groups/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_placement_group(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `POST /servers/{id}/actions/add_to_placement_group`.
///
/// # Errors
/// The application's.
pub async fn add_server(mut call: Call) -> Result<Reply> {
    let AddToPlacementGroup { placement_group } = call.request()?;
    call.control.add_to_placement_group(&call.caller, call.id(), placement_group).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/remove_from_placement_group`.
///
/// # Errors
/// The application's.
pub async fn remove_server(call: Call) -> Result<Reply> {
    call.control.remove_from_placement_group(&call.caller, call.id()).await.map(Reply::Json)
}
