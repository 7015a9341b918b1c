//! Snapshots of storage boxes (fact sheet §4.3).

use crate::call::{Call, Reply};
use wolke_control::Filter;
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /storage_boxes/{id}/snapshots`.
///
/// # Errors
/// `not_found`, `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let sort = call.sort(&["id", "name", "created"])?;
    let asked = call.parameter("is_automatic").map(|_| i64::from(call.flag("is_automatic")));
    let filters = asked.map(|flag| Filter::Number("automatic", vec![flag])).into_iter().collect();
    call.list_of_storage_box(Kind::StorageBoxSnapshot, sort, filters).await
}

/// `POST /storage_boxes/{id}/snapshots`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_storage_box_snapshot(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `GET /storage_boxes/{id}/snapshots/{snapshot_id}`.
///
/// # Errors
/// `not_found`.
pub async fn get(call: Call) -> Result<Reply> {
    let snapshot = (Kind::StorageBoxSnapshot, call.second_id());
    call.control.get_of_storage_box(&call.caller, snapshot, call.id()).await.map(Reply::Json)
}

/// `PUT /storage_boxes/{id}/snapshots/{snapshot_id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    let of = (call.id(), call.second_id());
    call.control.update_storage_box_snapshot(&call.caller, of, update).await.map(Reply::Json)
}

/// `DELETE /storage_boxes/{id}/snapshots/{snapshot_id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    let of = (call.id(), call.second_id());
    call.control.delete_storage_box_snapshot(&call.caller, of).await.map(Reply::Json)
}
