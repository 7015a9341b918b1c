//! Further accounts of storage boxes (fact sheet §4.3).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /storage_boxes/{id}/subaccounts`.
///
/// # Errors
/// `not_found`, `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let sort = call.sort(&["id", "created"])?;
    call.list_of_storage_box(Kind::StorageBoxSubaccount, sort, Vec::new()).await
}

/// `POST /storage_boxes/{id}/subaccounts`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_storage_box_subaccount(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `GET /storage_boxes/{id}/subaccounts/{subaccount_id}`.
///
/// # Errors
/// `not_found`.
pub async fn get(call: Call) -> Result<Reply> {
    let account = (Kind::StorageBoxSubaccount, call.second_id());
    call.control.get_of_storage_box(&call.caller, account, call.id()).await.map(Reply::Json)
}

/// `PUT /storage_boxes/{id}/subaccounts/{subaccount_id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    let of = (call.id(), call.second_id());
    call.control.update_storage_box_subaccount(&call.caller, of, update).await.map(Reply::Json)
}

/// `DELETE /storage_boxes/{id}/subaccounts/{subaccount_id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    let of = (call.id(), call.second_id());
    call.control.delete_storage_box_subaccount(&call.caller, of).await.map(Reply::Json)
}

/// `POST …/actions/change_home_directory`.
///
/// # Errors
/// The application's.
pub async fn change_home_directory(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let of = (call.id(), call.second_id());
    call.control.change_home_directory(&call.caller, of, request).await.map(Reply::Json)
}

/// `POST …/actions/reset_subaccount_password`.
///
/// # Errors
/// The application's.
pub async fn reset_password(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let of = (call.id(), call.second_id());
    call.control.reset_subaccount_password(&call.caller, of, request).await.map(Reply::Json)
}

/// `POST …/actions/update_access_settings`.
///
/// # Errors
/// The application's.
pub async fn update_access_settings(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    let of = (call.id(), call.second_id());
    call.control.update_subaccount_access_settings(&call.caller, of, change).await.map(Reply::Json)
}
