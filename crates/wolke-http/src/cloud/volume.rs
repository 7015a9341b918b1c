//! Volumes (fact sheet §3.4).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /volumes`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::Volume, &["id", "name", "created"], &["name", "status"])?;
    call.answer_list(request).await
}

/// `POST /volumes`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_volume(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /volumes/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_volume(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /volumes/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_volume(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `POST /volumes/{id}/actions/attach`.
///
/// # Errors
/// The application's.
pub async fn attach(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.attach_volume(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /volumes/{id}/actions/detach`.
///
/// # Errors
/// The application's.
pub async fn detach(call: Call) -> Result<Reply> {
    call.control.detach_volume(&call.caller, call.id()).await.map(Reply::Json)
}

/// `POST /volumes/{id}/actions/resize`.
///
/// # Errors
/// The application's.
pub async fn resize(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.resize_volume(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /volumes/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_volume_protection(&call.caller, call.id(), change).await.map(Reply::Json)
}
