//! Certificates (fact sheet §3.8).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /certificates`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::Certificate, &["id", "name", "created"], &["name", "type"])?;
    call.answer_list(request).await
}

/// `POST /certificates`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_certificate(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /certificates/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_certificate(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /certificates/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_certificate(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `POST /certificates/{id}/actions/retry`.
///
/// # Errors
/// The application's.
pub async fn retry(call: Call) -> Result<Reply> {
    call.control.retry_certificate(&call.caller, call.id()).await.map(Reply::Json)
}
